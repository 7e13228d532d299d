"""A local stand-in for the part of Twilio's REST API that this project talks to.

It imports nothing from the rest of the project. ``SandboxServer`` is the way in; docs/sandbox.md explains it.
"""

from __future__ import annotations

# Importing an area registers its routes and timers.
from . import addresses, brands, bundles, campaigns, evaluations, numbers, parts, policies, services, streams  # noqa: F401
from .server import SandboxServer
from .state import CAMPAIGN_SID, SOLE_PROP_POLICY, STARTER_POLICY, Config, World

__all__ = ["CAMPAIGN_SID", "SOLE_PROP_POLICY", "STARTER_POLICY", "Config", "SandboxServer", "World"]

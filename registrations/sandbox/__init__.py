"""A local stand-in for the part of Twilio's REST API that this project uses.

It imports nothing from the rest of the project. Start it with ``SandboxServer``; see docs/sandbox.md.
"""

from __future__ import annotations

# Importing a module registers its routes and timers.
from . import addresses, brands, bundles, campaigns, evaluations, numbers, parts, policies, services, streams  # noqa: F401
from .server import SandboxServer
from .state import CAMPAIGN_SID, SOLE_PROP_POLICY, STARTER_POLICY, Config, World

__all__ = ["CAMPAIGN_SID", "SOLE_PROP_POLICY", "STARTER_POLICY", "Config", "SandboxServer", "World"]

"""A local stand-in for the part of Twilio's REST API that this project talks to.

It imports nothing from the rest of the project. ``SandboxServer`` is the way in; docs/sandbox.md explains it.
"""

from __future__ import annotations

# Importing an area registers its routes and timers.
from registrations.sandbox import (  # noqa: F401
    addresses,
    brands,
    bundles,
    campaigns,
    evaluations,
    numbers,
    parts,
    policies,
    services,
    streams,
)
from registrations.sandbox.server import SandboxServer
from registrations.sandbox.state import CAMPAIGN_SID, SOLE_PROP_POLICY, STARTER_POLICY, Config, World

__all__ = ["CAMPAIGN_SID", "SOLE_PROP_POLICY", "STARTER_POLICY", "Config", "SandboxServer", "World"]

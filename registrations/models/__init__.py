"""The nouns: one case, its five mirrors of Twilio objects, and the ledger."""

from .brand import Brand
from .campaign import Campaign
from .ledger import Event, Heartbeat, Lane, Policy, RetiredResource, StepRun, Submission
from .mirror import Mirror
from .phone_number import PhoneNumber
from .profile import Profile
from .reconcile import Finding, Scan
from .registration import Registration
from .trust_bundle import TrustBundle
from .webhook import WebhookDelivery

__all__ = [
    "Brand",
    "Campaign",
    "Event",
    "Finding",
    "Heartbeat",
    "Lane",
    "Mirror",
    "PhoneNumber",
    "Policy",
    "Profile",
    "Registration",
    "RetiredResource",
    "Scan",
    "StepRun",
    "Submission",
    "TrustBundle",
    "WebhookDelivery",
]

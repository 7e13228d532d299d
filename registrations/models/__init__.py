"""The nouns: one case, its five mirrors of Twilio objects, the ledger, and the team's own things."""

from .brand import Brand
from .campaign import Campaign
from .fee import Fee
from .figures import Figure, OpenProblem, StageSpell, Uncatalogued
from .ledger import Event, Heartbeat, Lane, LimitUse, Policy, RetiredResource, StepRun, Submission
from .mirror import Mirror
from .people import Notification, NotificationSettings, SavedView
from .phone_number import PhoneNumber
from .profile import Profile
from .reconcile import Finding, Scan
from .registration import Registration
from .trust_bundle import TrustBundle
from .webhook import WebhookDelivery
from .work import Batch, BatchItem, Import, ImportFile, ImportRow, Work

__all__ = [
    "Batch",
    "BatchItem",
    "Brand",
    "Campaign",
    "Event",
    "Fee",
    "Figure",
    "Finding",
    "Heartbeat",
    "Import",
    "ImportFile",
    "ImportRow",
    "Lane",
    "LimitUse",
    "Mirror",
    "Notification",
    "NotificationSettings",
    "OpenProblem",
    "PhoneNumber",
    "Policy",
    "Profile",
    "Registration",
    "RetiredResource",
    "SavedView",
    "Scan",
    "StageSpell",
    "StepRun",
    "Submission",
    "TrustBundle",
    "Uncatalogued",
    "WebhookDelivery",
    "Work",
]

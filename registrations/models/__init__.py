"""The database tables: one registration, its five Twilio resources, its API calls and history, the team's settings."""

from .brand import Brand
from .bulk import BackgroundJob, Batch, BatchItem, Import, ImportFile, ImportRow
from .campaign import Campaign
from .fee import Fee
from .history import ApiCall, Event, Heartbeat, LimitUse, Policy, RateLimit, RetiredResource, Submission
from .people import Notification, NotificationSettings, SavedView, SearchTerm
from .phone_number import PhoneNumber
from .profile import Profile
from .reconciliation import Finding, Scan
from .registration import Registration
from .statistics import CachedStatistic, OpenProblem, StageInterval, UnknownTwilioCode
from .trust_bundle import TrustBundle
from .twilio_resource import TwilioResource
from .webhook import WebhookDelivery

__all__ = [
    "ApiCall",
    "BackgroundJob",
    "Batch",
    "BatchItem",
    "Brand",
    "CachedStatistic",
    "Campaign",
    "Event",
    "Fee",
    "Finding",
    "Heartbeat",
    "Import",
    "ImportFile",
    "ImportRow",
    "LimitUse",
    "Notification",
    "NotificationSettings",
    "OpenProblem",
    "PhoneNumber",
    "Policy",
    "Profile",
    "RateLimit",
    "Registration",
    "RetiredResource",
    "SavedView",
    "Scan",
    "SearchTerm",
    "StageInterval",
    "Submission",
    "TrustBundle",
    "TwilioResource",
    "UnknownTwilioCode",
    "WebhookDelivery",
]

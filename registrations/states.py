"""Upstream words -> our state, label and colour: one table.

Twilio's words are stored verbatim; a word that is not in this table is shown as it came and treated as
"not finished yet", so that a new status upstream never crashes a page nor parks a registration.
Source: Twilio facts, section 3.
"""

from dataclasses import dataclass
from typing import Literal

from django.db import models

Mood = Literal["good", "bad", "wait", "idle", "unknown"]


class Stage(models.TextChoices):
    """Where a registration stands; the order is the order of the walkthrough."""

    DRAFT = "draft", "Draft"
    PROFILE = "profile", "Profile"
    TRUST_BUNDLE = "trust_bundle", "Trust bundle"
    BRAND = "brand", "Brand"
    OTP = "otp", "One-time text"
    CAMPAIGN = "campaign", "Campaign"
    NUMBER = "number", "Number"
    LIVE = "live", "Live"
    REMOVING = "removing", "Being taken down"
    REMOVED = "removed", "Removed"


# Off the way to live, and not coming back to it.
TAKEN_DOWN = (Stage.REMOVING, Stage.REMOVED)


class WaitingFor(models.TextChoices):
    """Who must act next."""

    US = "us", "Us"
    CUSTOMER = "customer", "The customer"
    TWILIO = "twilio", "Twilio"
    WORKER = "worker", "The worker"
    NOBODY = "nobody", "Nobody"


class RunState(models.TextChoices):
    """What became of one attempt at one Twilio call."""

    RUNNING = "running", "Running"  # intent saved, the call may be under way
    UNKNOWN = "unknown", "Outcome unknown"  # no usable reply: look before doing anything else
    OK = "ok", "Done"
    FOUND = "found", "Done (found at Twilio)"  # the reply was lost, a look-up found the object
    LOST = "lost", "Never arrived"  # the reply was lost and the look-up found nothing
    REJECTED = "rejected", "Rejected"  # their no: a person must change something
    UNAVAILABLE = "unavailable", "Twilio unavailable"  # surely not done; tried again later
    MISCONFIGURED = "misconfigured", "Credentials refused"
    ERRORED = "errored", "Our error"


class WorkState(models.TextChoices):
    """Where a bulk action or an import stands (models/work.py)."""

    PREPARING = "preparing", "Preparing"  # a job works out what would happen
    READY = "ready", "Ready to confirm"
    RUNNING = "running", "Running"
    CANCELLED = "cancelled", "Cancelled"  # what is done stays done; the rest can be started again
    DONE = "done", "Done"
    FAILED = "failed", "Failed"  # as a whole; `error` says why


class ItemState(models.TextChoices):
    """What becomes of one row of a bulk action or an import."""

    NEW = "new", "Not looked at yet"
    WILL = "will", "Will be done"
    SKIPPED = "skipped", "Skipped"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class FeeKind(models.TextChoices):
    """What Twilio takes money for (facts section 9); the keys of settings.A2P_FEES."""

    BRAND = "brand", "Brand registration"
    CAMPAIGN_VETTING = "campaign_vetting", "Campaign vetting"
    CAMPAIGN_MONTHLY = "campaign_monthly", "Campaign, a month"
    NUMBER_MONTHLY = "number_monthly", "Phone number, a month"
    LOOKUP = "lookup", "Look-up of a mobile"


OPEN_RUN_STATES = (RunState.RUNNING, RunState.UNKNOWN)
GOOD_RUN_STATES = (RunState.OK, RunState.FOUND)


@dataclass(frozen=True)
class Word:
    """How we read one upstream status word."""

    label: str
    mood: Mood
    final: bool = False


BUNDLE = {
    "draft": Word("Draft", "idle"),
    "pending-review": Word("Submitted", "wait"),
    "in-review": Word("In review", "wait"),
    "twilio-rejected": Word("Rejected", "bad", final=True),
    "twilio-approved": Word("Approved", "good", final=True),
}
BRAND = {
    "PENDING": Word("Pending", "wait"),
    "IN_REVIEW": Word("In review", "wait"),
    "APPROVED": Word("Approved", "good", final=True),
    "FAILED": Word("Failed", "bad", final=True),
    "SUSPENDED": Word("Suspended", "bad", final=True),
    "DELETION_PENDING": Word("Being deleted", "wait"),
    "DELETION_FAILED": Word("Deletion failed", "bad"),
    # Known from prose only, as what the registry may do after 30 days without a YES (facts section 8).
    "EXPIRED": Word("Expired", "bad", final=True),
}
IDENTITY = {
    "SELF_DECLARED": Word("Waiting for YES", "wait"),
    "UNVERIFIED": Word("Waiting for YES", "wait"),
    "VERIFIED": Word("Verified", "good", final=True),
    "VETTED_VERIFIED": Word("Vetted", "good", final=True),
}
CAMPAIGN = {
    "PENDING": Word("Submitted", "wait"),
    "IN_PROGRESS": Word("In review", "wait"),
    "VERIFIED": Word("Approved", "good", final=True),
    "FAILED": Word("Rejected", "bad", final=True),
    "SUSPENDED": Word("Suspended", "bad", final=True),
}
NUMBER = {
    "registered": Word("Registered", "good", final=True),
    "pending_registration": Word("Registering", "wait"),
    "failure": Word("Registration failed", "bad", final=True),
    "pending_deregistration": Word("Deregistering", "wait"),
    "unregistered": Word("Not registered", "idle"),
}
EVALUATION = {
    "compliant": Word("Compliant", "good", final=True),
    "noncompliant": Word("Not compliant", "bad", final=True),
}

# Sole proprietors reach twilio-approved only after the one-time text, so submitted is enough to go on.
BUNDLE_SUBMITTED = frozenset({"pending-review", "in-review", "twilio-approved"})
BUNDLE_REJECTED, BUNDLE_APPROVED = "twilio-rejected", "twilio-approved"
BRAND_APPROVED, BRAND_FAILED, BRAND_SUSPENDED = "APPROVED", "FAILED", "SUSPENDED"
BRAND_EXPIRED, BRAND_DELETION_FAILED = "EXPIRED", "DELETION_FAILED"
IDENTITY_VERIFIED = "VERIFIED"
CAMPAIGN_VERIFIED, CAMPAIGN_FAILED, CAMPAIGN_SUSPENDED = "VERIFIED", "FAILED", "SUSPENDED"


def canonical(table: dict[str, Word], value: object) -> str:
    """The table's own spelling of a word that differs in case, hyphens or blanks only; others as they came.

    Twilio changed the case of such words before (facts section 3), and events spell them differently.

    >>> canonical(BUNDLE, "In_Review"), canonical(BRAND, "approved"), canonical(BRAND, "Meditating")
    ('in-review', 'APPROVED', 'Meditating')
    >>> canonical(BRAND, None)
    ''
    """
    if not isinstance(value, str):
        return ""
    if value in table:
        return value
    return next((word for word in table if _plain(word) == _plain(value)), value)


def _plain(value: str) -> str:
    return value.strip().lower().replace("_", "-").replace(" ", "-")


def word(table: dict[str, Word], value: str | None) -> Word:
    """Reading of an upstream word; an unknown one is shown verbatim and is not final."""
    if not value:
        return Word("—", "idle")
    return table.get(value) or Word(value, "unknown")

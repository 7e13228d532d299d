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
    REMOVED = "removed", "Removed"


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
BUNDLE_REJECTED = "twilio-rejected"
BRAND_APPROVED, BRAND_FAILED, BRAND_SUSPENDED = "APPROVED", "FAILED", "SUSPENDED"
IDENTITY_VERIFIED = "VERIFIED"
CAMPAIGN_VERIFIED, CAMPAIGN_FAILED, CAMPAIGN_SUSPENDED = "VERIFIED", "FAILED", "SUSPENDED"


def word(table: dict[str, Word], value: str | None) -> Word:
    """Reading of an upstream word; an unknown one is shown verbatim and is not final."""
    if not value:
        return Word("—", "idle")
    return table.get(value) or Word(value, "unknown")

"""Our own states and choices, stored in columns. Twilio's statuses are in `registrations.twilio.statuses`."""

from django.db import models


class Stage(models.TextChoices):
    """Where a registration stands, in the order of the walkthrough."""

    DRAFT = "draft", "Draft"
    PROFILE = "profile", "Profile"
    TRUST_BUNDLE = "trust_bundle", "Trust bundle"
    BRAND = "brand", "Brand"
    OTP = "otp", "OTP text"
    CAMPAIGN = "campaign", "Campaign"
    NUMBER = "number", "Number"
    LIVE = "live", "Live"
    REMOVING = "removing", "Removing"
    REMOVED = "removed", "Removed"


# Being removed from Twilio, or removed: these never go live again.
REMOVAL_STAGES = (Stage.REMOVING, Stage.REMOVED)


class WaitingFor(models.TextChoices):
    """Who must act next."""

    US = "us", "Needs you"
    CUSTOMER = "customer", "Waiting on customer"
    TWILIO = "twilio", "Waiting on Twilio"
    WORKER = "worker", "In progress"
    NOBODY = "nobody", "Complete"


class CallState(models.TextChoices):
    """The outcome of one attempt at one Twilio call."""

    RUNNING = "running", "Running"  # intent saved, the call may be in progress
    UNKNOWN = "unknown", "Outcome unknown"  # no usable reply: look it up before anything else
    OK = "ok", "Done"
    FOUND = "found", "Done (found at Twilio)"  # the reply was lost; a lookup found the object
    LOST = "lost", "Never arrived"  # the reply was lost; the lookup found nothing
    REJECTED = "rejected", "Rejected"  # by Twilio; a person must change something
    UNAVAILABLE = "unavailable", "Twilio unavailable"  # certainly not executed; retried later
    MISCONFIGURED = "misconfigured", "Credentials refused"
    ERRORED = "errored", "Our error"


class JobState(models.TextChoices):
    """Where a bulk action or an import stands (models/bulk.py)."""

    PREPARING = "preparing", "Preparing"  # a job works out what would happen
    READY = "ready", "Ready to confirm"
    RUNNING = "running", "Running"
    CANCELLED = "cancelled", "Cancelled"  # what is done stays done; the rest can be started again
    DONE = "done", "Done"
    FAILED = "failed", "Failed"  # as a whole; `error` says why


class ItemState(models.TextChoices):
    """The outcome of one row of a bulk action or an import."""

    NEW = "new", "Not checked yet"
    WILL = "will", "Will run"
    SKIPPED = "skipped", "Skipped"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class FeeKind(models.TextChoices):
    """What Twilio charges for (docs/twilio.md section 9); the keys of settings.A2P_FEES."""

    BRAND = "brand", "Brand registration"
    CAMPAIGN_VETTING = "campaign_vetting", "Campaign vetting"
    CAMPAIGN_MONTHLY = "campaign_monthly", "Campaign, monthly"
    NUMBER_MONTHLY = "number_monthly", "Phone number, monthly"
    LOOKUP = "lookup", "Mobile lookup"


OPEN_CALL_STATES = (CallState.RUNNING, CallState.UNKNOWN)
SUCCESSFUL_CALL_STATES = (CallState.OK, CallState.FOUND)

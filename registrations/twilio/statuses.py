"""Twilio's status words and how we show them: label, severity, and whether the status is final.

Twilio's words are stored verbatim. A word that is not in these tables is shown as it came and treated as not
final, so a new status at Twilio neither breaks a page nor stalls a registration. Source: docs/twilio.md section 3.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["good", "bad", "wait", "idle", "unknown"]


@dataclass(frozen=True)
class StatusLabel:
    """How we show one of Twilio's status words."""

    label: str
    severity: Severity
    final: bool = False


BUNDLE = {
    "draft": StatusLabel("Draft", "idle"),
    "pending-review": StatusLabel("Submitted", "wait"),
    "in-review": StatusLabel("In review", "wait"),
    "twilio-rejected": StatusLabel("Rejected", "bad", final=True),
    "twilio-approved": StatusLabel("Approved", "good", final=True),
}
BRAND = {
    "PENDING": StatusLabel("Pending", "wait"),
    "IN_REVIEW": StatusLabel("In review", "wait"),
    "APPROVED": StatusLabel("Approved", "good", final=True),
    "FAILED": StatusLabel("Failed", "bad", final=True),
    "SUSPENDED": StatusLabel("Suspended", "bad", final=True),
    "DELETION_PENDING": StatusLabel("Being deleted", "wait"),
    "DELETION_FAILED": StatusLabel("Deletion failed", "bad"),
    # Not in the API's enum. The registry may set it after 30 days without a YES (docs/twilio.md section 8).
    "EXPIRED": StatusLabel("Expired", "bad", final=True),
}
IDENTITY = {
    "SELF_DECLARED": StatusLabel("Waiting for YES", "wait"),
    "UNVERIFIED": StatusLabel("Waiting for YES", "wait"),
    "VERIFIED": StatusLabel("Verified", "good", final=True),
    "VETTED_VERIFIED": StatusLabel("Vetted", "good", final=True),
}
CAMPAIGN = {
    "PENDING": StatusLabel("Submitted", "wait"),
    "IN_PROGRESS": StatusLabel("In review", "wait"),
    "VERIFIED": StatusLabel("Approved", "good", final=True),
    "FAILED": StatusLabel("Rejected", "bad", final=True),
    "SUSPENDED": StatusLabel("Suspended", "bad", final=True),
}
NUMBER = {
    "registered": StatusLabel("Registered", "good", final=True),
    "pending_registration": StatusLabel("Registering", "wait"),
    "failure": StatusLabel("Registration failed", "bad", final=True),
    "pending_deregistration": StatusLabel("Deregistering", "wait"),
    "unregistered": StatusLabel("Not registered", "idle"),
}
EVALUATION = {
    "compliant": StatusLabel("Compliant", "good", final=True),
    "noncompliant": StatusLabel("Not compliant", "bad", final=True),
}

# Sole proprietors reach twilio-approved only after the OTP text, so "submitted" is enough to continue.
BUNDLE_SUBMITTED = frozenset({"pending-review", "in-review", "twilio-approved"})
BUNDLE_REJECTED, BUNDLE_APPROVED = "twilio-rejected", "twilio-approved"
BRAND_APPROVED, BRAND_FAILED, BRAND_SUSPENDED = "APPROVED", "FAILED", "SUSPENDED"
BRAND_EXPIRED, BRAND_DELETION_FAILED = "EXPIRED", "DELETION_FAILED"
IDENTITY_VERIFIED = "VERIFIED"
CAMPAIGN_VERIFIED, CAMPAIGN_FAILED, CAMPAIGN_SUSPENDED = "VERIFIED", "FAILED", "SUSPENDED"


def canonical(table: dict[str, StatusLabel], value: object) -> str:
    """The table's spelling of a word that differs only in case, hyphens or spaces; other words unchanged.

    Twilio has changed the case of these words before, and events spell them differently (docs/twilio.md section 3).

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


def status_label(table: dict[str, StatusLabel], value: str | None) -> StatusLabel:
    """The label of one of Twilio's words; an unknown word is shown verbatim and is not final."""
    if not value:
        return StatusLabel("—", "idle")
    return table.get(value) or StatusLabel(value, "unknown")

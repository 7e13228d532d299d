"""The history of submissions: what was sent each time, the outcome, and how two submissions differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registrations.models import Registration, Submission, TwilioResource
from registrations.twilio.statuses import BRAND_FAILED, BUNDLE_REJECTED, CAMPAIGN_FAILED

# The steps that submit a part to Twilio.
SUBMITTING_STEPS = frozenset(
    {
        "profile.submit",
        "trust_bundle.submit",
        "brand.create",
        "brand.update",
        "campaign.create",
        "campaign.update",
    }
)
_REJECTED = frozenset({BUNDLE_REJECTED, BRAND_FAILED, CAMPAIGN_FAILED})

LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Email",
    "phone_number": "Contact phone",
    "customer_name": "Name at the address",
    "street": "Street",
    "street_secondary": "Apartment, suite",
    "city": "City",
    "region": "State or province",
    "postal_code": "ZIP or postal code",
    "iso_country": "Country",
    "brand_name": "Brand name",
    "mobile_phone_number": "Mobile for the OTP text",
    "vertical": "Industry",
}


@dataclass(frozen=True)
class Difference:
    """One value in two submissions, as display text. changed: whether they differ."""

    field: str
    label: str
    before: str
    after: str
    changed: bool


def record_submission(
    registration: Registration,
    part: str,
    step: str,
    sid: str,
    params: dict[str, Any],
    actor: str,
    at: datetime,
) -> Submission:
    """Store one submission that Twilio accepted; called by the recorder."""
    earlier = Submission.objects.filter(registration=registration, part=part)
    newest = earlier.order_by("-number").first()
    return Submission.objects.create(
        registration=registration,
        part=part,
        number=(newest.number if newest else 0) + 1,
        step=step,
        sid=sid,
        accepted_params=params,
        actor=actor[:150],
        submitted_at=at,
    )


def record_answer(registration: Registration, part: str, resource: TwilioResource, now: datetime) -> None:
    """Write Twilio's state of the part to its newest submission. A rejected submission keeps its errors."""
    newest = Submission.objects.filter(registration=registration, part=part).order_by("-number").first()
    if newest is None:
        return
    answer = (resource.status, resource.failure_reason, resource.errors)
    if (newest.status, newest.failure_reason, newest.errors) == answer:
        return
    if newest.status in _REJECTED and resource.status not in _REJECTED:
        return  # the part is moving on to its next submission
    newest.status, newest.failure_reason, newest.errors = answer
    newest.rejected_at = now if resource.status in _REJECTED else None
    newest.save(update_fields=["status", "failure_reason", "errors", "rejected_at"])


def submissions_of(registration: Registration) -> list[Submission]:
    """All submissions of a registration, newest first."""
    return list(Submission.objects.filter(registration=registration))


def compare(older: Submission, newer: Submission) -> list[Difference]:
    """Every value of either submission, in form order; lists show one item per line."""
    before, after = flatten(older.accepted_params), flatten(newer.accepted_params)
    return [
        Difference(
            name, _label(name), before.get(name, ""), after.get(name, ""), before.get(name) != after.get(name)
        )
        for name in dict.fromkeys([*before, *after])
    ]


def sent_values(submission: Submission) -> list[tuple[str, str]]:
    """What was sent in one submission: (label, text) in form order, without empty values."""
    return [(_label(name), text) for name, text in flatten(submission.accepted_params).items() if text]


def flatten(params: Any) -> dict[str, str]:
    """Nested params as {field: text}, without SIDs and our own names.

    >>> flatten({"person": {"first_name": "Ann"}, "samples": ["a", "b"], "ok": True})
    {'first_name': 'Ann', 'samples': 'a\\nb', 'ok': 'yes'}
    """
    found: dict[str, str] = {}
    for key, value in (params or {}).items():
        if isinstance(value, dict):
            found.update(flatten(value))
        elif not (key.endswith("_sid") or key in ("friendly_name", "brand_type")):
            found[key] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return "" if value is None else str(value)


def labels(names: Iterable[str]) -> str:
    """The inputs' labels, sorted and separated by commas."""
    return ", ".join(sorted(map(_label, names)))


def _label(name: str) -> str:
    return LABELS.get(name) or name.replace("_", " ").capitalize()

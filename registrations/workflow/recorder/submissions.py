"""Submission versions: what was sent in each try, what came of it, and how two tries differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registrations.models import Registration, Submission, TwilioResource
from registrations.twilio.statuses import BRAND_FAILED, BUNDLE_REJECTED, CAMPAIGN_FAILED

# The steps that put a part before Twilio, and how each part's answer reads.
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
_REFUSED = frozenset({BUNDLE_REJECTED, BRAND_FAILED, CAMPAIGN_FAILED})

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
    """One value in two tries. before, after: text for people; changed: whether they differ."""

    field: str
    label: str
    before: str
    after: str
    changed: bool


def note_submission(
    registration: Registration, part: str, step: str, sid: str, sent: dict[str, Any], actor: str, at: datetime
) -> Submission:
    """Keep one try; called by `sync` when Twilio has accepted a submission."""
    earlier = Submission.objects.filter(registration=registration, part=part)
    newest = earlier.order_by("-number").first()
    return Submission.objects.create(
        registration=registration,
        part=part,
        number=(newest.number if newest else 0) + 1,
        step=step,
        sid=sid,
        accepted_params=sent,
        actor=actor[:150],
        at=at,
    )


def note_answer(registration: Registration, part: str, resource: TwilioResource, now: datetime) -> None:
    """Write Twilio's word on the part to its newest try. A try that was refused keeps the errors it got."""
    newest = Submission.objects.filter(registration=registration, part=part).order_by("-number").first()
    if newest is None:
        return
    answer = (resource.status, resource.failure_reason, resource.errors)
    if (newest.status, newest.failure_reason, newest.errors) == answer:
        return
    if newest.status in _REFUSED and resource.status not in _REFUSED:
        return  # the part is on its way to the next try
    newest.status, newest.failure_reason, newest.errors = answer
    newest.ended_at = now if resource.status in _REFUSED else None
    newest.save(update_fields=["status", "failure_reason", "errors", "ended_at"])


def of(registration: Registration) -> list[Submission]:
    """All tries of a registration, the newest first."""
    return list(Submission.objects.filter(registration=registration))


def compare(a: Submission, b: Submission) -> list[Difference]:
    """Every value of either try, in the order of the form; a list shows an item a line."""
    before, after = flat(a.accepted_params), flat(b.accepted_params)
    return [
        Difference(
            name, _label(name), before.get(name, ""), after.get(name, ""), before.get(name) != after.get(name)
        )
        for name in dict.fromkeys([*before, *after])
    ]


def facts(submission: Submission) -> list[tuple[str, str]]:
    """What was sent in one try: (label, text), in the order of the form; values that were left empty are not told."""
    return [(_label(name), text) for name, text in flat(submission.accepted_params).items() if text]


def flat(sent: Any, prefix: str = "") -> dict[str, str]:
    """Nested inputs as field -> text; SIDs and names of ours are left out.

    >>> flat({"person": {"first_name": "Ann"}, "samples": ["a", "b"], "ok": True})
    {'first_name': 'Ann', 'samples': 'a\\nb', 'ok': 'yes'}
    """
    found: dict[str, str] = {}
    for key, value in (sent or {}).items():
        if isinstance(value, dict):
            found.update(flat(value))
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
    """Inputs as people name them, apart by commas."""
    return ", ".join(sorted(map(_label, names)))


def _label(name: str) -> str:
    return LABELS.get(name) or name.replace("_", " ").capitalize()

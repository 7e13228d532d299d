"""Collects codes, field names, and messages from Twilio that our catalogue does not know. The only writer.

A row outlives the problem and the registration. It keeps Twilio's message, but no customer data.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from django.db.models import F

from registrations.models import Registration, UnknownTwilioCode
from registrations.twilio.client.redaction import MASK, redact_text
from registrations.workflow.planner.problems import Problem

MAX_MESSAGE_LENGTH = 300
# What belongs to one customer or object: links, identifiers, numbers, and a suggested address.
_PARTICULARS = re.compile(
    r"Address suggestion.*|https?://\S+|\b[A-Z]{2}[0-9a-f]{32}\b|\d+", re.IGNORECASE | re.DOTALL
)


def collect(registration: Registration, problem: Problem, digest: str, now: datetime) -> None:
    """Record what the catalogue does not know of this problem, if anything. `digest`: that of its message."""
    for kind, value in _unknown(problem, digest):
        row, _ = UnknownTwilioCode.objects.get_or_create(
            part=problem.part, kind=kind, value=value, defaults={"first_seen_at": now, "last_seen_at": now}
        )
        UnknownTwilioCode.objects.filter(pk=row.pk).update(
            occurrences=F("occurrences") + 1,
            last_seen_at=now,
            message=_message(registration, problem),
            registration=registration,
        )


def _unknown(problem: Problem, digest: str) -> Iterator[tuple[str, str]]:
    if not problem.catalogued:
        if problem.code:
            yield UnknownTwilioCode.Kind.CODE, str(problem.code)
        elif digest:
            yield UnknownTwilioCode.Kind.MESSAGE, digest
    for name in problem.unknown_fields:
        yield UnknownTwilioCode.Kind.FIELD, name[:80]


def _message(registration: Registration, problem: Problem) -> str:
    """Twilio's message without the customer's data."""
    profile, bundle = registration.profile, registration.trust_bundle
    own = (bundle.brand_name, profile.street, profile.street_secondary, profile.first_name, profile.last_name)
    text = problem.message
    for value in own:
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    return mask_particulars(text)


def mask_particulars(message: str) -> str:
    """The message with everything masked that belongs to one customer or object.

    >>> mask_particulars("Moon 12 is wrong for ann@example.com")
    'Moon # is wrong for a•••@example.com'
    """
    return _PARTICULARS.sub("#", redact_text(message))[:MAX_MESSAGE_LENGTH]

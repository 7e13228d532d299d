"""What Twilio says that our catalogue does not hold, collected so that it can learn: the only writer.

A row outlives the registration's problem and the registration itself; it keeps Twilio's words, but nobody's data.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from django.db.models import F

from registrations.models import Registration, UnknownTwilioCode
from registrations.twilio.client.redaction import MASK, redact_text
from registrations.workflow.planner.problems import Problem

MOST_WORDS = 300
# What belongs to one customer or one object: links, identifiers, numbers, and an address that is suggested.
_PARTICULAR = re.compile(
    r"Address suggestion.*|https?://\S+|\b[A-Z]{2}[0-9a-f]{32}\b|\d+", re.IGNORECASE | re.DOTALL
)


def collect(registration: Registration, problem: Problem, digest: str, now: datetime) -> None:
    """Note what of this problem is not in the catalogue; nothing when all is. `digest`: that of its words."""
    for kind, word in _unknown(problem, digest):
        row, _ = UnknownTwilioCode.objects.get_or_create(
            part=problem.part, kind=kind, word=word, defaults={"first_at": now, "last_at": now}
        )
        UnknownTwilioCode.objects.filter(pk=row.pk).update(
            times=F("times") + 1,
            last_at=now,
            message=_words(registration, problem),
            registration=registration,
        )


def _unknown(problem: Problem, digest: str) -> Iterator[tuple[str, str]]:
    if not problem.catalogued:
        if problem.code:
            yield UnknownTwilioCode.Kind.CODE, str(problem.code)
        elif digest:
            yield UnknownTwilioCode.Kind.WORDS, digest
    for name in problem.unknown_fields:
        yield UnknownTwilioCode.Kind.FIELD, name[:80]


def _words(registration: Registration, problem: Problem) -> str:
    """Twilio's words without the customer's own."""
    profile, bundle = registration.profile, registration.trust_bundle
    own = (bundle.brand_name, profile.street, profile.street_secondary, profile.first_name, profile.last_name)
    text = problem.message
    for value in own:
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    return words_of(text)


def words_of(message: str) -> str:
    """The text with what belongs to one customer or object masked.

    >>> words_of("Moon 12 is wrong for ann@example.com")
    'Moon # is wrong for a•••@example.com'
    """
    return _PARTICULAR.sub("#", redact_text(message))[:MOST_WORDS]

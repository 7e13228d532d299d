"""Data that lists, groups, searches, and charts read, derived whenever a registration's status is stored.

The only writer of OpenProblem and StageInterval, and of `Registration.search_text`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registrations.models import OpenProblem, Registration, StageInterval
from registrations.models.choices import REMOVAL_STAGES, Stage
from registrations.twilio.rejections import FIELD_PARTS
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.planner.problems import Problem, problems

from . import unknown_codes


@dataclass(frozen=True)
class RegistrationSnapshot:
    """A registration as it was read, and its problems then."""

    registration: Registration
    problems: list[Problem]

    @classmethod
    def of(cls, registration: Registration, attempts: Attempts) -> "RegistrationSnapshot":
        return cls(registration, problems(registration, attempts))


def refresh_read_models(snapshot: RegistrationSnapshot, stage: str, now: datetime) -> str:
    """Update the registration's OpenProblem rows; returns the search text for the caller to store.

    A removed registration has no open problems.
    """
    current = [] if stage in REMOVAL_STAGES else snapshot.problems
    update_open_problems(snapshot.registration, current, now)
    return search_text_of(snapshot.registration)


# --- stage intervals ----------------------------------------------------------------------------------------
def record_stage_change(registration: Registration, to: Stage, now: datetime) -> None:
    """The registration leaves `registration.stage` for `to`. Call it before the new stage is stored."""
    intervals = StageInterval.objects.filter(registration_id=registration.pk)
    if not intervals.filter(left_at=None).update(left_at=now):
        # Its first move: so far only the registration itself said when it entered this stage.
        StageInterval.objects.create(
            registration_id=registration.pk,
            stage=registration.stage,
            entered_at=registration.stage_since,
            left_at=now,
        )
    StageInterval.objects.create(registration_id=registration.pk, stage=to, entered_at=now)


# --- open problems ------------------------------------------------------------------------------------------
_COLUMNS = ("part", "code", "title", "field", "message_digest", "input_digest")
# What differs between two messages with the same reason: addresses, identifiers, numbers.
_PARTICULARS = re.compile(r"https?://\S+|\S+@\S+|\b[A-Z]{2}[0-9a-f]{32}\b|\d+")
_SAMPLE = "message_sample_"


def update_open_problems(registration: Registration, problems: Sequence[Problem], now: datetime) -> None:
    """Make the registration's rows match `problems`. A problem that stays keeps its `since`.

    Costs one query if nothing changed.
    """
    old = list(OpenProblem.objects.filter(registration_id=registration.pk))
    current = _row_values(registration, problems)
    left = {_values_of(row): row for row in old}
    new = {values: problem for values, problem in current.items() if left.pop(values, None) is None}
    if not left and not new:
        return
    for values, problem in new.items():
        # The same rejection after an edit of its input is the same problem.
        same = next((row for key, row in left.items() if key[:2] == values[:2] and key[3] == values[3]), None)
        if same:
            del left[_values_of(same)]
        else:
            unknown_codes.collect(registration, problem, values[4], now)
        row = same or OpenProblem(registration_id=registration.pk, since=now)
        for name, value in zip(_COLUMNS, values, strict=True):
            setattr(row, name, value)
        row.save()
    if left:
        OpenProblem.objects.filter(pk__in=[row.pk for row in left.values()]).delete()


def _row_values(registration: Registration, problems: Sequence[Problem]) -> dict[tuple[Any, ...], Problem]:
    """{values of a row: the first problem with them}, in order."""
    rows: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        values = (
            problem.part,
            problem.code,
            problem.title[:200],
            problem.field[:40],
            message_digest(problem.message),
            input_digest(input_text(registration, problem.field)),
        )
        rows.setdefault(values, problem)
    return rows


def _values_of(row: OpenProblem) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _COLUMNS)


def input_text(registration: Registration, field: str) -> str:
    """The registration's value of this form field; "" for a problem without a field."""
    if field not in FIELD_PARTS:
        return ""
    part = FIELD_PARTS[field]
    resource = getattr(registration, "phone_number" if part == "number" else part)
    if field.startswith(_SAMPLE):
        samples, place = resource.message_samples or [], int(field.removeprefix(_SAMPLE)) - 1
        return str(samples[place]) if place < len(samples) else ""
    value = getattr(resource, field, "")
    return "" if value is None else str(value)


def message_digest(message: str) -> str:
    """The same for two messages that differ only in numbers, addresses, or identifiers.

    >>> message_digest("Address 12 is wrong") == message_digest("Address 7  is wrong")
    True
    """
    return _digest(_PARTICULARS.sub("#", message))


def input_digest(text: str) -> str:
    """The same for two texts that differ only in case and whitespace; "" for no text.

    >>> input_digest("Text START to join") == input_digest(" text  start to JOIN"), input_digest("")
    (True, '')
    """
    return _digest(text)


def _digest(text: str) -> str:
    normal = " ".join(text.casefold().split())
    return hashlib.blake2b(normal.encode(), digest_size=12).hexdigest() if normal else ""


# --- search text --------------------------------------------------------------------------------------------
def normalize(text: str) -> str:
    """Lower case without accents or repeated spaces: how names are stored and searched.

    >>> normalize("  José  GARCÍA ")
    'jose garcia'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in letters if not unicodedata.combining(char)).split())


def digits(text: str) -> str:
    """The digits of a phone number in any format.

    >>> digits("+1 (415) 555-2671")
    '14155552671'
    """
    return re.sub(r"\D", "", text)


def search_text_of(registration: Registration) -> str:
    """The `search_text` of a registration whose parts are loaded: one value per line, so one index serves every search.

    SIDs are not included; they have indexes of their own.
    """
    profile, bundle, number = registration.profile, registration.trust_bundle, registration.phone_number
    words = (
        registration.label,
        registration.external_id or "",
        registration.ref,
        f"{profile.first_name} {profile.last_name}",
        profile.email,
        bundle.brand_name,
        registration.brand.tcr_id,
        registration.campaign.campaign_id,
    )
    sender = "" if number.sender_number.startswith("PN") else number.sender_number
    phones = (str(profile.phone_number), str(bundle.mobile_phone_number), number.phone_number, sender)
    lines = [*(normalize(word) for word in words), *(digits(phone) for phone in phones)]
    return "\n".join(dict.fromkeys(line for line in lines if line))

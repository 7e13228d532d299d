"""What is held against each registration now, as rows that lists, groups and charts can count: the only writer.

Two registrations failed alike when code, field and `input_key` agree: the same text was refused for the same reason.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from registrations.models import OpenProblem, Registration
from registrations.twilio.rejections import FIELD_PARTS
from registrations.workflow.planner.problems import Problem

from . import unknown_codes

_COLUMNS = ("part", "code", "title", "field", "message_key", "input_key")
# What differs between two tellings of one reason: addresses, identifiers, numbers.
_PARTICULAR = re.compile(r"https?://\S+|\S+@\S+|\b[A-Z]{2}[0-9a-f]{32}\b|\d+")
_SAMPLE = "message_sample_"


def keep(registration: Registration, problems: Sequence[Problem], now: datetime) -> None:
    """Make the registration's rows say `problems`; a problem that stays keeps its `since`. One read when nothing changed."""
    old = list(OpenProblem.objects.filter(registration_id=registration.pk))
    wanted = _wanted(registration, problems)
    left = {_values(row): row for row in old}
    new = {values: problem for values, problem in wanted.items() if left.pop(values, None) is None}
    if not left and not new:
        return
    for values, problem in new.items():
        # The same refusal after an edit of its input is no new problem.
        same = next((row for key, row in left.items() if key[:2] == values[:2] and key[3] == values[3]), None)
        if same:
            del left[_values(same)]
        else:
            unknown_codes.collect(registration, problem, values[4], now)
        row = same or OpenProblem(registration_id=registration.pk, since=now)
        for name, value in zip(_COLUMNS, values, strict=True):
            setattr(row, name, value)
        row.save()
    if left:
        OpenProblem.objects.filter(pk__in=[row.pk for row in left.values()]).delete()


def _wanted(registration: Registration, problems: Sequence[Problem]) -> dict[tuple[Any, ...], Problem]:
    """The values of each row, in order, and the first problem that they tell."""
    rows: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        values = (
            problem.part,
            problem.code,
            problem.title[:200],
            problem.field[:40],
            message_key(problem.message),
            input_key(input_text(registration, problem.field)),
        )
        rows.setdefault(values, problem)
    return rows


def _values(row: OpenProblem) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _COLUMNS)


def input_text(registration: Registration, field: str) -> str:
    """What the registration holds in this input of the form; "" for a problem that is about none."""
    if field not in FIELD_PARTS:
        return ""
    part = FIELD_PARTS[field]
    resource = getattr(registration, "phone_number" if part == "number" else part)
    if field.startswith(_SAMPLE):
        samples, place = resource.message_samples or [], int(field.removeprefix(_SAMPLE)) - 1
        return str(samples[place]) if place < len(samples) else ""
    value = getattr(resource, field, "")
    return "" if value is None else str(value)


def message_key(message: str) -> str:
    """The same for two tellings of one reason that differ in numbers, addresses or identifiers only.

    >>> message_key("Address 12 is wrong") == message_key("Address 7  is wrong")
    True
    """
    return _digest(_PARTICULAR.sub("#", message))


def input_key(text: str) -> str:
    """The same for two texts that differ in case and blanks only; "" for no text.

    >>> input_key("Text START to join") == input_key(" text  start to JOIN"), input_key("")
    (True, '')
    """
    return _digest(text)


def _digest(text: str) -> str:
    normal = " ".join(text.casefold().split())
    return hashlib.blake2b(normal.encode(), digest_size=12).hexdigest() if normal else ""

"""Similar failures: registrations that Twilio refused for the same reason, because of the same text. Reads only.

Built on the rows of OpenProblem; a group is a code (or, without one, a title), the input it is about, and the
digest of that input's text. Without the digest a group holds all texts that were refused for this reason.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from registrations.models import OpenProblem, Registration
from registrations.workflow.recorder.read_models import input_text

# Inputs that customers may share, and that are plain text: all are the campaign's.
SAMPLES = tuple(f"message_sample_{number}" for number in range(1, 6))
TEXTS = (
    *("description", "message_flow", *SAMPLES, "opt_in_message", "opt_out_message", "help_message"),
    *("privacy_policy_url", "terms_and_conditions_url"),
)
# Stands in a shared text for each customer's own brand name.
BRAND = "{brand}"
MOST = 200


@dataclass(frozen=True)
class Key:
    """Which group. alike: the digest of the text, "" when the input was empty, None for any text."""

    part: str
    code: int | None
    title: str
    field: str
    alike: str | None = None

    @property
    def editable(self) -> bool:
        return self.text_field in TEXTS

    @property
    def text_field(self) -> str:
        """The input to edit; a reason about the samples as a whole begins at the first."""
        return SAMPLES[0] if self.field == "message_samples" else self.field

    def rows(self) -> QuerySet[OpenProblem]:
        rows = OpenProblem.objects.filter(part=self.part, code=self.code, field=self.field)
        if self.code is None:
            rows = rows.filter(title=self.title)
        return rows if self.alike is None else rows.filter(input_digest=self.alike)

    def registrations(self) -> QuerySet[Registration]:
        return Registration.objects.filter(pk__in=self.rows().values("registration"))


@dataclass(frozen=True)
class Group:
    """count: registrations. oldest, newest: since when the first and the last of them fail. sample: the key of one."""

    key: Key
    count: int
    oldest: datetime
    newest: datetime
    sample: int


def groups(least: int = 2, *, alike: bool = True) -> list[Group]:
    """The largest groups of at least so many registrations, by one query; with `alike` the texts must agree."""
    names = ["part", "code", "title", "field", *(["input_digest"] if alike else [])]
    found = (
        OpenProblem.objects.order_by()
        .values(*names)
        .annotate(
            count=Count("registration", distinct=True),
            oldest=Min("since"),
            newest=Max("since"),
            sample=Min("registration"),
        )
        .filter(count__gte=least)
        .order_by("-count", "code", "title", "field")[:MOST]
    )
    return [
        Group(
            Key(row["part"], row["code"], row["title"], row["field"], row["input_digest"] if alike else None),
            *(row["count"], row["oldest"], row["newest"], row["sample"]),
        )
        for row in found
    ]


def samples(pks: Iterable[int]) -> dict[int, Registration]:
    """These registrations with their inputs, by key; one query."""
    heavy = (f"{part}__{name}" for part in Registration.PARTS for name in ("payload", "accepted_params"))
    return Registration.objects.select_related(*Registration.PARTS).defer(*heavy).in_bulk(list(pks))


# --- one text for many ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """A change of one input for many registrations.

    find: words to replace in each text; "" replaces the whole. text: what comes instead; BRAND in it becomes
    the customer's brand name.
    """

    field: str
    text: str
    find: str = ""

    def applied(self, registration: Registration) -> str:
        """The input's text after the change; the text as it is when it does not hold the words."""
        new = self.text.replace(BRAND, registration.trust_bundle.brand_name)
        return input_text(registration, self.field).replace(self.find, new) if self.find else new

    def parts(self, registration: Registration) -> dict[str, dict[str, Any]]:
        """As verbs.edit takes it."""
        return with_text(registration, self.field, self.applied(registration))


def with_text(registration: Registration, field: str, text: str) -> dict[str, dict[str, Any]]:
    """The campaign's inputs with this text in one of them, as verbs.edit takes it."""
    if field not in SAMPLES:
        return {"campaign": {field: text}}
    texts = list(registration.campaign.message_samples or [])
    place = SAMPLES.index(field)
    return {"campaign": {"message_samples": [t for t in [*texts[:place], text, *texts[place + 1 :]] if t]}}


@dataclass(frozen=True)
class Piece:
    """Words that stay (""), go ("del") or come ("ins")."""

    kind: str
    text: str


def difference(old: str, new: str) -> list[Piece]:
    """What changes, word by word.

    >>> [(p.kind, p.text) for p in difference("Reply YES to join.", "Reply START to join.")]
    [('', 'Reply '), ('del', 'YES'), ('ins', 'START'), ('', ' to join.')]
    """
    before, after = _words(old), _words(new)
    pieces: list[Piece] = []
    gone = come = ""
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        out, into = "".join(before[a:b]), "".join(after[c:d])
        between = kind == "equal" and (gone or come) and b < len(before) and not re.search(r"\w", out)
        if kind != "equal" or between:  # blanks between two changes belong to them, or nobody can read it
            gone, come = gone + out, come + into
            continue
        pieces += [Piece("del", gone), Piece("ins", come), Piece("", out)]
        gone = come = ""
    pieces += [Piece("del", gone), Piece("ins", come)]
    return [piece for piece in pieces if piece.text]


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)

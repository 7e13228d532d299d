"""Similar failures: registrations that Twilio rejected for the same reason, because of the same text. Reads only.

Built on OpenProblem. A group is a code (or a title, if there is no code), the input it is about, and the digest of that
input's text. Without the digest a group holds all texts that were rejected for this reason.
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

# Plain-text inputs that customers may share. All are the campaign's.
SAMPLES = tuple(f"message_sample_{number}" for number in range(1, 6))
TEXTS = (
    *("description", "message_flow", *SAMPLES, "opt_in_message", "opt_out_message", "help_message"),
    *("privacy_policy_url", "terms_and_conditions_url"),
)
# In a shared text, stands for each customer's brand name.
BRAND = "{brand}"
MAX_GROUPS = 200


@dataclass(frozen=True)
class Key:
    """Identifies a group. alike: digest of the text, "" if the input was empty, None for any text."""

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
        """The input to edit; for a reason about all samples, the first sample."""
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
    """count: registrations. oldest, newest: when the first and the last of them failed. sample: id of one."""

    key: Key
    count: int
    oldest: datetime
    newest: datetime
    sample: int


def groups(least: int = 2, *, alike: bool = True) -> list[Group]:
    """The largest groups of at least `least` registrations, by one query. `alike`: their texts must be the same."""
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
        .order_by("-count", "code", "title", "field")[:MAX_GROUPS]
    )
    return [
        Group(
            Key(row["part"], row["code"], row["title"], row["field"], row["input_digest"] if alike else None),
            *(row["count"], row["oldest"], row["newest"], row["sample"]),
        )
        for row in found
    ]


def samples(pks: Iterable[int]) -> dict[int, Registration]:
    """{id: registration with its inputs}; one query."""
    heavy = (f"{part}__{name}" for part in Registration.PARTS for name in ("payload", "accepted_params"))
    return Registration.objects.select_related(*Registration.PARTS).defer(*heavy).in_bulk(list(pks))


# --- one text for many ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """A change of one input for many registrations.

    find: words to replace in each text; "" replaces the whole text. text: the replacement; BRAND in it becomes the
    customer's brand name.
    """

    field: str
    text: str
    find: str = ""

    def applied(self, registration: Registration) -> str:
        """The input's text after the change; unchanged if it does not contain `find`."""
        new = self.text.replace(BRAND, registration.trust_bundle.brand_name)
        return input_text(registration, self.field).replace(self.find, new) if self.find else new

    def parts(self, registration: Registration) -> dict[str, dict[str, Any]]:
        """As actions.edit takes it."""
        return with_text(registration, self.field, self.applied(registration))


def with_text(registration: Registration, field: str, text: str) -> dict[str, dict[str, Any]]:
    """The campaign's inputs with this text in one of them, as actions.edit takes it."""
    if field not in SAMPLES:
        return {"campaign": {field: text}}
    texts = list(registration.campaign.message_samples or [])
    place = SAMPLES.index(field)
    return {"campaign": {"message_samples": [t for t in [*texts[:place], text, *texts[place + 1 :]] if t]}}


@dataclass(frozen=True)
class Piece:
    """Words that stay (""), are deleted ("del"), or are inserted ("ins")."""

    kind: str
    text: str


def difference(old: str, new: str) -> list[Piece]:
    """What changes, word by word.

    >>> [(p.kind, p.text) for p in difference("Reply YES to join.", "Reply START to join.")]
    [('', 'Reply '), ('del', 'YES'), ('ins', 'START'), ('', ' to join.')]
    """
    before, after = _words(old), _words(new)
    pieces: list[Piece] = []
    deleted = inserted = ""
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old_words, new_words = "".join(before[a:b]), "".join(after[c:d])
        # Blanks between two changes are part of the change; otherwise the result is hard to read.
        between = (
            kind == "equal" and (deleted or inserted) and b < len(before) and not re.search(r"\w", old_words)
        )
        if kind != "equal" or between:
            deleted, inserted = deleted + old_words, inserted + new_words
            continue
        pieces += [Piece("del", deleted), Piece("ins", inserted), Piece("", old_words)]
        deleted = inserted = ""
    pieces += [Piece("del", deleted), Piece("ins", inserted)]
    return [piece for piece in pieces if piece.text]


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)

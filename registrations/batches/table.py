"""What a bulk act is, and what it sees of a case before it judges it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from registrations import limits
from registrations.models import Batch, Registration
from registrations.pipeline import MIRRORS
from registrations.runs import Runs

Params = dict[str, Any]


@dataclass(frozen=True)
class Sight:
    """One case as a judge sees it. uses: the counters that Submit is held to, none when it is not."""

    case: Registration
    runs: Runs
    uses: list[limits.Use] = field(default_factory=list)

    @property
    def spent(self) -> list[str]:
        """Sentences about registry limits that are reached."""
        return [use.text for use in self.uses if use.spent]


@dataclass(frozen=True)
class Verdict:
    """Whether the act will be done to a case, and why not, or what it comes to.

    fee: what it may cost, in US dollars. paced: calls that keep Twilio's pace, by lane (see pacing.py).
    """

    will: bool
    text: str
    fee: Decimal = Decimal(0)
    paced: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BulkAct:
    """One row of the table of bulk acts.

    label: the words of its entry in the lists' menus. judge: pure reading, the same rule for the dry run and
    again right before the row is done. do: inside a transaction with the row's outcome; returns what happened,
    raises verbs.Refused. inputs: what the person adds when confirming. ended: what follows when all rows are
    settled. as_told: done only where the judge still says the very words of the dry run. goes_on: the worker
    carries the cases on afterwards, so the page shows where they stand.
    """

    slug: str
    label: str
    help: str
    judge: Callable[[Sight, Params], Verdict]
    do: Callable[[Registration, Batch], str]
    permission: str = "registrations.change_registration"
    inputs: tuple[str, ...] = ()
    ended: Callable[[Batch], None] | None = None
    as_told: bool = False
    goes_on: bool = False
    in_lists: bool = True


def will(text: str, fee: Decimal = Decimal(0), paced: dict[str, int] | None = None) -> Verdict:
    return Verdict(True, text, fee, paced or {})


def skip(text: str) -> Verdict:
    return Verdict(False, text)


def look(pks: Iterable[int]) -> list[Sight]:
    """These cases in the order of their keys; the same few queries however many they are."""
    heavy = [f"{part}__payload" for part in MIRRORS]
    cases = list(
        Registration.objects.filter(pk__in=list(pks))
        .select_related("owner", *MIRRORS)
        .defer(*heavy, "search_text")
        .order_by("pk")
    )
    runs = Runs.of_many([case.pk for case in cases])
    uses = limits.uses_of_many([case for case in cases if limits.counted(case)])
    return [Sight(case, runs[case.pk], uses.get(case.pk, [])) for case in cases]

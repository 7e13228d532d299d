"""What a bulk act is, and what it sees of a registration before it judges it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from registrations.models import Batch, Registration
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.recorder import registry_limits

Params = dict[str, Any]


@dataclass(frozen=True)
class Sight:
    """One registration as a judge sees it. uses: the counters that Submit is held to, none when it is not."""

    registration: Registration
    attempts: Attempts
    uses: list[registry_limits.Use] = field(default_factory=list)

    @property
    def spent(self) -> list[str]:
        """Sentences about registry limits that are reached."""
        return [use.text for use in self.uses if use.exhausted]


@dataclass(frozen=True)
class Verdict:
    """Whether the act will be done to a registration, and why not, or what it comes to.

    fee: what it may cost, in US dollars. paced: calls that keep Twilio's pace, by limit (see pacing.py).
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
    carries the registrations on afterwards, so the page shows where they stand.
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
    """These registrations in the order of their keys; the same few queries however many they are."""
    heavy = [f"{part}__payload" for part in Registration.PARTS]
    registrations = list(
        Registration.objects.filter(pk__in=list(pks))
        .select_related("owner", *Registration.PARTS)
        .defer(*heavy, "search_text")
        .order_by("pk")
    )
    attempts = Attempts.of_many([registration.pk for registration in registrations])
    uses = registry_limits.uses_of_many(
        [registration for registration in registrations if registry_limits.limits_apply(registration)]
    )
    return [
        Sight(registration, attempts[registration.pk], uses.get(registration.pk, []))
        for registration in registrations
    ]

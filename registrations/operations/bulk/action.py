"""What a bulk action is, and what it knows about a registration before it decides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from registrations.models import Batch, Registration
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.recorder import registry_limits

Params = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """One registration of a batch. limit_uses: the registry limits that Submit must respect; empty if it is exempt."""

    registration: Registration
    attempts: Attempts
    limit_uses: list[registry_limits.Use] = field(default_factory=list)

    @property
    def limits_reached(self) -> list[str]:
        """One sentence per registry limit that is reached."""
        return [use.text for use in self.limit_uses if use.exhausted]


@dataclass(frozen=True)
class Preview:
    """Whether the action will run on a registration. text: why not, or what it will do.

    fee: the most it may cost, in US dollars. rate_limited_calls: {rate limit: calls} (see runner/rate_limit.py).
    """

    will_run: bool
    text: str
    fee: Decimal = Decimal(0)
    rate_limited_calls: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    """One bulk action.

    label: its entry in the lists' menus. preview: reads only; decides in the dry run, and again right before the row
    runs. run: called in the transaction that saves the row's outcome; returns what happened, raises Refused. inputs:
    what the person adds when confirming. on_finished: called when all rows are settled. must_match_preview: run a row
    only if its preview still has the text of the dry run. submits: the worker continues with the registrations
    afterwards, so the page shows their stages.
    """

    slug: str
    label: str
    help: str
    preview: Callable[[Candidate, Params], Preview]
    run: Callable[[Registration, Batch], str]
    permission: str = "registrations.change_registration"
    inputs: tuple[str, ...] = ()
    on_finished: Callable[[Batch], None] | None = None
    must_match_preview: bool = False
    submits: bool = False
    in_lists: bool = True


def will_run(
    text: str, fee: Decimal = Decimal(0), rate_limited_calls: dict[str, int] | None = None
) -> Preview:
    return Preview(True, text, fee, rate_limited_calls or {})


def skip(text: str) -> Preview:
    return Preview(False, text)


def load_candidates(pks: Iterable[int]) -> list[Candidate]:
    """These registrations, ordered by key. The number of queries does not grow with theirs."""
    heavy = [f"{part}__payload" for part in Registration.PARTS]
    registrations = list(
        Registration.objects.filter(pk__in=list(pks))
        .select_related("owner", *Registration.PARTS)
        .defer(*heavy, "search_text")
        .order_by("pk")
    )
    attempts = Attempts.of_many([registration.pk for registration in registrations])
    limit_uses = registry_limits.uses_of_many(
        [registration for registration in registrations if registry_limits.limits_apply(registration)]
    )
    return [
        Candidate(registration, attempts[registration.pk], limit_uses.get(registration.pk, []))
        for registration in registrations
    ]

"""How much of the registry's limits the rows of a batch will use, in the order of their keys.

`registry_limits` counts only what is submitted. If registrations of one batch share a mobile, the first ones use it
up for the others; without this forecast the dry run would promise it to all of them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.db.models import Count

from registrations.models import Batch, Registration
from registrations.models.choices import ItemState
from registrations.workflow.recorder import registry_limits

from .action import Candidate


class LimitForecast:
    """Uses by rows that were previewed before; one query per limit for a portion, however many rows it has."""

    def __init__(self, batch: Batch, candidates: Iterable[Candidate]) -> None:
        self._used = [Counter[str]() for _ in registry_limits.columns()]
        counted = [
            registry_limits.values_of(candidate.registration)
            for candidate in candidates
            if registry_limits.limits_apply(candidate.registration)
        ]
        if not counted:
            return
        earlier = Registration.objects.filter(
            batch_items__batch=batch, batch_items__state=ItemState.WILL, submitted_revision=0, brand__sid=""
        ).order_by()
        for place, column in enumerate(registry_limits.columns()):
            values = {row[place] for row in counted} - {""}
            rows = earlier.filter(**{f"{column}__in": values}).values_list(column).annotate(n=Count("pk"))
            self._used[place].update({str(value): count for value, count in rows})

    def applied_to(self, candidate: Candidate) -> Candidate:
        """The candidate as it will be once the rows before it are submitted."""
        if not candidate.limit_uses:
            return candidate
        values = zip(self._used, registry_limits.values_of(candidate.registration), strict=True)
        # registry_limits makes one Use for each value that is not empty.
        ahead = [used[value] for used, value in values if value]
        uses = [replace(use, ahead=before) for use, before in zip(candidate.limit_uses, ahead, strict=True)]
        return replace(candidate, limit_uses=uses)

    def add(self, registration: Registration) -> None:
        """This one will be submitted. If it was submitted before, registry_limits counts it already."""
        if not registry_limits.counts_toward_limits(registration):
            for used, value in zip(self._used, registry_limits.values_of(registration), strict=True):
                used[value] += 1

"""What the rows of a batch will use up of the registry's limits before one another, in the order of their keys.

The counters of limits.py know only what was submitted before. Of registrations that share a mobile, the first ones of a
batch spend it for the others; without this the dry run would promise them all.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.db.models import Count

from registrations.models import Batch, Registration
from registrations.models.choices import ItemState
from registrations.workflow.recorder import registry_limits

from .action import Sight


class Ahead:
    """Uses by rows that are judged already; three queries for a chunk, however many rows there are."""

    def __init__(self, batch: Batch, sights: Iterable[Sight]) -> None:
        self._used = [Counter[str]() for _ in registry_limits.columns()]
        asked = [
            registry_limits.values_of(sight.registration)
            for sight in sights
            if registry_limits.limits_apply(sight.registration)
        ]
        if not asked:
            return
        chosen = Registration.objects.filter(
            batch_items__batch=batch, batch_items__state=ItemState.WILL, submitted_revision=0, brand__sid=""
        ).order_by()
        for place, column in enumerate(registry_limits.columns()):
            values = {row[place] for row in asked} - {""}
            rows = chosen.filter(**{f"{column}__in": values}).values_list(column).annotate(n=Count("pk"))
            self._used[place].update({str(value): count for value, count in rows})

    def seen(self, sight: Sight) -> Sight:
        """The registration as it will be when those before it were submitted."""
        if not sight.uses:
            return sight
        values = zip(self._used, registry_limits.values_of(sight.registration), strict=True)
        # limits.py makes a Use of each value that is given.
        ahead = [used[value] for used, value in values if value]
        uses = [replace(use, ahead=before) for use, before in zip(sight.uses, ahead, strict=True)]
        return replace(sight, uses=uses)

    def add(self, registration: Registration) -> None:
        """This one will be submitted; a registration that was submitted before is counted by limits.py already."""
        if not registry_limits.counts_toward_limits(registration):
            for used, value in zip(self._used, registry_limits.values_of(registration), strict=True):
                used[value] += 1

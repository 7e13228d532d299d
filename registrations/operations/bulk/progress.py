"""Where a batch stands, in numbers, for its page. Reads only; the number of queries does not grow with the rows."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, Sum

from registrations.models import ApiCall, Batch, BatchItem, Registration
from registrations.models.choices import ItemState, JobState, Stage
from registrations.workflow import spending
from registrations.workflow.runner import rate_limit

# Reasons shown; a batch seldom has more than a handful.
MAX_REASONS = 12
# The latest rows, from which the speed is computed.
RECENT = 200


@dataclass(frozen=True)
class Progress:
    """counts: rows by ItemState. fee: the most that the remaining rows may cost, in US dollars. left: estimated time
    until a running batch ends, None if unknown. pace: the shortest time that Twilio's rate limits allow.
    """

    batch: Batch
    counts: dict[str, int]
    fee: Decimal
    left: timedelta | None
    pace: timedelta

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        """Registrations in the batch. Those deleted since have no row and do not count."""
        return self.rows + len(self.batch.params.get("chosen") or ()) or self.batch.total

    @property
    def deleted(self) -> int:
        return max(0, self.batch.total - self.total)

    @property
    def will(self) -> int:
        return self.counts.get(ItemState.WILL, 0)

    @property
    def done(self) -> int:
        return self.counts.get(ItemState.DONE, 0)

    @property
    def skipped(self) -> int:
        return self.counts.get(ItemState.SKIPPED, 0)

    @property
    def failed(self) -> int:
        return self.counts.get(ItemState.FAILED, 0)

    @property
    def settled(self) -> int:
        """Rows finished so far: previewed during the dry run; run, skipped, or failed after it is confirmed."""
        finished = self.done + self.skipped + self.failed
        return finished + self.will if self.batch.confirmed_at is None else finished


def progress(batch: Batch) -> Progress:
    counts = dict(batch.items.order_by().values_list("state").annotate(n=Count("pk")))
    fee = batch.items.order_by().aggregate(sum=Sum("fee"))["sum"] or Decimal(0)
    return Progress(batch, counts, fee, _left(batch, counts), pace(batch))


def pace(batch: Batch) -> timedelta:
    """The shortest time that Twilio's rate limits allow for the calls of all registrations."""
    calls = batch.params.get("rate_limited_calls") or {}
    times = [
        rate_limit.rate(limit) * count for limit, count in calls.items() if limit in rate_limit.INTERVALS
    ]
    return max(times, default=timedelta(0))


def _left(batch: Batch, counts: dict[str, int]) -> timedelta | None:
    """Estimated from the speed of the latest rows."""
    if batch.state != JobState.RUNNING:
        return None
    recent = list(
        batch.items.filter(state=ItemState.DONE)
        .order_by("-id")
        .values_list("finished_at", flat=True)[:RECENT]
    )
    times = [at for at in recent if at]
    if len(times) < 2:
        return None
    each = (max(times) - min(times)) / (len(times) - 1)
    return each * counts.get(ItemState.WILL, 0)


def reasons(batch: Batch, state: ItemState) -> list[tuple[str, int]]:
    """The texts of rows in this state, each with its number of rows, the most common first."""
    rows = batch.items.filter(state=state).order_by().values_list("text").annotate(n=Count("pk"))
    return list(rows.order_by("-n", "text")[:MAX_REASONS])


def stages(batch: Batch) -> list[tuple[str, int]]:
    """Current stages of the registrations that ran: (stage, count), in the order of the stages."""
    done = BatchItem.objects.filter(batch=batch, state=ItemState.DONE).values("registration")
    found = dict(
        Registration.objects.filter(pk__in=done).order_by().values_list("stage").annotate(n=Count("pk"))
    )
    return [(stage.value, found[stage.value]) for stage in Stage if stage.value in found]


def spent(batch: Batch) -> Decimal:
    """What the calls of the batch have cost so far, in US dollars."""
    return spending.spent(ApiCall.objects.filter(batch=batch))

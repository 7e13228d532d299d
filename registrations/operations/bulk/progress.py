"""Where a batch stands, in numbers, for its page. Reads only; the same few queries however many rows it has."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, Sum

from registrations.models import ApiCall, Batch, BatchItem, Registration
from registrations.models.choices import ItemState, JobState, Stage
from registrations.workflow import spending
from registrations.workflow.runner import rate_limit

# Different reasons shown; a batch seldom has more than a handful.
REASONS = 12
# Rows that tell how fast it goes.
RECENT = 200


@dataclass(frozen=True)
class Progress:
    """counts: rows by ItemState. fee: what the rows to do may cost, in US dollars. left: time to the end of
    what is under way, None when it cannot be told. pace: time that Twilio's own pace takes for these registrations.
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
        """Registrations that it is about: those that were deleted meanwhile have no row, so they are not waited for."""
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
        """Rows behind which the work has come: judged while it is prepared, done or passed over afterwards."""
        behind = self.done + self.skipped + self.failed
        return behind + self.will if self.batch.confirmed_at is None else behind


def progress(batch: Batch) -> Progress:
    counts = dict(batch.items.order_by().values_list("state").annotate(n=Count("pk")))
    fee = batch.items.order_by().aggregate(sum=Sum("fee"))["sum"] or Decimal(0)
    return Progress(batch, counts, fee, _left(batch, counts), pace(batch))


def pace(batch: Batch) -> timedelta:
    """How long the calls of all registrations take when they leave one after the other at Twilio's pace."""
    paced = batch.params.get("paced") or {}
    spans = [
        rate_limit.rate(limit) * calls for limit, calls in paced.items() if limit in rate_limit.INTERVALS
    ]
    return max(spans, default=timedelta(0))


def _left(batch: Batch, counts: dict[str, int]) -> timedelta | None:
    """From how fast the last rows went."""
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
    """The texts of rows in this state with how many have each, the commonest first."""
    rows = batch.items.filter(state=state).order_by().values_list("text").annotate(n=Count("pk"))
    return list(rows.order_by("-n", "text")[:REASONS])


def stages(batch: Batch) -> list[tuple[str, int]]:
    """Where the registrations that were done stand now, in the order of the walkthrough."""
    done = BatchItem.objects.filter(batch=batch, state=ItemState.DONE).values("registration")
    found = dict(
        Registration.objects.filter(pk__in=done).order_by().values_list("stage").annotate(n=Count("pk"))
    )
    return [(stage.value, found[stage.value]) for stage in Stage if stage.value in found]


def spent(batch: Batch) -> Decimal:
    """What the calls that followed have cost so far, in US dollars."""
    return spending.spent(ApiCall.objects.filter(batch=batch))

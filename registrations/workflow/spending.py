"""What was spent: the one place that adds up the fees of the ledger.

`ApiCall.fee` is the price shown before the click, in US dollars, noted with the intent. It counts as spent once
the attempt came to something: Twilio answered (ok), or the reply was lost and the object was found later
(found; the same row, so it counts once). A refused, unavailable or never-arrived attempt cost nothing, and one
that is still open has cost nothing yet. A resubmitted campaign's fee is what it may cost: Twilio's sources
differ on whether vetting is charged again (docs/twilio.md section 5.5), so sums are an upper bound.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from registrations.models import ApiCall, Campaign, PhoneNumber, Registration
from registrations.models.choices import OPEN_CALL_STATES, SUCCESSFUL_CALL_STATES, CallState, FeeKind
from registrations.twilio.statuses import CAMPAIGN_VERIFIED

from . import prices
from .steps import STEPS, Write, brand, campaign, number

NOTHING = Decimal("0.00")
# The one paid call outside the step table: the pre-flight's, on a person's click.
LOOKUP_STEP = "preflight.lookup"
# What each paid step is charged as.
_CHARGED = {
    brand.fee: FeeKind.BRAND,
    campaign.fee: FeeKind.CAMPAIGN_VETTING,
    number.fee: FeeKind.NUMBER_MONTHLY,
}
KIND_OF: dict[str, FeeKind] = {
    step.slug: _CHARGED[step.fee] for step in STEPS if isinstance(step, Write) and step.fee
} | {LOOKUP_STEP: FeeKind.LOOKUP}
# A bought number's first month is the only monthly fee that a call of ours sets off.
KIND_LABELS: dict[str, str] = {
    FeeKind.BRAND: "Brand registration",
    FeeKind.CAMPAIGN_VETTING: "Campaign vetting",
    FeeKind.NUMBER_MONTHLY: "Phone number, first month",
    FeeKind.LOOKUP: "Mobile look-up",
}
# Attempts whose fee was paid; for other sums over the ledger.
PAID = Q(fee__isnull=False, state__in=[str(state) for state in SUCCESSFUL_CALL_STATES])
# Attempts whose outcome is not known yet.
_PENDING = Q(fee__isnull=False, state__in=[str(state) for state in OPEN_CALL_STATES])


def spent(attempts: QuerySet[ApiCall]) -> Decimal:
    """US dollars that these attempts cost; 0.00 for none."""
    return _sum(attempts.filter(PAID))


def uncertain(attempts: QuerySet[ApiCall]) -> Decimal:
    """US dollars of calls that are under way, or whose reply was lost and that are still looked for."""
    return _sum(attempts.filter(_PENDING))


def record_lookup(registration: Registration, actor: str) -> None:
    """Enter one answered look-up of a mobile's line type, at today's price, in the ledger."""
    at = timezone.now()
    ApiCall.objects.create(
        registration=registration,
        step=LOOKUP_STEP,
        state=CallState.OK,
        actor=actor,
        fee=prices.price(FeeKind.LOOKUP),
        started_at=at,
        finished_at=at,
    )


def _sum(attempts: QuerySet[ApiCall]) -> Decimal:
    found = attempts.order_by().aggregate(sum=Sum("fee"))["sum"]
    return cents(found)


# --- periods ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Period:
    """From the first day to the day after the last, in the desk's time zone."""

    first: date
    end: date

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        return cls(date(year, month, 1), date(year + month // 12, month % 12 + 1, 1))

    @classmethod
    def year(cls, year: int) -> "Period":
        return cls(date(year, 1, 1), date(year + 1, 1, 1))

    @property
    def begins(self) -> datetime:
        return _midnight(self.first)

    @property
    def ends(self) -> datetime:
        return _midnight(self.end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def paid(period: Period | None = None, kind: str = "") -> QuerySet[ApiCall]:
    """The paid calls of a period, the newest first; a call counts in the month in which it came to something."""
    attempts = ApiCall.objects.filter(PAID)
    if period:
        attempts = attempts.filter(finished_at__gte=period.begins, finished_at__lt=period.ends)
    if kind:
        attempts = attempts.filter(step__in=[slug for slug, charged in KIND_OF.items() if charged == kind])
    return attempts.order_by("-finished_at", "-id")


@dataclass
class Month:
    """What one month cost, by kind, US dollars."""

    first: date
    by_kind: dict[str, Decimal] = field(default_factory=dict)
    calls: int = 0

    @property
    def total(self) -> Decimal:
        return sum(self.by_kind.values(), NOTHING)


def months(year: int) -> list[Month]:
    """January to December of a year: one query over the index of paid calls."""
    found = [Month(date(year, month, 1)) for month in range(1, 13)]
    # Compared in the database instead of cut there: SQLite would call back into Python for each row.
    number_of = Case(
        *(When(finished_at__lt=Period.month(year, month).ends, then=Value(month)) for month in range(1, 12)),
        default=Value(12),
        output_field=IntegerField(),
    )
    rows = (
        paid(Period.year(year))
        .order_by()
        .annotate(month=number_of)
        .values_list("month", "step")
        .annotate(sum=Sum("fee"), calls=Count("pk"))
    )
    for month, step, amount, calls in rows:
        step, kind = found[month - 1], KIND_OF.get(step, step)
        step.by_kind[kind] = step.by_kind.get(kind, NOTHING) + cents(amount)
        step.calls += calls
    return found


def by_registration(attempts: QuerySet[ApiCall]) -> QuerySet[ApiCall, dict[str, Any]]:
    """{"registration_id", "registration__label", "sum", "calls"} for each registration, the dearest first."""
    return _grouped(attempts, "registration_id", "registration__label")


def by_batch(attempts: QuerySet[ApiCall]) -> QuerySet[ApiCall, dict[str, Any]]:
    """{"batch_id", "batch__kind", "batch__actor", "sum", "calls"} for each bulk act, the dearest first."""
    return _grouped(attempts.filter(batch__isnull=False), "batch_id", "batch__kind", "batch__actor")


def _grouped(attempts: QuerySet[ApiCall], *columns: str) -> QuerySet[ApiCall, dict[str, Any]]:
    groups = attempts.order_by().values(*columns).annotate(sum=Sum("fee"), calls=Count("pk"))
    return groups.order_by("-sum", f"-{columns[0]}")


# --- what goes on -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Running:
    """An estimate of what Twilio charges each month, whether or not the desk does anything; US dollars."""

    campaigns: int
    campaign_price: Decimal
    numbers: int
    number_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.campaigns * self.campaign_price + self.numbers * self.number_price


def running_counts() -> tuple[int, int]:
    """(approved campaigns, numbers that were bought here): the figure `running`."""
    live = Campaign.objects.filter(status__iexact=CAMPAIGN_VERIFIED).exclude(sid="")
    bought = PhoneNumber.objects.filter(purchase_confirmed_at__isnull=False).exclude(sid="")
    return live.count(), bought.count()


def running(campaigns: int, numbers: int) -> Running:
    """So many of each at today's prices."""
    campaign_price, number_price = (
        prices.price(FeeKind.CAMPAIGN_MONTHLY),
        prices.price(FeeKind.NUMBER_MONTHLY),
    )
    return Running(campaigns, campaign_price, numbers, number_price)


def kinds() -> dict[str, str]:
    """KIND_LABELS, without the look-ups of a desk that never made one."""
    if settings.A2P_PREFLIGHT_LOOKUP or ApiCall.objects.filter(step=LOOKUP_STEP).exists():
        return KIND_LABELS
    return {kind: label for kind, label in KIND_LABELS.items() if kind != FeeKind.LOOKUP}


def dollars(amount: Decimal) -> str:
    """US dollars; fractions of a cent only where there are some.

    >>> dollars(Decimal("1234.5000")), dollars(Decimal("0.008")), dollars(Decimal(0))
    ('$1,234.50', '$0.008', '$0.00')
    """
    return f"${prices.exact(amount):,}"


def cents(amount: Any) -> Decimal:
    """As the database summed it: Decimal on PostgreSQL, perhaps less exact on SQLite."""
    return Decimal(amount or 0).quantize(NOTHING)


# --- as a table for spreadsheets --------------------------------------------------------------------------------
HEADER = (
    "When",
    "Customer",
    "Your ID",
    "Registration",
    "Call",
    "Charged as",
    "US dollars",
    "SID",
    "Batch",
    "By",
)


def table(attempts: QuerySet[ApiCall]) -> Iterable[list[Any]]:
    """The header, then one line for each paid call, streamed."""
    yield list(HEADER)
    columns = (
        "finished_at", "registration__label", "registration__external_id", "registration_id", "step", "fee",
        "sid", "batch_id", "actor",
    )  # fmt: skip
    for at, label, own_id, pk, step, fee, sid, batch, actor in attempts.values_list(*columns).iterator(2000):
        kind = KIND_OF.get(step)
        yield [
            at,
            label,
            own_id,
            pk,
            step,
            KIND_LABELS[kind] if kind else "",
            prices.exact(fee),
            sid,
            batch,
            actor,
        ]

"""What was spent: the only place that adds up the fees of API calls.

`ApiCall.fee` is the price shown before the click, in US dollars, stored with the intent. It counts as spent once the
call succeeded: Twilio answered (ok), or the reply was lost and the object was found later (found; the same row, so it
counts once). Rejected, unavailable, and lost calls cost nothing; open calls cost nothing yet. The fee of a resubmitted
campaign is what it may cost: Twilio's sources differ on whether vetting is charged again (docs/twilio.md section 5.5),
so sums are an upper bound.
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

ZERO = Decimal("0.00")
# The only paid call outside the step table: the pre-flight lookup that a person clicks.
LOOKUP_STEP = "preflight.lookup"
# The kind of fee of each paid step.
_KIND_OF_FEE = {
    brand.fee: FeeKind.BRAND,
    campaign.fee: FeeKind.CAMPAIGN_VETTING,
    number.fee: FeeKind.NUMBER_MONTHLY,
}
FEE_KINDS: dict[str, FeeKind] = {
    step.slug: _KIND_OF_FEE[step.fee] for step in STEPS if isinstance(step, Write) and step.fee
} | {LOOKUP_STEP: FeeKind.LOOKUP}
# The first month of a bought number is the only monthly fee that one of our calls triggers.
KIND_LABELS: dict[str, str] = {
    FeeKind.BRAND: "Brand registration",
    FeeKind.CAMPAIGN_VETTING: "Campaign vetting",
    FeeKind.NUMBER_MONTHLY: "Phone number, first month",
    FeeKind.LOOKUP: "Mobile lookup",
}
# API calls whose fee was charged.
PAID = Q(fee__isnull=False, state__in=[str(state) for state in SUCCESSFUL_CALL_STATES])
# API calls whose outcome is not known yet.
_PENDING = Q(fee__isnull=False, state__in=[str(state) for state in OPEN_CALL_STATES])


def spent(api_calls: QuerySet[ApiCall]) -> Decimal:
    """US dollars that these calls cost; 0.00 for none."""
    return _sum(api_calls.filter(PAID))


def pending(api_calls: QuerySet[ApiCall]) -> Decimal:
    """US dollars of calls in progress, or whose reply was lost and that are still being looked up."""
    return _sum(api_calls.filter(_PENDING))


def record_lookup(registration: Registration, actor: str) -> None:
    """Record one answered lookup of a mobile's line type, at today's price."""
    now = timezone.now()
    ApiCall.objects.create(
        registration=registration,
        step=LOOKUP_STEP,
        state=CallState.OK,
        actor=actor,
        fee=prices.price(FeeKind.LOOKUP),
        started_at=now,
        finished_at=now,
    )


def _sum(api_calls: QuerySet[ApiCall]) -> Decimal:
    return cents(api_calls.order_by().aggregate(sum=Sum("fee"))["sum"])


# --- periods ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Period:
    """From the first day to the day after the last, in the server's time zone."""

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
    """The paid calls of a period, newest first. A call counts in the month in which it succeeded."""
    api_calls = ApiCall.objects.filter(PAID)
    if period:
        api_calls = api_calls.filter(finished_at__gte=period.begins, finished_at__lt=period.ends)
    if kind:
        api_calls = api_calls.filter(step__in=[slug for slug, of in FEE_KINDS.items() if of == kind])
    return api_calls.order_by("-finished_at", "-id")


@dataclass
class Month:
    """The cost of one month, by kind, in US dollars."""

    first: date
    by_kind: dict[str, Decimal] = field(default_factory=dict)
    calls: int = 0

    @property
    def total(self) -> Decimal:
        return sum(self.by_kind.values(), ZERO)


def months(year: int) -> list[Month]:
    """January to December of a year, with one query over the index of paid calls."""
    found = [Month(date(year, month, 1)) for month in range(1, 13)]
    # Comparisons instead of ExtractMonth: for that, SQLite would call back into Python for each row.
    month_number = Case(
        *(When(finished_at__lt=Period.month(year, month).ends, then=Value(month)) for month in range(1, 12)),
        default=Value(12),
        output_field=IntegerField(),
    )
    rows = (
        paid(Period.year(year))
        .order_by()
        .annotate(month=month_number)
        .values_list("month", "step")
        .annotate(sum=Sum("fee"), calls=Count("pk"))
    )
    for place, step, amount, calls in rows:
        month, kind = found[place - 1], FEE_KINDS.get(step, step)
        month.by_kind[kind] = month.by_kind.get(kind, ZERO) + cents(amount)
        month.calls += calls
    return found


def by_registration(api_calls: QuerySet[ApiCall]) -> QuerySet[ApiCall, dict[str, Any]]:
    """{"registration_id", "registration__label", "sum", "calls"} for each registration, the most expensive first."""
    return _grouped(api_calls, "registration_id", "registration__label")


def by_batch(api_calls: QuerySet[ApiCall]) -> QuerySet[ApiCall, dict[str, Any]]:
    """{"batch_id", "batch__kind", "batch__actor", "sum", "calls"} for each bulk action, the most expensive first."""
    return _grouped(api_calls.filter(batch__isnull=False), "batch_id", "batch__kind", "batch__actor")


def _grouped(api_calls: QuerySet[ApiCall], *columns: str) -> QuerySet[ApiCall, dict[str, Any]]:
    groups = api_calls.order_by().values(*columns).annotate(sum=Sum("fee"), calls=Count("pk"))
    return groups.order_by("-sum", f"-{columns[0]}")


# --- recurring costs ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class MonthlyEstimate:
    """An estimate of Twilio's recurring monthly charges, in US dollars."""

    campaigns: int
    campaign_price: Decimal
    numbers: int
    number_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.campaigns * self.campaign_price + self.numbers * self.number_price


def billed_monthly_counts() -> tuple[int, int]:
    """(approved campaigns, numbers bought here)."""
    live = Campaign.objects.filter(status__iexact=CAMPAIGN_VERIFIED).exclude(sid="")
    bought = PhoneNumber.objects.filter(purchase_confirmed_at__isnull=False).exclude(sid="")
    return live.count(), bought.count()


def monthly_estimate(campaigns: int, numbers: int) -> MonthlyEstimate:
    """The cost of this many campaigns and numbers at today's prices."""
    campaign_price, number_price = (
        prices.price(FeeKind.CAMPAIGN_MONTHLY),
        prices.price(FeeKind.NUMBER_MONTHLY),
    )
    return MonthlyEstimate(campaigns, campaign_price, numbers, number_price)


def kind_labels() -> dict[str, str]:
    """KIND_LABELS, without lookups if this installation never made one."""
    if settings.A2P_PREFLIGHT_LOOKUP or ApiCall.objects.filter(step=LOOKUP_STEP).exists():
        return KIND_LABELS
    return {kind: label for kind, label in KIND_LABELS.items() if kind != FeeKind.LOOKUP}


def dollars(amount: Decimal) -> str:
    """US dollars as text, with fractions of a cent only if there are any.

    >>> dollars(Decimal("1234.5000")), dollars(Decimal("0.008")), dollars(Decimal(0))
    ('$1,234.50', '$0.008', '$0.00')
    """
    return f"${prices.trimmed(amount):,}"


def cents(amount: Any) -> Decimal:
    """A database sum as whole cents; SQLite's sums may be inexact."""
    return Decimal(amount or 0).quantize(ZERO)


# --- spreadsheet export -------------------------------------------------------------------------------------
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


def spreadsheet_rows(api_calls: QuerySet[ApiCall]) -> Iterable[list[Any]]:
    """The header, then one row per paid call, streamed."""
    yield list(HEADER)
    columns = (
        "finished_at", "registration__label", "registration__external_id", "registration_id", "step", "fee",
        "sid", "batch_id", "actor",
    )  # fmt: skip
    for at, label, external_id, pk, step, fee, sid, batch, actor in api_calls.values_list(*columns).iterator(
        2000
    ):
        kind = FEE_KINDS.get(step)
        yield [
            at,
            label,
            external_id,
            pk,
            step,
            KIND_LABELS[kind] if kind else "",
            prices.trimmed(fee),
            sid,
            batch,
            actor,
        ]

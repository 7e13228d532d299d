"""Numbers about all registrations, for the dashboard, tabs, and filters. Computed on demand if fast, cached if slow.

With more than SMALL_SYSTEM registrations, a statistic that takes longer than FAST_SECONDS is cached, and the worker
recomputes it about once a minute. With fewer, nothing is cached. Without a worker, a page recomputes a value that is
too old.
All values are plain JSON. Weeks start on Monday in TIME_ZONE, newest last.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from registrations.core import clock
from registrations.models import (
    ApiCall,
    Brand,
    CachedStatistic,
    Campaign,
    OpenProblem,
    Registration,
    StageInterval,
    Submission,
)
from registrations.models.choices import REMOVAL_STAGES, Stage, WaitingFor
from registrations.twilio.statuses import BRAND_APPROVED, IDENTITY_VERIFIED
from registrations.workflow import spending
from registrations.workflow.planner import deadlines
from registrations.workflow.runner.retries import CREDENTIALS_REJECTED

FAST_SECONDS = 0.01
# Below this number of registrations, a slow count is a coincidence.
SMALL_SYSTEM = 5_000
# A little less than the worker's interval of a minute.
REFRESH = timedelta(seconds=50)
TOO_OLD = timedelta(minutes=5)
WEEKS = 12
# Enough for a median, at a constant cost.
MAX_INTERVALS = 200
# The parts that Twilio decides on; profile and bundle are checked on the way to a brand.
_DECIDED_PARTS = ("brand", "campaign")


# --- the numbers -------------------------------------------------------------------------------------------------
def _standing() -> list[list[Any]]:
    rows = Registration.objects.order_by().values_list("waiting_for", "stage").annotate(n=Count("pk"))
    return [list(row) for row in rows]


def _owned() -> list[list[Any]]:
    ours = Registration.objects.order_by().filter(NEEDS_US)
    return [list(row) for row in ours.values_list("owner_id").annotate(n=Count("pk"))]


def _overdue() -> dict[str, int]:
    late = deadlines.filter_overdue(Registration.objects.order_by(), clock.now())
    return dict(late.values_list("waiting_for").annotate(n=Count("pk")))


def _codes() -> list[list[Any]]:
    counts = (
        OpenProblem.objects.order_by()
        .filter(code__isnull=False)
        .values_list("part", "code")
        .annotate(n=Count("registration_id", distinct=True))
    )
    return [list(row) for row in counts]


def _weekly() -> dict[str, list[int]]:
    weeks = week_starts(clock.now())
    submitted = _per_week(Submission.objects.filter(part__in=_DECIDED_PARTS), "submitted_at", weeks)
    refused = _per_week(Submission.objects.filter(part__in=_DECIDED_PARTS), "rejected_at", weeks)
    brands = _per_week(Brand.objects.all(), "approved_at", weeks)
    campaigns = _per_week(Campaign.objects.all(), "verified_at", weeks)
    accepted = [brand + campaign for brand, campaign in zip(brands, campaigns, strict=True)]
    return {"submitted": submitted, "accepted": accepted, "refused": refused}


def _spend() -> list[str]:
    """US dollars per week as text, e.g. "19.50"."""
    weeks = week_starts(clock.now())
    sums = {
        f"w{place}": Sum("fee", filter=_within("finished_at", weeks, place)) for place in range(len(weeks))
    }
    paid = ApiCall.objects.order_by().filter(spending.PAID, finished_at__gte=weeks[0])
    found = paid.aggregate(**sums)
    return [f"{found[f'w{place}'] or 0:.2f}" for place in range(len(weeks))]


def _stage_times() -> dict[str, list[float]]:
    """{stage: [median seconds, 90th percentile, count]}, of the newest registrations that left it in 90 days."""
    since = clock.now() - timedelta(days=90)
    found = {}
    for stage in Stage:
        if stage in (Stage.LIVE, *REMOVAL_STAGES):
            continue
        left = StageInterval.objects.filter(stage=stage, left_at__gte=since).order_by("-left_at")
        times = [
            (end - start).total_seconds()
            for start, end in left.values_list("entered_at", "left_at")[:MAX_INTERVALS]
            if end
        ]
        if times:
            cuts = quantiles(times, n=10, method="inclusive") if len(times) > 1 else [times[0]] * 9
            found[str(stage)] = [round(cuts[4], 1), round(cuts[8], 1), len(times)]
    return found


def owing() -> QuerySet[Registration]:
    """Registrations whose customer has not replied YES; the rule of steps.brand.waits_for_yes in SQL."""
    return (
        Registration.objects.filter(brand__status=BRAND_APPROVED, brand__missing_since=None, removing=False)
        .exclude(brand__sid="")
        .exclude(brand__identity_status=IDENTITY_VERIFIED)
        .exclude(stage=Stage.REMOVED)
    )


def _texts_owed() -> int:
    return owing().order_by().count()


def _credentials_refused() -> int:
    """Registrations that stopped because Twilio rejected our credentials or settings."""
    return Registration.objects.filter(
        waiting_for=WaitingFor.US, reason__startswith=CREDENTIALS_REJECTED
    ).count()


# Needs a person now, without drafts and registrations on hold. A failed removal may be at "removed", too.
NEEDS_US = Q(waiting_for=WaitingFor.US, hold=False) & ~Q(stage=Stage.DRAFT)
STATISTICS: dict[str, Callable[[], Any]] = {
    "standing": _standing,
    "owned": _owned,
    "overdue": _overdue,
    "codes": _codes,
    "weekly": _weekly,
    "spend": _spend,
    "running": spending.billed_monthly_counts,
    "stage_times": _stage_times,
    "texts_owed": _texts_owed,
    "credentials_refused": _credentials_refused,
}


# --- weeks -------------------------------------------------------------------------------------------------------
def week_starts(moment: datetime, weeks: int = WEEKS) -> list[datetime]:
    """The starts of the last `weeks` weeks, including the current one."""
    local = timezone.localtime(moment)
    monday = local.date() - timedelta(days=local.weekday())
    return [
        timezone.make_aware(datetime.combine(monday - timedelta(weeks=back), datetime.min.time()))
        for back in reversed(range(weeks))
    ]


def _within(column: str, weeks: list[datetime], place: int) -> Q:
    inside = Q(**{f"{column}__gte": weeks[place]})
    return inside & Q(**{f"{column}__lt": weeks[place + 1]}) if place + 1 < len(weeks) else inside


def _per_week(rows: QuerySet[Any], column: str, weeks: list[datetime]) -> list[int]:
    counts = {f"w{place}": Count("pk", filter=_within(column, weeks, place)) for place in range(len(weeks))}
    found = rows.order_by().filter(**{f"{column}__gte": weeks[0]}).aggregate(**counts)
    return [found[f"w{place}"] for place in range(len(weeks))]


# --- caching -----------------------------------------------------------------------------------------------------
def read(*names: str) -> dict[str, Any]:
    """{name: value}; one query for the cached ones, and the queries of each that is computed."""
    oldest = clock.now() - TOO_OLD
    cached = {row.name: row for row in CachedStatistic.objects.filter(name__in=names)}
    fresh = {name: row.data["value"] for name, row in cached.items() if row.computed_at >= oldest}
    return {name: fresh[name] if name in fresh else _compute(name, cached.get(name)) for name in names}


def _compute(name: str, cached: CachedStatistic | None = None) -> Any:
    started = time.perf_counter()
    value = STATISTICS[name]()
    seconds = time.perf_counter() - started
    if seconds >= FAST_SECONDS and _is_large():
        CachedStatistic.objects.update_or_create(
            name=name,
            defaults={"computed_at": clock.now(), "compute_seconds": seconds, "data": {"value": value}},
        )
    elif cached:
        cached.delete()
    return value


def _is_large() -> bool:
    newest = Registration.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) > SMALL_SYSTEM


def due() -> bool:
    """Whether a cached statistic should be recomputed."""
    return CachedStatistic.objects.filter(computed_at__lt=clock.now() - REFRESH).exists()


def refresh() -> None:
    """The worker's job: recomputes what is cached, and drops what has become fast."""
    for cached in CachedStatistic.objects.filter(computed_at__lt=clock.now() - REFRESH):
        if cached.name in STATISTICS:
            _compute(cached.name, cached)
        else:
            cached.delete()


# --- derived values ----------------------------------------------------------------------------------------------
def waiting(standing: list[list[Any]]) -> dict[str, int]:
    """{waiting_for: registrations}"""
    found: dict[str, int] = {}
    for waiting_for, _, count in standing:
        found[waiting_for] = found.get(waiting_for, 0) + count
    return found


def open_codes(part: str = "") -> list[tuple[int, int]]:
    """(code, registrations that have it), most common first, of one part or of all ("")."""
    return rank_codes(read("codes")["codes"], part)


def rank_codes(codes: list[list[Any]], part: str = "") -> list[tuple[int, int]]:
    """The same, from the statistic "codes". A code in two parts of one registration counts twice."""
    found: dict[int, int] = {}
    for code_part, code, count in codes:
        if not part or code_part == part:
            found[code] = found.get(code, 0) + count
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))

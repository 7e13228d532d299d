"""Numbers about all registrations for board, tabs and filters: counted at once while that is quick, kept while it is not.

On a desk of more than SMALL_DESK registrations, a figure that takes longer than CHEAP_SECONDS is stored and counted anew
by the worker about once a minute; a small desk never reads a stored number. If no worker does it, a page does when
the number has grown too old.
All values are plain JSON. Weeks begin on Monday in the desk's time zone, the newest last.
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
from registrations.workflow.runner.retries import CREDENTIALS_REFUSED

CHEAP_SECONDS = 0.01
# Below so many registrations a slow count is a slow moment.
SMALL_DESK = 5_000
# A little less than the worker's round of a minute.
REFRESH = timedelta(seconds=50)
TOO_OLD = timedelta(minutes=5)
WEEKS = 12
# Enough for a median, and the same effort for every desk.
SPELLS_READ = 200
# What was handed in and decided: brands and campaigns. Profile and bundle are checked on the way to a brand.
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
    accepted = [one + other for one, other in zip(brands, campaigns, strict=True)]
    return {"submitted": submitted, "accepted": accepted, "refused": refused}


def _spend() -> list[str]:
    """US dollars a week as text, e.g. "19.50"."""
    weeks = week_starts(clock.now())
    sums = {
        f"w{place}": Sum("fee", filter=_within("finished_at", weeks, place)) for place in range(len(weeks))
    }
    paid = ApiCall.objects.order_by().filter(spending.PAID, finished_at__gte=weeks[0])
    found = paid.aggregate(**sums)
    return [f"{found[f'w{place}'] or 0:.2f}" for place in range(len(weeks))]


def _stage_times() -> dict[str, list[float]]:
    """stage -> [median seconds, 90th percentile, how many]: of the newest registrations that left it in 90 days."""
    since = clock.now() - timedelta(days=90)
    found = {}
    for stage in Stage:
        if stage in (Stage.LIVE, *REMOVAL_STAGES):
            continue
        left = StageInterval.objects.filter(stage=stage, left_at__gte=since).order_by("-left_at")
        times = [
            (end - start).total_seconds()
            for start, end in left.values_list("entered_at", "left_at")[:SPELLS_READ]
            if end
        ]
        if times:
            cuts = quantiles(times, n=10, method="inclusive") if len(times) > 1 else [times[0]] * 9
            found[str(stage)] = [round(cuts[4], 1), round(cuts[8], 1), len(times)]
    return found


def owing() -> QuerySet[Registration]:
    """Registrations whose customer owes a YES; the same rule as steps.brand.waits_for_yes, in SQL."""
    return (
        Registration.objects.filter(brand__status=BRAND_APPROVED, brand__missing_since=None, removing=False)
        .exclude(brand__sid="")
        .exclude(brand__identity_status=IDENTITY_VERIFIED)
        .exclude(stage=Stage.REMOVED)
    )


def _texts_owed() -> int:
    return owing().order_by().count()


def _credentials_refused() -> int:
    """Registrations that Twilio's refusal of our credentials or settings stopped."""
    return Registration.objects.filter(
        waiting_for=WaitingFor.US, reason__startswith=CREDENTIALS_REFUSED
    ).count()


# Work for a person now: a draft is work of its own, and a registration on hold rests. One that stopped while it was taken
# down stands at "removed", too.
NEEDS_US = Q(waiting_for=WaitingFor.US, hold=False) & ~Q(stage=Stage.DRAFT)
COUNTED: dict[str, Callable[[], Any]] = {
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
    """The beginnings of the last `weeks` weeks, the one that runs now included."""
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


# --- keeping -----------------------------------------------------------------------------------------------------
def read(*names: str) -> dict[str, Any]:
    """The figures of these names; one query for those that are kept, and those of each that is counted."""
    old = clock.now() - TOO_OLD
    kept = {row.name: row for row in CachedStatistic.objects.filter(name__in=names)}
    fresh = {name: row.data["value"] for name, row in kept.items() if row.computed_at >= old}
    return {name: fresh[name] if name in fresh else _count(name, kept.get(name)) for name in names}


def _count(name: str, kept: CachedStatistic | None = None) -> Any:
    began = time.perf_counter()
    value = COUNTED[name]()
    seconds = time.perf_counter() - began
    if seconds >= CHEAP_SECONDS and _is_large():
        CachedStatistic.objects.update_or_create(
            name=name, defaults={"computed_at": clock.now(), "compute_seconds": seconds, "data": {"value": value}}
        )
    elif kept:
        kept.delete()
    return value


def _is_large() -> bool:
    newest = Registration.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) > SMALL_DESK


def due() -> bool:
    """Whether a kept figure wants to be counted anew."""
    return CachedStatistic.objects.filter(computed_at__lt=clock.now() - REFRESH).exists()


def refresh() -> None:
    """The worker's job: count anew what is kept; what has become quick is kept no longer."""
    for kept in CachedStatistic.objects.filter(computed_at__lt=clock.now() - REFRESH):
        if kept.name in COUNTED:
            _count(kept.name, kept)
        else:
            kept.delete()


# --- readings ----------------------------------------------------------------------------------------------------
def waiting(standing: list[list[Any]]) -> dict[str, int]:
    """waiting_for -> registrations."""
    found: dict[str, int] = {}
    for who, _, number in standing:
        found[who] = found.get(who, 0) + number
    return found


def open_codes(part: str = "") -> list[tuple[int, int]]:
    """(code, registrations that have it now), the commonest first; of one part or of all."""
    return rank_codes(read("codes")["codes"], part)


def rank_codes(codes: list[list[Any]], part: str = "") -> list[tuple[int, int]]:
    """The same from what was read. A code that two parts of one registration show counts for each."""
    found: dict[int, int] = {}
    for where, code, number in codes:
        if not part or where == part:
            found[code] = found.get(code, 0) + number
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))

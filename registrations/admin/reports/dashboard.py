"""The home page: who has to act, what needs a person now, the system's health, and charts."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from registrations.admin.changelist.charts import Bar, Chart, Series, bars, columns
from registrations.admin.changelist.display import span_text
from registrations.admin.registration.base import require
from registrations.core.clock import now
from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.reporting import dashboard, statistics
from registrations.twilio.rejections import lookup
from registrations.workflow.planner import deadlines

VIEW = "registrations.view_registration"
HEALTH = "registrations.view_webhookdelivery"
VIEW_CALLS = "registrations.view_apicall"
ICONS = {
    WaitingFor.US: "alert",
    WaitingFor.CUSTOMER: "message",
    WaitingFor.TWILIO: "clock",
    WaitingFor.WORKER: "spin",
    WaitingFor.NOBODY: "check",
}
TABS = ((dashboard.ALL, "All"), (dashboard.MINE, "Mine"), (dashboard.UNASSIGNED, "Unassigned"))
STATISTICS = ("standing", "owned", "overdue", "codes", "weekly", "stage_times", "credentials_refused")
TOP_CODES = 8


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    require(request, VIEW)
    moment = now()
    spending = ("spend",) if request.user.has_perm(VIEW_CALLS) else ()
    read = statistics.read(*STATISTICS, *spending)
    tab = request.GET.get("who", dashboard.ALL)
    user_id = request.user.pk or 0
    health = dashboard.health_items(moment, read["credentials_refused"])
    counts = dashboard.counts_by_owner(read["owned"], user_id)
    return TemplateResponse(
        request,
        "registrations/dashboard/page.html",
        {
            **admin_site.each_context(request),
            "title": "Home",
            "health": health,
            "health_problems": [item for item in health if item.advice],
            "health_url": _url("webhookdelivery_health") if request.user.has_perm(HEALTH) else "",
            "cards": [_card(card) for card in dashboard.cards(read["standing"], read["overdue"])],
            "total": sum(statistics.waiting(read["standing"]).values()),
            "tabs": [
                {"value": value, "label": label, "count": counts[value], "current": tab == value}
                for value, label in TABS
            ],
            "rows": [_row(registration, moment) for registration in dashboard.needs_us(tab, user_id)],
            "list_url": _list_url(waiting_for__exact=WaitingFor.US, **_owner_filter(tab)),
            "tab_total": counts.get(tab, counts[dashboard.ALL]),
            "charts": charts(read, moment),
        },
    )


def _url(page: str) -> str:
    return reverse(f"admin:registrations_{page}")


def _list_url(**query: str) -> str:
    return f"{_url('registration_changelist')}?{urlencode(query)}"


def _owner_filter(tab: str) -> dict[str, str]:
    return {dashboard.MINE: {"owner": "me"}, dashboard.UNASSIGNED: {"owner": "none"}}.get(tab, {})


def _card(card: dashboard.Card) -> dict[str, Any]:
    return {
        "card": card,
        "icon": ICONS[WaitingFor(card.waiting_for)],
        "url": _list_url(waiting_for__exact=card.waiting_for),
        "overdue_url": _list_url(waiting_for__exact=card.waiting_for, overdue="1"),
        "stages": [
            (_stage(stage), count, _list_url(waiting_for__exact=card.waiting_for, stage__exact=stage))
            for stage, count in card.stages
        ],
    }


def _stage(stage: str) -> str:
    return Stage(stage).label if stage in Stage.values else stage


def _row(registration: Registration, moment: datetime) -> dict[str, Any]:
    deadline, due = deadlines.deadline(registration), ""
    late = bool(deadline and deadline < moment)
    if deadline:
        due = f"{span_text(moment - deadline)} overdue" if late else f"{span_text(deadline - moment)} left"
    return {"registration": registration, "due": due, "late": late}


# --- charts ------------------------------------------------------------------------------------------------------
def charts(read: dict[str, Any], moment: datetime) -> list[Chart]:
    """From the statistics; the spending chart only if "spend" was read."""
    weeks = [date_format(timezone.localtime(week), "M j") for week in statistics.week_starts(moment)]
    found = [_funnel(read["standing"]), _weekly(read["weekly"], weeks), _stage_times(read["stage_times"])]
    found.append(_codes(read["codes"]))
    if "spend" in read:
        found.append(_spend(read["spend"], weeks))
    return found


def _funnel(standing: list[list[Any]]) -> Chart:
    stages = dashboard.reached(standing)
    total = stages[0][1]
    data = [
        Bar(stage.label, number, f"{number:,}" + (f" · {100 * number // total} %" if total else ""))
        for stage, number in stages
    ]
    live = stages[-1][1]
    return bars(
        "funnel",
        "Progress by stage",
        f"Live: {live:,} of {total:,}. A registration counts for each stage it has reached.",
        data,
        ["Reached", "Registrations"],
    )


def _weekly(weekly: dict[str, list[int]], weeks: list[str]) -> Chart:
    series = [
        Series("Submitted", "c1", weekly["submitted"]),
        Series("Accepted", "c2", weekly["accepted"]),
        Series("Rejected", "c3", weekly["refused"]),
    ]
    totals = ", ".join(f"{item.label.lower()} {sum(item.values):,}" for item in series)
    return columns(
        "weekly",
        "Submissions and outcomes per week",
        f"Brands and campaigns in the last {len(weeks)} weeks: {totals}. Weeks start on Monday.",
        weeks,
        series,
        ["Week of", *(item.label for item in series)],
    )


def _stage_times(times: dict[str, list[float]]) -> Chart:
    data, rows = [], []
    for stage in Stage:
        if stage in times:
            median, slow, number = times[stage]
            data.append(Bar(stage.label, median, f"{_span(median)} · {_span(slow)}", mark=slow))
            rows.append([stage.label, _span(median), _span(slow), f"{number:.0f}"])
    return bars(
        "stage-times",
        "Time in each stage",
        "How long registrations that left a stage in the last 90 days spent in it: half of them less than the median, "
        "9 of 10 less than the longer bar.",
        data,
        ["Stage", "Median", "9 of 10", "Registrations"],
        rows=rows,
        legend=[("c1", "Median"), ("c1 pale", "9 of 10 within")],
        empty="No registration has left a stage yet.",
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else span_text(timedelta(seconds=seconds))


def _codes(codes: list[list[Any]]) -> Chart:
    ranked = statistics.rank_codes(codes)[:TOP_CODES]
    data = [
        Bar(
            f"{code} {Truncator(lookup(code).title).chars(34)}",
            number,
            f"{number:,}",
            _list_url(code=str(code)),
        )
        for code, number in ranked
    ]
    return bars(
        "codes",
        "Open rejections",
        "The most common codes, and how many registrations have each.",
        data,
        ["Failure", "Registrations"],
        css="c3",
        empty="No registration has an open rejection.",
    )


def _spend(spend: list[str], weeks: list[str]) -> Chart:
    values = [float(amount) for amount in spend]
    return columns(
        "spend",
        "Spending per week",
        f"Charges from successful calls, at the prices shown before confirming: ${sum(values):,.2f} in "
        f"{len(weeks)} weeks, without the monthly fees of campaigns and numbers.",
        weeks,
        [Series("Spent", "c4", values)],
        ["Week of", "Spent"],
        unit="$",
    )

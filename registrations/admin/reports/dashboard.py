"""The home page: who must act next, what needs a person now, the desk's health, and how the work goes."""

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
from registrations.models.choices import Stage, WaitingFor
from registrations.reporting import dashboard, statistics
from registrations.twilio.rejections import lookup

VIEW = "registrations.view_registration"
HEALTH = "registrations.view_webhookdelivery"
LEDGER = "registrations.view_apicall"
ICONS = {
    WaitingFor.US: "alert",
    WaitingFor.CUSTOMER: "message",
    WaitingFor.TWILIO: "clock",
    WaitingFor.WORKER: "spin",
    WaitingFor.NOBODY: "check",
}
TABS = ((dashboard.ALL, "All"), (dashboard.MINE, "Mine"), (dashboard.UNASSIGNED, "Unassigned"))
NAMES = (
    *("standing", "owned", "overdue", "codes", "weekly", "stage_times", "credentials_refused"),
    "spend",
)
TOP_CODES = 8


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    require(request, VIEW)
    moment = now()
    spends = request.user.has_perm(LEDGER)
    read = statistics.read(*(NAMES if spends else NAMES[:-1]))
    tab = request.GET.get("who", dashboard.ALL)
    user_id = request.user.pk or 0
    found = dashboard.lights(moment, read["credentials_refused"])
    counts = dashboard.whose(read["owned"], user_id)
    return TemplateResponse(
        request,
        "registrations/dashboard/page.html",
        {
            **admin_site.each_context(request),
            "title": "Home",
            "lights": found,
            "troubles": [light for light in found if light.todo],
            "health_url": _url("webhookdelivery_health") if request.user.has_perm(HEALTH) else "",
            "cards": [_card(card) for card in dashboard.cards(read["standing"], read["overdue"])],
            "total": sum(statistics.waiting(read["standing"]).values()),
            "tabs": [
                {"value": value, "label": label, "count": counts[value], "current": tab == value}
                for value, label in TABS
            ],
            "lines": [_line(line, moment) for line in dashboard.needs_us(tab, user_id, moment)],
            "more_url": _list_url(waiting_for__exact=WaitingFor.US, **_owner_of(tab)),
            "work_total": counts.get(tab, counts[dashboard.ALL]),
            "charts": charts(read, moment),
        },
    )


def _url(page: str) -> str:
    return reverse(f"admin:registrations_{page}")


def _list_url(**query: str) -> str:
    return f"{_url('registration_changelist')}?{urlencode(query)}"


def _owner_of(tab: str) -> dict[str, str]:
    return {dashboard.MINE: {"owner": "me"}, dashboard.UNASSIGNED: {"owner": "none"}}.get(tab, {})


def _card(card: dashboard.Card) -> dict[str, Any]:
    return {
        "card": card,
        "icon": ICONS[WaitingFor(card.who)],
        "url": _list_url(waiting_for__exact=card.who),
        "overdue_url": _list_url(waiting_for__exact=card.who, overdue="1"),
        "stages": [
            (_stage(stage), number, _list_url(waiting_for__exact=card.who, stage__exact=stage))
            for stage, number in card.stages
        ],
    }


def _stage(stage: str) -> str:
    return Stage(stage).label if stage in Stage.values else stage


def _line(line: dashboard.Line, moment: datetime) -> dict[str, Any]:
    due = ""
    if line.due:
        gap = line.due - moment
        due = f"{span_text(-gap)} over" if line.late else f"{span_text(gap)} left"
    return {"registration": line.registration, "due": due, "late": line.late}


# --- charts ------------------------------------------------------------------------------------------------------
def charts(read: dict[str, Any], moment: datetime) -> list[Chart]:
    """From the figures; the one about money only if it was read."""
    weeks = [date_format(timezone.localtime(week), "M j") for week in statistics.week_starts(moment)]
    found = [_funnel(read["standing"]), _weekly(read["weekly"], weeks), _stage_times(read["stage_times"])]
    found.append(_codes(read["codes"]))
    if "spend" in read:
        found.append(_spend(read["spend"], weeks))
    return found


def _funnel(standing: list[list[Any]]) -> Chart:
    steps = dashboard.reached(standing)
    total = steps[0][1]
    data = [
        Bar(stage.label, number, f"{number:,}" + (f" · {100 * number // total} %" if total else ""))
        for stage, number in steps
    ]
    live = steps[-1][1]
    return bars(
        "funnel",
        "How far registrations have come",
        f"Live: {live:,} of {total:,}. A registration counts at each stage that it has reached.",
        data,
        ["Reached", "Registrations"],
    )


def _weekly(weekly: dict[str, list[int]], weeks: list[str]) -> Chart:
    series = [
        Series("Submitted", "c1", weekly["submitted"]),
        Series("Accepted", "c2", weekly["accepted"]),
        Series("Refused", "c3", weekly["refused"]),
    ]
    words = ", ".join(f"{one.label.lower()} {sum(one.values):,}" for one in series)
    return columns(
        "weekly",
        "Submissions and outcomes a week",
        f"Brands and campaigns of the last {len(weeks)} weeks: {words}. Weeks begin on Monday.",
        weeks,
        series,
        ["Week of", *(one.label for one in series)],
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
        "How long the newest registrations that left a stage in the last 90 days had stood there: half of them shorter "
        "than the median, nine of ten shorter than the longer bar.",
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
        "What registrations fail for now",
        "The commonest codes that Twilio holds against registrations now, and how many registrations have each.",
        data,
        ["Failure", "Registrations"],
        css="c3",
        empty="Twilio holds nothing against any registration.",
    )


def _spend(spend: list[str], weeks: list[str]) -> Chart:
    values = [float(amount) for amount in spend]
    return columns(
        "spend",
        "Spent a week",
        f"Fees of calls that came to something, by the prices shown before the click: ${sum(values):,.2f} in "
        f"{len(weeks)} weeks. Monthly fees of running campaigns and numbers are not in it.",
        weeks,
        [Series("Spent", "c4", values)],
        ["Week of", "Spent"],
        unit="$",
    )

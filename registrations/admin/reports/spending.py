"""Spending: totals by month, registration, and bulk action, the paid calls, and their download."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from registrations.admin.changelist import actions, exports
from registrations.admin.registration.base import require
from registrations.models import ApiCall
from registrations.models.choices import FeeKind
from registrations.operations import bulk as batches
from registrations.reporting import statistics
from registrations.workflow import spending
from registrations.workflow.prices import prices

VIEW = "registrations.view_apicall"
PAGE_SIZE = 50
_DIGITS = re.compile("[0-9]{1,4}")
TABS = {"calls": "Paid calls", "registrations": "By registration", "batches": "By bulk work"}
# There are no older prices.
FIRST_YEAR = 2020


@dataclass(frozen=True)
class Selection:
    """What the page shows: a year or one of its months, all fees or one kind, and one of TABS."""

    year: int
    month: int | None
    kind: str
    view: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Selection":
        """From the query string; invalid values mean this month and all kinds."""
        today = timezone.localdate()
        year = today.year
        month: int | None = today.month
        text = request.GET.get("period", "")
        head, _, tail = text.partition("-")
        if _DIGITS.fullmatch(head) and FIRST_YEAR <= int(head) <= today.year + 1:
            year, month = int(head), None
            if _DIGITS.fullmatch(tail) and 1 <= int(tail) <= 12:
                month = int(tail)
        kind, view = request.GET.get("kind", ""), request.GET.get("view", "")
        return cls(
            year, month, kind if kind in spending.KIND_LABELS else "", view if view in TABS else "calls"
        )

    @property
    def period(self) -> spending.Period:
        return spending.Period.month(self.year, self.month) if self.month else spending.Period.year(self.year)

    @property
    def period_text(self) -> str:
        return f"{self.year}-{self.month:02d}" if self.month else str(self.year)

    @property
    def title(self) -> str:
        return f"{date(self.year, self.month, 1):%B %Y}" if self.month else str(self.year)

    def query(self, **changes: str) -> str:
        values = {"period": self.period_text, "kind": self.kind, "view": self.view, **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value})


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """A constant number of queries, all on the index of paid calls."""
    require(request, VIEW)
    selection = Selection.of(request)
    today = timezone.localdate()
    year = spending.months(selection.year)
    calls = spending.paid(selection.period, selection.kind)
    kinds = spending.kind_labels()
    return TemplateResponse(
        request,
        "registrations/spending/page.html",
        {
            **admin_site.each_context(request),
            "title": "Spending",
            "selection": selection,
            "kinds": list(kinds.items()),
            "month_rows": _month_rows(selection, year, today, kinds),
            "totals": [
                sum((month.by_kind.get(kind, spending.ZERO) for month in year), spending.ZERO)
                for kind in kinds
            ],
            "year_total": sum((month.total for month in year), spending.ZERO),
            "this_month": spending.spent(spending.paid(spending.Period.month(today.year, today.month))),
            "uncertain": spending.pending(ApiCall.objects.all()),
            "running": spending.monthly_estimate(*statistics.read("running")["running"]),
            "spent": spending.spent(calls),
            "tabs": [(slug, label, selection.query(view=slug)) for slug, label in TABS.items()],
            "years": [
                (number, selection.query(period=str(number)))
                for number in (selection.year - 1, selection.year + 1)
                if FIRST_YEAR <= number <= today.year
            ],
            "current_query": selection.query(),
            "may_view_bulk_work": actions.may_view(request.user),
            "rows": _rows(selection, calls, request.GET.get("p", "1")),
            "year_query": selection.query(period=str(selection.year)),
            "csv": f"csv/{selection.query(view='')}",
            "xlsx": f"xlsx/{selection.query(view='')}",
            "prices": [
                (FeeKind(kind).label, amount)
                for kind, amount in prices().items()
                if kind != FeeKind.LOOKUP or kind in kinds
            ],
        },
    )


def _month_rows(
    selection: Selection, year: list[spending.Month], today: date, kinds: Iterable[str]
) -> list[dict[str, Any]]:
    """Months that have started, newest first."""
    return [
        {
            "month": month,
            "label": f"{month.first:%B}",
            "amounts": [month.by_kind.get(kind, spending.ZERO) for kind in kinds],
            "url": selection.query(period=f"{month.first:%Y-%m}"),
            "current": selection.month == month.first.month,
        }
        for month in reversed(year)
        if month.first <= today or month.total
    ]


def _rows(selection: Selection, calls: Any, number: str) -> Any:
    """One page of the selected tab."""
    if selection.view == "registrations":
        rows = spending.by_registration(calls)
    elif selection.view == "batches":
        rows = spending.by_batch(calls)
    else:
        long = ("request_params", "request", "response", "error_details", "traceback")
        rows = calls.select_related("registration").defer(*long)
    found = Paginator(rows, PAGE_SIZE).get_page(number)
    if selection.view == "batches":
        found.object_list = [{**row, "label": _action_label(row["batch__kind"])} for row in found.object_list]
    return found


def _action_label(kind: str) -> str:
    act = batches.ACTIONS.get(kind)
    return act.label if act else kind


@require_safe
def download(request: HttpRequest, form: str) -> HttpResponseBase:
    """The paid calls of the selected period and kind, as CSV or XLSX."""
    require(request, VIEW)
    selection = Selection.of(request)
    calls = spending.paid(selection.period, selection.kind)
    if form == exports.XLSX and (problem := exports.too_many(calls.count())):
        messages.error(request, problem)
        return redirect(reverse("admin:registrations_fee_spending") + selection.query())
    rows = spending.spreadsheet_rows(calls)
    return exports.download(rows, f"a2p-fees-{selection.period_text}", form, "Fees")

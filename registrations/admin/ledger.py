"""What was done: every call to Twilio, and the timeline. Read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.models import Event, StepRun

from . import display
from .base import ReadOnlyAdmin, case_link, desk_url
from .filters import StepFilter, TagFilter
from .lists import QuickList
from .search import HELP


def took_ms(run: StepRun) -> int | None:
    return round((run.finished_at - run.started_at).total_seconds() * 1000) if run.finished_at else None


@admin.register(StepRun)
class StepRunAdmin(QuickList, ReadOnlyAdmin):
    title = "Ledger"
    list_display = ("step_", "case", "state_", "answer", "sid_", "fee_", "took", "actor", "at")
    list_filter = ("state", StepFilter)
    list_select_related = ("registration",)
    search_help_text = f"{HELP[:-1]}; or an error code."
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        long = ("basis", "request", "response", "error_details", "traceback", "registration__search_text")
        return super().get_queryset(request).defer(*long)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StepRun], search_term: str
    ) -> tuple[QuerySet[StepRun], bool]:
        code = search_term.strip()
        if code.isascii() and code.isdecimal() and len(code) == 5:
            return queryset.filter(error_code=int(code)), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Call", ordering="step")
    def step_(self, run: StepRun) -> SafeString:
        return format_html('<span title="{}">{}</span>', run.step, display.step_label(run.step))

    @admin.display(description="Case", ordering="registration__label")
    def case(self, run: StepRun) -> SafeString:
        return case_link(run.registration)

    @admin.display(description="Outcome", ordering="state")
    def state_(self, run: StepRun) -> SafeString:
        return display.run_chip(run.state)

    @admin.display(description="Answer", ordering="error_code")
    def answer(self, run: StepRun) -> str:
        return " · ".join(str(part) for part in (run.http_status, run.error_code) if part) or display.NOTHING

    @admin.display(description="SID")
    def sid_(self, run: StepRun) -> SafeString:
        return display.sid_link(run.sid, f"{run.sid}-{run.pk}") or display.NOTHING

    @admin.display(description="Fee", ordering="fee")
    def fee_(self, run: StepRun) -> str:
        return display.money(run.fee) or display.NOTHING

    @admin.display(description="Took")
    def took(self, run: StepRun) -> str:
        ms = took_ms(run)
        return f"{ms} ms" if ms is not None else "—"

    @admin.display(description="When", ordering="started_at")
    def at(self, run: StepRun) -> SafeString:
        return display.when(run.started_at)

    def show(self, request: HttpRequest, row: StepRun) -> HttpResponse:
        """One call: as a page, or as the part of the case's page that opens in place."""
        values = {"run": row, "run_key": f"run-{row.pk}", "took_ms": took_ms(row)}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "registrations/desk/_run.html", values)
        return TemplateResponse(
            request,
            "registrations/desk/run.html",
            {**self.admin_site.each_context(request), **values, "title": display.step_label(row.step)},
        )


@admin.register(Event)
class EventAdmin(QuickList, ReadOnlyAdmin):
    title = "Timeline"
    list_display = ("text_", "case", "tag", "actor", "at_")
    list_display_links = None
    list_filter = (TagFilter,)
    list_select_related = ("registration",)
    ordering = ("-id",)

    @admin.display(description="What happened")
    def text_(self, event: Event) -> str:
        return display.event_text(event.tag, event.text)

    @admin.display(description="Case", ordering="registration__label")
    def case(self, event: Event) -> SafeString:
        return case_link(event.registration)

    @admin.display(description="When", ordering="id")
    def at_(self, event: Event) -> SafeString:
        return display.when(event.at)

    def show(self, request: HttpRequest, row: Event) -> HttpResponse:
        return redirect(desk_url(row.registration_id, "timeline-title"))

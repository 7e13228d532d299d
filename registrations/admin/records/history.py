"""Every call to Twilio, and the timeline. Read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.admin.changelist import display
from registrations.admin.changelist.base import ReadOnlyAdmin, detail_url, registration_link
from registrations.admin.changelist.filters import StepFilter, TagFilter
from registrations.admin.changelist.lists import FastList
from registrations.admin.changelist.search import HELP
from registrations.models import ApiCall, Event


def duration_ms(api_call: ApiCall) -> int | None:
    if not api_call.finished_at:
        return None
    return round((api_call.finished_at - api_call.started_at).total_seconds() * 1000)


@admin.register(ApiCall)
class ApiCallAdmin(FastList, ReadOnlyAdmin):
    title = "API calls"
    list_display = (
        "step_",
        "registration_",
        "state_",
        "response_",
        "sid_",
        "fee_",
        "duration",
        "actor",
        "at",
    )
    list_filter = ("state", StepFilter)
    list_select_related = ("registration",)
    search_help_text = f"{HELP[:-1]}; or an error code."
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiCall]:
        long = (
            "request_params",
            "request",
            "response",
            "error_details",
            "traceback",
            "registration__search_text",
        )
        return super().get_queryset(request).defer(*long)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiCall], search_term: str
    ) -> tuple[QuerySet[ApiCall], bool]:
        code = search_term.strip()
        if code.isascii() and code.isdecimal() and len(code) == 5:
            return queryset.filter(error_code=int(code)), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Call", ordering="step")
    def step_(self, api_call: ApiCall) -> SafeString:
        return format_html('<span title="{}">{}</span>', api_call.step, display.step_label(api_call.step))

    @admin.display(description="Registration", ordering="registration__label")
    def registration_(self, api_call: ApiCall) -> SafeString:
        return registration_link(api_call.registration)

    @admin.display(description="Outcome", ordering="state")
    def state_(self, api_call: ApiCall) -> SafeString:
        return display.call_chip(api_call.state)

    @admin.display(description="Response", ordering="error_code")
    def response_(self, api_call: ApiCall) -> str:
        return (
            " · ".join(str(part) for part in (api_call.http_status, api_call.error_code) if part)
            or display.NOTHING
        )

    @admin.display(description="SID")
    def sid_(self, api_call: ApiCall) -> SafeString:
        return display.sid_link(api_call.sid, f"{api_call.sid}-{api_call.pk}") or display.NOTHING

    @admin.display(description="Fee", ordering="fee")
    def fee_(self, api_call: ApiCall) -> str:
        return display.money(api_call.fee) or display.NOTHING

    @admin.display(description="Duration")
    def duration(self, api_call: ApiCall) -> str:
        ms = duration_ms(api_call)
        return f"{ms} ms" if ms is not None else "—"

    @admin.display(description="When", ordering="started_at")
    def at(self, api_call: ApiCall) -> SafeString:
        return display.when(api_call.started_at)

    def detail(self, request: HttpRequest, row: ApiCall) -> HttpResponse:
        """One call: as a page, or as a part of the registration's page."""
        values = {"run": row, "run_key": f"run-{row.pk}", "took_ms": duration_ms(row)}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "registrations/registration/_api_call.html", values)
        return TemplateResponse(
            request,
            "registrations/registration/api_call.html",
            {**self.admin_site.each_context(request), **values, "title": display.step_label(row.step)},
        )


@admin.register(Event)
class EventAdmin(FastList, ReadOnlyAdmin):
    title = "Timeline"
    list_display = ("text_", "registration_", "tag", "actor", "at_")
    list_display_links = None
    list_filter = (TagFilter,)
    list_select_related = ("registration",)
    ordering = ("-id",)

    @admin.display(description="What happened")
    def text_(self, event: Event) -> str:
        return display.event_text(event.tag, event.text)

    @admin.display(description="Registration", ordering="registration__label")
    def registration_(self, event: Event) -> SafeString:
        return registration_link(event.registration)

    @admin.display(description="When", ordering="id")
    def at_(self, event: Event) -> SafeString:
        return display.when(event.created_at)

    def detail(self, request: HttpRequest, row: Event) -> HttpResponse:
        return redirect(detail_url(row.registration_id, "timeline-title"))

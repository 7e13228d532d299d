"""What was done: every call to Twilio, and the timeline. Read-only."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.models import Event, StepRun

from . import display
from .base import ReadOnlyAdmin, case_link, desk_url


def took_ms(run: StepRun) -> int | None:
    return round((run.finished_at - run.started_at).total_seconds() * 1000) if run.finished_at else None


@admin.register(StepRun)
class StepRunAdmin(ReadOnlyAdmin):
    title = "Ledger"
    list_display = ("step_", "case", "state_", "answer", "sid_", "fee_", "took", "actor", "at")
    list_filter = ("state", "step")
    list_select_related = ("registration",)
    search_fields = ("registration__label", "=registration__external_id", "=error_code")
    search_help_text = "A case's label, your own ID, or an error code."
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepRun]:
        return super().get_queryset(request).defer("basis")

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
        return " · ".join(str(part) for part in (run.http_status, run.error_code) if part) or "—"

    @admin.display(description="SID")
    def sid_(self, run: StepRun) -> SafeString | str:
        return display.sid_link(run.sid, f"{run.sid}-{run.pk}") or "—"

    @admin.display(description="Fee", ordering="fee")
    def fee_(self, run: StepRun) -> str:
        return display.money(run.fee) or "—"

    @admin.display(description="Took")
    def took(self, run: StepRun) -> str:
        ms = took_ms(run)
        return f"{ms} ms" if ms is not None else "—"

    @admin.display(description="When", ordering="started_at")
    def at(self, run: StepRun) -> SafeString:
        return display.when(run.started_at)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One call: as a page, or as the part of the case's page that opens in place."""
        run = self.get_object(request, object_id)
        if not isinstance(run, StepRun):
            raise Http404("There is no such call.")
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        values = {"run": run, "run_key": f"run-{run.pk}", "took_ms": took_ms(run)}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "registrations/desk/_run.html", values)
        return TemplateResponse(
            request,
            "registrations/desk/run.html",
            {**self.admin_site.each_context(request), **values, "title": display.step_label(run.step)},
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.change_view(request, object_id)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    title = "Timeline"
    list_display = ("text_", "case", "tag", "actor", "at_")
    list_display_links = None
    list_filter = ("tag",)
    list_select_related = ("registration",)
    search_fields = ("registration__label", "=registration__external_id", "tag")
    search_help_text = "A case's label, your own ID, or a tag."
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

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        if not isinstance(event, Event):
            raise Http404("There is no such event.")
        if not self.has_view_permission(request, event):
            raise PermissionDenied
        return redirect(desk_url(event.registration_id, "timeline-title"))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.change_view(request, object_id)

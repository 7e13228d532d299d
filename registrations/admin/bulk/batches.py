"""Bulk work: the list of batches and the page of one: dry run, confirmation, live progress, report."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from registrations.admin.changelist import actions, display, exports
from registrations.admin.changelist.base import ReadOnlyAdmin, run_or_explain
from registrations.admin.changelist.live_regions import live, regions, within_page
from registrations.admin.registration import otp
from registrations.models import Batch
from registrations.models.choices import JobState
from registrations.operations import bulk as batches
from registrations.operations.bulk import progress
from registrations.reporting import statistics

from .batch_detail import REGIONS, Inputs, context, report


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    title = "Bulk work"
    list_display = ("action", "state_", "total_", "actor", "created")
    list_display_links = None
    list_filter = ("state",)
    list_select_related = ("user",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("params")

    @admin.display(description="Action", ordering="kind")
    def action(self, batch: Batch) -> SafeString:
        act = batches.ACTIONS.get(batch.kind)
        return format_html(
            '<a class="cell-main" href="{}">{}</a>',
            reverse(actions.PAGE, args=[batch.pk]),
            act.label if act else batch.kind,
        )

    @admin.display(description="State", ordering="state")
    def state_(self, batch: Batch) -> SafeString:
        return display.job_chip(batch.state)

    @admin.display(description="Registrations", ordering="total")
    def total_(self, batch: Batch) -> int:
        return batch.total

    @admin.display(description="Started", ordering="created_at")
    def created(self, batch: Batch) -> SafeString:
        return display.when(batch.created_at)

    # --- permissions --------------------------------------------------------------------------------------
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actions.may_view(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _batch(self, request: HttpRequest, pk: int, for_action: bool = False) -> Batch:
        batch: Batch = self.get_or_404(request, pk, Batch.objects.all())
        if for_action and (
            batch.kind not in batches.ACTIONS or not actions.may_run(request, batches.ACTIONS[batch.kind])
        ):
            raise PermissionDenied
        return batch

    # --- pages --------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("start/<slug:kind>/", view(require_POST(self.start)), name="registrations_batch_start"),
            path("<int:pk>/", view(require_safe(self.page)), name="registrations_batch_page"),
            path("<int:pk>/refresh/", view(require_safe(self.live)), name="registrations_batch_refresh"),
            path("<int:pk>/confirm/", view(require_POST(self.confirm)), name="registrations_batch_confirm"),
            path("<int:pk>/cancel/", view(require_POST(self.cancel)), name="registrations_batch_cancel"),
            path("<int:pk>/restart/", view(require_POST(self.restart)), name="registrations_batch_restart"),
            path(
                "<int:pk>/report.<slug:form>",
                view(require_safe(self.report)),
                name="registrations_batch_report",
            ),
        ]
        return own + super().get_urls()

    def detail(self, request: HttpRequest, row: Batch) -> HttpResponse:
        return self._redirect(row)

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._page(request, self._batch(request, pk))

    def _page(
        self, request: HttpRequest, batch: Batch, form: Inputs | None = None, status: int = 200
    ) -> HttpResponse:
        values = context(request, batch, form)
        return TemplateResponse(
            request,
            "registrations/batches/page.html",
            {
                **self.admin_site.each_context(request),
                **values,
                "title": f"{values['label']}: {values['progress'].total:,} registrations",
                **within_page(regions(REGIONS, values)),
                "live_url": self._live_url(values),
            },
            status=status,
        )

    def _live_url(self, values: dict[str, Any]) -> str:
        return f"{reverse('admin:registrations_batch_refresh', args=[values['batch'].pk])}?{values['query']}"

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The parts that have changed since the versions in the query; 204 if none has."""
        values = context(request, self._batch(request, pk))
        return live(request, regions(REGIONS, values), self._live_url(values), values["poll_seconds"])

    # --- actions ------------------------------------------------------------------------------------------
    def start(self, request: HttpRequest, kind: str) -> HttpResponse:
        """From the OTP page: the selected customers, or everyone who has not replied YES."""
        act = batches.ACTIONS.get(kind)
        if act is None or not act.in_lists:
            raise Http404("There is no such action.")
        if not actions.may_run(request, act):
            raise PermissionDenied
        otp_page = redirect(otp.LIST)
        registrations = statistics.owing()
        if "all" not in request.POST:
            registrations = registrations.filter(
                pk__in=[
                    int(v[:18]) for v in request.POST.getlist("registration") if v.isascii() and v.isdecimal()
                ]
            )
        selected = registrations.order_by().values_list("pk", flat=True)
        if not selected.exists():
            messages.warning(request, "Select at least one customer.")
            return otp_page
        return actions.start(request, act, selected) or otp_page

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, for_action=True)
        form = Inputs(batches.ACTIONS[batch.kind].inputs, request.POST)
        if batch.state == JobState.READY and not form.is_valid():
            return self._page(request, batch, form, status=422)
        if batch.state == JobState.READY and request.POST.get("fee") != f"{progress.progress(batch).fee:.2f}":
            messages.error(
                request, "The cost has changed since you opened this page. Review it and confirm again."
            )
            return self._redirect(batch)
        inputs = form.params() if form.is_valid() else {}
        return self._run(request, batch, lambda: batches.confirm(batch, user=request.user, inputs=inputs))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, for_action=True)
        return self._run(request, batch, lambda: batches.cancel(batch, user=request.user))

    def restart(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self._batch(request, pk, for_action=True)
        return self._run(request, batch, lambda: batches.restart(batch))

    def _run(self, request: HttpRequest, batch: Batch, function: Any) -> HttpResponse:
        run_or_explain(request, function)
        return self._redirect(batch)

    def _redirect(self, batch: Batch) -> HttpResponse:
        return redirect(actions.PAGE, batch.pk)

    def report(self, request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
        batch = self._batch(request, pk)
        if form == exports.XLSX and (problem := exports.too_many(batch.total)):
            messages.error(request, problem)
            return self._redirect(batch)
        return exports.download(report(batch), f"bulk-{batch.pk}-{batch.kind}", form, "Report")

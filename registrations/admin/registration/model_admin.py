"""The list of registrations, and the routes of each registration's pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from registrations.admin.changelist import display
from registrations.admin.changelist.actions import BulkActions
from registrations.admin.changelist.base import detail_url
from registrations.admin.changelist.filters import (
    AccountFilter,
    AgeFilter,
    CodeFilter,
    CreatedFilter,
    OverdueFilter,
    OwnerFilter,
)
from registrations.admin.changelist.lists import RegistrationList
from registrations.admin.changelist.search_privacy import PrivateSearchChangeList
from registrations.core.clock import now
from registrations.models import Registration
from registrations.reporting import dashboard, statistics
from registrations.workflow.planner import deadlines

from . import actions, composer, detail, form, limits, otp, preflight, submissions
from .base import ADD, CHANGE, VIEW, find, require

_WHO = "waiting_for__exact"


class KeysetChangeList(PrivateSearchChangeList):
    """Rows link to the registration's page instead of Django's change form."""

    def url_for_result(self, result: Model) -> str:
        return detail_url(result.pk)


@admin.register(Registration)
class RegistrationAdmin(BulkActions, RegistrationList):
    list_display = ("customer", "stage_", "waiting", "reason_", "owner", "age")
    list_filter = (
        "waiting_for",
        "stage",
        OverdueFilter,
        OwnerFilter,
        AgeFilter,
        CodeFilter,
        CreatedFilter,
        "hold",
        AccountFilter,
    )
    list_select_related = ("owner", "trust_bundle", "brand", "phone_number")
    ordering = ("-id",)
    registration_path = ""
    stages = ()

    @admin.display(description="Customer", ordering="label")
    def customer(self, registration: Registration) -> SafeString:
        brand = getattr(getattr(registration, "trust_bundle", None), "brand_name", "")
        second = brand if brand != registration.label else registration.external_id or ""
        return format_html(
            '<span class="cell-main">{}</span><span class="cell-sub">{}</span>', registration.label, second
        )

    @admin.display(description="Stage", ordering="stage")
    def stage_(self, registration: Registration) -> SafeString:
        return display.stage_chip(registration.stage)

    @admin.display(description="Status", ordering="waiting_for")
    def waiting(self, registration: Registration) -> SafeString:
        if registration.hold:
            return display.chip("On hold", "lock")
        return display.waiting_chip(registration.waiting_for)

    @admin.display(description="Reason")
    def reason_(self, registration: Registration) -> SafeString:
        reason = format_html(
            '<span title="{}">{}</span>', registration.reason, Truncator(registration.reason).chars(110)
        )
        late = deadlines.overdue(registration, now())
        if late is None:
            return reason
        return format_html(
            '{}<span class="cell-sub late"><strong>Next:</strong> {}</span>', reason, late.advice
        )

    @admin.display(description="In stage", ordering="-stage_since")
    def age(self, registration: Registration) -> SafeString:
        since = display.age(registration.stage_since)
        if not deadlines.overdue(registration, now()):
            return since
        return format_html('{}<span class="cell-sub">{}</span>', since, display.chip("Overdue", "attention"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        # Long values that no list shows.
        long_columns = (
            f"{part}__{column}"
            for part in ("trust_bundle", "brand", "phone_number")
            for column in ("payload", "accepted_params", "errors")
        )
        return super().get_queryset(request).defer("search_text", "notes", *long_columns)

    def known_count(self, request: HttpRequest) -> int | None:
        """The dashboard has counted the overdue registrations; counting them again would read all rows."""
        params = {name: value for name, value in request.GET.items() if name not in (PAGE_VAR, ORDER_VAR)}
        if params == {OverdueFilter.parameter_name: "1"}:
            return sum(statistics.read("overdue")["overdue"].values())
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = statistics.waiting(statistics.read("standing")["standing"])
        chosen = request.GET.get(_WHO, "")
        # A tab keeps the search and the filters. Its count is of all registrations, so it is hidden beside those.
        kept = request.GET.copy()
        for name in (_WHO, PAGE_VAR, ERROR_FLAG):
            kept.pop(name, None)
        narrowed = set(kept) - {ORDER_VAR}
        whole: list[tuple[str, str, int]] = [("", "All", sum(counts.values()))]
        tabs = [
            {
                "label": label,
                "count": None if narrowed else count,
                "url": f"?{urlencode({**({_WHO: value} if value else {}), **kept.dict()})}",
                "current": chosen == value,
            }
            for value, label, count in whole
            + [(who, label, counts.get(who, 0)) for who, label in dashboard.LABELS]
        ]
        return super().changelist_view(
            request,
            {
                "title": "Registrations",
                "queue_tabs": tabs,
                # The tabs filter by it already.
                "filters_elsewhere": ["waiting_for"],
                **self.list_context(request),
                **(extra_context or {}),
            },
        )

    # --- the form -------------------------------------------------------------------------------------------
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            require(request, ADD)
            return form.page(request, None)
        registration = find(object_id)
        if self.has_view_permission(request, registration) and not self.has_change_permission(
            request, registration
        ):
            return redirect(registration)
        require(request, CHANGE)
        return form.page(request, registration)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        registration = find(object_id)
        require(request, VIEW)
        return redirect(detail_url(registration.pk, "timeline-title"))

    # --- a registration's own pages -------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        def route(pattern: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(pattern, self.admin_site.admin_view(view), name=f"registrations_registration_{name}")

        return [
            route("otp/", otp.page, "otp"),
            route("preflight/", preflight.check_typed, "preflight"),
            route("compose/", composer.page, "compose"),
            route("<int:pk>/compose/", composer.page, "compose"),
            route("limits/", limits.check, "limits"),
            route("<int:pk>/limits/", limits.check, "limits"),
            route("<int:pk>/detail/", detail.page, "detail"),
            route("<int:pk>/refresh/", detail.refresh, "refresh"),
            route("<int:pk>/mobile/", otp.mobile, "mobile"),
            route("<int:pk>/submissions/", submissions.page, "submissions"),
            route("<int:pk>/confirm/<slug:action>/", actions.confirm, "confirm"),
            route("<int:pk>/action/<slug:action>/", actions.perform, "action"),
            *super().get_urls(),
        ]

    # --- deleting: only what was never sent -----------------------------------------------------------------
    def has_delete_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        if obj is None:
            return False
        return super().has_delete_permission(request, obj) and never_sent(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        listed, counts, _, protected = super().get_deleted_objects(objs, request)
        # A draft's parts are deleted with it. Their own admins forbid deleting, because of live objects at Twilio.
        return listed, counts, set(), protected


def never_sent(registration: Registration) -> bool:
    """Whether nothing of this registration can exist at Twilio: no call was ever tried and no SID is known."""
    resources = [getattr(registration, part) for part in Registration.PARTS]
    sids = any(
        getattr(resource, column.attname)
        for resource in resources
        for column in resource._meta.concrete_fields
        if column.name == "sid" or column.name.endswith("_sid")
    )
    return not sids and not registration.api_calls.exists() and not registration.retired.exists()

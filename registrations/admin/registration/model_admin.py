"""The list of registrations, and the routes of each registration's pages."""

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
from registrations.admin.changelist.base import desk_url
from registrations.admin.changelist.filters import (
    AccountFilter,
    AgeFilter,
    CodeFilter,
    CreatedFilter,
    OwnerFilter,
)
from registrations.admin.changelist.lists import CaseList
from registrations.admin.changelist.overdue import OverdueFilter
from registrations.admin.changelist.search_privacy import SealedList
from registrations.core.clock import now
from registrations.models import Registration
from registrations.reporting import dashboard, statistics
from registrations.workflow.planner import deadlines

from . import actions, composer, form, limits, otp, preflight, submissions, views

_WHO = "waiting_for__exact"


class KeysetChangeList(SealedList):
    """Rows lead to the registration's page instead of Django's change form."""

    def url_for_result(self, result: Model) -> str:
        return desk_url(result.pk)


@admin.register(Registration)
class RegistrationAdmin(BulkActions, CaseList):
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

    @admin.display(description="Next to act", ordering="waiting_for")
    def waiting(self, registration: Registration) -> SafeString:
        if registration.hold:
            return display.chip("On hold", "lock")
        return display.waiting_chip(registration.waiting_for)

    @admin.display(description="Why")
    def reason_(self, registration: Registration) -> SafeString:
        why = format_html(
            '<span title="{}">{}</span>', registration.reason, Truncator(registration.reason).chars(110)
        )
        late = deadlines.overdue(registration, now())
        if late is None:
            return why
        return format_html('{}<span class="cell-sub late"><strong>Next:</strong> {}</span>', why, late.advice)

    @admin.display(description="In stage", ordering="-stage_since")
    def age(self, registration: Registration) -> SafeString:
        since = display.age(registration.stage_since)
        if not deadlines.overdue(registration, now()):
            return since
        return format_html('{}<span class="cell-sub">{}</span>', since, display.chip("Overdue", "act"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        # What Twilio sent is long, and no list shows it.
        long = (
            f"{part}__{column}"
            for part in ("trust_bundle", "brand", "phone_number")
            for column in ("payload", "accepted_params", "errors")
        )
        return super().get_queryset(request).defer("search_text", "notes", *long)

    def known_count(self, request: HttpRequest) -> int | None:
        """The board counts the overdue registrations anyway; to count them reads all of them."""
        asked = {name: value for name, value in request.GET.items() if name not in (PAGE_VAR, ORDER_VAR)}
        if asked == {OverdueFilter.parameter_name: "1"}:
            return sum(statistics.read("overdue")["overdue"].values())
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = statistics.waiting(statistics.read("standing")["standing"])
        chosen = request.GET.get(_WHO, "")
        # A tab keeps the search and the filters; the counts are those of all registrations, so they would lie beside one.
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
                # The tabs choose it already.
                "filters_elsewhere": ["waiting_for"],
                **self.list_context(request),
                **(extra_context or {}),
            },
        )

    # --- The form -----------------------------------------------------------------------------------------
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            form.require(request, "registrations.add_registration")
            return form.page(request, self.admin_site, None)
        registration = form.find(object_id)
        if self.has_view_permission(request, registration) and not self.has_change_permission(
            request, registration
        ):
            return redirect(desk_url(registration.pk))
        form.require(request, "registrations.change_registration")
        return form.page(request, self.admin_site, registration)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        registration = form.find(object_id)
        form.require(request, "registrations.view_registration")
        return redirect(desk_url(registration.pk, "timeline-title"))

    # --- A registration's own pages -------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site

        def registration(request: HttpRequest, pk: str) -> HttpResponse:
            return views.registration(request, site, pk)

        def compose(request: HttpRequest, pk: str | None = None) -> HttpResponse:
            return composer.page(request, site, form.find(pk) if pk else None)

        def confirm(request: HttpRequest, pk: str, act: str) -> HttpResponse:
            return actions.confirm(request, site, pk, act)

        def otp_desk(request: HttpRequest) -> HttpResponse:
            return otp.page(request, site)

        def mobile(request: HttpRequest, pk: str) -> HttpResponse:
            return otp.mobile(request, site, pk)

        def version_page(request: HttpRequest, pk: str) -> HttpResponse:
            return submissions.page(request, site, pk)

        own = [
            path("otp/", site.admin_view(otp_desk), name="registrations_registration_otp"),
            path(
                "<int:pk>/versions/",
                site.admin_view(version_page),
                name="registrations_registration_versions",
            ),
            path("compose/", site.admin_view(compose), name="registrations_registration_compose"),
            path("<int:pk>/compose/", site.admin_view(compose), name="registrations_registration_compose"),
            path(
                "preflight/",
                site.admin_view(preflight.as_one_types),
                name="registrations_registration_preflight",
            ),
            path("limits/", site.admin_view(limits.at_inputs), name="registrations_registration_limits"),
            path(
                "<int:pk>/limits/",
                site.admin_view(limits.at_inputs),
                name="registrations_registration_limits",
            ),
            path("<int:pk>/mobile/", site.admin_view(mobile), name="registrations_registration_mobile"),
            path("<int:pk>/detail/", site.admin_view(registration), name="registrations_registration_detail"),
            path("<int:pk>/refresh/", site.admin_view(views.live), name="registrations_registration_refresh"),
            path(
                "<int:pk>/confirm/<slug:act>/",
                site.admin_view(confirm),
                name="registrations_registration_confirm",
            ),
            path(
                "<int:pk>/action/<slug:act>/",
                site.admin_view(actions.act),
                name="registrations_registration_action",
            ),
        ]
        return own + super().get_urls()

    # --- Deleting: only what never left this house --------------------------------------------------------
    def has_delete_permission(self, request: HttpRequest, obj: Registration | None = None) -> bool:
        if obj is None:
            return False
        return super().has_delete_permission(request, obj) and never_sent(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        listed, counts, _, protected = super().get_deleted_objects(objs, request)
        # The parts of a draft go with it; their own admins forbid deleting because of what lives at Twilio.
        return listed, counts, set(), protected


def never_sent(registration: Registration) -> bool:
    """Whether nothing of this registration can exist at Twilio: no attempt was ever made and no SID is known."""
    mirrors = (
        registration.profile,
        registration.trust_bundle,
        registration.brand,
        registration.campaign,
        registration.phone_number,
    )
    sids = any(
        getattr(resource, column.attname)
        for resource in mirrors
        for column in resource._meta.concrete_fields
        if column.name == "sid" or column.name.endswith("_sid")
    )
    return not sids and not registration.api_calls.exists() and not registration.retired.exists()

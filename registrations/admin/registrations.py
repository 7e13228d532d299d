"""The list of cases, and the routes of each case's pages."""

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

from registrations import board, figures, stuck
from registrations.clock import now
from registrations.models import Registration

from . import acts, composing, display, edit, nearing, otp, pages, preflight, tries
from .base import desk_url
from .bulk import BulkActions
from .filters import AccountFilter, AgeFilter, CodeFilter, CreatedFilter, OwnerFilter
from .lists import CaseList
from .overdue import OverdueFilter
from .sealed import SealedList

_WHO = "waiting_for__exact"


class DeskChangeList(SealedList):
    """Rows lead to the case's page instead of Django's change form."""

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
    case_path = ""
    stages = ()

    @admin.display(description="Customer", ordering="label")
    def customer(self, case: Registration) -> SafeString:
        brand = getattr(getattr(case, "trust_bundle", None), "brand_name", "")
        second = brand if brand != case.label else case.external_id or ""
        return format_html(
            '<span class="cell-main">{}</span><span class="cell-sub">{}</span>', case.label, second
        )

    @admin.display(description="Stage", ordering="stage")
    def stage_(self, case: Registration) -> SafeString:
        return display.stage_chip(case.stage)

    @admin.display(description="Next to act", ordering="waiting_for")
    def waiting(self, case: Registration) -> SafeString:
        if case.hold:
            return display.chip("On hold", "lock")
        return display.waiting_chip(case.waiting_for)

    @admin.display(description="Why")
    def reason_(self, case: Registration) -> SafeString:
        why = format_html('<span title="{}">{}</span>', case.reason, Truncator(case.reason).chars(110))
        late = stuck.stuck(case, now())
        if late is None:
            return why
        return format_html('{}<span class="cell-sub late"><strong>Next:</strong> {}</span>', why, late.advice)

    @admin.display(description="In stage", ordering="-stage_since")
    def age(self, case: Registration) -> SafeString:
        since = display.age(case.stage_since)
        if not stuck.stuck(case, now()):
            return since
        return format_html('{}<span class="cell-sub">{}</span>', since, display.chip("Overdue", "act"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        # What Twilio sent is long, and no list shows it.
        long = (
            f"{part}__{column}"
            for part in ("trust_bundle", "brand", "phone_number")
            for column in ("payload", "sent", "errors")
        )
        return super().get_queryset(request).defer("search_text", "notes", *long)

    def known_count(self, request: HttpRequest) -> int | None:
        """The board counts the overdue cases anyway; to count them reads all of them."""
        asked = {name: value for name, value in request.GET.items() if name not in (PAGE_VAR, ORDER_VAR)}
        if asked == {OverdueFilter.parameter_name: "1"}:
            return sum(figures.read("overdue")["overdue"].values())
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeskChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = figures.waiting(figures.read("standing")["standing"])
        chosen = request.GET.get(_WHO, "")
        # A tab keeps the search and the filters; the counts are those of all cases, so they would lie beside one.
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
            + [(who, label, counts.get(who, 0)) for who, label in board.LABELS]
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
            edit.require(request, "registrations.add_registration")
            return edit.page(request, self.admin_site, None)
        registration = edit.find(object_id)
        if self.has_view_permission(request, registration) and not self.has_change_permission(
            request, registration
        ):
            return redirect(desk_url(registration.pk))
        edit.require(request, "registrations.change_registration")
        return edit.page(request, self.admin_site, registration)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        registration = edit.find(object_id)
        edit.require(request, "registrations.view_registration")
        return redirect(desk_url(registration.pk, "timeline-title"))

    # --- A case's own pages -------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site

        def case(request: HttpRequest, pk: str) -> HttpResponse:
            return pages.case(request, site, pk)

        def compose(request: HttpRequest, pk: str | None = None) -> HttpResponse:
            return composing.page(request, site, edit.find(pk) if pk else None)

        def confirm(request: HttpRequest, pk: str, act: str) -> HttpResponse:
            return acts.confirm(request, site, pk, act)

        def otp_desk(request: HttpRequest) -> HttpResponse:
            return otp.page(request, site)

        def mobile(request: HttpRequest, pk: str) -> HttpResponse:
            return otp.mobile(request, site, pk)

        def version_page(request: HttpRequest, pk: str) -> HttpResponse:
            return tries.page(request, site, pk)

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
            path("limits/", site.admin_view(nearing.at_inputs), name="registrations_registration_limits"),
            path(
                "<int:pk>/limits/",
                site.admin_view(nearing.at_inputs),
                name="registrations_registration_limits",
            ),
            path("<int:pk>/mobile/", site.admin_view(mobile), name="registrations_registration_mobile"),
            path("<int:pk>/desk/", site.admin_view(case), name="registrations_registration_desk"),
            path("<int:pk>/live/", site.admin_view(pages.live), name="registrations_registration_live"),
            path(
                "<int:pk>/confirm/<slug:act>/",
                site.admin_view(confirm),
                name="registrations_registration_confirm",
            ),
            path(
                "<int:pk>/act/<slug:act>/", site.admin_view(acts.act), name="registrations_registration_act"
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
    """Whether nothing of this case can exist at Twilio: no attempt was ever made and no SID is known."""
    mirrors = (
        registration.profile,
        registration.trust_bundle,
        registration.brand,
        registration.campaign,
        registration.phone_number,
    )
    sids = any(
        getattr(mirror, column.attname)
        for mirror in mirrors
        for column in mirror._meta.concrete_fields
        if column.name == "sid" or column.name.endswith("_sid")
    )
    return not sids and not registration.runs.exists() and not registration.retired.exists()

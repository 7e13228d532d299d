"""What our lists share: quick pages, one search, saved views, export."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from registrations.models import Registration

from . import downloads, exports, saved_views, search
from .base import SafeList, require_view
from .paginator import QuickPaginator


class QuickList(SafeList):
    """For every list: constant effort per page.

    `registration_path` is how a row leads to its registration in a query ("" for registrations); `problem_part` is the part whose
    refusals the list is about, "" for all.
    """

    registration_path = "registration__"
    problem_part = ""
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # No page of ours leads back by them, and Django resolves each row's address anew to put them in.
    preserve_filters = False
    search_fields = ("pk",)  # shows the box; registrations.admin.changelist.search decides
    search_help_text = search.HELP

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any) -> QuickPaginator:
        whole = self.get_queryset(request)
        if self.list_select_related:
            whole = whole.select_related(*self.list_select_related)  # type: ignore[misc]
        return QuickPaginator(queryset, per_page, *args, whole=whole, known=self.known_count(request))

    def known_count(self, request: HttpRequest) -> int | None:
        """How many rows the list has, where somebody else has counted them."""
        return None

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Model) -> SafeString:
        """Django's checkbox without its template: rendering fifty of those took a fifth of a list's time."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" '
            'aria-label="Select this object for an action - {}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            obj,
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        if queryset.model is Registration:
            return search.matching(queryset, search_term), False
        registrations = search.matching(Registration.objects.order_by(), search_term)
        return queryset.filter(registration__in=registrations), False


class CaseList(QuickList):
    """For lists of registrations and of what is at Twilio: saved views and export on top."""

    @property
    def _name(self) -> str:
        return str(self.opts.model_name)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """For changelist_view's extra context."""
        query = request.GET.urlencode()
        return {
            **saved_views.context(request, self._name),
            "view_save_url": self._url("view_save"),
            "view_change_base": self._url("view_change", 0).removesuffix("0/"),
            "export_links": [
                (kind.upper(), f"{self._url(f'export_{kind}')}?{query}")
                for kind in downloads.KINDS
                if request.user.has_perm("registrations.view_registration")
            ],
        }

    def _url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:registrations_{self._name}_{page}", args=args)

    def list_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, self._name
        own = (
            ("views/save/", self.save_view, "view_save"),
            ("views/<int:pk>/", self.change_saved_view, "view_change"),
            ("export/csv/", self.export_csv, "export_csv"),
            ("export/xlsx/", self.export_xlsx, "export_xlsx"),
        )
        return [path(route, wrap(page), name=f"registrations_{name}_{label}") for route, page, label in own]

    def get_urls(self) -> list[URLPattern]:
        return self.list_urls() + super().get_urls()

    def save_view(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        return saved_views.save(request, self._name, self._url("changelist"))

    def change_saved_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_view(self, request)
        return saved_views.change(request, self._name, self._url("changelist"), pk)

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All registrations of the list as it is filtered, searched and ordered."""
        require_view(self, request)
        return _export(request, self, downloads.CSV)

    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        require_view(self, request)
        return _export(request, self, downloads.XLSX)


@require_safe
def _export(request: HttpRequest, model_admin: Any, kind: str) -> HttpResponseBase:
    if not request.user.has_perm("registrations.view_registration"):
        raise PermissionDenied  # the rows are registrations, whichever list it is
    back = reverse(f"admin:registrations_{model_admin.opts.model_name}_changelist")
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(f"{back}?e=1")
    if kind == downloads.XLSX and (refusal := downloads.too_many(changelist.result_count)):
        messages.error(request, refusal)
        return redirect(f"{back}?{request.GET.urlencode()}")
    chosen = changelist.queryset
    if chosen.model is not Registration:
        chosen = Registration.objects.filter(pk__in=chosen.order_by().values("registration_id"))
    return exports.response(chosen, kind, str(model_admin.opts.verbose_name_plural).replace(" ", "-"))

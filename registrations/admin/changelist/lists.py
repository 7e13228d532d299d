"""What the lists share: fast paging, one search, saved views, exports."""

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

from . import exports, saved_views, search
from .base import SafeList, require_view
from .paginator import KeyPaginator


class FastList(SafeList):
    """Pages at a constant cost, and the search for registrations.

    `registration_path` leads from a row to its registration in a query ("" for registrations). `problem_part` is the
    part whose rejections the list is about, "" for all.
    """

    registration_path = "registration__"
    problem_part = ""
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # None of our pages use them to lead back, and Django would resolve each row's address again to add them.
    preserve_filters = False
    search_fields = ("pk",)  # shows the search box; search.py does the search
    search_help_text = search.HELP

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any) -> KeyPaginator:
        rows = self.get_queryset(request)
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)  # type: ignore[misc]
        return KeyPaginator(queryset, per_page, *args, rows=rows, known_count=self.known_count(request))

    def known_count(self, request: HttpRequest) -> int | None:
        """The number of rows, if it has been counted elsewhere; None to count them."""
        return None

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Model) -> SafeString:
        """Django's checkbox without its template: rendering fifty of them took a fifth of a list's time."""
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


class RegistrationList(FastList):
    """For lists of registrations and of Twilio resources: adds saved views and exports."""

    @property
    def _name(self) -> str:
        return str(self.opts.model_name)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """The extra context of changelist_view."""
        query = request.GET.urlencode()
        return {
            **saved_views.context(request, self._name),
            "view_save_url": self._url("view_save"),
            "view_change_base": self._url("view_change", 0).removesuffix("0/"),
            "export_links": [
                (kind.upper(), f"{self._url(f'export_{kind}')}?{query}")
                for kind in exports.KINDS
                if request.user.has_perm("registrations.view_registration")
            ],
        }

    def _url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:registrations_{self._name}_{page}", args=args)

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, self._name
        pages = (
            ("views/save/", self.save_view, "view_save"),
            ("views/<int:pk>/", self.change_saved_view, "view_change"),
            ("export/csv/", self.export_csv, "export_csv"),
            ("export/xlsx/", self.export_xlsx, "export_xlsx"),
        )
        return [
            *(path(route, view(page), name=f"registrations_{name}_{label}") for route, page, label in pages),
            *super().get_urls(),
        ]

    def save_view(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        return saved_views.save(request, self._name, self._url("changelist"))

    def change_saved_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_view(self, request)
        return saved_views.change(request, self._name, self._url("changelist"), pk)

    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All registrations of the list as it is filtered, searched, and sorted."""
        require_view(self, request)
        return _export(request, self, exports.CSV)

    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        require_view(self, request)
        return _export(request, self, exports.XLSX)


@require_safe
def _export(request: HttpRequest, model_admin: Any, kind: str) -> HttpResponseBase:
    if not request.user.has_perm("registrations.view_registration"):
        raise PermissionDenied  # the rows are registrations, whatever the list
    list_url = reverse(f"admin:registrations_{model_admin.opts.model_name}_changelist")
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(f"{list_url}?e=1")
    if kind == exports.XLSX and (problem := exports.too_many(changelist.result_count)):
        messages.error(request, problem)
        return redirect(f"{list_url}?{request.GET.urlencode()}")
    registrations = changelist.queryset
    if registrations.model is not Registration:
        registrations = Registration.objects.filter(pk__in=registrations.order_by().values("registration_id"))
    return exports.response(registrations, kind, str(model_admin.opts.verbose_name_plural).replace(" ", "-"))

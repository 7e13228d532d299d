"""Base classes and helpers of the admin classes."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.models import Registration
from registrations.operations.bulk.background_job import Refused

from . import search_privacy

log = logging.getLogger(__name__)
UNUSABLE = "A filter or search in this address is not valid, so the whole list is shown."


def detail_url(registration_id: int, anchor: str = "") -> str:
    url = reverse("admin:registrations_registration_detail", args=[registration_id])
    return f"{url}#{anchor}" if anchor else url


def registration_link(registration: Registration, anchor: str = "") -> SafeString:
    return format_html('<a href="{}">{}</a>', detail_url(registration.pk, anchor), registration.label)


def only_registration(request: HttpRequest) -> Registration | None:
    """The registration that a list is limited to (?registration__exact=ID)."""
    pk = request.GET.get("registration__exact", "")
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None
    return Registration.objects.only("label").filter(pk=pk).first()


def require_view(model_admin: admin.ModelAdmin, request: HttpRequest) -> None:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied


def run_or_explain(request: HttpRequest, function: Callable[[], object]) -> None:
    """Calls the function; if the background job's state no longer allows it, a message says why."""
    try:
        function()
    except Refused as refusal:
        messages.error(request, str(refusal))


class SafeList(admin.ModelAdmin):
    """For every list: an address with invalid filters shows the whole list and a message, not an error.

    Django checks a filter's value when it builds the query, not when the database runs it: SQLite raises
    OverflowError for an integer beyond 64 bits, PostgreSQL DataError for a NUL.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """No regular expressions from an address: an invalid or hostile one would hit the database."""
        if lookup.endswith(("__regex", "__iregex")):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return search_privacy.PrivateSearchChangeList

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_search"
        return [path("search/", self.admin_site.admin_view(self.search), name=name), *super().get_urls()]

    def search(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        return search_privacy.search(
            request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, ValueError, OverflowError, DataError) as error:
            if set(request.GET) <= {ERROR_FLAG}:
                raise  # the address asked for nothing: this is our bug
            log.warning("%s: invalid filter in a list's address (%s)", self.opts.label, type(error).__name__)
            messages.warning(request, UNUSABLE)
            raise IncorrectLookupParameters from error


class ReadOnlyAdmin(SafeList):
    """Rows that only the worker writes: they cannot be added, changed, or deleted here.

    Deleting a Twilio resource's row would lose track of an object that still exists, and may be billed, at Twilio.
    """

    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    title = ""
    # The permission to view the rows, if it is not the model's own.
    view_permission = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        registration = only_registration(request)
        limits = {"only_registration": registration, "subtitle": registration.label} if registration else {}
        return super().changelist_view(request, {"title": self.title, **limits, **(extra_context or {})})

    def get_or_404(self, request: HttpRequest, pk: object, queryset: QuerySet[Any] | None = None) -> Any:
        """The row of a page, from `queryset` if the list's own queryset lacks columns.

        Raises PermissionDenied, whether or not the row exists, or Http404.
        """
        require_view(self, request)
        row = self.get_object(request, str(pk)) if queryset is None else queryset.filter(pk=pk).first()
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    def detail(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The page of a row, instead of Django's change form."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.detail(request, self.get_or_404(request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.change_view(request, object_id)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if self.view_permission:
            return request.user.has_perm(self.view_permission)
        return super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return (
            self.has_view_permission(request)
            if self.view_permission
            else super().has_module_permission(request)
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

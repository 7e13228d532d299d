"""What our admin classes share."""

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
UNUSABLE = "A filter or search in the address could not be used, so the whole list is shown."


def detail_url(registration_id: int, anchor: str = "") -> str:
    url = reverse("admin:registrations_registration_detail", args=[registration_id])
    return f"{url}#{anchor}" if anchor else url


def registration_link(registration: Registration, anchor: str = "") -> SafeString:
    return format_html('<a href="{}">{}</a>', detail_url(registration.pk, anchor), registration.label)


def shown_registration(request: HttpRequest) -> Registration | None:
    """The registration that a list was opened for from its page (?registration__exact=ID)."""
    pk = request.GET.get("registration__exact", "")
    known = Registration.objects.only("label") if pk.isascii() and pk.isdecimal() and len(pk) < 19 else None
    return known.filter(pk=pk).first() if known is not None else None


def require_view(lister: admin.ModelAdmin, request: HttpRequest) -> None:
    if not lister.has_view_permission(request):
        raise PermissionDenied


def attempt(request: HttpRequest, do: Callable[[], object]) -> None:
    """Do it; when background work does not allow it any more, the person is told why."""
    try:
        do()
    except Refused as refusal:
        messages.error(request, str(refusal))


class SafeList(admin.ModelAdmin):
    """For every list: what its address asks for may be nonsense, and then the whole list is shown with a word.

    Django checks a filter's value when it makes the query, not when the database reads it: SQLite raises
    OverflowError for an integer beyond 64 bits, PostgreSQL DataError for a NUL.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """No regular expressions from an address: a wrong or a hostile one would be the database's trouble."""
        if lookup.endswith(("__regex", "__iregex")):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return search_privacy.SealedList

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
                raise  # nothing was asked for: an error of ours
            log.warning("%s: a list's filter cannot be used (%s)", self.opts.label, type(error).__name__)
            messages.warning(request, UNUSABLE)
            raise IncorrectLookupParameters from error


class ReadOnlyAdmin(SafeList):
    """Rows that only the worker writes: seen, never added, changed or deleted here.

    Deleting a mirror would forget a live, perhaps monthly billed object at Twilio.
    """

    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    title = ""
    # A permission to see the rows with, where it is not the model's own.
    seen_with = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        one = shown_registration(request)
        named = {"only_registration": one, "subtitle": one.label} if one else {}
        return super().changelist_view(request, {"title": self.title, **named, **(extra_context or {})})

    def found(self, request: HttpRequest, pk: object, whole: QuerySet[Any] | None = None) -> Any:
        """The row that a page is about, from `whole` where the list's own rows lack columns.

        Raises PermissionDenied, before it tells whether there is such a row, or Http404.
        """
        require_view(self, request)
        row = self.get_object(request, str(pk)) if whole is None else whole.filter(pk=pk).first()
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    def show(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Our page of a row, in place of Django's form."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.show(request, self.found(request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.change_view(request, object_id)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if self.seen_with:
            return request.user.has_perm(self.seen_with)
        return super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) if self.seen_with else super().has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

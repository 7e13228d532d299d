"""What our admin classes share."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.models import Registration


def desk_url(registration_id: int, anchor: str = "") -> str:
    url = reverse("admin:registrations_registration_desk", args=[registration_id])
    return f"{url}#{anchor}" if anchor else url


def case_link(registration: Registration, anchor: str = "") -> SafeString:
    return format_html('<a href="{}">{}</a>', desk_url(registration.pk, anchor), registration.label)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only the worker writes: seen, never added, changed or deleted here.

    Deleting a mirror would forget a live, perhaps monthly billed object at Twilio.
    """

    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    title = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

"""What Twilio says: brands, campaigns and numbers, read-only; each row leads to its case."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from registrations.models import Brand, Campaign, PhoneNumber
from registrations.states import BRAND, CAMPAIGN, IDENTITY, NUMBER, word

from . import display
from .base import ReadOnlyAdmin, case_link, desk_url


class MirrorAdmin(ReadOnlyAdmin):
    """A list of one kind of object at Twilio; cases that have none yet are left out."""

    list_display_links = None
    list_select_related = ("registration",)
    ordering = ("-registration_id",)
    exists_by = "sid"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(**{self.exists_by: ""}).defer("payload", "sent")

    @admin.display(description="Case", ordering="registration__label")
    def case(self, mirror: Any) -> SafeString:
        return case_link(mirror.registration)

    @admin.display(description="SID")
    def sid_(self, mirror: Any) -> SafeString:
        return display.sid_link(getattr(mirror, self.exists_by))

    @admin.display(description="Reasons")
    def reasons(self, mirror: Any) -> SafeString:
        """The failure reason and every item of `errors[]`, not only the first."""
        rows = [(row["code"], row["text"]) for row in display.upstream_errors(mirror.errors)]
        if mirror.failure_reason:
            rows.insert(0, ("", mirror.failure_reason))
        if not rows:
            return display.NOTHING
        items = format_html_join("", '<li><span class="code">{}</span> {}</li>', rows)
        return format_html('<ul class="plain reasons">{}</ul>', items)

    @admin.display(description="Last looked", ordering="synced_at")
    def looked(self, mirror: Any) -> SafeString:
        return display.when(mirror.synced_at)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return redirect(desk_url(self._row(request, object_id).registration_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect(desk_url(self._row(request, object_id).registration_id, "timeline-title"))

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None or not isinstance(row, Model):
            raise Http404("There is no such object.")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


@admin.register(Brand)
class BrandAdmin(MirrorAdmin):
    title = "Brands"
    list_display = ("case", "status_", "identity", "tcr_id", "sid_", "tries", "reasons", "looked")
    list_filter = ("status", "identity_status")
    search_fields = ("=sid", "=tcr_id", "registration__label")

    @admin.display(description="Status", ordering="status")
    def status_(self, brand: Brand) -> SafeString:
        return display.word_chip(word(BRAND, brand.status))

    @admin.display(description="Identity", ordering="identity_status")
    def identity(self, brand: Brand) -> SafeString:
        if not brand.identity_status:
            return display.NOTHING
        return display.word_chip(word(IDENTITY, brand.identity_status))

    @admin.display(description="Resubmitted", ordering="resubmissions")
    def tries(self, brand: Brand) -> str:
        return f"{brand.resubmissions} of {brand.resubmissions + brand.resubmissions_left}"


@admin.register(Campaign)
class CampaignAdmin(MirrorAdmin):
    title = "Campaigns"
    list_display = ("case", "status_", "campaign_id", "service", "reasons", "looked")
    list_filter = ("status",)
    search_fields = ("=campaign_id", "=service_sid", "registration__label")

    @admin.display(description="Status", ordering="status")
    def status_(self, campaign: Campaign) -> SafeString:
        return display.word_chip(word(CAMPAIGN, campaign.status))

    @admin.display(description="Messaging service")
    def service(self, campaign: Campaign) -> SafeString:
        return display.sid_link(campaign.service_sid)


@admin.register(PhoneNumber)
class PhoneNumberAdmin(MirrorAdmin):
    title = "Numbers"
    list_display = ("case", "phone_number", "a2p", "attached", "confirmed", "sid_", "reasons")
    list_filter = ("a2p_status",)
    search_fields = ("=sid", "phone_number", "registration__label")

    @admin.display(description="A2P status", ordering="a2p_status")
    def a2p(self, number: PhoneNumber) -> SafeString:
        # Only events report it; until one has come, nothing is known.
        if not number.a2p_status:
            return display.chip("Not reported", "idle")
        return display.word_chip(word(NUMBER, number.a2p_status))

    @admin.display(description="Attached", ordering="attached_at")
    def attached(self, number: PhoneNumber) -> SafeString:
        return display.when(number.attached_at)

    @admin.display(description="Confirmed", ordering="confirmed_at")
    def confirmed(self, number: PhoneNumber) -> SafeString:
        return display.when(number.confirmed_at)

"""Brands, campaigns, and numbers as Twilio reports them, read-only; each row leads to its registration."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from registrations.admin.changelist import display
from registrations.admin.changelist.actions import BulkActions
from registrations.admin.changelist.base import ReadOnlyAdmin, detail_url, registration_link
from registrations.admin.changelist.filters import (
    AccountFilter,
    AgeFilter,
    BrandStatus,
    CampaignStatus,
    CodeFilter,
    CreatedFilter,
    IdentityStatus,
    NumberStatus,
    OverdueFilter,
    OwnerFilter,
    StageFilter,
    WaitingForFilter,
)
from registrations.admin.changelist.lists import RegistrationList
from registrations.admin.registration import panels
from registrations.core.clock import now
from registrations.models import Brand, Campaign, PhoneNumber
from registrations.models.choices import Stage
from registrations.twilio.statuses import BRAND_FAILED, CAMPAIGN, NUMBER, status_label
from registrations.workflow.planner import deadlines

# The filters of every list here, besides the resource's own status.
REGISTRATION_FILTERS = (
    WaitingForFilter,
    StageFilter,
    OverdueFilter,
    OwnerFilter,
    AgeFilter,
    CodeFilter,
    CreatedFilter,
    AccountFilter,
)


class TwilioResourceAdmin(BulkActions, RegistrationList, ReadOnlyAdmin):
    """A list of one kind of Twilio resource, without registrations that have none yet.

    stages: those in which a registration waits for this kind of resource.
    """

    list_display_links = None
    list_select_related = ("registration__owner",)
    ordering = ("-registration_id",)
    registration_column = "registration_id"
    stages: tuple[Stage, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        long = ("payload", "accepted_params", "registration__search_text", "registration__notes")
        return super().get_queryset(request).exclude(sid="").defer(*long)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**self.list_context(request), **(extra_context or {})})

    @admin.display(description="Registration", ordering="registration__label")
    def registration_(self, resource: Any) -> SafeString:
        registration = resource.registration
        late = deadlines.overdue(registration, now()) if registration.stage in self.stages else None
        if late is None:
            return registration_link(registration)
        chip = display.chip(f"Overdue by {display.span_text(late.overdue)}", "attention")
        return format_html(
            '{}<span class="cell-sub late">{}<br>{}</span>',
            registration_link(registration),
            chip,
            late.advice,
        )

    @admin.display(description="Owner", ordering="registration__owner")
    def owner(self, resource: Any) -> SafeString | str:
        owner = resource.registration.owner
        return (owner.get_full_name() or owner.get_username()) if owner else display.NOTHING

    @admin.display(description="Reasons")
    def reasons(self, resource: Any) -> SafeString:
        """The failure reason and every item of `errors[]`."""
        rows = [(row["code"], row["text"]) for row in display.upstream_errors(resource.errors)]
        if resource.failure_reason:
            rows.insert(0, ("", resource.failure_reason))
        if not rows:
            return display.NOTHING
        items = format_html_join("", '<li><span class="code">{}</span> {}</li>', rows)
        return format_html('<ul class="plain reasons">{}</ul>', items)

    def detail(self, request: HttpRequest, row: Any) -> HttpResponse:
        return redirect(detail_url(row.registration_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect(detail_url(self.get_or_404(request, object_id).registration_id, "timeline-title"))


def _checked(resource: Any) -> SafeString:
    """When the status was read."""
    return format_html('<span class="cell-sub">checked {}</span>', display.when(resource.synced_at))


def _ids(main: str, sid: str) -> SafeString:
    """An ID or number, above the SID."""
    above = format_html('<span class="cell-main cell-id">{}</span>', main) if main else ""
    return format_html("{}{}", above, display.sid_link(sid))


@admin.register(Brand)
class BrandAdmin(TwilioResourceAdmin):
    title = "Brands"
    list_display = ("registration_", "status_", "reasons", "resubmissions_", "owner", "ids")
    list_filter = (BrandStatus, IdentityStatus, *REGISTRATION_FILTERS)
    problem_part = "brand"
    stages = (Stage.BRAND, Stage.OTP)

    @admin.display(description="Status", ordering="status")
    def status_(self, brand: Brand) -> SafeString:
        chips = ((display.status_chip(one),) for one in panels.brand_statuses(brand))
        return format_html("{}{}", format_html_join(" ", "{}", chips), _checked(brand))

    @admin.display(description="TCR ID, SID", ordering="tcr_id")
    def ids(self, brand: Brand) -> SafeString:
        return _ids(brand.tcr_id, brand.sid)

    @admin.display(description="Resubmitted", ordering="resubmissions")
    def resubmissions_(self, brand: Brand) -> SafeString | str:
        count = f"{brand.resubmissions} of {brand.resubmissions + brand.resubmissions_left}"
        if brand.status == BRAND_FAILED and not brand.resubmissions_left:
            return format_html("{} {}", count, display.chip("None left", "bad"))
        return count


@admin.register(Campaign)
class CampaignAdmin(TwilioResourceAdmin):
    title = "Campaigns"
    list_display = ("registration_", "status_", "reasons", "owner", "ids")
    list_filter = (CampaignStatus, *REGISTRATION_FILTERS)
    problem_part = "campaign"
    stages = (Stage.CAMPAIGN,)

    @admin.display(description="Status", ordering="status")
    def status_(self, campaign: Campaign) -> SafeString:
        return format_html(
            "{}{}", display.status_chip(status_label(CAMPAIGN, campaign.status)), _checked(campaign)
        )

    @admin.display(description="TCR ID, service", ordering="campaign_id")
    def ids(self, campaign: Campaign) -> SafeString:
        return _ids(campaign.campaign_id, campaign.service_sid)


@admin.register(PhoneNumber)
class PhoneNumberAdmin(TwilioResourceAdmin):
    title = "Numbers"
    list_display = ("registration_", "number", "a2p", "reasons", "owner", "attached")
    list_filter = (NumberStatus, *REGISTRATION_FILTERS)
    problem_part = "phone_number"
    stages = (Stage.NUMBER, Stage.LIVE)

    @admin.display(description="A2P status", ordering="a2p_status")
    def a2p(self, number: PhoneNumber) -> SafeString:
        # Only events report it; until one arrives, nothing is known.
        if not number.a2p_status:
            return display.chip("Not reported", "idle")
        return display.status_chip(status_label(NUMBER, number.a2p_status))

    @admin.display(description="Number, SID", ordering="phone_number")
    def number(self, number: PhoneNumber) -> SafeString:
        return _ids(number.phone_number, number.sid)

    @admin.display(description="In service since", ordering="attached_at")
    def attached(self, number: PhoneNumber) -> SafeString:
        if number.confirmed_at or not number.attached_at:
            return display.when(number.confirmed_at)
        pending = display.chip("Not listed yet", "wait")
        return format_html('{}<span class="cell-sub">{}</span>', display.when(number.attached_at), pending)

"""Twilio's deliveries as received, and their outcome. Read-only, except for replay and dismiss."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from registrations.admin.changelist import display
from registrations.admin.changelist.base import ReadOnlyAdmin, registration_link
from registrations.admin.registration.base import require
from registrations.admin.reports import health
from registrations.models import WebhookDelivery
from registrations.operations.webhooks import receiver
from registrations.operations.webhooks.parsing import PREFIX

REPLAY = "registrations.change_webhookdelivery"
STATE_SEVERITIES = {
    WebhookDelivery.State.RECEIVED: "work",
    WebhookDelivery.State.PROCESSED: "good",
    WebhookDelivery.State.IGNORED: "idle",
    WebhookDelivery.State.ERRORED: "bad",
}


def state_chip(delivery: WebhookDelivery) -> SafeString:
    if delivery.note.startswith(receiver.DISMISSED):
        return display.chip(receiver.DISMISSED, "idle")
    return display.chip(delivery.get_state_display(), STATE_SEVERITIES.get(delivery.state, "unknown"))  # type: ignore[call-overload]


def event_name(delivery: WebhookDelivery) -> str:
    """The last part of the event type, or the status of a callback.

    >>> event_name(WebhookDelivery(event_type=PREFIX + "brand-failure.brand-failure"))
    'brand-failure'
    """
    return delivery.event_type.removeprefix(PREFIX).rpartition(".")[2] or delivery.status or "unreadable"


def body_text(body: str) -> str:
    """The body as received; JSON is indented."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    title = "Webhooks"
    list_display = ("event", "kind", "state_", "subject_", "registration_", "note", "received")
    list_filter = ("state", "kind")
    list_select_related = ("registration",)
    search_fields = ("=subject", "event_type", "=event_id", "registration__label")
    search_help_text = "A SID, an event type, an event ID, or a registration's label."
    ordering = ("-received_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).defer("body", "traceback")

    @admin.display(description="Delivery", ordering="event_type")
    def event(self, delivery: WebhookDelivery) -> SafeString:
        return format_html(
            '<span class="cell-main" title="{}">{}</span>', delivery.event_type, event_name(delivery)
        )

    @admin.display(description="State", ordering="state")
    def state_(self, delivery: WebhookDelivery) -> SafeString:
        return state_chip(delivery)

    @admin.display(description="About")
    def subject_(self, delivery: WebhookDelivery) -> SafeString:
        return display.sid_link(delivery.subject, f"{delivery.subject}-{delivery.pk}") or display.NOTHING

    @admin.display(description="Registration", ordering="registration__label")
    def registration_(self, delivery: WebhookDelivery) -> SafeString:
        return registration_link(delivery.registration) if delivery.registration else display.NOTHING

    @admin.display(description="Received", ordering="received_at")
    def received(self, delivery: WebhookDelivery) -> SafeString:
        return display.when(delivery.received_at)

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "registrations_webhookdelivery"
        return [
            path("health/", view(self.health_view), name=f"{name}_health"),
            path("event-streams/", view(health.set_up_event_streams), name=f"{name}_streams"),
            path("errors/", view(health.settle_errors), name=f"{name}_errors"),
            path("<uuid:pk>/replay/", view(require_POST(self.replay)), name=f"{name}_replay"),
            path("<uuid:pk>/dismiss/", view(require_POST(self.dismiss)), name=f"{name}_dismiss"),
            *super().get_urls(),
        ]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        return health.page(request, self.admin_site)

    def detail(self, request: HttpRequest, row: WebhookDelivery) -> HttpResponse:
        return TemplateResponse(
            request,
            "registrations/registration/delivery.html",
            {
                **self.admin_site.each_context(request),
                "title": event_name(row),
                "delivery": row,
                "state_chip": state_chip(row),
                "body": body_text(row.body),
                "may_replay": request.user.has_perm(REPLAY),
            },
        )

    def replay(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Processes a delivery again: harmless, because a delivery only makes the worker read from Twilio."""
        delivery = _get_or_404(request, pk)
        receiver.replay(delivery, actor=request.user.get_username())
        delivery.refresh_from_db()
        if delivery.state == WebhookDelivery.State.ERRORED:
            messages.error(request, f"Still cannot be processed: {delivery.note}")
        else:
            messages.success(request, "Delivery replayed.")
        return redirect(reverse("admin:registrations_webhookdelivery_change", args=[delivery.pk]))

    def dismiss(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """After this, the error no longer counts as open."""
        delivery = _get_or_404(request, pk)
        if receiver.dismiss(WebhookDelivery.objects.filter(pk=pk), actor=request.user.get_username()):
            messages.success(request, "Dismissed. It no longer counts as an error.")
        return redirect(reverse("admin:registrations_webhookdelivery_change", args=[delivery.pk]))


def _get_or_404(request: HttpRequest, pk: Any) -> WebhookDelivery:
    require(request, REPLAY)
    delivery = WebhookDelivery.objects.filter(pk=pk).first()
    if delivery is None:
        raise Http404("There is no such delivery.")
    return delivery

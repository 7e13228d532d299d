"""What Twilio delivered, as it came, and what became of it. Read-only but for one act: process it once more."""

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
from registrations.admin.reports import health as wellbeing
from registrations.models import WebhookDelivery
from registrations.operations.webhooks import receiver
from registrations.operations.webhooks.parsing import PREFIX

REPLAY = "registrations.change_webhookdelivery"
STATE_MOODS = {
    WebhookDelivery.State.RECEIVED: "work",
    WebhookDelivery.State.PROCESSED: "good",
    WebhookDelivery.State.IGNORED: "idle",
    WebhookDelivery.State.ERRORED: "bad",
}


def state_chip(delivery: WebhookDelivery) -> SafeString:
    if delivery.note.startswith(receiver.DISMISSED):
        return display.chip(receiver.DISMISSED, "idle")
    return display.chip(delivery.get_state_display(), STATE_MOODS.get(delivery.state, "unknown"))  # type: ignore[call-overload]


def what(delivery: WebhookDelivery) -> str:
    """The event's last word, or the status that a callback tells.

    >>> what(WebhookDelivery(event_type=PREFIX + "brand-failure.brand-failure"))
    'brand-failure'
    """
    return delivery.event_type.removeprefix(PREFIX).rpartition(".")[2] or delivery.status or "unreadable"


def body_text(body: str) -> str:
    """The body as it came; JSON is set out for reading."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    title = "Webhooks"
    list_display = ("what_", "kind", "state_", "subject_", "registration", "note", "received")
    list_filter = ("state", "kind")
    list_select_related = ("registration",)
    search_fields = ("=subject", "event_type", "=event_id", "registration__label")
    search_help_text = "A SID, a kind of event, an event's ID, or a registration's label."
    ordering = ("-received_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).defer("body", "traceback")

    @admin.display(description="Delivery", ordering="event_type")
    def what_(self, delivery: WebhookDelivery) -> SafeString:
        return format_html(
            '<span class="cell-main" title="{}">{}</span>', delivery.event_type, what(delivery)
        )

    @admin.display(description="State", ordering="state")
    def state_(self, delivery: WebhookDelivery) -> SafeString:
        return state_chip(delivery)

    @admin.display(description="About")
    def subject_(self, delivery: WebhookDelivery) -> SafeString:
        return display.sid_link(delivery.subject, f"{delivery.subject}-{delivery.pk}") or display.NOTHING

    @admin.display(description="Registration", ordering="registration__label")
    def registration(self, delivery: WebhookDelivery) -> SafeString:
        return registration_link(delivery.registration) if delivery.registration else display.NOTHING

    @admin.display(description="Received", ordering="received_at")
    def received(self, delivery: WebhookDelivery) -> SafeString:
        return display.when(delivery.received_at)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site

        def health(request: HttpRequest) -> HttpResponse:
            return wellbeing.page(request, site)

        own = [
            path("health/", site.admin_view(health), name="registrations_webhookdelivery_health"),
            path(
                "event-streams/",
                site.admin_view(wellbeing.set_up_event_streams),
                name="registrations_webhookdelivery_streams",
            ),
            path(
                "<uuid:pk>/replay/",
                site.admin_view(self.replay),
                name="registrations_webhookdelivery_replay",
            ),
            path(
                "<uuid:pk>/set-aside/",
                site.admin_view(self.set_aside),
                name="registrations_webhookdelivery_set_aside",
            ),
            path(
                "errors/",
                site.admin_view(wellbeing.settle_errors),
                name="registrations_webhookdelivery_errors",
            ),
        ]
        return own + super().get_urls()

    def show(self, request: HttpRequest, row: WebhookDelivery) -> HttpResponse:
        return TemplateResponse(
            request,
            "registrations/registration/delivery.html",
            {
                **self.admin_site.each_context(request),
                "title": what(row),
                "delivery": row,
                "state_chip": state_chip(row),
                "body": body_text(row.body),
                "may_replay": request.user.has_perm(REPLAY),
            },
        )

    @staticmethod
    @require_POST
    def replay(request: HttpRequest, pk: Any) -> HttpResponse:
        """Process a stored delivery once more: harmless, because a delivery only makes the worker look."""
        delivery = _found(request, pk)
        receiver.replay(delivery, actor=request.user.get_username())
        delivery.refresh_from_db()
        if delivery.state == WebhookDelivery.State.ERRORED:
            messages.error(request, f"It still cannot be read: {delivery.note}")
        else:
            messages.success(request, "It is processed once more.")
        return redirect(reverse("admin:registrations_webhookdelivery_change", args=[delivery.pk]))

    @staticmethod
    @require_POST
    def set_aside(request: HttpRequest, pk: Any) -> HttpResponse:
        """An error that somebody has looked at no longer calls for attention."""
        delivery = _found(request, pk)
        if receiver.dismiss(WebhookDelivery.objects.filter(pk=pk), actor=request.user.get_username()):
            messages.success(request, "Dismissed: it no longer counts as an error.")
        return redirect(reverse("admin:registrations_webhookdelivery_change", args=[delivery.pk]))


def _found(request: HttpRequest, pk: Any) -> WebhookDelivery:
    require(request, REPLAY)
    delivery = WebhookDelivery.objects.filter(pk=pk).first()
    if delivery is None:
        raise Http404("There is no such delivery.")
    return delivery

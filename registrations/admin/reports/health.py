"""Settings and health on one page: the configuration (never a secret), the worker, and the webhooks."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.checks import CheckMessage
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from registrations.admin.registration.base import require
from registrations.core import checks, queue
from registrations.core.clock import now
from registrations.models import Heartbeat, WebhookDelivery
from registrations.operations.reconciliation import schedule
from registrations.operations.webhooks import event_streams, receiver
from registrations.reporting import health

VIEW = "registrations.view_webhookdelivery"
REPLAY = "registrations.change_webhookdelivery"
SETUP_COMMAND = "manage.py setup_event_streams"


@dataclass(frozen=True)
class Setting:
    """One row. value: text that may be shown; severity: good if the value is fine."""

    label: str
    name: str
    value: str
    severity: str = "good"


@dataclass(frozen=True)
class WebhookHealth:
    """A channel for deliveries: its state, the deliveries of the last 24 hours, and how many ended in an error."""

    channel: receiver.Channel
    last_24_hours: int
    errored: int

    @property
    def chips(self) -> list[tuple[str, str]]:
        """(label, severity), worst first."""
        found = []
        if self.channel.silent and self.channel.configured:
            found.append(("Silent", "bad"))
        if self.errored:
            found.append((f"{self.errored} error{'s' if self.errored > 1 else ''}", "bad"))
        if not found:
            found.append(("Receiving", "good") if self.channel.last_at else ("None yet", "idle"))
        return found


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """About a dozen indexed counts; does not call Twilio."""
    require(request, VIEW)
    current, channels, check_messages = health.health(), webhook_health(), run_checks()
    has_problems = any(channel.chips[0][1] == "bad" for channel in channels) or any(
        message.is_serious() for message in check_messages
    )
    return TemplateResponse(
        request,
        "registrations/registration/health.html",
        {
            **admin_site.each_context(request),
            "title": "Settings & health",
            "health": current,
            "is_ok": current.ok and not has_problems,
            "workers": [(worker, timedelta(seconds=worker.age_seconds)) for worker in current.workers],
            "oldest_due": timedelta(seconds=current.oldest_due_seconds),
            "webhooks": channels,
            "errored": sum(channel.errored for channel in channels),
            "settings_rows": configured(),
            "endpoints": endpoints(),
            "setup_command": SETUP_COMMAND,
            "streams": Heartbeat.objects.filter(name=event_streams.EVENT_STREAMS).first(),
            "may_set_up": request.user.has_perm(REPLAY),
            "checks": [(message, _severity(message)) for message in check_messages],
        },
    )


@require_POST
def set_up_event_streams(request: HttpRequest) -> HttpResponse:
    """Has the worker create or fix the sink and its subscription; running it again changes nothing."""
    require(request, REPLAY)
    queue.enqueue_event_streams()
    messages.success(request, "Setting up Event Streams. Reload this page in a minute.")
    return redirect("admin:registrations_webhookdelivery_health")


@require_POST
def settle_errors(request: HttpRequest) -> HttpResponse:
    """Replays all deliveries that ended in an error, or dismisses them (`action`: replay or dismiss)."""
    require(request, REPLAY)
    actor = request.user.get_username()
    if request.POST.get("action") == "replay":
        count = receiver.replay_errors(actor=actor)
        text = "Replayed. Those that fail again are shown as errors."
    elif request.POST.get("action") == "dismiss":
        count = receiver.dismiss(receiver.errors(), actor=actor)
        text = "Dismissed. They no longer count as errors and stay in the list."
    else:
        return HttpResponseBadRequest("action: replay or dismiss")
    messages.success(request, f"{count} deliver{'y' if count == 1 else 'ies'}. {text}")
    return redirect("admin:registrations_webhookdelivery_health")


def webhook_health() -> list[WebhookHealth]:
    """One for each channel."""
    since = now() - timedelta(days=1)
    rows = {
        row["kind"]: row
        for row in WebhookDelivery.objects.order_by()
        .values("kind")
        .annotate(
            last_24_hours=Count("pk", filter=Q(received_at__gte=since)),
            errored=Count("pk", filter=Q(state=WebhookDelivery.State.ERRORED)),
        )
    }
    none = {"last_24_hours": 0, "errored": 0}
    return [
        WebhookHealth(channel, row["last_24_hours"], row["errored"])
        for channel in receiver.channels()
        for row in [rows.get(channel.kind, none)]
    ]


def endpoints() -> list[tuple[str, str]]:
    """(label, URL) of our webhooks, which must be publicly reachable; [] without a public address."""
    if not settings.PUBLIC_BASE_URL:
        return []
    return [
        ("Status callbacks of profile and trust bundle", settings.PUBLIC_BASE_URL + reverse("bundle-status")),
        ("Event Streams", settings.PUBLIC_BASE_URL + reverse("twilio-events")),
    ]


def configured() -> list[Setting]:
    """SIDs and addresses are shown; for secrets, only whether they are set."""
    tokens = [token for token in settings.TWILIO_AUTH_TOKEN.split(",") if token.strip()]
    real = settings.TWILIO_IS_REAL
    return [
        _text("Twilio account", "TWILIO_ACCOUNT_SID", settings.TWILIO_ACCOUNT_SID),
        Setting(
            "Auth token",
            "TWILIO_AUTH_TOKEN",
            f"{len(tokens)} accepted" if len(tokens) > 1 else "set" if tokens else "not set",
            "good" if tokens else "bad",
        ),
        _secret(
            "API key", "TWILIO_API_KEY_SID", settings.TWILIO_API_KEY_SID and settings.TWILIO_API_KEY_SECRET
        ),
        _text("Primary profile", "TWILIO_PRIMARY_PROFILE_SID", settings.TWILIO_PRIMARY_PROFILE_SID),
        Setting(
            "Calls go to",
            "TWILIO_API_BASE_URL",
            "Twilio (live)" if real else settings.TWILIO_API_BASE_URL,
            "good" if real else "wait",
        ),
        _text("Public address", "PUBLIC_BASE_URL", settings.PUBLIC_BASE_URL),
        _secret("Webhook shared key", "TWILIO_WEBHOOK_SHARED_KEY", settings.TWILIO_WEBHOOK_SHARED_KEY),
        _secret("Inbox for Twilio's emails", "TWILIO_NOTIFICATION_EMAIL", settings.TWILIO_NOTIFICATION_EMAIL),
        Setting(
            "Time scale",
            "A2P_TIME_SCALE",
            f"{settings.A2P_TIME_SCALE:g}",
            "good" if settings.A2P_TIME_SCALE == 1 else "wait",
        ),
        Setting(
            "Reconciliation scans",
            "A2P_SCAN_EVERY_HOURS",
            scheduled_scans(),
            "good" if settings.A2P_SCAN_EVERY_HOURS else "idle",
        ),
        Setting(
            "Database",
            "DATABASE_URL",
            settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1],
            "good",
        ),
    ]


def scheduled_scans() -> str:
    """How often, and when the next one is due."""
    if not settings.A2P_SCAN_EVERY_HOURS:
        return "only on request"
    every = f"every {settings.A2P_SCAN_EVERY_HOURS:g} hours"
    next_at = schedule.next_at()
    return f"{every}, next {next_at:%b %d, %H:%M} UTC" if next_at else every


def _text(label: str, name: str, value: str) -> Setting:
    return Setting(label, name, value or "not set", "good" if value else "bad")


def _secret(label: str, name: str, value: object) -> Setting:
    return Setting(label, name, "set" if value else "not set", "good" if value else "idle")


def run_checks() -> list[CheckMessage]:
    """Those of `manage.py check --deploy` for our own settings."""
    ours = (checks.twilio_settings, checks.address_settings, checks.job_settings, checks.missing_settings)
    return [message for check in ours for message in check(None)]


def _severity(message: CheckMessage) -> str:
    return "bad" if message.is_serious() else "wait"

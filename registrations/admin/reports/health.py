"""Settings and health on one page: what is configured (never a secret), whether worker and webhooks are well."""

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
    """One line. value: text that may be shown; mood: good when it is as it should be."""

    label: str
    name: str
    value: str
    severity: str = "good"


@dataclass(frozen=True)
class Way:
    """One way in for deliveries: how it is doing, what came in 24 hours, and how many ended in an error of ours."""

    channel: receiver.Channel
    day: int
    errored: int

    @property
    def chips(self) -> list[tuple[str, str]]:
        """(words, mood), the worst first."""
        found = []
        if self.channel.silent and self.channel.configured:
            found.append(("Silent", "bad"))
        if self.errored:
            found.append((f"{self.errored} error{'s' if self.errored > 1 else ''}", "bad"))
        if not found:
            found.append(("Arriving", "good") if self.channel.last_at else ("Nothing yet", "idle"))
        return found


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """A dozen indexed counts; asks nothing of Twilio."""
    require(request, VIEW)
    facts, found, said = health.health(), ways(), found_by_checks()
    trouble = any(way.chips[0][1] == "bad" for way in found) or any(m.is_serious() for m in said)
    return TemplateResponse(
        request,
        "registrations/registration/health.html",
        {
            **admin_site.each_context(request),
            "title": "Settings & health",
            "health": facts,
            "well": facts.ok and not trouble,
            "workers": [(worker, timedelta(seconds=worker.age_seconds)) for worker in facts.workers],
            "oldest_due": timedelta(seconds=facts.oldest_due_seconds),
            "ways": found,
            "errored": sum(way.errored for way in found),
            "settings_rows": configured(),
            "endpoints": endpoints(),
            "setup_command": SETUP_COMMAND,
            "streams": Heartbeat.objects.filter(name=event_streams.EVENT_STREAMS).first(),
            "may_set_up": request.user.has_perm(REPLAY),
            "checks": [(message, _mood(message)) for message in said],
        },
    )


@require_POST
def set_up_event_streams(request: HttpRequest) -> HttpResponse:
    """Have the worker make or mend the sink and its subscription; running it again changes nothing."""
    require(request, REPLAY)
    queue.enqueue_event_streams()
    messages.success(request, "The worker sets up Event Streams now. Load this page again in a minute.")
    return redirect("admin:registrations_webhookdelivery_health")


@require_POST
def settle_errors(request: HttpRequest) -> HttpResponse:
    """Replay all deliveries that ended in an error, or set them aside (`act`: replay or aside)."""
    require(request, REPLAY)
    actor = request.user.get_username()
    if request.POST.get("act") == "replay":
        count = receiver.replay_errors(actor=actor)
        text = "They are processed once more; what still fails is shown as an error again."
    elif request.POST.get("act") == "aside":
        count = receiver.dismiss(receiver.errors(), actor=actor)
        text = "They no longer count as errors, and stay in the list."
    else:
        return HttpResponseBadRequest("act: replay or aside")
    messages.success(request, f"{count} deliver{'y' if count == 1 else 'ies'}. {text}")
    return redirect("admin:registrations_webhookdelivery_health")


def ways() -> list[Way]:
    """How each way in is doing."""
    since = now() - timedelta(days=1)
    rows = {
        row["kind"]: row
        for row in WebhookDelivery.objects.order_by()
        .values("kind")
        .annotate(
            day=Count("pk", filter=Q(received_at__gte=since)),
            errored=Count("pk", filter=Q(state=WebhookDelivery.State.ERRORED)),
        )
    }
    nothing = {"day": 0, "errored": 0}
    return [
        Way(channel, row["day"], row["errored"])
        for channel in receiver.channels()
        for row in [rows.get(channel.kind, nothing)]
    ]


def endpoints() -> list[tuple[str, str]]:
    """Where Twilio delivers, as it must be reachable from outside; [] without a public address."""
    if not settings.PUBLIC_BASE_URL:
        return []
    return [
        ("Status callbacks of profile and trust bundle", settings.PUBLIC_BASE_URL + reverse("bundle-status")),
        ("Event Streams", settings.PUBLIC_BASE_URL + reverse("twilio-events")),
    ]


def configured() -> list[Setting]:
    """SIDs and addresses are shown; of secrets only whether they are set."""
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
            "the real Twilio" if real else settings.TWILIO_API_BASE_URL,
            "good" if real else "wait",
        ),
        _text("Public address", "PUBLIC_BASE_URL", settings.PUBLIC_BASE_URL),
        _secret("Shared key of webhooks", "TWILIO_WEBHOOK_SHARED_KEY", settings.TWILIO_WEBHOOK_SHARED_KEY),
        _secret(
            "Mailbox for Twilio's mails", "TWILIO_NOTIFICATION_EMAIL", settings.TWILIO_NOTIFICATION_EMAIL
        ),
        Setting(
            "Time scale",
            "A2P_TIME_SCALE",
            f"{settings.A2P_TIME_SCALE:g}",
            "good" if settings.A2P_TIME_SCALE == 1 else "wait",
        ),
        Setting(
            "Comparison with Twilio's account",
            "A2P_SCAN_EVERY_HOURS",
            regular_scans(),
            "good" if settings.A2P_SCAN_EVERY_HOURS else "idle",
        ),
        Setting(
            "Database",
            "DATABASE_URL",
            settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1],
            "good",
        ),
    ]


def regular_scans() -> str:
    """How often, and when the next one comes."""
    if not settings.A2P_SCAN_EVERY_HOURS:
        return "only when asked for"
    every = f"every {settings.A2P_SCAN_EVERY_HOURS:g} hours"
    coming = schedule.next_at()
    return f"{every}, next {coming:%b %d, %H:%M} UTC" if coming else every


def _text(label: str, name: str, value: str) -> Setting:
    return Setting(label, name, value or "not set", "good" if value else "bad")


def _secret(label: str, name: str, value: object) -> Setting:
    return Setting(label, name, "set" if value else "not set", "good" if value else "idle")


def found_by_checks() -> list[CheckMessage]:
    """What `manage.py check --deploy` says of our own settings."""
    ours = (checks.twilio_settings, checks.address_settings, checks.job_settings, checks.missing_settings)
    return [message for check in ours for message in check(None)]


def _mood(message: CheckMessage) -> str:
    return "bad" if message.is_serious() else "wait"

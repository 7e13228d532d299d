"""The data of the home page: who has to act, what needs a person now, the system's health. Only reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet

from registrations.models import ApiCall, Registration
from registrations.models.choices import REMOVAL_STAGES, CallState, Stage, WaitingFor
from registrations.operations.reconciliation import primary_profile
from registrations.operations.webhooks import receiver
from registrations.twilio.statuses import BUNDLE, BUNDLE_SUBMITTED, status_label

from . import health, statistics

ALL, MINE, UNASSIGNED = "all", "mine", "unassigned"
MAX_ROWS = 10
# A due job starts within seconds; /healthz calls two minutes overdue.
QUEUE_LATE = timedelta(minutes=2)
# Rejected credentials are retried after 15 minutes (workflow/runner/retries.py).
RECENT = timedelta(minutes=20)


@dataclass(frozen=True)
class Card:
    """Registrations waiting for the same party. overdue: how many take longer than usual; stages: (stage, count)."""

    waiting_for: str
    label: str
    count: int
    overdue: int
    stages: list[tuple[str, int]]


@dataclass(frozen=True)
class HealthItem:
    """One part of the system's health. severity: good, wait, bad, or idle; advice: what to do, "" for nothing."""

    label: str
    severity: str
    text: str
    advice: str = ""


# What needs us comes first. The list of registrations has the same tabs.
LABELS = tuple((value, value.label) for value in WaitingFor)


def cards(standing: list[list[Any]], overdue: dict[str, int]) -> list[Card]:
    """From the statistics "standing" and "overdue". A draft waits for you too; it is one of the stages."""
    order = {str(stage): position for position, stage in enumerate(Stage)}
    found = []
    for waiting_for, label in LABELS:
        stages = sorted(
            ((stage, count) for value, stage, count in standing if value == waiting_for),
            key=lambda pair: order.get(pair[0], 99),
        )
        total = sum(count for _, count in stages)
        found.append(Card(waiting_for, label, total, overdue.get(waiting_for, 0), stages))
    return found


def reached(standing: list[list[Any]]) -> list[tuple[Stage, int]]:
    """(stage, registrations at or beyond it), without removed ones."""
    order = [stage for stage in Stage if stage not in REMOVAL_STAGES]
    at = {stage: sum(count for _, value, count in standing if value == stage) for stage in order}
    return [(stage, sum(at[later] for later in order[position:])) for position, stage in enumerate(order)]


# --- work --------------------------------------------------------------------------------------------------------
def counts_by_owner(owned: list[list[Any]], user_id: int) -> dict[str, int]:
    """Registrations that need a person now, by tab; from the statistic "owned"."""
    counts: dict[Any, int] = dict(owned)
    return {ALL: sum(counts.values()), MINE: counts.get(user_id, 0), UNASSIGNED: counts.get(None, 0)}


def needs_us(tab: str, user_id: int) -> QuerySet[Registration]:
    """The registrations of a tab that have waited longest for a person, without drafts and those on hold."""
    owner = {MINE: Q(owner_id=user_id), UNASSIGNED: Q(owner=None)}.get(tab, Q())
    return (
        Registration.objects.filter(statistics.NEEDS_US, owner)
        .select_related("owner", "brand", "phone_number")
        .only(
            *("label", "stage", "stage_since", "waiting_for", "reason", "hold", "owner__username"),
            *("owner__first_name", "owner__last_name", "brand__registration", "brand__otp_sent_at"),
            *("phone_number__registration", "phone_number__a2p_status", "phone_number__a2p_status_at"),
        )
        .order_by("stage_since", "pk")[:MAX_ROWS]
    )


# --- health ------------------------------------------------------------------------------------------------------
def health_items(now: datetime, refused: int) -> list[HealthItem]:
    """A few indexed reads. `refused`: the statistic "credentials_refused"."""
    current = health.health()
    return [
        _worker(current),
        _queue(current),
        _deliveries(now),
        _credentials(now, refused),
        _primary_profile(),
    ]


def _worker(current: health.Health) -> HealthItem:
    alive = [worker for worker in current.workers if worker.alive]
    if not alive:
        return HealthItem(
            "Worker",
            "bad",
            "Not running",
            "Nothing is sent to Twilio. Ask an administrator to start it (manage.py worker). Work then resumes.",
        )
    frozen = sum(worker.frozen for worker in alive)
    if frozen:
        return HealthItem(
            "Worker",
            "wait",
            f"{frozen} frozen",
            "It restarts automatically. If this persists, tell an administrator.",
        )
    return HealthItem("Worker", "good", "Running" if len(alive) == 1 else f"{len(alive)} running")


def _queue(current: health.Health) -> HealthItem:
    waits = timedelta(seconds=current.oldest_due_seconds)
    if current.overdue or waits > QUEUE_LATE:
        return HealthItem(
            "Queue",
            "bad",
            f"{current.due} due, oldest for {int(waits.total_seconds() // 60)} min",
            "Jobs are piling up. If a worker is running, it needs more processes: start another worker.",
        )
    return HealthItem("Queue", "good", "Empty" if not current.due else f"{current.due} due")


def _deliveries(now: datetime) -> HealthItem:
    channels = receiver.channels()
    if not settings.PUBLIC_BASE_URL:
        return HealthItem(
            "Webhooks",
            "wait",
            "Not set up",
            "Twilio cannot deliver webhooks; statuses are polled. Set PUBLIC_BASE_URL, then set up Event Streams.",
        )
    silent = [channel.label for channel in channels if channel.silent]
    if silent:
        return HealthItem(
            "Webhooks",
            "bad",
            "Silent",
            f"{' and '.join(silent)}: Twilio made decisions, but no webhook arrived. Check that the public address is "
            "reachable, then set up Event Streams again.",
        )
    last = max((channel.last_at for channel in channels if channel.last_at), default=None)
    if last is None:
        return HealthItem("Webhooks", "idle", "None yet")
    return HealthItem("Webhooks", "good", f"Last {_ago(now - last)}")


def _credentials(now: datetime, refused: int) -> HealthItem:
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        return HealthItem(
            "Credentials", "bad", "Not set", "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, then restart."
        )
    attempts = ApiCall.objects.filter(state=CallState.MISCONFIGURED, started_at__gte=now - RECENT)
    if refused or attempts.exists():
        return HealthItem(
            "Credentials",
            "bad",
            "Rejected by Twilio",
            "Run `manage.py check_twilio` to see which setting is wrong. Registrations then continue automatically.",
        )
    if settings.TWILIO_IS_REAL:
        return HealthItem("Credentials", "good", "OK")
    host = "Sandbox" if settings.A2P_SANDBOX_PANEL_URL else urlsplit(settings.TWILIO_API_BASE_URL).netloc
    return HealthItem("Credentials", "good", host)


def _primary_profile() -> HealthItem:
    """The result of the worker's last check; pages do not call Twilio."""
    name = "Primary profile"
    if not settings.TWILIO_PRIMARY_PROFILE_SID:
        advice = "Set TWILIO_PRIMARY_PROFILE_SID to your own approved business profile (BU…)."
        return HealthItem(name, "bad", "Not set", advice)
    found = primary_profile.last_check()
    if found.approved:
        return HealthItem(name, "good", "Approved")
    if found.status:
        severity = "wait" if found.status in BUNDLE_SUBMITTED else "bad"
        status = status_label(BUNDLE, found.status).label.lower()
        return HealthItem(
            name, severity, f"Not approved: {status}", _NOT_APPROVED.get(found.status, _APPROVE)
        )
    if found.trouble:
        severity = "bad" if found.trouble == primary_profile.REFUSED else "wait"
        return HealthItem(name, severity, "Could not be checked", _UNREAD[found.trouble])
    return HealthItem(name, "idle", "Not checked yet")


_APPROVE = (
    "Twilio registers customers only after it has approved your own profile. Complete and submit it in Twilio's "
    "Console, Trust Hub."
)
_UNDER_REVIEW = (
    "Twilio registers customers only after it has approved your own profile. It is checked every hour."
)
_NOT_APPROVED = {
    "pending-review": _UNDER_REVIEW,
    "in-review": _UNDER_REVIEW,
    "twilio-rejected": "Twilio rejected your own profile, so it does not register customers. Correct it in Twilio's "
    "Console, Trust Hub, and submit it again.",
}
_UNREAD = {
    primary_profile.MISSING: "This account has no such profile. Correct TWILIO_PRIMARY_PROFILE_SID, or, if the "
    "profile is in the parent account, check it there.",
    primary_profile.REFUSED: "Run `manage.py check_twilio` to see which setting is wrong.",
    primary_profile.UNAVAILABLE: "Twilio did not respond. It is checked again in ten minutes.",
}


def _ago(gap: timedelta) -> str:
    minutes = int(gap.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} d ago"

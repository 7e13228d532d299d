"""What the home page shows: who must act, what needs a person now, the desk's health. Pure reading."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from registrations.models import ApiCall, Registration
from registrations.models.choices import REMOVAL_STAGES, CallState, Stage, WaitingFor
from registrations.operations.reconciliation import primary_profile
from registrations.operations.webhooks import receiver
from registrations.twilio.statuses import BUNDLE, BUNDLE_SUBMITTED, status_label
from registrations.workflow.planner import deadlines

from . import health, statistics

ALL, MINE, UNASSIGNED = "all", "mine", "unassigned"
STEPS = 10
# A due job is begun within seconds; two minutes are what /healthz calls overdue.
QUEUE_LATE = timedelta(minutes=2)
# Refused credentials are tried again after a quarter of an hour (trouble.py).
RECENT = timedelta(minutes=20)


@dataclass(frozen=True)
class Card:
    """Who must act next. number: registrations; overdue: of these, longer than usual; stages: (stage, registrations), in order."""

    who: str
    label: str
    number: int
    overdue: int
    stages: list[tuple[str, int]]


@dataclass(frozen=True)
class Line:
    """One registration that needs a person. due: when it counts as late (stuck.py), None when nothing is late about it."""

    registration: Registration
    due: datetime | None
    late: bool


@dataclass(frozen=True)
class Light:
    """One part of the desk's health. mood: good, wait, bad or idle; todo: what to do, "" when nothing is."""

    label: str
    severity: str
    text: str
    todo: str = ""


# The order in which an agent's day goes: what needs us first. The tabs of the list are the same.
LABELS = tuple((who, who.label) for who in WaitingFor)


def cards(standing: list[list[Any]], overdue: dict[str, int]) -> list[Card]:
    """From the figures "standing" and "overdue". A draft waits for you too; it is one of the stages."""
    order = {str(stage): place for place, stage in enumerate(Stage)}
    found = []
    for who, label in LABELS:
        stages = sorted(
            ((stage, number) for waits, stage, number in standing if waits == who),
            key=lambda pair: order.get(pair[0], 99),
        )
        total = sum(number for _, number in stages)
        found.append(Card(who, label, total, overdue.get(who, 0), stages))
    return found


def reached(standing: list[list[Any]]) -> list[tuple[Stage, int]]:
    """(stage, registrations that stand there or further), without those that were taken down."""
    order = [stage for stage in Stage if stage not in REMOVAL_STAGES]
    at = {stage: sum(n for _, where, n in standing if where == stage) for stage in order}
    return [(stage, sum(at[later] for later in order[place:])) for place, stage in enumerate(order)]


# --- work --------------------------------------------------------------------------------------------------------
def whose(owned: list[list[Any]], user_id: int) -> dict[str, int]:
    """Registrations that need a person now, by tab; from the figure "owned"."""
    counts: dict[Any, int] = dict(owned)
    return {ALL: sum(counts.values()), MINE: counts.get(user_id, 0), UNASSIGNED: counts.get(None, 0)}


def needs_us(tab: str, user_id: int, now: datetime) -> list[Line]:
    """The registrations of a tab that have waited longest for a person; drafts and registrations on hold are not among them."""
    where = {MINE: Q(owner_id=user_id), UNASSIGNED: Q(owner=None)}.get(tab, Q())
    registrations = (
        Registration.objects.filter(statistics.NEEDS_US, where)
        .select_related("owner", "brand", "phone_number")
        .only(
            *("label", "stage", "stage_since", "waiting_for", "reason", "hold", "owner__username"),
            *("owner__first_name", "owner__last_name", "brand__registration", "brand__otp_sent_at"),
            *("phone_number__registration", "phone_number__a2p_status", "phone_number__a2p_status_at"),
        )
        .order_by("stage_since", "pk")[:STEPS]
    )
    return [_line(registration, now) for registration in registrations]


def _line(registration: Registration, now: datetime) -> Line:
    due = deadlines.deadline(registration)
    return Line(registration, due, bool(due and due < now))


# --- health ------------------------------------------------------------------------------------------------------
def lights(now: datetime, refused: int) -> list[Light]:
    """A handful of indexed reads. `refused`: the figure "credentials_refused"."""
    facts = health.health()
    return [_worker(facts), _queue(facts), _deliveries(now), _credentials(now, refused), _primary_profile()]


def _worker(facts: health.Health) -> Light:
    alive = [worker for worker in facts.workers if worker.alive]
    if not alive:
        return Light(
            "Worker",
            "bad",
            "None is running",
            "Nothing is sent to Twilio. Have an administrator start it (manage.py worker); it goes on where it was.",
        )
    frozen = sum(worker.frozen for worker in alive)
    if frozen:
        return Light(
            "Worker", "wait", f"{frozen} frozen", "It restarts itself. If this stays, tell an administrator."
        )
    return Light("Worker", "good", "Alive" if len(alive) == 1 else f"{len(alive)} alive")


def _queue(facts: health.Health) -> Light:
    waits = timedelta(seconds=facts.oldest_due_seconds)
    if facts.overdue or waits > QUEUE_LATE:
        return Light(
            "Queue",
            "bad",
            f"{facts.due} due, the oldest for {int(waits.total_seconds() // 60)} min",
            "Work piles up. If a worker is alive, it is short of processes: start another one.",
        )
    return Light("Queue", "good", "Empty" if not facts.due else f"{facts.due} due")


def _deliveries(now: datetime) -> Light:
    channels = receiver.channels()
    if not settings.PUBLIC_BASE_URL:
        return Light(
            "Deliveries",
            "wait",
            "Not set up",
            "Twilio cannot deliver anything; states are polled. Set PUBLIC_BASE_URL, then set up Event Streams.",
        )
    silent = [channel.label for channel in channels if channel.silent]
    if silent:
        return Light(
            "Deliveries",
            "bad",
            "Silent",
            f"{' and '.join(silent)}: decisions were made and nothing came. Is the public address reachable? "
            "Then set up Event Streams again.",
        )
    last = max((channel.last_at for channel in channels if channel.last_at), default=None)
    if last is None:
        return Light("Deliveries", "idle", "None yet")
    return Light("Deliveries", "good", f"Last {_ago(now - last)}")


def _credentials(now: datetime, refused: int) -> Light:
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        return Light(
            "Credentials", "bad", "Not set", "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, then restart."
        )
    attempts = ApiCall.objects.filter(state=CallState.MISCONFIGURED, started_at__gte=now - RECENT)
    if refused or attempts.exists():
        return Light(
            "Credentials",
            "bad",
            "Refused by Twilio",
            "Run `manage.py check_twilio`: it says which setting is wrong. Registrations go on by themselves afterwards.",
        )
    if settings.TWILIO_IS_REAL:
        return Light("Credentials", "good", "No refusals")
    host = "Sandbox" if settings.A2P_SANDBOX_PANEL_URL else urlsplit(settings.TWILIO_API_BASE_URL).netloc
    return Light("Credentials", "good", host)


def _primary_profile() -> Light:
    """What the worker's last look found; a page asks Twilio nothing."""
    name = "Primary profile"
    if not settings.TWILIO_PRIMARY_PROFILE_SID:
        todo = "Set TWILIO_PRIMARY_PROFILE_SID to your own approved business profile (BU…)."
        return Light(name, "bad", "Not set", todo)
    found = primary_profile.last_check()
    if found.approved:
        return Light(name, "good", "Approved")
    if found.status:
        severity = "wait" if found.status in BUNDLE_SUBMITTED else "bad"
        said = status_label(BUNDLE, found.status).label.lower()
        return Light(name, severity, f"Not approved: {said}", _NOT_APPROVED.get(found.status, _APPROVE))
    if found.trouble:
        severity = "bad" if found.trouble == primary_profile.REFUSED else "wait"
        return Light(name, severity, "Could not be read", _UNREAD[found.trouble])
    return Light(name, "idle", "Not checked yet")


_APPROVE = (
    "Twilio registers no customer before it has approved your own profile. Complete and submit it in Twilio's "
    "Console, Trust Hub."
)
_UNDER_REVIEW = (
    "Twilio registers no customer before it has approved your own profile. It is looked at every hour."
)
_NOT_APPROVED = {
    "pending-review": _UNDER_REVIEW,
    "in-review": _UNDER_REVIEW,
    "twilio-rejected": "Twilio rejected your own profile, so it registers no customer. Correct it in Twilio's Console, "
    "Trust Hub, and submit it again.",
}
_UNREAD = {
    primary_profile.MISSING: "Twilio shows this account no such profile: correct TWILIO_PRIMARY_PROFILE_SID, or, if "
    "the profile lies in the parent account, look at it there.",
    primary_profile.REFUSED: "Run `manage.py check_twilio`: it says which setting is wrong.",
    primary_profile.UNAVAILABLE: "Twilio did not answer; it is asked again in ten minutes.",
}


def _ago(gap: timedelta) -> str:
    minutes = int(gap.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} d ago"

"""Watches for what people should know: OTP texts that expire, and problems of the whole installation."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from registrations.core import clock
from registrations.models import Heartbeat, Notification, Registration
from registrations.models.brand import OTP_DEADLINE_SECONDS, OTP_VALID_SECONDS
from registrations.models.choices import Stage, WaitingFor
from registrations.workflow.notices import OTP, SYSTEM_ALERT, notify, responsible_person

# When a customer's answer becomes urgent: time left of the OTP text's 24 hours, and of Twilio's 30 days.
TEXT_LEFT_SECONDS = 4 * 3600.0
DAYS_LEFT_SECONDS = 3 * 24 * 3600.0
# The Heartbeat row that stores since when each system problem lasts.
PROBLEMS_SINCE = "system-problems"
# A problem that comes back within this time is the same problem.
SAME_PROBLEM_WITHIN = timedelta(minutes=10)
MAY_SEE_HEALTH = "registrations.view_webhookdelivery"


# --- the OTP text ------------------------------------------------------------------------------------------
def watch_otp_texts() -> int:
    """Notify about customers who have little time left to answer YES, once per OTP text and once for the 30 days.

    Returns the number of notifications. One query over the registrations that wait for a YES.
    """
    now = clock.now()
    sent = 0
    waiting = (
        Registration.objects.filter(
            stage=Stage.OTP, waiting_for__in=[WaitingFor.CUSTOMER, WaitingFor.US], hold=False
        )
        .filter(
            _ends_soon("brand__otp_sent_at", OTP_VALID_SECONDS, TEXT_LEFT_SECONDS, now)
            | _ends_soon("brand__registered_at", OTP_DEADLINE_SECONDS, DAYS_LEFT_SECONDS, now)
        )
        .select_related("brand", "owner")
        .only(
            "label",
            "waiting_for",
            "owner",
            "submitted_by",
            "brand__otp_sent_at",
            "brand__registered_at",
            "brand__registration",
        )
    )
    found = [
        (registration, key, text)
        for registration in waiting.iterator(chunk_size=500)
        for key, text in _urgent(registration, now)
    ]
    known = _known(key for _, key, _ in found)
    for registration, key, text in found:
        if key not in known:
            sent += notify(responsible_person(registration), OTP, key, text, registration=registration)
    return sent


def _ends_soon(column: str, lasts: float, left: float, now: datetime) -> Q:
    first, last = now - clock.scaled(lasts), now - clock.scaled(lasts - left)
    return Q(**{f"{column}__gt": first, f"{column}__lte": last})


def _urgent(registration: Registration, now: datetime) -> Iterable[tuple[str, str]]:
    brand = registration.brand
    ends, deadline = brand.otp_expires_at, brand.otp_deadline_at
    # Otherwise the OTP text expired, or a person must act first.
    owed = registration.waiting_for == WaitingFor.CUSTOMER
    if owed and ends and now < ends <= now + clock.scaled(TEXT_LEFT_SECONDS):
        yield (
            f"{OTP}:{registration.pk}:text:{int(ends.timestamp())}",
            f"{registration.label}: the OTP text expires soon without a YES. Remind the customer.",
        )
    if deadline and now < deadline <= now + clock.scaled(DAYS_LEFT_SECONDS):
        yield (
            f"{OTP}:{registration.pk}:days:{int(deadline.timestamp())}",
            f"{registration.label}: the customer's 30 days to answer YES are almost over.",
        )


def _known(keys: Iterable[str]) -> set[str]:
    wanted, known = list(keys), set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        known |= set(Notification.objects.filter(key__in=part).values_list("key", flat=True))
    return known


# --- the whole installation -------------------------------------------------------------------------------------
def watch_system(problems: dict[str, str]) -> int:
    """Notify everyone who may see the health page of the current `problems`: {name: sentence}.

    Once per problem, until it has been gone for ten minutes. Returns the number of notifications.
    """
    now = clock.now()
    row = Heartbeat.objects.filter(name=PROBLEMS_SINCE).first()
    before = dict(row.detail) if row else {}
    lasting = {
        name: {"since": str(entry["since"]), "seen": str(entry["seen"])}
        for name, entry in before.items()
        if name in problems or datetime.fromisoformat(entry["seen"]) > now - SAME_PROBLEM_WITHIN
    }
    new = [name for name in problems if name not in lasting]
    for name in problems:
        since = lasting[name]["since"] if name in lasting else now.isoformat()
        lasting[name] = {"since": since, "seen": now.isoformat()}
    sent = 0
    for user in _watchers() if new else []:
        for name in new:
            sent += notify(
                user, SYSTEM_ALERT, f"{SYSTEM_ALERT}:{name}:{lasting[name]['since']}"[:120], problems[name]
            )
    Heartbeat.objects.update_or_create(name=PROBLEMS_SINCE, defaults={"at": now, "detail": lasting})
    return sent


def _watchers() -> list[Any]:
    people = get_user_model()._default_manager.with_perm(
        MAY_SEE_HEALTH, backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(people.filter(is_staff=True))

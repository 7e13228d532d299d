"""Noticing what people should know without anybody's telling: registrations that stop, OTP texts that run out,
and trouble of the whole desk."""

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

# When a customer's answer becomes urgent: of the text's 24 hours, and of Twilio's 30 days.
TEXT_LEFT_SECONDS = 4 * 3600.0
DAYS_LEFT_SECONDS = 3 * 24 * 3600.0
# The Heartbeat row that remembers what is red since when.
RED_SINCE = "red-since"
# What was red and comes back within this time is the same trouble.
CALM = timedelta(minutes=10)
MAY_SEE_HEALTH = "registrations.view_webhookdelivery"


# --- the OTP text ------------------------------------------------------------------------------------------
def watch_one_time_texts() -> int:
    """Tell of every YES that is owed and soon too late, once for each text and once for the 30 days.

    Returns how many were told. One query over the registrations whose customer owes it.
    """
    now = clock.now()
    told = 0
    running = (
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
        for registration in running.iterator(chunk_size=500)
        for key, text in _urgent(registration, now)
    ]
    known = _known(key for _, key, _ in found)
    for registration, key, text in found:
        if key not in known:
            told += notify(responsible_person(registration), OTP, key, text, registration=registration)
    return told


def _ends_soon(column: str, lasts: float, left: float, now: datetime) -> Q:
    first, last = now - clock.scaled(lasts), now - clock.scaled(lasts - left)
    return Q(**{f"{column}__gt": first, f"{column}__lte": last})


def _urgent(registration: Registration, now: datetime) -> Iterable[tuple[str, str]]:
    brand = registration.brand
    ends, deadline = brand.otp_expires_at, brand.otp_deadline_at
    owed = (
        registration.waiting_for == WaitingFor.CUSTOMER
    )  # else it ran out already, or a person must act first
    if owed and ends and now < ends <= now + clock.scaled(TEXT_LEFT_SECONDS):
        yield (
            f"{OTP}:{registration.pk}:text:{int(ends.timestamp())}",
            f"{registration.label}: the OTP text runs out soon, and no YES has come. Remind the customer.",
        )
    if deadline and now < deadline <= now + clock.scaled(DAYS_LEFT_SECONDS):
        yield (
            f"{OTP}:{registration.pk}:days:{int(deadline.timestamp())}",
            f"{registration.label}: the customer's 30 days to answer YES are nearly over.",
        )


def _known(keys: Iterable[str]) -> set[str]:
    wanted, known = list(keys), set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        known |= set(Notification.objects.filter(key__in=part).values_list("key", flat=True))
    return known


# --- the whole desk ---------------------------------------------------------------------------------------------
def watch_red(troubles: dict[str, str]) -> int:
    """Tell everybody who may see the health page what is red now: {name of the trouble: sentence}.

    Each trouble is told once, until it has been gone for ten minutes. Returns how many notes were made.
    """
    now = clock.now()
    row = Heartbeat.objects.filter(name=RED_SINCE).first()
    before = dict(row.detail) if row else {}
    kept = {
        name: {"since": str(entry["since"]), "seen": str(entry["seen"])}
        for name, entry in before.items()
        if name in troubles or datetime.fromisoformat(entry["seen"]) > now - CALM
    }
    fresh = [name for name in troubles if name not in kept]
    for name in troubles:
        since = kept[name]["since"] if name in kept else now.isoformat()
        kept[name] = {"since": since, "seen": now.isoformat()}
    told = 0
    for user in _watchers() if fresh else []:
        for name in fresh:
            told += notify(user, SYSTEM_ALERT, f"{SYSTEM_ALERT}:{name}:{kept[name]['since']}"[:120], troubles[name])
    Heartbeat.objects.update_or_create(name=RED_SINCE, defaults={"at": now, "detail": kept})
    return told


def _watchers() -> list[Any]:
    people = get_user_model()._default_manager.with_perm(
        MAY_SEE_HEALTH, backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(people.filter(is_staff=True))

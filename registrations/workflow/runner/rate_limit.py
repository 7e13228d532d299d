"""Twilio's rate limits, across all worker processes and hosts that share the database.

Twilio asks for at most 1 brand or campaign registration call per second and account, and accepts 10 OTP texts per
second (docs/twilio.md section 8). Reads are not limited. A limit is one row: `last_call` is claimed by a conditional
UPDATE at the time of the call, and `next_slot` hands out future slots, so a hundred registrations wait for a hundred
different times and no worker sleeps.

These intervals are Twilio's, so they do not scale with A2P_TIME_SCALE.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from registrations.core import clock
from registrations.models import RateLimit, Registration

# 5% above the limit's interval, because calls leave a varying few milliseconds after the claim.
INTERVALS = {"a2p": 1.05, "otp": 0.105}
# If an answer takes longer than USUAL_SECONDS, at most LATE_SECONDS count as network time, and the rest as Twilio's
# own work; otherwise slow answers would slow down the rate. For registrations, USUAL_SECONDS is no more than the
# margin of the interval, so that two calls never arrive within a second. OTP texts are sent concurrently.
USUAL_SECONDS, LATE_SECONDS = {"a2p": 0.05, "otp": 0.15}, 0.5


@dataclass(frozen=True)
class Slot:
    """`now` True: call immediately. Else come back at `at`."""

    now: bool
    at: datetime


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def take(limit: str, registration: Registration) -> Slot:
    """Claim the limit for one call now, or reserve a slot in its queue.

    The slot is stored in `registration.slot_at`, so a job that starts a little early does not queue again at the end.
    """
    name, interval = _name(limit), INTERVALS[limit]
    row, _ = RateLimit.objects.get_or_create(name=name)
    now = clock.now().timestamp()
    has_slot = registration.slot_at is not None
    if has_slot or row.next_slot <= now:
        claimed = RateLimit.objects.filter(name=name, last_call__lte=now - interval).update(
            last_call=now, next_slot=Greatest(F("next_slot"), now + interval)
        )
        if claimed:
            _store_slot(registration, None)
            return Slot(True, _moment(now))
    if has_slot:
        row.refresh_from_db()
        return Slot(False, _moment(max(now, row.last_call + interval) + 0.01))
    with transaction.atomic():
        row = RateLimit.objects.select_for_update().get(name=name)
        slot = max(now, row.last_call + interval, row.next_slot)
        RateLimit.objects.filter(name=name).update(next_slot=slot + interval)
    _store_slot(registration, _moment(slot))
    return Slot(False, _moment(slot))


def depart(limit: str) -> datetime:
    """The call that `take` allowed is sent now. Committing the intent took time, which must not shorten the gap."""
    now = clock.now()
    _called(limit, now.timestamp())
    return now


def arrived(limit: str, departed: datetime) -> None:
    """The call was answered. Twilio counts arrivals, and a slow call may have arrived late."""
    late = (clock.now() - departed).total_seconds() - USUAL_SECONDS[limit]
    if late > 0:
        _called(limit, departed.timestamp() + min(late, LATE_SECONDS))


def _called(limit: str, at: float) -> None:
    RateLimit.objects.filter(name=_name(limit)).update(last_call=Greatest(F("last_call"), at))


def pause(limit: str, seconds: float) -> None:
    """No calls within this limit for `seconds`, because Twilio answered 429."""
    until = clock.now().timestamp() + seconds
    RateLimit.objects.filter(name=_name(limit)).update(
        last_call=Greatest(F("last_call"), until - INTERVALS[limit]),
        next_slot=Greatest(F("next_slot"), until),
    )


def rate(limit: str) -> timedelta:
    """The time between two calls within a limit."""
    return timedelta(seconds=INTERVALS[limit])


def _name(limit: str) -> str:
    return f"{settings.TWILIO_ACCOUNT_SID}:{limit}"


def _store_slot(registration: Registration, slot: datetime | None) -> None:
    if registration.slot_at != slot:
        registration.slot_at = slot
        Registration.objects.filter(pk=registration.pk).update(slot_at=slot)

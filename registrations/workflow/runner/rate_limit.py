"""How fast we may call, across all worker processes and hosts that share the database.

Twilio asks for at most 1 brand or campaign registration call a second per account, and takes 10 one-time
texts a second (docs/twilio.md section 8). Reads are not registration calls and are not paced. A limit is one row:
`last_call` is claimed by a conditional UPDATE at the moment of the call, and `next_slot` deals out future
places, so that a hundred registrations wait for a hundred different moments and no worker sleeps.

These intervals are Twilio's and are therefore not scaled by A2P_TIME_SCALE.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from registrations.core import clock
from registrations.models import RateLimit, Registration

# 5 % above the limit's interval: the call leaves some milliseconds after the claim, by a varying amount.
INTERVALS = {"a2p": 1.05, "otp": 0.105}
# Of an answer that comes later than USUAL_SECONDS, at most LATE_SECONDS are taken for the way there, the rest for
# Twilio's own work, or slow answers would slow the pace. Registrations: no more than the interval is above the
# limit's, so that two never arrive within a second, whatever the way took. OTP texts leave side by side.
USUAL_SECONDS, LATE_SECONDS = {"a2p": 0.05, "otp": 0.15}, 0.5


@dataclass(frozen=True)
class Slot:
    """`now` True: call at once. Else come back at `at`."""

    now: bool
    at: datetime


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def take(limit: str, registration: Registration) -> Slot:
    """Claim the limit for one call now, or reserve a place in its queue.

    The place is kept in `registration.slot_at`, so a wake-up that comes a little early does not queue again
    at the end.
    """
    name, interval = _name(limit), INTERVALS[limit]
    row, _ = RateLimit.objects.get_or_create(name=name)
    now = clock.now().timestamp()
    has_place = registration.slot_at is not None
    if has_place or row.next_slot <= now:
        claimed = RateLimit.objects.filter(name=name, last_call__lte=now - interval).update(
            last_call=now, next_slot=Greatest(F("next_slot"), now + interval)
        )
        if claimed:
            _keep_place(registration, None)
            return Slot(True, _moment(now))
    if has_place:
        row.refresh_from_db()
        return Slot(False, _moment(max(now, row.last_call + interval) + 0.01))
    with transaction.atomic():
        row = RateLimit.objects.select_for_update().get(name=name)
        place = max(now, row.last_call + interval, row.next_slot)
        RateLimit.objects.filter(name=name).update(next_slot=place + interval)
    _keep_place(registration, _moment(place))
    return Slot(False, _moment(place))


def depart(limit: str) -> datetime:
    """The call that `take` allowed leaves now: what lay between (the intent's commit) must not shorten the gap."""
    now = clock.now()
    _called(limit, now.timestamp())
    return now


def arrived(limit: str, departed: datetime) -> None:
    """The call has its answer. Twilio counts arrivals: what was long on its way may have come late."""
    late = (clock.now() - departed).total_seconds() - USUAL_SECONDS[limit]
    if late > 0:
        _called(limit, departed.timestamp() + min(late, LATE_SECONDS))


def _called(limit: str, at: float) -> None:
    RateLimit.objects.filter(name=_name(limit)).update(last_call=Greatest(F("last_call"), at))


def pause(limit: str, seconds: float) -> None:
    """Nobody calls in this limit for `seconds` more: Twilio said 429."""
    until = clock.now().timestamp() + seconds
    RateLimit.objects.filter(name=_name(limit)).update(
        last_call=Greatest(F("last_call"), until - INTERVALS[limit]),
        next_slot=Greatest(F("next_slot"), until),
    )


def rate(limit: str) -> timedelta:
    """The time between two calls of a limit."""
    return timedelta(seconds=INTERVALS[limit])


def _name(limit: str) -> str:
    return f"{settings.TWILIO_ACCOUNT_SID}:{limit}"


def _keep_place(registration: Registration, place: datetime | None) -> None:
    if registration.slot_at != place:
        registration.slot_at = place
        Registration.objects.filter(pk=registration.pk).update(slot_at=place)

"""How fast we may call, across all worker processes and hosts that share the database.

Twilio asks for at most 1 brand or campaign registration call a second per account, and takes 10 one-time
texts a second (facts section 8). Reads are not registration calls and are not paced. A lane is one row:
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

from registrations import clock
from registrations.models import Lane, Registration

# 5 % above the limit's interval: the call leaves some milliseconds after the claim, by a varying amount.
INTERVALS = {"a2p": 1.05, "otp": 0.105}
# Of an answer that comes later than USUAL_SECONDS, at most LATE_SECONDS are taken for the way there, the rest for
# Twilio's own work, or slow answers would slow the pace. Registrations: no more than the interval is above the
# limit's, so that two never arrive within a second, whatever the way took. One-time texts leave side by side.
USUAL_SECONDS, LATE_SECONDS = {"a2p": 0.05, "otp": 0.15}, 0.5


@dataclass(frozen=True)
class Slot:
    """`now` True: call at once. Else come back at `at`."""

    now: bool
    at: datetime


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def take(lane: str, registration: Registration) -> Slot:
    """Claim the lane for one call now, or reserve a place in its queue.

    The place is kept in `registration.slot_at`, so a wake-up that comes a little early does not queue again
    at the end.
    """
    name, interval = _name(lane), INTERVALS[lane]
    row, _ = Lane.objects.get_or_create(name=name)
    now = clock.now().timestamp()
    has_place = registration.slot_at is not None
    if has_place or row.next_slot <= now:
        claimed = Lane.objects.filter(name=name, last_call__lte=now - interval).update(
            last_call=now, next_slot=Greatest(F("next_slot"), now + interval)
        )
        if claimed:
            _keep_place(registration, None)
            return Slot(True, _moment(now))
    if has_place:
        row.refresh_from_db()
        return Slot(False, _moment(max(now, row.last_call + interval) + 0.01))
    with transaction.atomic():
        row = Lane.objects.select_for_update().get(name=name)
        place = max(now, row.last_call + interval, row.next_slot)
        Lane.objects.filter(name=name).update(next_slot=place + interval)
    _keep_place(registration, _moment(place))
    return Slot(False, _moment(place))


def depart(lane: str) -> datetime:
    """The call that `take` allowed leaves now: what lay between (the intent's commit) must not shorten the gap."""
    now = clock.now()
    _called(lane, now.timestamp())
    return now


def arrived(lane: str, departed: datetime) -> None:
    """The call has its answer. Twilio counts arrivals: what was long on its way may have come late."""
    late = (clock.now() - departed).total_seconds() - USUAL_SECONDS[lane]
    if late > 0:
        _called(lane, departed.timestamp() + min(late, LATE_SECONDS))


def _called(lane: str, at: float) -> None:
    Lane.objects.filter(name=_name(lane)).update(last_call=Greatest(F("last_call"), at))


def pause(lane: str, seconds: float) -> None:
    """Nobody calls in this lane for `seconds` more: Twilio said 429."""
    until = clock.now().timestamp() + seconds
    Lane.objects.filter(name=_name(lane)).update(
        last_call=Greatest(F("last_call"), until - INTERVALS[lane]), next_slot=Greatest(F("next_slot"), until)
    )


def rate(lane: str) -> timedelta:
    """The time between two calls of a lane."""
    return timedelta(seconds=INTERVALS[lane])


def _name(lane: str) -> str:
    return f"{settings.TWILIO_ACCOUNT_SID}:{lane}"


def _keep_place(registration: Registration, place: datetime | None) -> None:
    if registration.slot_at != place:
        registration.slot_at = place
        Registration.objects.filter(pk=registration.pk).update(slot_at=place)

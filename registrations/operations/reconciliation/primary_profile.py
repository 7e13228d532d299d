"""Whether Twilio has approved the ISV's own profile, without which no customer's brand can be registered.

A job asks, the home page reads what it found (Source: docs/twilio.md section 11: must be twilio-approved).
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from registrations.core import clock, queue
from registrations.models import Heartbeat
from registrations.twilio.client import errors, get_client
from registrations.twilio.statuses import BUNDLE, BUNDLE_APPROVED, canonical

# The Heartbeat row: `at` is when it was asked last; `detail` is a Look.
HEARTBEAT = "primary-profile"
# An approval hardly ever goes away; the way to one is watched, and trouble passes.
APPROVED_EVERY, OTHER_EVERY, UNREAD_EVERY = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
MISSING, REFUSED, UNAVAILABLE = "missing", "refused", "unavailable"


@dataclass(frozen=True)
class Look:
    """What the last look found. status: Twilio's word, "" before an answer. trouble: MISSING, REFUSED,
    UNAVAILABLE or "": why there was none.
    """

    sid: str = ""
    status: str = ""
    trouble: str = ""

    @property
    def approved(self) -> bool:
        return self.status == BUNDLE_APPROVED

    @property
    def good_for(self) -> timedelta:
        if not self.status or self.sid != settings.TWILIO_PRIMARY_PROFILE_SID:
            return UNREAD_EVERY
        return APPROVED_EVERY if self.approved else OTHER_EVERY


def last() -> Look:
    """Of the profile that is set now; an empty one before the first look. One read."""
    row = Heartbeat.objects.filter(name=HEARTBEAT).first()
    found = Look(**row.detail) if row else Look()
    return found if found.sid == settings.TWILIO_PRIMARY_PROFILE_SID else Look()


def ask_due() -> bool:
    """For the sweep: ask for a look when one is due, inside the caller's transaction."""
    if not settings.TWILIO_PRIMARY_PROFILE_SID:
        return False
    now = clock.now()
    row = Heartbeat.objects.filter(name=HEARTBEAT).first()
    if row is None:
        claimed = Heartbeat.objects.get_or_create(name=HEARTBEAT, defaults={"at": now})[1]
    else:
        # The claim: of several sweeps one changes the row.
        due = row.at <= now - Look(**row.detail).good_for
        claimed = due and bool(Heartbeat.objects.filter(name=HEARTBEAT, at=row.at).update(at=now))
    if claimed:
        queue.enqueue_primary_profile()
    return claimed


def look() -> Look:
    """The job: ask Twilio and keep what it says."""
    sid = settings.TWILIO_PRIMARY_PROFILE_SID
    try:
        status = get_client().fetch_bundle("customer_profile", sid).get("status")
        found = Look(sid, canonical(BUNDLE, str(status or "")))
    except errors.Rejected as error:
        found = Look(sid, trouble=MISSING if error.not_found else REFUSED)
    except errors.Misconfigured:
        found = Look(sid, trouble=REFUSED)
    except errors.TwilioError:
        found = Look(sid, trouble=UNAVAILABLE)
    Heartbeat.objects.update_or_create(
        name=HEARTBEAT,
        defaults={
            "at": clock.now(),
            "detail": {"sid": sid, "status": found.status, "trouble": found.trouble},
        },
    )
    return found

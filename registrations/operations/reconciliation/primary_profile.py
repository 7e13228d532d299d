"""Whether Twilio has approved the ISV's own profile. Without it no customer's brand can be registered.

A job checks it and the home page shows the result. Source: docs/twilio.md section 11 (must be twilio-approved).
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from registrations.core import clock, queue
from registrations.models import Heartbeat
from registrations.twilio.client import errors, get_client
from registrations.twilio.statuses import BUNDLE, BUNDLE_APPROVED, canonical

# The Heartbeat row: `at` is the last check, `detail` its ProfileCheck.
HEARTBEAT = "primary-profile"
# An approval rarely changes; a pending one is watched, and errors are temporary.
APPROVED_EVERY, OTHER_EVERY, UNREAD_EVERY = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
MISSING, REFUSED, UNAVAILABLE = "missing", "refused", "unavailable"


@dataclass(frozen=True)
class ProfileCheck:
    """The result of a check. status: Twilio's, "" if unknown. trouble: MISSING, REFUSED, UNAVAILABLE, or ""."""

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


def last_check() -> ProfileCheck:
    """Of the profile in the settings; an empty one before the first check. One query."""
    row = Heartbeat.objects.filter(name=HEARTBEAT).first()
    found = ProfileCheck(**row.detail) if row else ProfileCheck()
    return found if found.sid == settings.TWILIO_PRIMARY_PROFILE_SID else ProfileCheck()


def request_due() -> bool:
    """For the sweep: request a check if one is due, inside the caller's transaction."""
    if not settings.TWILIO_PRIMARY_PROFILE_SID:
        return False
    now = clock.now()
    row = Heartbeat.objects.filter(name=HEARTBEAT).first()
    if row is None:
        claimed = Heartbeat.objects.get_or_create(name=HEARTBEAT, defaults={"at": now})[1]
    else:
        # Of several sweeps, only one changes the row.
        due = row.at <= now - ProfileCheck(**row.detail).good_for
        claimed = due and bool(Heartbeat.objects.filter(name=HEARTBEAT, at=row.at).update(at=now))
    if claimed:
        queue.enqueue_primary_profile()
    return claimed


def check() -> ProfileCheck:
    """The job: ask Twilio and store the result."""
    sid = settings.TWILIO_PRIMARY_PROFILE_SID
    try:
        status = get_client().fetch_bundle("customer_profile", sid).get("status")
        found = ProfileCheck(sid, canonical(BUNDLE, str(status or "")))
    except errors.Rejected as error:
        found = ProfileCheck(sid, trouble=MISSING if error.not_found else REFUSED)
    except errors.Misconfigured:
        found = ProfileCheck(sid, trouble=REFUSED)
    except errors.TwilioError:
        found = ProfileCheck(sid, trouble=UNAVAILABLE)
    Heartbeat.objects.update_or_create(
        name=HEARTBEAT,
        defaults={
            "at": clock.now(),
            "detail": {"sid": sid, "status": found.status, "trouble": found.trouble},
        },
    )
    return found

"""The scheduled scan: once every A2P_SCAN_EVERY_HOURS over all workers and hosts.

It lists orphans and closes the tasks of brands that somebody deleted in Twilio's Console. Reading a whole account
takes one call per thousand objects, with pauses. Retired brands are checked one by one first, so their tasks close
even if the account is too large for one job.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from registrations.core import clock
from registrations.models import Heartbeat, Profile, RetiredResource, Scan
from registrations.twilio.client import TwilioClient, errors, get_client
from registrations.workflow import timeline

from . import scan

ACTOR = "scheduled scan"
# The Heartbeat row: when the last one began (or when a worker first ran).
HEARTBEAT = "scheduled-scan"
# The Heartbeat row: when retired brands were last checked.
BRANDS, BRANDS_EVERY_SECONDS = "retired-brands", 3600.0
BRANDS_AT_MOST = 50  # per check, the least recently checked first
RETRY_HOURS = 1  # after a failed scan
PAUSE_SECONDS = 0.1  # between pages: calls of people and registrations come first

Pause = Callable[[float], None]


def request_due() -> Scan | None:
    """For the sweep: request a scan if one is due, inside the caller's transaction.

    A scan that a person requested counts. A new installation waits a full interval first.
    """
    hours = settings.A2P_SCAN_EVERY_HOURS
    if not hours:
        return None
    now = clock.now()
    last = Scan.objects.filter(requested_by=ACTOR).order_by("-pk").first()
    if last and last.state == Scan.State.FAILED and last.error != scan.TOO_LONG:
        hours = min(hours, RETRY_HOURS)
    since = now - timedelta(hours=hours)
    if not Heartbeat.objects.filter(name=HEARTBEAT).exists():
        Heartbeat.objects.get_or_create(name=HEARTBEAT, defaults={"at": now})
        return None
    # Of several sweeps, only one changes the row.
    if not Heartbeat.objects.filter(name=HEARTBEAT, at__lte=since).update(at=now):
        return None
    if Scan.objects.filter(requested_at__gt=since).exists() or not Profile.objects.exclude(sid="").exists():
        return None
    return scan.request(actor=ACTOR)


def next_at() -> datetime | None:
    """When the next one is due; None if they are turned off or no worker has run yet."""
    if not settings.A2P_SCAN_EVERY_HOURS:
        return None
    last = Heartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    return last + timedelta(hours=settings.A2P_SCAN_EVERY_HOURS) if last else None


def run(pk: int, *, pause: Pause) -> bool:
    """The job of any scan. A scheduled one pauses between pages and checks retired brands first."""
    if not Scan.objects.filter(pk=pk, requested_by=ACTOR).exists():
        return scan.run(pk, wait=pause)
    client = get_client()
    if Scan.objects.filter(pk=pk, state=Scan.State.OPEN).exists():
        check_retired_brands(client, pause)
    return scan.run(pk, client=client, pause=lambda: pause(PAUSE_SECONDS), wait=pause)


def retired_brands(registration_id: int | None = None) -> QuerySet[RetiredResource]:
    """Brands that somebody must delete in the Console; of one registration, or of all."""
    waiting = RetiredResource.objects.filter(
        kind="brand", removal=RetiredResource.Removal.CONSOLE, missing_since__isnull=True
    )
    return waiting if registration_id is None else waiting.filter(registration_id=registration_id)


def brands_due() -> bool:
    """For the sweep: whether to check them now, once an hour over all workers. The caller must then do it."""
    now = clock.now()
    if not retired_brands().exists():
        return False
    _, first = Heartbeat.objects.get_or_create(name=BRANDS, defaults={"at": now})
    since = now - clock.scaled(BRANDS_EVERY_SECONDS)
    return first or bool(Heartbeat.objects.filter(name=BRANDS, at__lte=since).update(at=now))


def check_retired_brands(client: TwilioClient, pause: Pause, registration_id: int | None = None) -> int:
    """Close the tasks of brands that Twilio no longer has; returns how many. After an error the rest wait."""
    waiting = retired_brands(registration_id)
    closed = 0
    for resource in list(
        waiting.select_related("registration").order_by(F("checked_at").asc(nulls_first=True), "id")[
            :BRANDS_AT_MOST
        ]
    ):
        gone = False
        try:
            client.fetch_brand(resource.sid)
        except errors.Rejected as error:
            if not error.not_found:
                return closed
            gone = True
        except errors.TwilioError:
            return closed
        now = clock.now()
        with transaction.atomic():
            RetiredResource.objects.filter(pk=resource.pk).update(
                checked_at=now, missing_since=now if gone else None
            )
            if gone:
                timeline.record(
                    resource.registration, "retired:gone", "Brand: gone at Twilio.", sid=resource.sid
                )
        closed += gone
        pause(PAUSE_SECONDS)
    return closed

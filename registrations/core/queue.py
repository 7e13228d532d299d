"""Puts jobs on the queue.

State lives in the database; a job carries ids and only triggers processing, so a lost job loses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from .broker import EtaORM

ADVANCE = "registrations.worker.jobs.advance"
SCAN = "registrations.worker.jobs.run_scan"
RETIRED_BRANDS = "registrations.worker.jobs.check_retired_brands"
FINDING = "registrations.worker.jobs.act_on_finding"
EVENT_STREAMS = "registrations.worker.jobs.set_up_event_streams"
DELIVERIES = "registrations.worker.jobs.process_deliveries"
ONLINE_CHECKS = "registrations.worker.jobs.run_online_checks"
PRIMARY_PROFILE = "registrations.worker.jobs.check_primary_profile"
NOTIFICATIONS = "registrations.worker.jobs.send_notifications"
# Referenced by path: importing them would be circular, because they call this module.
BATCH = "registrations.operations.bulk.advance"
IMPORT = "registrations.operations.imports.importer.advance"
STATISTICS = "registrations.reporting.statistics.refresh"
# How many due jobs run before the next part of a bulk action or an import.
JOBS_AHEAD = 20


def enqueue(pk: int, at: datetime | None = None) -> None:
    """Have a worker advance registration `pk` at time `at` (default: now).

    Like every function here, this inserts a row in the caller's transaction. Calling it twice is harmless: the
    second job finds nothing to do.
    """
    _put(ADVANCE, pk, at=at)


def enqueue_deliveries(pks: Iterable[object]) -> None:
    """Have a worker process these stored webhook deliveries."""
    _put(DELIVERIES, [str(pk) for pk in pks])


def enqueue_scan(pk: int) -> None:
    """Have a worker compare Twilio's account with our registrations."""
    _put(SCAN, pk)


def enqueue_finding(pk: int) -> None:
    """Have a worker run the action that a person chose for a finding."""
    _put(FINDING, pk)


def enqueue_retired_brands(registration_id: int | None = None) -> None:
    """Have a worker check whether retired brands were deleted in the Console, for one registration or for all."""
    _put(RETIRED_BRANDS, registration_id)


def enqueue_primary_profile() -> None:
    """Have a worker check the ISV's primary profile."""
    _put(PRIMARY_PROFILE)


def enqueue_online_checks(pk: int) -> None:
    """Have a worker check a registration's web pages and mobile."""
    _put(ONLINE_CHECKS, pk)


def enqueue_notifications() -> None:
    """Have a worker send the notifications that are due."""
    _put(NOTIFICATIONS)


def enqueue_statistics() -> None:
    """Have a worker recount the dashboard's slow numbers."""
    _put(STATISTICS)


def enqueue_event_streams() -> None:
    """Have a worker create or repair the Event Streams sink."""
    _put(EVENT_STREAMS)


def enqueue_batch(pk: int) -> None:
    """Have a worker continue a bulk action, behind the next few jobs."""
    _put(BATCH, pk, at=_behind_the_next_jobs())


def enqueue_import(pk: int) -> None:
    """Have a worker continue an import, behind the next few jobs."""
    _put(IMPORT, pk, at=_behind_the_next_jobs())


def _put(job: str, *args: Any, at: datetime | None = None) -> None:
    broker = EtaORM()
    broker.eta = at
    async_task(job, *args, broker=broker)


def _behind_the_next_jobs() -> datetime:
    """A due time that lets a bulk job and the registrations it submitted take turns."""
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=timezone.now())
    place = due.order_by("lock").values_list("lock", flat=True)[JOBS_AHEAD : JOBS_AHEAD + 1].first()
    return place or timezone.now()


@dataclass(frozen=True)
class QueueDepth:
    """Jobs that could run now, jobs that are scheduled or running, and when the oldest due job became due."""

    due: int
    later: int
    oldest_due: datetime | None


def queue_depth() -> QueueDepth:
    now = timezone.now()
    queue = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"])
    return QueueDepth(
        due=queue.filter(lock__lte=now).count(),
        later=queue.filter(lock__gt=now).count(),
        oldest_due=oldest_due(),
    )


def oldest_due() -> datetime | None:
    """When the longest-waiting job became due; None if nothing is due. One indexed read."""
    queue = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=timezone.now())
    return queue.order_by("lock").values_list("lock", flat=True).first()


def served_to() -> datetime | None:
    """Jobs due before this time have been taken, with a margin of one second. None if nothing is due."""
    oldest = oldest_due()
    return oldest - timedelta(seconds=1) if oldest else None


def failures_since(moment: datetime) -> int:
    """How many jobs ended with an exception or a timeout since `moment`."""
    return Task.objects.filter(success=False, stopped__gte=moment).count()


def release(rows: set[int]) -> int:
    """Make claimed queue rows due again and return how many. Only for rows whose cluster is dead."""
    now = timezone.now()
    return OrmQ.objects.filter(pk__in=rows, lock__gt=now).update(lock=now)

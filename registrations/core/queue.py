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
RETIRED = "registrations.worker.jobs.look_at_retired"
FINDING = "registrations.worker.jobs.act_on_finding"
STREAMS = "registrations.worker.jobs.set_up_event_streams"
PROCESS = "registrations.worker.jobs.process_deliveries"
ONLINE = "registrations.worker.jobs.look_online"
PRIMARY = "registrations.worker.jobs.look_at_primary_profile"
NOTIFY = "registrations.worker.jobs.send_notifications"
# Named, not imported: they call the verbs, which call this module.
BATCH = "registrations.operations.bulk.advance"
IMPORT = "registrations.operations.imports.importer.advance"
FIGURES = "registrations.reporting.statistics.refresh"
# Jobs that go first while bulk work or an import wants to go on.
BETWEEN = 20


def enqueue(pk: int, at: datetime | None = None) -> None:
    """Have a worker advance registration `pk` at time `at`, by default now.

    An insert in the caller's transaction, like all functions here. Calling it twice is harmless: the second job
    finds nothing due.
    """
    _put(ADVANCE, pk, at=at)


def enqueue_deliveries(pks: Iterable[object]) -> None:
    """Have a worker process these stored webhook deliveries."""
    _put(PROCESS, [str(pk) for pk in pks])


def enqueue_scan(pk: int) -> None:
    """Have a worker compare Twilio's account with our registrations."""
    _put(SCAN, pk)


def enqueue_finding(pk: int) -> None:
    """Have a worker do what a person asked for a finding."""
    _put(FINDING, pk)


def enqueue_retired_brands(registration_id: int | None = None) -> None:
    """Have a worker check whether brands were deleted in the Console; of one registration, or all."""
    _put(RETIRED, registration_id)


def enqueue_primary_profile() -> None:
    """Have a worker check the ISV's primary profile."""
    _put(PRIMARY)


def enqueue_online_checks(pk: int) -> None:
    """Have a worker check a registration's web pages and mobile."""
    _put(ONLINE, pk)


def enqueue_notifications() -> None:
    """Have a worker send the notifications that are due; a second job finds nothing left."""
    _put(NOTIFY)


def enqueue_statistics() -> None:
    """Have a worker recount the dashboard's slow numbers."""
    _put(FIGURES)


def enqueue_event_streams() -> None:
    """Have a worker create or repair the Event Streams sink."""
    _put(STREAMS)


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
    """A bulk job must not wait for all of the registrations it submitted, nor they for all of the bulk job."""
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=timezone.now())
    place = due.order_by("lock").values_list("lock", flat=True)[BETWEEN : BETWEEN + 1].first()
    return place or timezone.now()


@dataclass(frozen=True)
class QueueDepth:
    """Jobs that could run now, jobs for later (or running), when the oldest due one became due."""

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
    """When the job that waits longest became due; None when nothing is due. One indexed read."""
    queue = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=timezone.now())
    return queue.order_by("lock").values_list("lock", flat=True).first()


def served_to() -> datetime | None:
    """Up to where the queue was served, a second to be sure; None when nothing is due."""
    oldest = oldest_due()
    return oldest - timedelta(seconds=1) if oldest else None


def failures_since(moment: datetime) -> int:
    """How many jobs ended with an exception or a time-out since `moment`."""
    return Task.objects.filter(success=False, stopped__gte=moment).count()


def release(rows: set[int]) -> int:
    """Give claimed queue rows back, due now. Only for rows whose cluster is dead: returns how many."""
    now = timezone.now()
    return OrmQ.objects.filter(pk__in=rows, lock__gt=now).update(lock=now)

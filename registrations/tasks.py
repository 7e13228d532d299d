"""Jobs: the doorbell. A job carries ids, nothing else; losing every job loses nothing.

With `broker.py` the only module that knows django-q2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from registrations import background, event_streams, mutex, notifications, pipeline, primary_profile, routing
from registrations.broker import EtaORM
from registrations.gateway import errors, get_gateway
from registrations.models import Batch, Figure, Heartbeat, Import, ImportFile, ImportRow, Notification
from registrations.preflight import online
from registrations.reconcile import acts, regular, scan
from registrations.states import ItemState
from registrations.worker.processes import pause

ADVANCE = "registrations.tasks.advance"
SCAN = "registrations.tasks.run_scan"
RETIRED = "registrations.tasks.look_at_retired"
FINDING = "registrations.tasks.act_on_finding"
STREAMS = "registrations.tasks.set_up_event_streams"
PROCESS = "registrations.tasks.process_deliveries"
ONLINE = "registrations.tasks.look_online"
PRIMARY = "registrations.tasks.look_at_primary_profile"
NOTIFY = "registrations.tasks.send_notifications"
# Named, not imported: they call the verbs, which call this module.
BATCH = "registrations.batches.advance"
IMPORT = "registrations.importing.uploads.advance"
FIGURES = "registrations.figures.refresh"

# The Heartbeat row that keeps the last set-up of Event Streams.
EVENT_STREAMS = "event-streams-setup"

# Jobs that go first while bulk work or an import wants to go on.
BETWEEN = 20

KEEP_SUCCESSES = timedelta(days=2)
KEEP_FAILURES = timedelta(days=30)
KEEP_HEARTBEATS = timedelta(days=2)
# Personal data of customers who did not become cases.
KEEP_IMPORT_ROWS = timedelta(days=30)
KEEP_NOTIFICATIONS = timedelta(days=90)


def ring(pk: int, at: datetime | None = None) -> None:
    """Have a worker look at registration `pk` at time `at`, by default now.

    A plain insert in the caller's transaction. Ringing twice is harmless: the second job finds nothing due.
    """
    broker = EtaORM()
    broker.eta = at
    async_task(ADVANCE, pk, broker=broker)


def advance(pk: int) -> None:
    """The job: let the pipeline take registration `pk` as far as it can go now."""
    pipeline.advance(pk, ring=ring, tell=notifications.needs_us)


def ring_deliveries(pks: Iterable[object]) -> None:
    """Have a worker process these stored webhook deliveries; an insert in the caller's transaction."""
    async_task(PROCESS, [str(pk) for pk in pks], broker=EtaORM())


def process_deliveries(pks: list[str]) -> None:
    """The job: what each delivery sets in motion; one that is processed already is passed over."""
    for pk in pks:
        routing.process(pk, ring=ring)


def ring_forgotten_deliveries() -> int:
    """For the sweep: deliveries that no job has processed in half a minute. Returns how many."""
    pks = routing.claim_forgotten()
    for start in range(0, len(pks), 20):
        ring_deliveries(pks[start : start + 20])
    return len(pks)


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


def _soon() -> datetime:
    """A place behind the next few jobs: who waits for bulk work must not wait for all of its cases first,
    and these must not wait for all of the bulk work."""
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=timezone.now())
    place = due.order_by("lock").values_list("lock", flat=True)[BETWEEN : BETWEEN + 1].first()
    return place or timezone.now()


def _ring_soon(job: str, pk: int) -> None:
    broker = EtaORM()
    broker.eta = _soon()
    async_task(job, pk, broker=broker)


def failures_since(moment: datetime) -> int:
    """How many jobs ended with an exception or a time-out since `moment`."""
    return Task.objects.filter(success=False, stopped__gte=moment).count()


def release(rows: set[int]) -> int:
    """Give claimed queue rows back, due now. Only for rows whose cluster is dead: returns how many."""
    now = timezone.now()
    return OrmQ.objects.filter(pk__in=rows, lock__gt=now).update(lock=now)


def ring_scan(pk: int) -> None:
    """Have a worker compare Twilio's account with our cases; an insert in the caller's transaction."""
    async_task(SCAN, pk, broker=EtaORM())


def run_scan(pk: int) -> None:
    """The job; a scan that is done, or that another job is at, is passed over."""
    regular.run(pk, pause=pause)


def ring_due_scan() -> bool:
    """For the sweep: the regular comparison, when it is due."""
    return regular.ask_due(ring_scan) is not None


def ring_retired(registration_id: int | None = None) -> None:
    """Have a worker look whether brands that wait for their deletion in the Console are gone; of one case, or all."""
    async_task(RETIRED, registration_id, broker=EtaORM())


def ring_due_retired() -> None:
    """For the sweep: the same, when it is due."""
    if regular.brands_due():
        ring_retired()


def look_at_retired(registration_id: int | None) -> None:
    """The job; a lost one is made up for by the next look."""
    regular.look_at_retired_brands(get_gateway(), pause, registration_id)


def ring_due_primary_profile() -> bool:
    """For the sweep: a look at the ISV's own profile, when it is due."""
    return primary_profile.ask_due(lambda: async_task(PRIMARY, broker=EtaORM()))


def look_at_primary_profile() -> None:
    """The job; a lost one is asked for again when the next look is due."""
    primary_profile.look()


def ring_finding(pk: int) -> None:
    """Have a worker do what a person asked for a finding; an insert in the caller's transaction."""
    async_task(FINDING, pk, broker=EtaORM())


def act_on_finding(pk: int) -> None:
    """The job; what is settled, or another job is at, is passed over."""
    acts.run(pk, ring=ring)


def ring_forgotten_reconciling() -> None:
    """For the sweep: scans and acts whose job was lost."""
    for pk in scan.claim_forgotten():
        ring_scan(pk)
    for pk in acts.claim_forgotten():
        ring_finding(pk)


def ring_batch(pk: int) -> None:
    """Have a worker go on with a bulk act; an insert in the caller's transaction."""
    _ring_soon(BATCH, pk)


def ring_import(pk: int) -> None:
    """Have a worker go on with an import; an insert in the caller's transaction."""
    _ring_soon(IMPORT, pk)


def ring_forgotten_work() -> None:
    """For the sweep: bulk acts and imports whose job was lost, or whose worker died."""
    for pk in background.claim_forgotten(Batch):
        ring_batch(pk)
    for pk in background.claim_forgotten(Import):
        ring_import(pk)


def ring_notifications() -> None:
    """For the sweep: have a worker send what is due; a second job finds nothing left."""
    if notifications.due():
        async_task(NOTIFY, broker=EtaORM())


def send_notifications() -> None:
    """The job; what does not go out is tried again later."""
    notifications.send_due()


def ring_figures() -> None:
    """For the sweep: have the numbers of the board that take long counted anew; a small desk keeps none."""
    if Figure.objects.exists():
        async_task(FIGURES, broker=EtaORM())


def ring_event_streams() -> None:
    """Have a worker make or mend the Event Streams sink; an insert in the caller's transaction."""
    async_task(STREAMS, broker=EtaORM())


def set_up_event_streams() -> None:
    """The job; what it found is kept for the settings page. It may wait half a minute for the test event,
    which is rare and asked for by a person."""
    try:
        report = event_streams.set_up(get_gateway(), pause=pause)
        detail = report.told()
    except mutex.Busy:
        return  # the other one stores what it finds
    except errors.GatewayError as error:
        detail = {"ok": False, "problems": [f"{str(error).rstrip('.')}. Nothing is lost: try again."]}
    keep_set_up(detail)


def keep_set_up(detail: dict[str, Any]) -> None:
    """Keep what a set-up of Event Streams found, for the settings page."""
    Heartbeat.objects.update_or_create(name=EVENT_STREAMS, defaults={"at": timezone.now(), "detail": detail})


def ring_online(pk: int) -> None:
    """Have a worker look at a case's pages and mobile; an insert in the caller's transaction."""
    async_task(ONLINE, pk, broker=EtaORM())


def look_online(pk: int) -> None:
    """The job. Losing it loses nothing: the page offers the look again."""
    online.look(pipeline.load(pk))


def prune() -> int:
    """Delete results, heartbeats, old notes and deliveries that nobody will read again; returns how many rows went."""
    now = timezone.now()
    old = [
        Task.objects.filter(success=True, stopped__lt=now - KEEP_SUCCESSES),
        Task.objects.filter(success=False, stopped__lt=now - KEEP_FAILURES),
        Heartbeat.objects.filter(at__lt=now - KEEP_HEARTBEATS, name__startswith=Heartbeat.WORKER),
        ImportRow.objects.filter(upload__created_at__lt=now - KEEP_IMPORT_ROWS).exclude(state=ItemState.DONE),
        ImportFile.objects.filter(upload__created_at__lt=now - KEEP_IMPORT_ROWS),
        Notification.objects.filter(created_at__lt=now - KEEP_NOTIFICATIONS),
    ]
    return sum(rows.delete()[0] for rows in old) + routing.prune()

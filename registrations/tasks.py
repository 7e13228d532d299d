"""Jobs: the doorbell. A job carries ids, nothing else; losing every job loses nothing.

With `broker.py` the only module that knows django-q2.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from registrations import event_streams, pipeline, routing
from registrations.broker import EtaORM
from registrations.gateway import errors, get_gateway
from registrations.models import Heartbeat
from registrations.reconcile import acts, scan
from registrations.worker.processes import pause

ADVANCE = "registrations.tasks.advance"
SCAN = "registrations.tasks.run_scan"
FINDING = "registrations.tasks.act_on_finding"
STREAMS = "registrations.tasks.set_up_event_streams"
PROCESS = "registrations.tasks.process_deliveries"

# The Heartbeat row that keeps the last set-up of Event Streams.
EVENT_STREAMS = "event-streams-setup"

KEEP_SUCCESSES = timedelta(days=2)
KEEP_FAILURES = timedelta(days=30)
KEEP_HEARTBEATS = timedelta(days=2)


def ring(pk: int, at: datetime | None = None) -> None:
    """Have a worker look at registration `pk` at time `at`, by default now.

    A plain insert in the caller's transaction. Ringing twice is harmless: the second job finds nothing due.
    """
    broker = EtaORM()
    broker.eta = at
    async_task(ADVANCE, pk, broker=broker)


def advance(pk: int) -> None:
    """The job: let the pipeline take registration `pk` as far as it can go now."""
    pipeline.advance(pk, ring=ring)


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
    scan.run(pk)


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


def ring_event_streams() -> None:
    """Have a worker make or mend the Event Streams sink; an insert in the caller's transaction."""
    async_task(STREAMS, broker=EtaORM())


def set_up_event_streams() -> None:
    """The job; what it found is kept for the settings page. It may wait half a minute for the test event,
    which is rare and asked for by a person."""
    try:
        report = event_streams.set_up(get_gateway(), pause=pause)
        detail = {**asdict(report), "ok": report.ok}
    except errors.GatewayError as error:
        detail = {"ok": False, "problems": [f"{error} Nothing is lost: try again."]}
    Heartbeat.objects.update_or_create(name=EVENT_STREAMS, defaults={"at": timezone.now(), "detail": detail})


def prune() -> int:
    """Delete results, heartbeats and old deliveries that nobody will read again; returns how many rows went."""
    now = timezone.now()
    old = [
        Task.objects.filter(success=True, stopped__lt=now - KEEP_SUCCESSES),
        Task.objects.filter(success=False, stopped__lt=now - KEEP_FAILURES),
        Heartbeat.objects.filter(at__lt=now - KEEP_HEARTBEATS).exclude(name=EVENT_STREAMS),
    ]
    return sum(rows.delete()[0] for rows in old) + routing.prune()

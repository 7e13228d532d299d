"""One scan from the button to its findings. The row is the truth, the job is only a doorbell."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from registrations.core import clock, queue
from registrations.models import Finding, RetiredResource, Scan
from registrations.twilio.client import TwilioClient, errors, get_client
from registrations.workflow import timeline

from . import remote_inventory
from .compare import Judged, Verdict, WrongAccount, judge
from .resource_types import KINDS

log = logging.getLogger(__name__)

# A scan that gave no sign for so long has lost its process; longer than one call's time-outs and a job's.
DEAD = timedelta(seconds=120)
RING_AGAIN = timedelta(seconds=30)
# A job of the queue is killed after 90 s (settings.Q_CLUSTER).
JOB_SECONDS = 60.0
TOO_LONG = "The account holds too much for one job. Run manage.py reconcile, which takes the time it needs."

_OPEN = (Finding.State.OPEN, Finding.State.FAILED)


class TooLong(Exception):
    """The job must end before the queue kills it."""


def ask(*, actor: str, enqueue: bool = True) -> Scan:
    """Have the account read; the scan that is open already is answered instead of a second one.

    `enqueue=False`: the caller runs it.
    """
    try:
        with transaction.atomic():
            scan = Scan.objects.create(requested_by=actor[:150])
            if enqueue:
                queue.enqueue_scan(scan.pk)
            return scan
    except IntegrityError:
        return Scan.objects.filter(state=Scan.State.OPEN).first() or ask(actor=actor, enqueue=enqueue)


def run(
    pk: int,
    *,
    client: TwilioClient | None = None,
    seconds: float | None = JOB_SECONDS,
    pause: Callable[[], None] = lambda: None,
    rest: Callable[[float], None] | None = None,
) -> bool:
    """Read and compare. False when it is done already, or another process is at it.

    `seconds`: when to give up, None for never. `pause` is called between portions of a list, `rest(seconds)`
    before a list that broke off is read again (None: it is not). Twilio's refusals end the scan; our own errors are
    raised.
    """
    now = clock.now()
    free = Q(alive_at=None) | Q(alive_at__lt=now - DEAD)
    if not Scan.objects.filter(free, pk=pk, state=Scan.State.OPEN).update(started_at=now, alive_at=now):
        return False
    until = time.monotonic() + seconds if seconds is not None else None

    def pulse() -> None:
        Scan.objects.filter(pk=pk).update(alive_at=clock.now())
        if until is not None and time.monotonic() > until:
            raise TooLong
        pause()

    try:
        seen = remote_inventory.take(client or get_client(), pulse, rest)
        verdict = judge(seen, now)
        with transaction.atomic():
            _store(Scan.objects.select_for_update().get(pk=pk), verdict, dict(seen.read))
    except (errors.TwilioError, WrongAccount) as error:
        _fail(pk, str(error))
    except TooLong:
        _fail(pk, TOO_LONG)
    except Exception as error:
        _fail(pk, f"An error of ours: {type(error).__name__}. Engineers find it in the log.")
        raise
    return True


def _fail(pk: int, why: str) -> None:
    Scan.objects.filter(pk=pk, state=Scan.State.OPEN).update(
        state=Scan.State.FAILED, error=why, finished_at=clock.now()
    )


def claim_forgotten() -> list[int]:
    """Scans whose job was lost or died, each marked as rung for; for the sweep."""
    now = clock.now()
    lost = (Q(alive_at=None) | Q(alive_at__lt=now - DEAD)) & Q(enqueued_at__lt=now - RING_AGAIN)
    rows = Scan.objects.filter(lost, state=Scan.State.OPEN).values_list("pk", flat=True)
    return [pk for pk in list(rows) if Scan.objects.filter(lost, pk=pk).update(enqueued_at=now)]


# --- storing -------------------------------------------------------------------------------------------------------
def _store(scan: Scan, verdict: Verdict, read: dict[str, int]) -> None:
    if scan.state != Scan.State.OPEN:
        return
    now = clock.now()
    _settle_retired(verdict)
    unsettled = {(row.what, row.sid): row for row in Finding.objects.exclude(state=Finding.State.DONE)}
    for judged in verdict.findings:
        _keep(scan, judged, unsettled.pop((judged.what, judged.sid), None))
    # What is not found any more has settled itself; one that is being acted on tells its own end.
    closed = Finding.objects.filter(pk__in=[row.pk for row in unsettled.values()], state__in=_OPEN).update(
        state=Finding.State.DONE, result="Not found any more.", settled_at=now, scan=scan
    )
    scan.counts = {
        "read": read,
        "found": dict(Counter(judged.what for judged in verdict.findings if not judged.under_way)),
        "under_way": sum(judged.under_way for judged in verdict.findings),
        "closed": closed,
    }
    scan.state, scan.finished_at = Scan.State.DONE, now
    scan.save(update_fields=["state", "finished_at", "counts"])


def _keep(scan: Scan, judged: Judged, known: Finding | None) -> None:
    """One row per object over all scans: who saw it refused sees why, until it is settled."""
    facts = {
        "kind": judged.kind,
        "name": judged.name[:128],
        "status": judged.status[:64],
        "ref": judged.ref,
        "step": judged.step,
        "registration_id": judged.registration_id,
        "under_way": judged.under_way,
        "note": judged.note,
    }
    if known is None:
        Finding.objects.create(scan=scan, what=judged.what, sid=judged.sid, action=judged.action, **facts)
        return
    Finding.objects.filter(pk=known.pk).update(scan=scan, **facts)
    # An act under way keeps what it was asked to do.
    Finding.objects.filter(pk=known.pk, state__in=_OPEN).update(action=judged.action)


def _settle_retired(verdict: Verdict) -> None:
    now = clock.now()
    for rows, missing_since in ((verdict.still_there, None), (verdict.gone, now)):
        pks = [row.pk for row in rows]
        for start in range(0, len(pks), 500):
            RetiredResource.objects.filter(pk__in=pks[start : start + 500]).update(
                checked_at=now, missing_since=missing_since
            )
    for row in verdict.gone:
        label = KINDS[row.kind].label if row.kind in KINDS else row.kind
        timeline.record(row.registration, "retired:gone", f"{label}: gone at Twilio.", sid=row.sid)

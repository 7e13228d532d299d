"""Runs one scan, from the request to its findings. State lives in the database; jobs only trigger processing."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction

from registrations.core import clock, queue
from registrations.models import Finding, RetiredResource, Scan
from registrations.twilio.client import TwilioClient, errors, get_client
from registrations.workflow import timeline

from . import remote_inventory
from .compare import Comparison, Difference, WrongAccount, compare
from .resource_types import RESOURCE_TYPES

log = logging.getLogger(__name__)

# Longer than one call's timeouts and a job's: a slow scan keeps its lease.
LEASE = timedelta(seconds=120)
# The queue kills a job after 90 s (settings.Q_CLUSTER).
JOB_SECONDS = 60.0
TOO_LONG = "The account is too large for one job. Run manage.py reconcile, which has no time limit."

_OPEN = (Finding.State.OPEN, Finding.State.FAILED)


class TooLong(Exception):
    """The job must end before the queue kills it."""


class LeaseLost(Exception):
    """Another process has the scan now."""


def request(*, actor: str, enqueue: bool = True) -> Scan:
    """Have the account read. Returns the open scan if there is one, instead of a second.

    `enqueue=False`: the caller runs it.
    """
    try:
        with transaction.atomic():
            scan = Scan.objects.create(requested_by=actor[:150])
            if enqueue:
                queue.enqueue_scan(scan.pk)
            return scan
    except IntegrityError:
        return Scan.objects.filter(state=Scan.State.OPEN).first() or request(actor=actor, enqueue=enqueue)


def run(
    pk: int,
    *,
    client: TwilioClient | None = None,
    seconds: float | None = JOB_SECONDS,
    pause: Callable[[], None] = lambda: None,
    wait: Callable[[float], None] | None = None,
) -> bool:
    """Read and compare. False if it is already done, or another process has it.

    `seconds`: the time limit, None for no limit. `pause` is called between portions of a list, `wait(seconds)` before
    a failed list is read again (None: it is not). Twilio's errors end the scan; our own are raised.
    """
    began = clock.now()
    scans = Scan.objects.filter(state=Scan.State.OPEN)
    token = scans.claim(pk, lasts=LEASE, started_at=began)
    if token is None:
        return False
    until = time.monotonic() + seconds if seconds is not None else None

    def heartbeat() -> None:
        if not scans.renew(pk, token, lasts=LEASE):
            raise LeaseLost
        if until is not None and time.monotonic() > until:
            raise TooLong
        pause()

    def fail(why: str) -> None:
        scans.release(pk, token, state=Scan.State.FAILED, error=why, finished_at=clock.now())

    try:
        inventory = remote_inventory.read_account(client or get_client(), heartbeat, wait)
        comparison = compare(inventory, began)
        with transaction.atomic():
            if scan := scans.select_for_update().owned(pk, token).first():
                counts = _store(scan, comparison, dict(inventory.read))
                scans.release(pk, token, state=Scan.State.DONE, finished_at=clock.now(), counts=counts)
    except LeaseLost:
        return False
    except (errors.TwilioError, WrongAccount) as error:
        fail(str(error))
    except TooLong:
        fail(TOO_LONG)
    except Exception as error:
        fail(f"Internal error: {type(error).__name__}. The log has the details.")
        raise
    return True


def claim_lost() -> list[int]:
    """For the sweep: open scans that no process has, because the queue lost them or the worker died."""
    scans = Scan.objects.filter(state=Scan.State.OPEN)
    scans.free_dead()
    return scans.free().claim_lost()


# --- storing ------------------------------------------------------------------------------------------------------
def _store(scan: Scan, comparison: Comparison, read: dict[str, int]) -> dict[str, object]:
    """Save the findings; returns the scan's counts."""
    now = clock.now()
    _update_retired(comparison)
    findings = comparison.findings
    unsettled = {
        (row.finding_type, row.sid): row for row in Finding.objects.exclude(state=Finding.State.DONE)
    }
    for difference in findings:
        _save_finding(scan, difference, unsettled.pop((difference.finding_type, difference.sid), None))
    # Whatever was not found again is settled, except a finding whose action is in progress: that ends by itself.
    closed = Finding.objects.filter(pk__in=[row.pk for row in unsettled.values()], state__in=_OPEN).update(
        state=Finding.State.DONE, result="Not found anymore.", settled_at=now, scan=scan
    )
    return {
        "read": read,
        "found": dict(Counter(row.finding_type for row in findings if not row.in_progress)),
        "in_progress": sum(row.in_progress for row in findings),
        "closed": closed,
    }


def _save_finding(scan: Scan, difference: Difference, known: Finding | None) -> None:
    """One row per object over all scans, so the reason of a refusal stays visible until the finding is settled."""
    values = {
        "resource_type": difference.resource_type,
        "name": difference.name[:128],
        "status": difference.status[:64],
        "ref": difference.ref,
        "step": difference.step,
        "registration_id": difference.registration_id,
        "in_progress": difference.in_progress,
        "note": difference.note,
    }
    if known is None:
        Finding.objects.create(
            scan=scan,
            finding_type=difference.finding_type,
            sid=difference.sid,
            action=difference.action,
            **values,
        )
        return
    Finding.objects.filter(pk=known.pk).update(scan=scan, **values)
    # An action in progress stays what was requested.
    Finding.objects.filter(pk=known.pk, state__in=_OPEN).update(action=difference.action)


def _update_retired(comparison: Comparison) -> None:
    now = clock.now()
    for rows, missing_since in ((comparison.still_there, None), (comparison.gone, now)):
        pks = [row.pk for row in rows]
        for start in range(0, len(pks), 500):
            RetiredResource.objects.filter(pk__in=pks[start : start + 500]).update(
                checked_at=now, missing_since=missing_since
            )
    for row in comparison.gone:
        label = RESOURCE_TYPES[row.kind].label if row.kind in RESOURCE_TYPES else row.kind
        timeline.record(row.registration, "retired:gone", f"{label}: gone at Twilio.", sid=row.sid)

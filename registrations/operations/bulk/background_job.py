"""Work on many rows, carried on by jobs: one worker at a time, a bounded time a job, every row's outcome
committed with the row. The row of the work is the truth, the job is only a doorbell.

`kinds` of work (bulk acts, imports) bring a function that does one small portion and says whether anything
is left. A killed worker loses at most the portion it had not committed; the sweep rings again.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from registrations.core import clock, queue
from registrations.models import BackgroundJob, Batch, Import
from registrations.models.choices import JobState
from registrations.workflow.runner import lease

from . import notices

log = logging.getLogger(__name__)

# One portion: does a few rows, and returns whether rows are left for another.
Portion = Callable[[Any], bool]

OPEN = (JobState.PREPARING, JobState.RUNNING)
# A job of the queue is killed after 90 s; it also should let others in between.
JOB_SECONDS = 20.0
RING_AGAIN = timedelta(seconds=30)
# At most so long others may write between two rows.
WAY_SECONDS = 0.1


class Refused(Exception):
    """It cannot be done now; the message says why, and what to do instead."""


def advance(model: type[BackgroundJob], pk: int, portion: Portion, seconds: float = JOB_SECONDS) -> None:
    """The job: portions until nothing is left, the time is up (then the next job is enqueued), or a person cancelled.

    A portion that raises ends the work as FAILED with a plain sentence; the log has the traceback. When the
    database is locked or away for a moment, what is left is for the next job.
    """
    token = _claim(model, pk)
    if token is None:
        return
    until = time.monotonic() + seconds
    left, portions = True, 0
    try:
        while left and time.monotonic() < until:
            work = _mine(model, pk, token)
            if work is None:
                return
            left = portion(work)
            portions += 1
    except Exception as error:
        if isinstance(error, OperationalError) and portions:
            log.warning("%s %s: the database failed a portion; the next job does it", model.__name__, pk)
            raise  # the lease is given back, and the sweep rings: nothing is known of this connection
        _owned(model, pk, token).filter(state__in=OPEN).update(
            state=JobState.FAILED,
            finished_at=clock.now(),
            error=f"An error of ours stopped this ({type(error).__name__}). What is done stays done; an engineer "
            "finds the details in the log. It can be started again.",
        )
        _tell_stopped(model, pk)
        raise
    finally:
        _release(model, pk, token)
    if left:
        _enqueue(model, pk)


def _tell_stopped(model: type[BackgroundJob], pk: int) -> None:
    work = _rows(model).filter(pk=pk, state=JobState.FAILED).first()
    if isinstance(work, Batch):
        notices.notify_batch_done(work)
    elif isinstance(work, Import):
        notices.notify_import_done(work)


def _enqueue(model: type[BackgroundJob], pk: int) -> None:
    (queue.enqueue_batch if issubclass(model, Batch) else queue.enqueue_import)(pk)


def _claim(model: type[BackgroundJob], pk: int) -> str | None:
    now, token = clock.now(), lease.new_token()
    taken = (
        _rows(model)
        .filter(_free(now), pk=pk, state__in=OPEN)
        .update(lease_until=now + _span(), lease_token=token, enqueued_at=None)
    )
    if taken:
        _rows(model).filter(pk=pk, started_at=None).update(started_at=now)
    return token if taken else None


def _mine(model: type[BackgroundJob], pk: int, token: str) -> BackgroundJob | None:
    """The work as it is now with its lease renewed; None when it was cancelled or another worker has it."""
    if not _owned(model, pk, token).filter(state__in=OPEN).update(lease_until=clock.now() + _span()):
        return None
    return _rows(model).get(pk=pk)


def _release(model: type[BackgroundJob], pk: int, token: str) -> None:
    _owned(model, pk, token).update(lease_until=None, lease_token="")


def _owned(model: type[BackgroundJob], pk: int, token: str) -> Any:
    return _rows(model).filter(pk=pk, lease_token=token)


def _rows(model: type[BackgroundJob]) -> Any:
    return model._default_manager.all()


def _free(now: Any) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _span() -> timedelta:
    return timedelta(seconds=settings.A2P_LEASE_SECONDS)


def claim_forgotten(model: type[BackgroundJob]) -> list[int]:
    """Open work that no worker is at: its job was lost, or its worker died. For the sweep; marked as rung."""
    now = clock.now()
    for pk, token in (
        _rows(model).filter(state__in=OPEN).exclude(lease_token="").values_list("pk", "lease_token")
    ):
        if not lease.is_alive(token):
            _owned(model, pk, token).update(lease_until=None, lease_token="")
    lost = _free(now) & (Q(enqueued_at=None) | Q(enqueued_at__lt=now - RING_AGAIN))
    pks = _rows(model).filter(lost, state__in=OPEN).values_list("pk", flat=True)
    return [
        pk for pk in list(pks) if _rows(model).filter(lost, pk=pk, state__in=OPEN).update(enqueued_at=now)
    ]


def make_way(began: float) -> None:
    """After a row that began at `began` (monotonic): leave the database to others for as long as it took.

    SQLite lets one write at a time, and who waits looks again every 0.1 s: work that writes row after row without
    a gap would keep out registrations, deliveries and sign-ins until it ends. Other databases lock rows.
    """
    if connection.vendor == "sqlite":
        time.sleep(min(WAY_SECONDS, time.monotonic() - began))  # noqa: TID251  a gap between two writes, no wait


# --- what a person does to it ---------------------------------------------------------------------------------
def start(work: BackgroundJob) -> None:
    """Inside the transaction that created it: have a worker prepare it."""
    _rows(type(work)).filter(pk=work.pk).update(enqueued_at=clock.now())
    _enqueue(type(work), work.pk)


def confirm(work: BackgroundJob) -> None:
    """Do what the dry run showed. Pressing it twice is harmless."""
    _move(work, (JobState.READY,), JobState.RUNNING, confirmed_at=clock.now())


def restart(work: BackgroundJob) -> None:
    """Go on with the rows that are left, after Cancel or an error of ours."""
    back = JobState.RUNNING if work.confirmed_at else JobState.PREPARING
    _move(work, (JobState.CANCELLED, JobState.FAILED), back, cancelled_by="", error="", finished_at=None)


def cancel(work: BackgroundJob, *, actor: str) -> None:
    """Stop after the row that is being done; what is done stays done."""
    states = (*OPEN, JobState.READY)
    _rows(type(work)).filter(pk=work.pk, state__in=states).update(
        state=JobState.CANCELLED, cancelled_by=actor[:150], finished_at=clock.now()
    )


def prepared(work: BackgroundJob, total: int) -> None:
    """The dry run is done: wait for a person."""
    _rows(type(work)).filter(pk=work.pk, state=JobState.PREPARING).update(state=JobState.READY, total=total)


def finished(work: BackgroundJob) -> None:
    _rows(type(work)).filter(pk=work.pk, state=JobState.RUNNING).update(
        state=JobState.DONE, finished_at=clock.now()
    )


def failed(work: BackgroundJob, error: str) -> None:
    """The work as a whole cannot be done; `error` tells a person why."""
    _rows(type(work)).filter(pk=work.pk, state__in=OPEN).update(
        state=JobState.FAILED, finished_at=clock.now(), error=error
    )


def _move(work: BackgroundJob, states: tuple[JobState, ...], to: JobState, **values: Any) -> None:
    with transaction.atomic():
        moved = (
            _rows(type(work))
            .filter(pk=work.pk, state__in=states)
            .update(state=to, enqueued_at=clock.now(), **values)
        )
        if moved:
            _enqueue(type(work), work.pk)
            return
        now = _rows(type(work)).values_list("state", flat=True).get(pk=work.pk)
    if now != to and now != JobState.DONE:
        raise Refused(f"This is {JobState(now).label.lower()} now. Look at the page again.")

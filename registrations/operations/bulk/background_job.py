"""Runs work on many rows in background jobs: one worker at a time, a limited time per job.

State lives in the database; jobs only trigger processing. Bulk actions and imports bring a function that does one
small portion. Every row's outcome is committed with the row, so a killed worker loses at most the portion it had
not committed, and the sweep enqueues the next job.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection, transaction

from registrations.core import clock, queue
from registrations.models import BackgroundJob, Batch, Import
from registrations.models.choices import JobState
from registrations.operations.actions import Refused

from . import notices

log = logging.getLogger(__name__)

# Does a few rows; returns whether rows are left for another portion.
Portion = Callable[[Any], bool]

OPEN = (JobState.PREPARING, JobState.RUNNING)
# The queue kills a job after 90 s. Stopping earlier lets other jobs run in between.
JOB_SECONDS = 20.0
# The longest pause between two rows for other writers.
MAX_PAUSE_SECONDS = 0.1


def advance(model: type[BackgroundJob], pk: int, portion: Portion, seconds: float = JOB_SECONDS) -> None:
    """Run portions until nothing is left, the time is up (then the next job is enqueued), or a person cancels.

    If a portion raises, the job ends as FAILED with a plain sentence; the log has the traceback. If the database
    fails after the first portion, the rest is left to the next job.
    """
    jobs = model._default_manager.filter(state__in=OPEN)
    token = jobs.claim(pk)
    if token is None:
        return
    model._default_manager.filter(pk=pk, started_at=None).update(started_at=clock.now())
    until = time.monotonic() + seconds
    left, portions = True, 0
    try:
        while left and time.monotonic() < until:
            if not jobs.renew(pk, token):
                return  # cancelled, or another worker has it
            left = portion(model._default_manager.get(pk=pk))
            portions += 1
    except Exception as error:
        if isinstance(error, OperationalError) and portions:
            log.warning("%s %s: a database error; the next job continues", model.__name__, pk)
            raise  # The state of this connection is unknown: the sweep enqueues the next job.
        jobs.owned(pk, token).update(
            state=JobState.FAILED,
            finished_at=clock.now(),
            error=f"Stopped by an internal error ({type(error).__name__}). Finished rows stay finished, and it can be "
            "restarted. The log has the details.",
        )
        _notify_stopped(model, pk)
        raise
    finally:
        model._default_manager.release(pk, token)
    if left:
        _enqueue(model, pk)


def claim_lost(model: type[BackgroundJob]) -> list[int]:
    """For the sweep: open jobs that no worker has, because the queue lost them or the worker died."""
    jobs = model._default_manager.filter(state__in=OPEN)
    jobs.free_dead()
    return jobs.free().claim_lost()


def _notify_stopped(model: type[BackgroundJob], pk: int) -> None:
    job = model._default_manager.filter(pk=pk, state=JobState.FAILED).first()
    if isinstance(job, Batch):
        notices.notify_batch_done(job)
    elif isinstance(job, Import):
        notices.notify_import_done(job)


def _enqueue(model: type[BackgroundJob], pk: int) -> None:
    (queue.enqueue_batch if issubclass(model, Batch) else queue.enqueue_import)(pk)


def pause_for_other_writers(began: float) -> None:
    """After a row that began at `began` (monotonic): leave the database to others for as long as the row took.

    SQLite allows one writer at a time, and waiting writers retry every 0.1 s. Without a pause, row after row would
    block registrations, webhooks, and sign-ins until the job ends. Other databases lock rows.
    """
    if connection.vendor == "sqlite":
        time.sleep(min(MAX_PAUSE_SECONDS, time.monotonic() - began))  # noqa: TID251  a gap between two writes


# --- what a person does ------------------------------------------------------------------------------------------
def start(job: BackgroundJob) -> None:
    """Have a worker prepare it. Call inside the transaction that created it."""
    _rows(job).update(enqueued_at=clock.now())
    _enqueue(type(job), job.pk)


def confirm(job: BackgroundJob) -> None:
    """Run what the dry run showed. Confirming twice is harmless."""
    _move(job, (JobState.READY,), JobState.RUNNING, confirmed_at=clock.now())


def restart(job: BackgroundJob) -> None:
    """Continue with the rows that are left, after Cancel or an internal error."""
    back = JobState.RUNNING if job.confirmed_at else JobState.PREPARING
    _move(job, (JobState.CANCELLED, JobState.FAILED), back, cancelled_by="", error="", finished_at=None)


def cancel(job: BackgroundJob, *, actor: str) -> None:
    """Stop after the current row; finished rows stay finished."""
    _rows(job).filter(state__in=(*OPEN, JobState.READY)).update(
        state=JobState.CANCELLED, cancelled_by=actor[:150], finished_at=clock.now()
    )


def prepared(job: BackgroundJob, total: int) -> None:
    """The dry run is done: wait for a person."""
    _rows(job).filter(state=JobState.PREPARING).update(state=JobState.READY, total=total)


def finished(job: BackgroundJob) -> None:
    _rows(job).filter(state=JobState.RUNNING).update(state=JobState.DONE, finished_at=clock.now())


def failed(job: BackgroundJob, error: str) -> None:
    """The job as a whole cannot be done; `error` tells a person why."""
    _rows(job).filter(state__in=OPEN).update(state=JobState.FAILED, finished_at=clock.now(), error=error)


def _rows(job: BackgroundJob) -> Any:
    return type(job)._default_manager.filter(pk=job.pk)


def _move(job: BackgroundJob, states: tuple[JobState, ...], to: JobState, **values: Any) -> None:
    with transaction.atomic():
        moved = _rows(job).filter(state__in=states).update(state=to, enqueued_at=clock.now(), **values)
        if moved:
            _enqueue(type(job), job.pk)
            return
        now = _rows(job).values_list("state", flat=True).get()
    if now not in (to, JobState.DONE):
        raise Refused(f"This is {JobState(now).label.lower()} now. Check the page again.")

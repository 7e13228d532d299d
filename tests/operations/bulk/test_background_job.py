"""Work on many rows: one worker at a time, a bounded time, cancelled and started again, never lost."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from registrations.core import clock, queue
from registrations.models import Batch, leases
from registrations.models.choices import JobState
from registrations.operations.bulk import background_job
from tests.queued import queued

pytestmark = pytest.mark.django_db


class Rows:
    """A kind of work that only counts what it does."""

    def __init__(self, rows: int) -> None:
        self.left, self.done = rows, 0

    def portion(self, work: Batch) -> bool:
        self.left, self.done = self.left - 1, self.done + 1
        if not self.left:
            background_job.finished(work)
        return self.left > 0

    def advance(self, work: Batch, seconds: float = 20.0) -> None:
        background_job.advance(Batch, work.pk, self.portion, seconds)


@pytest.fixture
def work() -> Batch:
    return Batch.objects.create(kind="refresh", actor="ann", state=JobState.RUNNING, confirmed_at=clock.now())


def test_it_runs_to_its_end(work):
    rows = Rows(5)
    rows.advance(work)
    work.refresh_from_db()
    assert (rows.done, work.state, work.lease_token, queued(queue.BATCH)) == (5, JobState.DONE, "", [])
    assert work.started_at
    assert work.finished_at


def test_out_of_time_it_enqueues_for_the_next_job(work):
    rows = Rows(5)
    rows.advance(work, seconds=0)
    assert (rows.done, queued(queue.BATCH)) == (0, [(work.pk,)])
    rows.advance(work)
    assert rows.done == 5


def test_one_worker_at_a_time(work):
    Batch.objects.filter(pk=work.pk).update(
        lease_until=clock.now() + timedelta(seconds=60), lease_token="elsewhere"
    )
    rows = Rows(3)
    rows.advance(work)
    assert rows.done == 0


def test_cancel_takes_effect_between_portions(work):
    rows = Rows(5)

    def portion(current: Batch) -> bool:
        left = rows.portion(current)
        if rows.done == 2:
            background_job.cancel(current, actor="bo")
        return left

    background_job.advance(Batch, work.pk, portion)
    work.refresh_from_db()
    assert (rows.done, work.state, work.cancelled_by, queued(queue.BATCH)) == (
        2,
        JobState.CANCELLED,
        "bo",
        [],
    )
    background_job.restart(work)
    rows.advance(work)
    work.refresh_from_db()
    assert (rows.done, work.state, queued(queue.BATCH)) == (5, JobState.DONE, [(work.pk,)])


def test_an_error_of_ours_ends_it_and_it_can_be_started_again(work):
    def portion(current: Batch) -> bool:
        raise ValueError("+14155552671")

    with pytest.raises(ValueError):
        background_job.advance(Batch, work.pk, portion)
    work.refresh_from_db()
    assert work.state == JobState.FAILED
    assert "ValueError" in work.error
    assert "+1415" not in work.error
    rows = Rows(2)
    background_job.restart(work)
    rows.advance(work)
    work.refresh_from_db()
    assert (work.state, work.error) == (JobState.DONE, "")


def test_confirm_twice_is_one_confirm(work):
    Batch.objects.filter(pk=work.pk).update(state=JobState.READY)
    background_job.confirm(work)
    background_job.confirm(work)
    assert queued(queue.BATCH) == [(work.pk,)]


def test_what_is_cancelled_cannot_be_confirmed(work):
    background_job.cancel(work, actor="ann")
    with pytest.raises(background_job.Refused, match="cancelled"):
        background_job.confirm(work)


def test_the_sweep_finds_lost_work_once(work):
    assert background_job.claim_lost(Batch) == [work.pk]
    assert background_job.claim_lost(Batch) == []


def test_the_sweep_frees_the_work_of_a_dead_worker(work):
    gone = lease_of_a_dead_process()
    Batch.objects.filter(pk=work.pk).update(lease_until=clock.now() + timedelta(seconds=60), lease_token=gone)
    assert background_job.claim_lost(Batch) == [work.pk]


def test_a_worker_on_another_machine_keeps_its_work(work):
    elsewhere = "othermachine:999999999:1.00:abc"
    later = clock.now() + timedelta(seconds=60)
    Batch.objects.filter(pk=work.pk).update(lease_until=later, lease_token=elsewhere)
    assert background_job.claim_lost(Batch) == []


def lease_of_a_dead_process() -> str:
    return f"{leases.machine()}:999999999:1.00:abc"


def test_a_database_that_is_locked_for_a_moment_ends_the_job_and_not_the_work(work):
    rows = Rows(3)

    def portion(current: Batch) -> bool:
        if rows.done == 1:
            raise OperationalError("database is locked")
        return rows.portion(current)

    with pytest.raises(OperationalError):
        background_job.advance(Batch, work.pk, portion)
    work.refresh_from_db()
    assert (work.state, work.lease_token, work.error) == (JobState.RUNNING, "", "")
    assert background_job.claim_lost(Batch) == [work.pk]
    # When the next job fails at once, it is no moment.
    with pytest.raises(OperationalError):
        background_job.advance(Batch, work.pk, portion)
    work.refresh_from_db()
    assert work.state == JobState.FAILED
    background_job.restart(work)
    rows.advance(work)
    assert rows.done == 3


def test_on_sqlite_others_may_write_between_two_rows(monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(background_job.time, "sleep", pauses.append)
    monkeypatch.setattr(background_job, "connection", SimpleNamespace(vendor="postgresql"))
    background_job.pause_for_other_writers(0)
    monkeypatch.setattr(background_job, "connection", SimpleNamespace(vendor="sqlite"))
    monkeypatch.setattr(background_job.time, "monotonic", lambda: 100.02)
    background_job.pause_for_other_writers(100)
    background_job.pause_for_other_writers(90)
    assert pauses == [pytest.approx(0.02), background_job.MAX_PAUSE_SECONDS]

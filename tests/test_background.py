"""Work on many rows: one worker at a time, a bounded time, cancelled and started again, never lost."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from registrations import background, clock
from registrations.models import Batch
from registrations.states import WorkState

pytestmark = pytest.mark.django_db


class Rows:
    """A kind of work that only counts what it does."""

    def __init__(self, rows: int) -> None:
        self.left, self.done, self.rung = rows, 0, []

    def portion(self, work: Batch) -> bool:
        self.left, self.done = self.left - 1, self.done + 1
        if not self.left:
            background.finished(work)
        return self.left > 0

    def advance(self, work: Batch, seconds: float = 20.0) -> None:
        background.advance(Batch, work.pk, self.portion, self.rung.append, seconds)


@pytest.fixture
def work() -> Batch:
    return Batch.objects.create(
        kind="refresh", actor="ann", state=WorkState.RUNNING, confirmed_at=clock.now()
    )


def test_it_runs_to_its_end(work):
    rows = Rows(5)
    rows.advance(work)
    work.refresh_from_db()
    assert (rows.done, work.state, work.lease_token, rows.rung) == (5, WorkState.DONE, "", [])
    assert work.started_at
    assert work.finished_at


def test_out_of_time_it_rings_for_the_next_job(work):
    rows = Rows(5)
    rows.advance(work, seconds=0)
    assert (rows.done, rows.rung) == (0, [work.pk])
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
            background.cancel(current, actor="bo")
        return left

    background.advance(Batch, work.pk, portion, rows.rung.append)
    work.refresh_from_db()
    assert (rows.done, work.state, work.cancelled_by, rows.rung) == (2, WorkState.CANCELLED, "bo", [])
    background.restart(work, rows.rung.append)
    rows.advance(work)
    work.refresh_from_db()
    assert (rows.done, work.state, rows.rung) == (5, WorkState.DONE, [work.pk])


def test_an_error_of_ours_ends_it_and_it_can_be_started_again(work):
    def portion(current: Batch) -> bool:
        raise ValueError("+14155552671")

    with pytest.raises(ValueError):
        background.advance(Batch, work.pk, portion, lambda pk: None)
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    assert "ValueError" in work.error
    assert "+1415" not in work.error
    rows = Rows(2)
    background.restart(work, rows.rung.append)
    rows.advance(work)
    work.refresh_from_db()
    assert (work.state, work.error) == (WorkState.DONE, "")


def test_confirm_twice_is_one_confirm(work):
    Batch.objects.filter(pk=work.pk).update(state=WorkState.READY)
    rung: list[int] = []
    background.confirm(work, rung.append)
    background.confirm(work, rung.append)
    assert rung == [work.pk]


def test_what_is_cancelled_cannot_be_confirmed(work):
    background.cancel(work, actor="ann")
    with pytest.raises(background.Refused, match="cancelled"):
        background.confirm(work, lambda pk: None)


def test_the_sweep_finds_lost_work_once(work):
    assert background.claim_forgotten(Batch) == [work.pk]
    assert background.claim_forgotten(Batch) == []


def test_the_sweep_frees_the_work_of_a_dead_worker(work):
    gone = lease_of_a_dead_process()
    Batch.objects.filter(pk=work.pk).update(lease_until=clock.now() + timedelta(seconds=60), lease_token=gone)
    assert background.claim_forgotten(Batch) == [work.pk]


def lease_of_a_dead_process() -> str:
    return "machine:999999999:1.00:abc"


def test_a_database_that_is_locked_for_a_moment_ends_the_job_and_not_the_work(work):
    rows = Rows(3)

    def portion(current: Batch) -> bool:
        if rows.done == 1:
            raise OperationalError("database is locked")
        return rows.portion(current)

    with pytest.raises(OperationalError):
        background.advance(Batch, work.pk, portion, rows.rung.append)
    work.refresh_from_db()
    assert (work.state, work.lease_token, work.error) == (WorkState.RUNNING, "", "")
    assert background.claim_forgotten(Batch) == [work.pk]
    # When the next job fails at once, it is no moment.
    with pytest.raises(OperationalError):
        background.advance(Batch, work.pk, portion, rows.rung.append)
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    background.restart(work, rows.rung.append)
    rows.advance(work)
    assert rows.done == 3


def test_on_sqlite_others_may_write_between_two_rows(monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(background.time, "sleep", pauses.append)
    monkeypatch.setattr(background, "connection", SimpleNamespace(vendor="postgresql"))
    background.make_way(0)
    monkeypatch.setattr(background, "connection", SimpleNamespace(vendor="sqlite"))
    monkeypatch.setattr(background.time, "monotonic", lambda: 100.02)
    background.make_way(100)
    background.make_way(90)
    assert pauses == [pytest.approx(0.02), background.WAY_SECONDS]

"""The queue: due times, order, transactions, what a job carries."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Task

from registrations.core import queue
from registrations.core.broker import EtaORM
from registrations.models import CachedStatistic, Heartbeat, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.reporting import statistics
from registrations.worker import due_work, jobs, sweeper
from registrations.workflow.runner import runner

pytestmark = pytest.mark.django_db


def take_all(monkeypatch):
    monkeypatch.setattr("registrations.core.broker.time.sleep", lambda seconds: None)
    broker, taken = EtaORM(), []
    while claimed := broker.dequeue():
        taken += [OrmQ(payload=payload).task["args"][0] for _, payload in claimed]
    return taken


def test_first_due_first_served_and_nothing_before_its_time(monkeypatch):
    now = timezone.now()
    queue.enqueue(1, now - timedelta(seconds=5))
    queue.enqueue(2, now + timedelta(minutes=5))
    queue.enqueue(3)
    queue.enqueue(4, now - timedelta(seconds=9))
    assert take_all(monkeypatch) == [4, 1, 3]
    OrmQ.objects.filter(lock__lt=now + timedelta(minutes=5, seconds=1)).update(lock=now)
    assert take_all(monkeypatch) == [2]


def test_a_taken_job_is_not_taken_again(monkeypatch):
    queue.enqueue(1)
    assert take_all(monkeypatch) == [1]
    assert take_all(monkeypatch) == []
    assert OrmQ.objects.get().lock > timezone.now() + timedelta(seconds=300)


def test_a_claim_lost_to_another_cluster_yields_nothing(monkeypatch):
    monkeypatch.setattr("registrations.core.broker.time.sleep", lambda seconds: None)
    queue.enqueue(1)
    seen = list(OrmQ.objects.all())
    assert EtaORM().dequeue()
    later = EtaORM()
    monkeypatch.setattr(
        later,
        "get_connection",
        lambda: SimpleNamespace(
            filter=lambda **kw: _Stale(seen) if "lock__lte" in kw else OrmQ.objects.filter(**kw),
        ),
    )
    assert later.dequeue() is None


class _Stale:
    """What a slower cluster read before a faster one claimed the row."""

    def __init__(self, rows):
        self.rows = rows

    def order_by(self, *fields):
        return self.rows


@pytest.mark.django_db(transaction=True)
def test_enqueue_commits_or_rolls_back_with_the_callers_transaction():
    @transaction.atomic
    def enqueue_and_fail():
        queue.enqueue(1)
        assert OrmQ.objects.count() == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        enqueue_and_fail()
    assert OrmQ.objects.count() == 0
    with transaction.atomic():
        queue.enqueue(2)
    assert OrmQ.objects.get().task["args"] == (2,)


def test_a_job_carries_the_id_and_nothing_else():
    queue.enqueue(7)
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == (queue.ADVANCE, (7,), {})


def test_released_rows_are_due_again_but_later_ones_keep_their_time(monkeypatch):
    queue.enqueue(1)
    queue.enqueue(2, timezone.now() + timedelta(hours=1))
    take_all(monkeypatch)
    taken = OrmQ.objects.order_by("lock").first()
    assert queue.release({taken.pk}) == 1
    assert take_all(monkeypatch) == [1]


def test_queue_depth():
    queue.enqueue(1, timezone.now() - timedelta(seconds=50))
    queue.enqueue(2)
    queue.enqueue(3, timezone.now() + timedelta(hours=1))
    depth = queue.queue_depth()
    assert (depth.due, depth.later) == (2, 1)
    assert depth.oldest_due == queue.oldest_due() == OrmQ.objects.order_by("lock").first().lock


def test_prune_keeps_recent_rows():
    now = timezone.now()
    for number, (success, days) in enumerate([(True, 1), (True, 3), (False, 3), (False, 31)]):
        then = now - timedelta(days=days)
        Task.objects.create(
            id=str(number), name=str(number), func="f", success=success, started=then, stopped=then
        )
    Heartbeat.objects.create(name="worker:old:1", at=now - timedelta(days=3))
    Heartbeat.objects.create(name="worker:new:1", at=now)
    Heartbeat.objects.create(name="event-streams", at=now - timedelta(days=300))
    assert jobs.prune() == 3
    assert set(Task.objects.values_list("id", flat=True)) == {"0", "2"}
    assert {row.name for row in Heartbeat.objects.all()} == {"worker:new:1", "event-streams"}


def test_sweep_enqueues_everything_due(monkeypatch):
    monkeypatch.setattr(sweeper, "runner", SimpleNamespace(claim_due=lambda served_to: [4, 6]))
    assert sweeper.sweep() == 2
    assert [row.task["args"] for row in OrmQ.objects.order_by("pk")] == [(4,), (6,)]


def test_sweep_skips_registrations_whose_job_is_still_in_the_queue():
    """Otherwise thousands of registrations that wait their turn would be enqueued again and again."""
    now = timezone.now()
    for minutes in (9, 5, 1):
        queue.enqueue(0, now - timedelta(minutes=minutes))
        next_run_at = now - timedelta(minutes=minutes, seconds=5)
        Registration.objects.create(label=f"{minutes}", next_run_at=next_run_at)
    Registration.objects.create(label="dead", lease_until=now - timedelta(seconds=5))
    enqueued = Registration.objects.order_by("pk").exclude(enqueued_at=None).values_list("label", flat=True)
    assert sweeper.sweep() == 2
    assert list(enqueued.all()) == ["9", "dead"], "the queue has reached minute 9; a dead worker has no job"
    OrmQ.objects.filter(lock__lt=now - timedelta(minutes=2)).delete()
    assert sweeper.sweep() == 2
    assert list(enqueued.all()) == ["9", "5", "1", "dead"]


@pytest.mark.parametrize("enqueue", [queue.enqueue_batch, queue.enqueue_import])
def test_bulk_work_waits_for_a_few_jobs_and_not_for_all(enqueue):
    now = timezone.now()
    enqueue(1)
    assert OrmQ.objects.get().lock >= now, "nothing is before it"
    for number in range(queue.JOBS_AHEAD + 30):
        queue.enqueue(number, now - timedelta(seconds=100 - number))
    enqueue(2)
    late = OrmQ.objects.latest("pk").lock
    assert OrmQ.objects.filter(lock__lt=late).count() == queue.JOBS_AHEAD


@pytest.mark.parametrize(("scale", "seconds"), [(1, 15), (0.1, 6), (0.001, 1)])
def test_sweep_interval_follows_the_time_scale_within_bounds(settings, scale, seconds):
    settings.A2P_TIME_SCALE = scale
    assert sweeper.sweep_interval() == seconds


def test_the_queue_has_its_index():
    from django.db import connection

    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "django_q_ormq")
    assert constraints["a2p_queue_due"]["columns"] == ["key", "lock"]


def test_two_jobs_for_one_registration_advance_it_once(monkeypatch):
    """Double clicks and redelivered jobs: the second job finds nothing to do."""
    advanced = []

    def run(pk, token):
        advanced.append(pk)
        jobs.advance(pk)  # a redelivered job while the first one runs: the lease keeps it out
        return runner.Stop(Stage.PROFILE, WaitingFor.TWILIO, "Waiting."), None

    monkeypatch.setattr(runner, "_run", run)
    registration = Registration.objects.create(label="Ada", next_run_at=timezone.now())
    jobs.advance(registration.pk)
    jobs.advance(registration.pk)
    assert advanced == [registration.pk]


def test_a_finished_job_leaves_one_job_at_the_next_run_time(monkeypatch):
    next_run_at = timezone.now() + timedelta(minutes=7)
    waiting = runner.Wait(next_run_at, Stage.BRAND, WaitingFor.TWILIO, "Waiting.")
    monkeypatch.setattr(runner, "_run", lambda pk, token: (waiting, None))
    registration = Registration.objects.create(label="Ada", next_run_at=timezone.now())
    jobs.advance(registration.pk)
    row = OrmQ.objects.get()
    assert (row.task["args"], row.lock) == ((registration.pk,), next_run_at)


def test_cached_statistics_are_refreshed_by_a_job(db):
    due_work.enqueue_due_statistics()
    assert not OrmQ.objects.exists()
    CachedStatistic.objects.create(
        name="standing", computed_at=timezone.now() - timedelta(minutes=2), data={"value": []}
    )
    due_work.enqueue_due_statistics()
    assert OrmQ.objects.get().task["func"] == queue.STATISTICS
    assert import_string(queue.STATISTICS) is statistics.refresh

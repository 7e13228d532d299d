"""`manage.py worker` for real: real processes, real signals, `kill -9` of each kind of process."""

import signal
from datetime import timedelta

import psutil
import pytest
from django.db import connections
from django.utils import timezone

from registrations.models import Heartbeat
from registrations.worker.processes import pause
from tests.worker.conftest import ALIAS, wait_until

pytestmark = pytest.mark.slow


def _beats():
    """Heartbeats of workers; the table also holds other rows."""
    return Heartbeat.objects.using(ALIAS).filter(name__startswith="worker:")


def test_runs_jobs_on_time_and_stops_cleanly_on_sigterm(service):
    due = timezone.now() + timedelta(seconds=6)
    service.enqueue(2, due)
    service.enqueue(1)
    worker = service.start()
    service.done(1)
    _, at = service.done(2)
    assert at >= due.timestamp()
    assert _beats().get().name.endswith(f":{worker.pid}")

    service.enqueue(1003)  # takes a second
    service.begun(1003)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert service.lines("end", 1003)
    assert service.ours() == []
    assert service.rows().count() == 0
    assert not _beats().exists()


def test_a_job_that_exceeds_the_grace_period_is_killed_and_released(service):
    service.enqueue(60_001)
    worker = service.start(A2P_STOP_GRACE_SECONDS="0.5")
    service.begun(60_001)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(10) == 0
    assert service.ours() == []
    assert not service.lines("end", 60_001)
    assert service.rows().get().lock <= timezone.now()


def test_recovers_from_kill_9_of_every_kind_of_process(service):
    """One supervisor survives them all; after each kill a single job still gets done."""
    worker = service.start()
    service.enqueue(1)
    service.done(1)
    for number, victim in enumerate(("workers", "pusher", "sentinel", "main", "monitor"), start=2):
        family = wait_until(lambda: _settled_family(service, worker))
        pause(0.3)  # idle workers sleep while they hold the queue's lock
        for process in family[victim] if victim == "workers" else [family[victim]]:
            process.kill()
        service.enqueue(number)
        service.done(number, seconds=20)
        if victim == "monitor":
            # The job ran; its acknowledgement never comes, so the cluster must be replaced and the row settled.
            wait_until(lambda: service.rows().count() == 0, 20)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert service.ours() == []


def _settled_family(service, worker):
    try:
        family = service.family(worker)
        return family if len(family["workers"]) == 2 else None
    except (IndexError, psutil.Error):  # just being replaced
        return None


def test_a_busy_worker_killed_does_not_stop_the_others(service):
    worker = service.start()
    service.enqueue(5001)
    pid, _ = service.begun(5001)
    victim = next(process for process in service.ours() if process.pid == pid)
    victim.kill()
    service.enqueue(2)
    service.done(2)
    assert "frozen" not in service.output()
    assert worker.poll() is None


def test_orphans_of_a_killed_supervisor_are_killed_by_the_next(service):
    first = service.start()
    service.enqueue(1)
    service.done(1)
    first.kill()
    first.wait()
    orphans = service.ours()
    assert len(orphans) == 6
    second = service.start()
    wait_until(lambda: not [process for process in orphans if process.is_running()])
    service.enqueue(2)
    service.done(2)
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == 0
    assert service.ours() == []


def test_two_supervisors_share_the_queue_and_leave_each_other_alone(service):
    first, second = service.start(workers=1), service.start(workers=1)
    wait_until(lambda: _beats().count() == 2)
    wait_until(lambda: len(service.ours()) == 12)
    for pk in range(1, 41):
        service.enqueue(pk)
    for pk in range(1, 41):
        service.done(pk)
        assert len(service.lines("begin", pk)) == 1
    assert first.poll() is None
    assert second.poll() is None


def test_jobs_signed_with_another_secret_key_come_back_by_the_sweep(service):
    service.enqueue(1)
    (service.folder / "due").write_text("1")
    service.start(SECRET_KEY="another", A2P_TIME_SCALE="0.01", TWILIO_API_BASE_URL="http://127.0.0.1:9")
    service.done(1)
    wait_until(lambda: service.rows().count() == 0)
    assert "frozen" not in service.output()


def test_continues_after_the_database_has_closed_every_connection(service):
    if connections[ALIAS].vendor != "postgresql":
        pytest.skip("needs a database server: run with DATABASE_URL=postgres://…")
    worker = service.start(
        A2P_STALL_SECONDS="30", A2P_TIME_SCALE="0.01", TWILIO_API_BASE_URL="http://127.0.0.1:9"
    )
    service.enqueue(1)
    service.done(1)
    service.enqueue(3002)
    service.begun(3002)
    for _ in range(3):
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [connections[ALIAS].settings_dict["NAME"]],
            )
        pause(0.5)
    connections[ALIAS].close()
    (service.folder / "due").write_text("4")  # the sweep must recover, too
    service.done(4, seconds=30)
    service.done(3002)
    assert worker.poll() is None

"""Real `manage.py worker` processes on a database of their own."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connections
from django.db.utils import ConnectionHandler
from django_q.models import OrmQ
from django_q.tasks import async_task
from environ import Env

from registrations.core import queue
from registrations.core.broker import EtaORM
from registrations.models import Heartbeat
from registrations.worker.processes import pause
from tests import database

ALIAS = "worker_tests"


def wait_until(true, seconds=15.0, what=""):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := true():
            return value
        pause(0.05)
    raise AssertionError(f"not within {seconds} s: {what or true}")


class Harness:
    """Starts workers, enqueues jobs, and reads what the jobs logged."""

    def __init__(self, folder, env):
        self.folder, self.env = folder, env
        self.supervisors = []

    def start(self, workers=2, **env):
        log = (self.folder / "output").open("ab")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--workers", str(workers)],
            cwd=settings.BASE_DIR, env=self.env | env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        self.supervisors.append(process)
        return process

    def enqueue(self, pk, at=None):
        class WorkerDatabaseBroker(EtaORM):
            def enqueue(self, task):
                return OrmQ.objects.using(ALIAS).create(key=self.list_key, payload=task, lock=at or _now()).pk

        async_task(queue.ADVANCE, pk, broker=WorkerDatabaseBroker())

    def rows(self):
        return OrmQ.objects.using(ALIAS)

    def lines(self, kind, pk):
        path = self.folder / "log"
        words = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [
            (int(pid), float(at)) for event, number, pid, at in words if (event, number) == (kind, str(pk))
        ]

    def begun(self, pk, seconds=15.0):
        """Wait until the job begins: (pid of its worker, time)."""
        return self._first("begin", pk, seconds)

    def done(self, pk, seconds=15.0):
        return self._first("end", pk, seconds)

    def _first(self, kind, pk, seconds):
        try:
            return wait_until(lambda: self.lines(kind, pk), seconds, f"{kind} of job {pk}")[0]
        except AssertionError:
            print(self.output(), *map(str, self.rows().values("pk", "lock")), sep="\n")
            raise

    def output(self):
        return (self.folder / "output").read_text()

    def family(self, supervisor):
        """The cluster's processes: main, sentinel, then the sentinel's children in order of their start."""
        main = psutil.Process(supervisor.pid).children()[0]
        sentinel = main.children()[0]
        children = sorted(sentinel.children(), key=lambda process: process.pid)
        return {"main": main, "sentinel": sentinel, "workers": children[:-2],
                "monitor": children[-2], "pusher": children[-1]}  # fmt: skip

    def ours(self):
        """Every running process of this test, including orphans: they inherit the test's folder."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("A2P_TEST_FOLDER") == str(self.folder)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def clean_up(self):
        for supervisor in self.supervisors:
            if supervisor.poll() is None:
                supervisor.send_signal(signal.SIGKILL)
                supervisor.wait()
        for process in self.ours():
            process.kill()


def _now():
    from django.utils import timezone

    return timezone.now()


@pytest.fixture(scope="module")
def worker_database(tmp_path_factory, django_db_blocker):
    """A migrated scratch database of the same kind as the suite's own; worker processes need commits."""
    folder = tmp_path_factory.mktemp("worker")
    url = os.environ.get("DATABASE_URL", "")
    scratch = f"a2p_worker_{uuid.uuid4().hex[:8]}"
    if on_server := url.startswith("postgres"):
        with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {scratch}")
        url = url.rsplit("/", 1)[0] + "/" + scratch
    else:
        url = f"sqlite:///{folder / 'db.sqlite3'}"
    env = os.environ | {"DATABASE_URL": url, "SECRET_KEY": settings.SECRET_KEY, "PYTHONPATH": str(settings.BASE_DIR),
                        "DJANGO_SETTINGS_MODULE": "tests.worker.process_settings"}  # fmt: skip
    if on_server:
        command = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(command, cwd=settings.BASE_DIR, env=env, check=True)
    else:
        database.copy_to(folder / "db.sqlite3")
    entry = {**settings.DATABASES["default"], **Env.db_url_config(url)}
    connections.databases[ALIAS] = ConnectionHandler({"default": entry}).databases["default"]
    with django_db_blocker.unblock():
        yield env
        connections[ALIAS].close()
        del connections[ALIAS], connections.databases[ALIAS]
        if on_server:
            with connections["default"].cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE)")


@pytest.fixture
def service(worker_database, tmp_path: Path):
    env = worker_database | {"A2P_TEST_FOLDER": str(tmp_path), "A2P_STALL_SECONDS": "3", "A2P_TIME_SCALE": "1",
                             "A2P_STOP_GRACE_SECONDS": "5", "LOG_LEVEL": "INFO"}  # fmt: skip
    service = Harness(tmp_path, env)
    service.rows().all().delete()
    Heartbeat.objects.using(ALIAS).all().delete()
    yield service
    service.clean_up()

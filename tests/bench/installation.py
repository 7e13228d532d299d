"""A complete installation in a scratch folder and database: sandbox, worker, pages, each a real process."""

import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from registrations.models import Heartbeat, Registration
from registrations.models.choices import Stage
from registrations.operations import actions
from tests.bench.children import Child, answers, free_port
from tests.bench.customers import customer
from tests.bench.probe import CLAIMS_FILE

ACTOR = "bench"


class TooSlow(Exception):
    """What was waited for did not come in time; the message says how far it got."""


class Installation:
    """`with Installation(scale=…) as installation:`; leaving it ends every process and removes folder and database.

    scale: A2P_TIME_SCALE. latency_ms: extra time of each reply of the sandbox, whose rate limit is always on.
    """

    def __init__(self, *, scale: float, latency_ms: int = 0, workers: int = 4) -> None:
        self.scale, self.latency_ms, self.workers = scale, latency_ms, workers
        self.children: list[Child] = []
        self.created = 0
        self._outside_name = connection.settings_dict["NAME"]

    # --- coming and going ------------------------------------------------------------------------------------
    def __enter__(self) -> "Installation":
        self.folder = Path(tempfile.mkdtemp(prefix="a2p-bench-"))
        self.claims = self.folder / "claims"
        self.sandbox_port, self.web_port = free_port(), free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self._outside: dict[str, Any] = {
            name: getattr(settings, name)
            for name in ("A2P_TIME_SCALE", "TWILIO_API_BASE_URL", "PUBLIC_BASE_URL")
        }
        try:
            self.env = os.environ | {
                "DATABASE_URL": self._make_database(),
                "A2P_TIME_SCALE": str(self.scale),
                "A2P_WORKERS": str(self.workers),
                "TWILIO_API_BASE_URL": self.sandbox_url,
                "PUBLIC_BASE_URL": self.web_url,
                CLAIMS_FILE: str(self.claims),
            }
            settings.A2P_TIME_SCALE, settings.TWILIO_API_BASE_URL = self.scale, self.sandbox_url
            settings.PUBLIC_BASE_URL = self.web_url
            call_command("migrate", verbosity=0, interactive=False)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        # A second Ctrl-C must not leave processes behind; this takes seconds at most.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._leave()
        finally:
            signal.signal(signal.SIGINT, before)

    def _leave(self) -> None:
        for child in reversed(self.children):
            child.stop()
        for name, value in self._outside.items():
            setattr(settings, name, value)
        self._drop_database()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_database(self) -> str:
        """An empty database of our own; this process uses it from now on. Returns its URL."""
        connection.close()
        if connection.vendor == "sqlite":
            connection.settings_dict["NAME"] = str(self.folder / "desk.sqlite3")
            return f"sqlite:///{self.folder / 'desk.sqlite3'}"
        name = f"a2p_bench_{uuid.uuid4().hex[:8]}"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        connection.settings_dict["NAME"] = name
        return f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{name}"

    def _drop_database(self) -> None:
        connection.close()
        name = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = self._outside_name
        if connection.vendor == "postgresql" and name != self._outside_name:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.close()

    # --- the processes ---------------------------------------------------------------------------------------
    def _start(self, name: str, argv: list[str]) -> Child:
        log = self.folder / f"{name}.log"
        child = Child([sys.executable, *argv], env=self.env, cwd=Path(settings.BASE_DIR), log=log)
        self.children.append(child)
        return child

    def start_sandbox(self) -> Child:
        state, port = str(self.folder / "sandbox.sqlite3"), str(self.sandbox_port)
        argv = [
            "manage.py",
            "sandbox",
            "--port",
            port,
            "--state",
            state,
            "--latency-ms",
            str(self.latency_ms),
        ]
        child = self._start("sandbox", argv)
        child.wait_for(lambda: answers(self.sandbox_port))
        return child

    def start_worker(self) -> Child:
        child = self._start("worker", ["manage.py", "worker"])
        # Supervisor, main, sentinel, workers, monitor, pusher: then jobs are taken.
        child.wait_for(lambda: len(child.tree()) >= self.workers + 5)
        return child

    def start_web(self) -> Child:
        argv = ["-m", "gunicorn", "a2p_admin.wsgi", "--bind", f"127.0.0.1:{self.web_port}"]
        child = self._start("web", [*argv, "--workers", "1", "--threads", "4", "--log-level", "warning"])
        child.wait_for(lambda: answers(self.web_port))
        return child

    # --- the sandbox's control API ---------------------------------------------------------------------------
    def get(self, path: str) -> Any:
        return requests.get(f"{self.sandbox_url}/_sandbox/{path}", timeout=30).json()

    def numbers(self, count: int) -> list[str]:
        """Give the account `count` more numbers."""
        body = {"count": count}
        answer = requests.post(f"{self.sandbox_url}/_sandbox/numbers", json=body, timeout=30)
        answer.raise_for_status()
        return list(answer.json()["phone_numbers"])

    # --- the registrations -------------------------------------------------------------------------------------------
    def submit(self, senders: list[str]) -> list[int]:
        """One new registration for each number, created and submitted as the pages do it."""
        made = []
        for sender in senders:
            registration = actions.create(
                customer(self.created, sender), actor=ACTOR, label=f"Customer {self.created}"
            )
            actions.submit(registration, actor=ACTOR)
            self.created += 1
            made.append(registration.pk)
        return made

    def restarts(self) -> int:
        """How often the supervisor had to start the job cluster anew."""
        beats = Heartbeat.objects.filter(name__startswith="worker:")
        return sum(beat.detail.get("starts", 1) - 1 for beat in beats)

    def live(self) -> int:
        return Registration.objects.filter(stage=Stage.LIVE).count()

    def wait_live(self, count: int, seconds: float) -> None:
        self.wait(lambda: self.live() >= count, seconds)

    def wait(self, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                raise TooSlow(f"Not done after {seconds:.0f} s. {self._standing()}")
            time.sleep(0.2)

    def _standing(self) -> str:
        rows = Registration.objects.exclude(stage=Stage.LIVE).values_list("stage", "reason")[:3]
        return f"{self.live()} of {self.created} are live; others: {list(rows)}"

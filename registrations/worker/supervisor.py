"""Runs one django-q2 cluster and keeps it running: `manage.py worker`.

A killed idle worker freezes the whole cluster, a killed monitor repeats every job, a killed sentinel or main
process leaves orphans that keep working, and a group-wide SIGTERM hangs it (all measured). So the cluster is a child
in its own process group and its progress is watched. The response to any problem is the same: kill the group,
release its jobs, start again. That is always safe, because the state lives in the database.
"""

import logging
import os
import select
import socket
import sys
import time
from typing import Any

from django.conf import settings

from registrations.core.progress_log import PROGRESS_FD
from registrations.models import Heartbeat

from .processes import Child, Signals, kill_orphans, stop_all
from .sweeper import Sweeper
from .watchdog import Progress

logger = logging.getLogger("registrations.worker")

TICK = 0.25


def worker_name() -> str:
    """This supervisor's name, unique across hosts: "worker:host:pid", the key of its Heartbeat."""
    return f"{Heartbeat.WORKER}{socket.gethostname()[:80]}:{os.getpid()}"


class Supervisor:
    """One cluster with `workers` worker processes; `run` returns after a signal stopped it."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.child = Child(
            "job cluster",
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            env=os.environ | {"A2P_WORKERS": str(workers)},
        )
        self.frozen = 0
        self.last_problem = ""
        self.progress = self._new_progress()
        self.sweeper = Sweeper(worker_name(), self.describe)
        self._reader, self._writer = -1, -1
        self._partial = b""

    def run(self) -> int:
        with Signals() as signals:
            kill_orphans()
            self.sweeper.start()
            logger.info("worker started with %s processes", self.workers)
            while not signals.count:
                if self.child.ready_to_start():
                    self._start()
                self._listen(TICK)
                self._watch()
            logger.info("stopping; running jobs have %.0f s to finish", settings.A2P_STOP_GRACE_SECONDS)
            clean = stop_all([self.child], settings.A2P_STOP_GRACE_SECONDS, signals)
            self._listen(0)
            if not clean:
                logger.warning("jobs did not finish in time and were killed; they will run again")
            self.sweeper.release(self.progress.unfinished())
            self.sweeper.stop(timeout=5)
        return 0

    def describe(self) -> dict[str, Any]:
        """The heartbeat's detail, which the health page reads."""
        progress = self.progress
        return {
            "workers": self.workers,
            "running": len(progress.running),
            "waiting": len(progress.waiting),
            "finished": progress.finished,
            "starts": self.child.starts,
            "frozen": self.frozen,
            "trouble": self.last_problem,
        }

    def _new_progress(self) -> Progress:
        return Progress(
            workers=self.workers,
            timeout=settings.Q_CLUSTER["timeout"],
            stall=settings.A2P_STALL_SECONDS,
            started_at=time.monotonic(),
        )

    def _start(self) -> None:
        """Start a cluster with a new pipe, so that late reports of a killed cluster do not count for this one."""
        self.sweeper.release(self.progress.unfinished())
        self._close_pipe()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._partial = b""
        self.progress = self._new_progress()
        self.child.start(pass_fds=[self._writer], env={PROGRESS_FD: str(self._writer)})

    def _close_pipe(self) -> None:
        for end in (self._reader, self._writer):
            if end >= 0:
                os.close(end)
        self._reader = self._writer = -1

    def _listen(self, seconds: float) -> None:
        """Read progress reports, waiting at most `seconds` for the first one."""
        if self._reader < 0:
            select.select([], [], [], seconds)
            return
        if select.select([self._reader], [], [], seconds)[0]:
            *lines, self._partial = (self._partial + os.read(self._reader, 65536)).split(b"\n")
            now = time.monotonic()
            for line in lines:
                self.progress.feed(line.decode(errors="replace"), now)
            if self.progress.finished:
                self.child.reset_backoff()

    def _watch(self) -> None:
        if not self.child.running:
            return
        now = time.monotonic()
        problem = self.progress.check(now, _alive, self.sweeper.oldest_due(now))
        if problem:
            logger.error("the job cluster is frozen: %s; restarting it", problem)
            self.frozen += 1
            self.last_problem = problem
            self.child.clean_up()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

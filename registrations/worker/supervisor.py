"""Runs one q2 cluster and keeps it running: `manage.py worker`.

A killed idle worker freezes the whole cluster, a killed monitor repeats every job, a killed sentinel or main
process leaves orphans that work on unseen, and a group-wide SIGTERM hangs it (all measured). So the cluster
is a child in its own process group, its progress is watched, and whatever is wrong the answer is one: kill
the group, give its jobs back, start anew. That is safe at any moment, because the rows are the truth.
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
    """Names this supervisor among all hosts: "worker:host:pid", the key of its Heartbeat."""
    return f"{Heartbeat.WORKER}{socket.gethostname()[:80]}:{os.getpid()}"


class Supervisor:
    """One cluster with `workers` worker processes; `run` returns when a signal has stopped it."""

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
            logger.info("stopping; running jobs may end within %.0f s", settings.A2P_STOP_GRACE_SECONDS)
            clean = stop_all([self.child], settings.A2P_STOP_GRACE_SECONDS, signals)
            self._listen(0)
            if not clean:
                logger.warning("jobs did not end in time and were killed; they will be taken up again")
            self.sweeper.release(self.progress.unfinished())
            self.sweeper.stop(timeout=5)
        return 0

    def describe(self) -> dict[str, Any]:
        """What the heartbeat says about this worker; read by the health page."""
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
        """Start a cluster with a pipe of its own: late marks of a killed one must not count for the next."""
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
        """Take the marks that have come, waiting at most `seconds` for the first."""
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
        trouble = self.progress.check(now, _alive, self.sweeper.oldest_due(now))
        if trouble:
            logger.error("the job cluster is frozen: %s; restarting it", trouble)
            self.frozen += 1
            self.last_problem = trouble
            self.child.clean_up()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

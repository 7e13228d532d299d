"""Child processes: start, stop, restart with back-off, and reap what a killed supervisor left behind.

Each child leads its own session, so its whole group can be killed and a Ctrl-C in the terminal reaches only
the supervisor. SIGTERM goes to a child's main process alone: sent to a whole q2 group it hangs the cluster.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import psutil
from django.conf import settings

logger = logging.getLogger("registrations.worker")

# In a child's environment: who supervises it, so that a later start recognises an orphan of this project.
SUPERVISED_BY = "A2P_SUPERVISED_BY"

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 30.0
# A child that ran this long had started well: its next restart does not inherit the back-off.
HEALTHY_AFTER = 60.0
_SAME_START = 5.0  # seconds; start times are computed from the boot time, which a clock step can shift


class Child:
    """One supervised process and the group it leads."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(os.environ if env is None else env) | {SUPERVISED_BY: supervisor_id()}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.started_at = 0.0
        self._backoff = FIRST_BACKOFF
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, *, pass_fds: Sequence[int] = (), env: Mapping[str, str] | None = None) -> None:
        output: IO[bytes] | None = self.log.open("ab") if self.log else None
        try:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module names
                self.argv,
                env=self.env | dict(env or {}),
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        finally:
            if output:
                output.close()
        self.starts += 1
        self.started_at = time.monotonic()

    def ready_to_start(self) -> bool:
        """Not running, and the back-off is over. Buries what the last run left, once."""
        if self.running:
            return False
        if self.process is not None:
            logger.warning("%s ended with code %s; restarting", self.name, self.process.returncode)
            self.clean_up()
        return time.monotonic() >= self._not_before

    def clean_up(self) -> None:
        """Kill what is left of the group, and set the time before which it is not started again."""
        if self.process is None:
            return
        pid = self.process.pid
        # Orphans keep the group's number in use, so it cannot be somebody else's by now.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        if time.monotonic() - self.started_at > HEALTHY_AFTER:
            self._backoff = FIRST_BACKOFF
        self._not_before = time.monotonic() + self._backoff
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)

    def reset_backoff(self) -> None:
        """Called when the child has done real work: its next restart is an accident, not a crash loop."""
        self._backoff = FIRST_BACKOFF

    def request_stop(self) -> None:
        if self.running and self.process:
            self.process.send_signal(signal.SIGTERM)


def stop_all(children: Sequence[Child], grace: float, signals: "Signals | None" = None) -> bool:
    """Stop children together: SIGTERM to each main process, `grace` seconds, then SIGKILL to the groups.

    A further signal to ourselves ends the grace. True when all stopped by themselves.
    """
    for child in children:
        child.request_stop()
    asked = signals.count if signals else 0
    until = time.monotonic() + grace
    while any(child.running for child in children) and time.monotonic() < until:
        if signals and signals.count > asked:
            break
        pause(0.05)
    clean = not any(child.running for child in children)
    for child in children:
        child.clean_up()
    return clean


class Signals:
    """Counts SIGTERM and SIGINT while entered. Only a counter: a handler must not take a lock."""

    def __init__(self) -> None:
        self.count = 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def __enter__(self) -> "Signals":
        self._previous = {
            number: signal.signal(number, self._handle) for number in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def pause(seconds: float) -> None:
    """Let a supervisor's loop rest. (Supervisors may wait; workers set next_run_at and end their job.)"""
    select.select([], [], [], seconds)


def supervisor_id() -> str:
    """Names this process for its children: checkout, process namespace, pid, start time, space-separated."""
    me = psutil.Process()
    return f"{settings.BASE_DIR}|{_namespace()}|{me.pid}|{me.create_time():.1f}"


def _namespace() -> str:
    # Process numbers mean nothing in another container, even when its processes are visible from here.
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "-"


def _supervisor_lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < _SAME_START and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _orphans() -> Iterator[psutil.Process]:
    ours = f"{settings.BASE_DIR}|{_namespace()}|"
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or not (mark := process.environ().get(SUPERVISED_BY, "")):
                continue
            if mark.startswith(ours):
                pid, started = mark.removeprefix(ours).split("|")
                if not _supervisor_lives(int(pid), float(started)):
                    yield process
        except (psutil.Error, OSError, ValueError):
            continue


def kill_orphans() -> int:
    """Kill processes of this checkout whose supervisor is dead; returns how many.

    Recognised by their environment, which holds the supervisor's pid and start time, so a reused pid is
    never mistaken. Repeats because an orphan may itself have been a supervisor.
    """
    reaped = 0
    for _ in range(10):
        orphans = list(_orphans())
        for process in orphans:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(orphans, timeout=2)
        if not orphans:
            break
        reaped += len(orphans)
    if reaped:
        logger.warning("ended %s processes that an earlier run had left behind", reaped)
    return reaped

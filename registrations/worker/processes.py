"""Child processes: start, stop, restart with backoff, and kill what a dead supervisor left behind.

Each child leads its own session, so its whole process group can be killed, and Ctrl-C in the terminal reaches only
the supervisor. SIGTERM goes only to a child's main process: sent to the whole group, it hangs django-q2's cluster.
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

# In a child's environment: its supervisor, so that a later start recognizes orphans.
SUPERVISED_BY = "A2P_SUPERVISED_BY"

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 30.0
# After running this long, a child is healthy: its next restart starts with the first backoff.
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
        """Whether it is not running and the backoff is over. Cleans up once after the last run."""
        if self.running:
            return False
        if self.process is not None:
            logger.warning("%s exited with code %s; restarting", self.name, self.process.returncode)
            self.clean_up()
        return time.monotonic() >= self._not_before

    def clean_up(self) -> None:
        """Kill the rest of the process group and start the backoff."""
        if self.process is None:
            return
        pid = self.process.pid
        # Orphans keep the group id in use, so it cannot belong to other processes.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        if time.monotonic() - self.started_at > HEALTHY_AFTER:
            self._backoff = FIRST_BACKOFF
        self._not_before = time.monotonic() + self._backoff
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)

    def reset_backoff(self) -> None:
        """Call this when the child has done real work: it is not in a crash loop."""
        self._backoff = FIRST_BACKOFF

    def request_stop(self) -> None:
        if self.running and self.process:
            self.process.send_signal(signal.SIGTERM)


def stop_all(children: Sequence[Child], grace: float, signals: "Signals | None" = None) -> bool:
    """Stop all children: SIGTERM to each main process, wait up to `grace` seconds, then SIGKILL the groups.

    Another signal to this process ends the wait. Returns whether all children stopped on their own.
    """
    for child in children:
        child.request_stop()
    count_before = signals.count if signals else 0
    until = time.monotonic() + grace
    while any(child.running for child in children) and time.monotonic() < until:
        if signals and signals.count > count_before:
            break
        pause(0.05)
    clean = not any(child.running for child in children)
    for child in children:
        child.clean_up()
    return clean


class Signals:
    """Counts SIGTERM and SIGINT inside the `with` block. Only a counter: a signal handler must not take a lock."""

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
    """Sleep. For supervisors and rare long jobs; other jobs set next_run_at and end instead."""
    select.select([], [], [], seconds)


def supervisor_id() -> str:
    """Identifies this process to its children: checkout, process namespace, pid and start time, joined by "|"."""
    me = psutil.Process()
    return f"{settings.BASE_DIR}|{_namespace()}|{me.pid}|{me.create_time():.1f}"


def _namespace() -> str:
    # Process ids mean nothing in another container, even if its processes are visible from here.
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "-"


def _supervisor_is_alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < _SAME_START and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _orphans() -> Iterator[psutil.Process]:
    ours = f"{settings.BASE_DIR}|{_namespace()}|"
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or not (supervisor := process.environ().get(SUPERVISED_BY, "")):
                continue
            if supervisor.startswith(ours):
                pid, started = supervisor.removeprefix(ours).split("|")
                if not _supervisor_is_alive(int(pid), float(started)):
                    yield process
        except (psutil.Error, OSError, ValueError):
            continue


def kill_orphans() -> int:
    """Kill processes of this checkout whose supervisor is dead. Returns how many.

    Their environment contains the supervisor's pid and start time, so a reused pid is not mistaken for it. Repeats,
    because an orphan may itself have been a supervisor.
    """
    killed = 0
    for _ in range(10):
        orphans = list(_orphans())
        for process in orphans:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(orphans, timeout=2)
        if not orphans:
            break
        killed += len(orphans)
    if killed:
        logger.warning("killed %s processes left behind by an earlier run", killed)
    return killed

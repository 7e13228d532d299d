"""Decides from the progress reports whether a cluster is making progress. No I/O; the time is passed in.

django-q2's own heartbeat says "Working" even while a cluster is deadlocked, because it comes from a process that runs
no jobs. The watchdog follows each job from claim to acknowledgement. A frozen cluster shows up as a job that waits
although a worker is free, even if it is the only job.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

# A worker that stops on its own reports "exit"; one that was killed for a timeout cannot. It dies right after the
# job's "end", so a worker that dies this soon after one is not a problem.
_EXIT_AFTER_TIMEOUT = 5.0
# Seconds a cluster may take until its first report: it loads the whole project, slowly on a busy machine.
STARTUP = 30.0


@dataclass
class Progress:
    """The jobs and workers of one cluster. All times are monotonic seconds.

    `stall`: how long a job may wait although a worker is free. `timeout`: how long a job may run.
    """

    workers: int
    timeout: float
    stall: float
    started_at: float
    waiting: dict[int, float] = field(default_factory=dict)  # queue row -> claimed at
    running: dict[int, tuple[int, float]] = field(default_factory=dict)  # worker pid -> row, started at
    unacknowledged: dict[int, float] = field(default_factory=dict)  # queue row -> ended at
    lost: set[int] = field(default_factory=set)  # rows whose worker died, or that never reached one
    idle: dict[int, float] = field(default_factory=dict)  # worker pid -> idle since
    finished: int = 0
    _killed_at: float | None = None
    _free_since: float = 0.0
    _last: float = 0.0

    def __post_init__(self) -> None:
        self._free_since = self.started_at
        self._last = self.started_at + STARTUP

    def feed(self, line: str, now: float) -> None:
        """Process one report, "event row pid"; ignores anything else."""
        match line.split():
            case [event, row_text, pid_text] if row_text.isdigit() and pid_text.isdigit():
                self._last = now
                self._take(event, int(row_text), int(pid_text), now)

    def _take(self, event: str, row: int, pid: int, now: float) -> None:
        match event:
            case "claim":
                self.waiting[row] = now
                self.lost.discard(row)
            case "drop":
                self.waiting.pop(row, None)
            case "spawn":
                self.idle[pid] = now
            case "start":
                # A cluster's internal queue is first in, first out: jobs that were claimed earlier and have not
                # started were lost with their pusher and will never start.
                self.lost |= _drop_through(self.waiting, row)
                self.lost.discard(row)
                self.idle.pop(pid, None)
                self.running[pid] = (row, now)
            case "end":
                self.running.pop(pid, None)
                self.idle[pid] = now
                self.unacknowledged[row] = now
                self.finished += 1
                self._note_free(now, self.workers - 1)
            case "ack":
                _drop_through(self.unacknowledged, row)
                self.lost.discard(row)
            case "exit":
                self.idle.pop(pid, None)

    def _note_free(self, now: float, busy_before: int) -> None:
        if len(self.running) == busy_before:
            self._free_since = now

    def check(self, now: float, alive: Callable[[int], bool], oldest_due: float | None = None) -> str:
        """Why this cluster must be restarted now; "" if it is fine.

        `alive(pid)` returns whether a process exists. `oldest_due` is when the longest-waiting job in the database
        became due; None if nothing is due or it is unknown.
        """
        for pid in [pid for pid in self.running if not alive(pid)]:
            # Killed while busy: the cluster replaces the worker, and the sweep enqueues the registration again.
            self.lost.add(self.running.pop(pid)[0])
            self._note_free(now, self.workers - 1)
        for pid in [pid for pid in self.idle if not alive(pid)]:
            if now - self.idle.pop(pid) > _EXIT_AFTER_TIMEOUT:
                self._killed_at = self._killed_at or now
        return self._problem(now, oldest_due)

    def _problem(self, now: float, oldest_due: float | None) -> str:
        free = len(self.running) < self.workers

        def stalled(*since: float) -> bool:
            return now - max(since) > self.stall

        if self._killed_at is not None and (not self.running or stalled(self._killed_at)):
            return "an idle worker was killed; it may hold the queue's lock"
        if self.waiting and free and stalled(next(iter(self.waiting.values())), self._free_since):
            return "a job was claimed but no worker starts it"
        if self.unacknowledged and stalled(next(iter(self.unacknowledged.values()))):
            return "finished jobs are not acknowledged"
        if any(now - since > self.timeout + self.stall for _, since in self.running.values()):
            return "a job is running far beyond its timeout"
        if oldest_due is not None and free and not self.waiting and stalled(oldest_due, self._last):
            return "jobs are due but none are claimed"
        return ""

    def unfinished(self) -> set[int]:
        """The queue rows that this cluster claimed and did not finish."""
        return {*self.waiting, *(row for row, _ in self.running.values()), *self.unacknowledged, *self.lost}


def _drop_through(queue: dict[int, float], row: int) -> set[int]:
    """Remove `row` and all rows before it; returns the rows before it. Does nothing if `row` is absent."""
    if row not in queue:
        return set()
    rows = list(queue)
    before = rows[: rows.index(row) + 1]
    for each in before:
        del queue[each]
    return set(before) - {row}

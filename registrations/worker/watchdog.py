"""Is the cluster getting on? Decided from its progress marks alone: no I/O, the clock is passed in.

The queue library's own heartbeat says "Working" while a cluster is deadlocked, because it comes from a
process that does no work. Here each claimed job is followed from claim to acknowledgement, so a standstill
shows as a job that waits although a worker is free, even when it is the only job there is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

# A worker that stops on its own says "exit"; one that was ended for a time-out cannot. It dies right after
# the job's end mark, so a death that soon after is no sign of trouble.
_EXIT_AFTER_TIMEOUT = 5.0
# Seconds a cluster may take until its first mark: it loads the whole project, on a busy machine slowly.
STARTUP = 30.0


@dataclass
class Progress:
    """One cluster's jobs and workers. All times are monotonic seconds.

    `stall`: how long a job may wait although it could run. `timeout`: the longest a job may run.
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
        """Take one mark, "event row pid"; what is not understood is ignored."""
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
                # The queue inside a cluster is first in, first out: what was claimed before and has not
                # started died with a pusher and will never start.
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
        """Why this cluster must be restarted now; empty when it is well.

        `alive(pid)` tells whether a process exists; `oldest_due` is since when the job waits that has been
        due longest in the database, None when nothing is due or nobody could look.
        """
        for pid in [pid for pid in self.running if not alive(pid)]:
            # Killed while busy: the cluster replaces the worker, the sweep brings the registration back.
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
            return "a job was taken but no worker starts it"
        if self.unacknowledged and stalled(next(iter(self.unacknowledged.values()))):
            return "finished jobs are not acknowledged"
        if any(now - since > self.timeout + self.stall for _, since in self.running.values()):
            return "a job runs far beyond its time-out"
        if oldest_due is not None and free and not self.waiting and stalled(oldest_due, self._last):
            return "jobs are due but nobody takes them"
        return ""

    def unfinished(self) -> set[int]:
        """The queue rows that this cluster took and did not settle."""
        return {*self.waiting, *(row for row, _ in self.running.values()), *self.unacknowledged, *self.lost}


def _drop_through(queue: dict[int, float], row: int) -> set[int]:
    """Remove `row` and all that came before it; returns those before it. Nothing when `row` is not there."""
    if row not in queue:
        return set()
    rows = list(queue)
    before = rows[: rows.index(row) + 1]
    for each in before:
        del queue[each]
    return set(before) - {row}

"""The supervisor's database thread: the sweep, the heartbeat, pruning, and what the watchdog must know.

A thread of its own, because a database that has gone away can block a connection for long, and the watchdog
and the signal handling must not wait for it. Whatever happens in a round, the next round comes.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections, transaction
from django.utils import timezone

from registrations.core import queue
from registrations.models import Heartbeat
from registrations.operations import notifications
from registrations.workflow.runner import runner

from . import alarms, due_work, jobs

logger = logging.getLogger("registrations.worker")

TICK = 1.0
HEARTBEAT_EVERY = 5.0
PRUNE_EVERY = 6 * 3600.0
FIGURES_EVERY = 60.0
SCAN_LOOK_EVERY = 60.0  # whether the regular comparison, or a look at the primary profile, is due


def sweep_interval() -> float:
    """Seconds between sweeps: a minute of Twilio's time, within 1 and 15 s.

    Not rarer than 15 s, because a lost doorbell delays a customer by this much and the query costs one
    index look-up; not more often than 1 s, because at a small time scale the sweep would become the load.
    """
    return min(max(60 * settings.A2P_TIME_SCALE, 1.0), 15.0)


def watch_interval() -> float:
    """Seconds between looks at what people should be told: a minute of Twilio's time, 5 s at least."""
    return max(60 * settings.A2P_TIME_SCALE, 5.0)


def sweep() -> int:
    """Ring for every registration that is due and that nobody was told about lately; returns how many.

    Likewise for webhook deliveries whose job was lost. A claim and its jobs commit together, so a crash in
    between loses no ring. Each kind in a transaction of its own: who holds registrations and waits for deliveries would
    meet the job that holds a delivery and waits for its registration.
    """
    with transaction.atomic():
        due = runner.claim_due(served_to=queue.served_to())
        for pk in due:
            queue.enqueue(pk)
    for enqueue_forgotten in (
        due_work.enqueue_forgotten_reconciliation,
        due_work.enqueue_forgotten_bulk_jobs,
        due_work.enqueue_forgotten_deliveries,
        due_work.enqueue_due_notifications,
    ):
        with transaction.atomic():
            enqueue_forgotten()
    return len(due)


class Sweeper(threading.Thread):
    """Runs until `stop()`. `name` is the heartbeat's name; `describe` gives the heartbeat's detail."""

    def __init__(self, name: str, describe: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._beat_name = name
        self._describe = describe
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._release: set[int] = set()
        self._oldest_due: tuple[float, float | None] = (float("-inf"), None)
        self._last: dict[str, float] = {}
        self._away = False
        self._bug: type[Exception] | None = None

    def release(self, rows: set[int]) -> None:
        """Have the queue rows of a dead cluster given back, once the database answers."""
        with self._lock:
            self._release |= rows

    def oldest_due(self, now: float) -> float | None:
        """Since when (monotonic) the job waits that is due longest; None: nothing due, or not known."""
        read_at, since = self._oldest_due
        return since if now - read_at < 5 * TICK else None

    def stop(self, timeout: float) -> None:
        """Finish the round, take back the heartbeat; gives up after `timeout` seconds."""
        self._stopping.set()
        self.join(timeout)

    def run(self) -> None:
        while True:
            stopping = self._stopping.wait(TICK if self._last else 0)
            try:
                close_old_connections()
                if stopping:
                    self._give_back()
                    Heartbeat.objects.filter(pk=self._beat_name).delete()
                else:
                    self._round()
                if self._away:
                    logger.warning("the database is back")
                self._away, self._bug = False, None
            except (DatabaseError, InterfaceError) as error:
                if not self._away:
                    # The text of a driver's error can name hosts and users: only its kind is logged.
                    logger.error("the database does not answer (%s); trying on", type(error).__name__)
                self._away = True
                connections.close_all()
            except Exception as error:
                # Each kind once in a row: at one round a second a bug must not flood the log.
                if self._bug is not type(error):
                    logger.exception("a round of the sweep failed; the next one comes")
                self._bug = type(error)
            if stopping:
                break
        connections.close_all()

    def _due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(what, float("-inf")) < every:
            return False
        self._last[what] = now
        return True

    def _round(self) -> None:
        self._give_back()
        self._look()
        if self._due("heartbeat", HEARTBEAT_EVERY):
            values = {"at": timezone.now(), "detail": self._describe()}
            if not Heartbeat.objects.filter(pk=self._beat_name).update(**values):
                Heartbeat.objects.create(name=self._beat_name, **values)
        if self._due("sweep", sweep_interval()):
            sweep()
        if self._due("watch", watch_interval()):
            notifications.watch_otp_texts()
            notifications.watch_system(alarms.troubles())
        if self._due("scan", SCAN_LOOK_EVERY):
            with transaction.atomic():
                due_work.enqueue_due_scan()
            with transaction.atomic():
                due_work.enqueue_due_retired_brands()
            with transaction.atomic():
                due_work.enqueue_due_primary_profile()
        if self._due("figures", FIGURES_EVERY):
            due_work.enqueue_statistics_if_kept()
        if self._due("prune", PRUNE_EVERY):
            jobs.prune()

    def _give_back(self) -> None:
        with self._lock:
            rows = set(self._release)
        if rows:
            queue.release(rows)
            with self._lock:
                self._release -= rows

    def _look(self) -> None:
        oldest = queue.oldest_due()
        now = time.monotonic()
        waited = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        self._oldest_due = (now, now - waited if oldest else None)

"""The supervisor's database thread: the sweep, the heartbeat, pruning, and the queue facts for the watchdog.

A separate thread, because a connection to a database that is down can block for a long time, and the watchdog and
signal handling must not wait for it. An error in one round never stops the next.
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
STATISTICS_EVERY = 60.0
CHECKS_EVERY = 60.0  # how often to see whether a scheduled check is due


def sweep_interval() -> float:
    """Seconds between sweeps: one scaled minute, but between 1 and 15 s.

    At most 15 s, because a lost job delays a customer by this much and the query costs one index look-up. At least
    1 s, because at a small time scale the sweep itself would become the load.
    """
    return min(max(60 * settings.A2P_TIME_SCALE, 1.0), 15.0)


def watch_interval() -> float:
    """Seconds between checks for notifications: one scaled minute, at least 5 s."""
    return max(60 * settings.A2P_TIME_SCALE, 5.0)


def sweep() -> int:
    """Enqueue every registration that is due and not already queued. Returns how many.

    Also enqueues deliveries, bulk work, scans and notifications whose job was lost or is due. A claim and its jobs
    commit together, so a crash in between loses nothing. Each kind has its own transaction: one that locked
    registrations and then waited for deliveries would deadlock with a job that does the reverse.
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
    """Runs until `stop()`. `name` is the heartbeat's name; `describe` returns the heartbeat's detail."""

    def __init__(self, name: str, describe: Callable[[], dict[str, Any]]) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._heartbeat_name = name
        self._describe = describe
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._release: set[int] = set()
        self._oldest_due: tuple[float, float | None] = (float("-inf"), None)
        self._last: dict[str, float] = {}
        self._database_down = False
        self._last_error: type[Exception] | None = None

    def release(self, rows: set[int]) -> None:
        """Release the queue rows of a dead cluster as soon as the database is available."""
        with self._lock:
            self._release |= rows

    def oldest_due(self, now: float) -> float | None:
        """When (monotonic) the longest-waiting job became due; None if nothing is due or it is unknown."""
        read_at, since = self._oldest_due
        return since if now - read_at < 5 * TICK else None

    def stop(self, timeout: float) -> None:
        """Finish the round and delete the heartbeat; gives up after `timeout` seconds."""
        self._stopping.set()
        self.join(timeout)

    def run(self) -> None:
        while True:
            stopping = self._stopping.wait(TICK if self._last else 0)
            try:
                close_old_connections()
                if stopping:
                    self._release_rows()
                    Heartbeat.objects.filter(pk=self._heartbeat_name).delete()
                else:
                    self._round()
                if self._database_down:
                    logger.warning("the database is available again")
                self._database_down, self._last_error = False, None
            except (DatabaseError, InterfaceError) as error:
                if not self._database_down:
                    # A driver's error text can contain hosts and users, so only its type is logged.
                    logger.error("the database is not available (%s); retrying", type(error).__name__)
                self._database_down = True
                connections.close_all()
            except Exception as error:
                # Log repeated errors once: at one round per second a bug would flood the log.
                if self._last_error is not type(error):
                    logger.exception("a round of the sweep failed; continuing with the next")
                self._last_error = type(error)
            if stopping:
                break
        connections.close_all()

    def _due(self, task: str, every: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(task, float("-inf")) < every:
            return False
        self._last[task] = now
        return True

    def _round(self) -> None:
        self._release_rows()
        self._read_queue()
        if self._due("heartbeat", HEARTBEAT_EVERY):
            values = {"at": timezone.now(), "detail": self._describe()}
            if not Heartbeat.objects.filter(pk=self._heartbeat_name).update(**values):
                Heartbeat.objects.create(name=self._heartbeat_name, **values)
        if self._due("sweep", sweep_interval()):
            sweep()
        if self._due("watch", watch_interval()):
            notifications.watch_otp_texts()
            notifications.watch_system(alarms.active())
        if self._due("scan", CHECKS_EVERY):
            for enqueue_due in (
                due_work.enqueue_due_scan,
                due_work.enqueue_due_retired_brands,
                due_work.enqueue_due_primary_profile,
            ):
                with transaction.atomic():
                    enqueue_due()
        if self._due("statistics", STATISTICS_EVERY):
            due_work.enqueue_due_statistics()
        if self._due("prune", PRUNE_EVERY):
            jobs.prune()

    def _release_rows(self) -> None:
        with self._lock:
            rows = set(self._release)
        if rows:
            queue.release(rows)
            with self._lock:
                self._release -= rows

    def _read_queue(self) -> None:
        oldest = queue.oldest_due()
        now = time.monotonic()
        waited = (timezone.now() - oldest).total_seconds() if oldest else 0.0
        self._oldest_due = (now, now - waited if oldest else None)

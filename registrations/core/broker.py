"""The job queue's broker: django-q2's ORM broker plus due times, earliest first, and progress reports.

A row of `django_q_ormq` is a job. No worker takes it before its `lock` time, so a delayed job is a row with a
future `lock`. Measured: such a job starts within 0.2 s of its time and survives `kill -9`; django-q2's own
schedules are up to 30 s late.
"""

import time
from datetime import datetime
from multiprocessing import util
from typing import Any

from django.db.models import Min
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute

from .progress_log import report


class EtaORM(ORM):
    """django-q2's ORM broker. Set `eta` before calling `enqueue` to delay the job until then."""

    eta: datetime | None = None

    def enqueue(self, task: str) -> int:
        """Insert the job in the caller's transaction, so that both commit or roll back together."""
        key, lock = self.list_key or Conf.CLUSTER_NAME, self.eta or timezone.now()
        return self.get_connection().create(key=key, payload=task, lock=lock).pk

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Claim the jobs that have been due longest, as (row id, payload). None if nothing was due."""
        due = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now())
        claimed = []
        for row in due.order_by("lock", "pk")[: Conf.BULK]:
            # Compare and set: only one cluster, on any host, gets the row.
            if self.get_connection().filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row)):
                report("claim", row.pk)
                claimed.append((row.pk, row.payload))
        if claimed:
            return claimed
        time.sleep(self._until_next())  # noqa: TID251  runs in the cluster's pusher process, not in a worker
        return None

    def _until_next(self) -> float:
        """Seconds until the next job is due, at most one poll interval.

        A rate-limited call that starts late delays every call behind it.
        """
        next_lock = self.get_connection().filter(key=self.list_key).aggregate(Min("lock"))["lock__min"]
        if next_lock is None:
            return float(Conf.POLL)
        return min(float(Conf.POLL), max(0.005, (next_lock - timezone.now()).total_seconds()))

    def acknowledge(self, task_id: int) -> None:
        """The cluster's monitor calls this once the result is saved."""
        super().acknowledge(task_id)
        report("ack", task_id)

    def fail(self, task_id: int) -> None:
        # The payload is unreadable (signed with another SECRET_KEY). The sweep enqueues the work again.
        report("drop", task_id)
        super().fail(task_id)


# Every process of a cluster imports its broker first, so the workers' reports are connected here.
def _spawned(**kwargs: Any) -> None:
    report("spawn")
    # Runs when a worker exits on its own (recycled), not when it is killed. The watchdog needs the difference.
    util.Finalize(None, report, args=("exit",), exitpriority=10)


def _started(task: dict, **kwargs: Any) -> None:
    report("start", task.get("ack_id", 0))


def _ended(task: dict, **kwargs: Any) -> None:
    report("end", task.get("ack_id", 0))


post_spawn.connect(_spawned, dispatch_uid="a2p-progress")
pre_execute.connect(_started, dispatch_uid="a2p-progress")
post_execute_in_worker.connect(_ended, dispatch_uid="a2p-progress")

"""The job queue's broker: q2's ORM broker with due times, first due first served, and progress marks.

With `tasks.py` the only module that knows django-q2. A row of `django_q_ormq` is a job; its `lock` is the
moment before which nobody takes it, so a delayed job is a row whose lock lies in the future. Measured: it
wakes within 0.2 s of its time and survives `kill -9`, where q2's own schedules are up to 30 s late.
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

from .progress_log import mark


class EtaORM(ORM):
    """q2's ORM broker; set `eta` before `enqueue` to have the job taken at that time, not before."""

    eta: datetime | None = None

    def enqueue(self, task: str) -> int:
        """Insert the job inside the caller's transaction: it commits or rolls back with the caller's rows."""
        key, lock = self.list_key or Conf.CLUSTER_NAME, self.eta or timezone.now()
        return self.get_connection().create(key=key, payload=task, lock=lock).pk

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Claim the jobs that have been due longest: (row id, payload). None after an idle poll."""
        due = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now())
        claimed = []
        for row in due.order_by("lock", "pk")[: Conf.BULK]:
            # Compare and set: of several clusters, on any host, one gets the row.
            if self.get_connection().filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row)):
                mark("claim", row.pk)
                claimed.append((row.pk, row.payload))
        if claimed:
            return claimed
        time.sleep(self._until_next())  # noqa: TID251  the pusher polls an empty queue; it is no worker
        return None

    def _until_next(self) -> float:
        """Seconds to the next job's time, a poll at most: a paced call that starts late delays all behind it."""
        next_lock = self.get_connection().filter(key=self.list_key).aggregate(Min("lock"))["lock__min"]
        if next_lock is None:
            return float(Conf.POLL)
        return min(float(Conf.POLL), max(0.005, (next_lock - timezone.now()).total_seconds()))

    def acknowledge(self, task_id: int) -> None:
        """Called by the cluster's monitor once the result is saved."""
        super().acknowledge(task_id)
        mark("ack", task_id)

    def fail(self, task_id: int) -> None:
        # An unreadable payload (another SECRET_KEY signed it) is dropped; the sweep rings again.
        mark("drop", task_id)
        super().fail(task_id)


# Every process of a cluster loads its broker first, so the workers' marks are wired here.
def _spawned(**kwargs: Any) -> None:
    mark("spawn")
    # Runs when a worker ends by itself (recycled), never when it is killed: the watchdog tells them apart.
    util.Finalize(None, mark, args=("bye",), exitpriority=10)


def _started(task: dict, **kwargs: Any) -> None:
    mark("start", task.get("ack_id", 0))


def _ended(task: dict, **kwargs: Any) -> None:
    mark("end", task.get("ack_id", 0))


post_spawn.connect(_spawned, dispatch_uid="a2p-progress")
pre_execute.connect(_started, dispatch_uid="a2p-progress")
post_execute_in_worker.connect(_ended, dispatch_uid="a2p-progress")

"""The jobs that wait in the queue."""

from datetime import datetime
from typing import Any

from django_q.models import OrmQ


def queued(job: str) -> list[tuple[Any, ...]]:
    """The arguments of each waiting job, e.g. of `queue.ADVANCE`, in the order they were enqueued."""
    return [tuple(task["args"]) for task, _ in _tasks() if task["func"] == job]


def queued_at(job: str) -> list[tuple[Any, datetime]]:
    """The first argument of each waiting job, and when it is due."""
    return [(task["args"][0], lock) for task, lock in _tasks() if task["func"] == job]


def _tasks() -> list[tuple[dict[str, Any], datetime]]:
    return [(row.task, row.lock) for row in OrmQ.objects.order_by("pk")]

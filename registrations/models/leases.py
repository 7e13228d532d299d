"""Leases: one worker at a time works on a row, for a limited time.

A row is claimed by a conditional UPDATE, so only one of two workers gets it. The worker renews the lease while it
works. If the worker dies, the lease runs out, or a sweep on the same machine ends it early.
"""

import hashlib
import os
import secrets
import socket
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from registrations.core import clock

# A job that has not started after this long counts as lost. Shorter, and a slow queue fills with repeats.
REQUEUE_AFTER = timedelta(seconds=30)


class EnqueuedQuerySet(models.QuerySet[Any]):
    """Rows that jobs process. `enqueued_at`: when a job was last put on the queue for the row."""

    @transaction.atomic
    def claim_lost(self, limit: int = 200) -> list[Any]:
        """Keys of at most `limit` rows whose job was lost, each marked as enqueued now, in the queryset's order.

        For the sweep, which enqueues them in the same transaction. Skips rows that somebody has locked: they are
        being worked on.
        """
        now = clock.now()
        lost = self.filter(Q(enqueued_at=None) | Q(enqueued_at__lt=now - REQUEUE_AFTER))
        rows = lost.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit]
        return [pk for pk in list(rows) if lost.filter(pk=pk).update(enqueued_at=now)]


class LeasedQuerySet(EnqueuedQuerySet):
    """Rows of a `Leased` model. Filter first (state, due time); a claim takes a row only if it matches."""

    def free(self) -> "LeasedQuerySet":
        """Rows without a worker: never claimed, released, or with a lease that ran out."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=clock.now()))

    def claim(self, pk: int, *, lasts: timedelta | None = None, **values: Any) -> str | None:
        """Take a free row and save `values` with the claim. Returns the lease's token; None if it is not to be had.

        `lasts`: how long the lease is valid without a renewal; A2P_LEASE_SECONDS by default.
        """
        token = new_token()
        claimed = self.free().filter(pk=pk)
        lease = {"lease_until": _end(lasts), "lease_token": token, "enqueued_at": None}
        return token if claimed.update(**lease, **values) else None

    def owned(self, pk: int, token: str) -> "LeasedQuerySet":
        """The row, if this lease still holds it."""
        return self.filter(pk=pk, lease_token=token)

    def renew(self, pk: int, token: str, *, lasts: timedelta | None = None) -> bool:
        """Extend the lease. False when another worker has the row, or it left the queryset."""
        return bool(self.owned(pk, token).update(lease_until=_end(lasts)))

    def release(self, pk: int, token: str, **values: Any) -> bool:
        """End the lease and save `values` with it. False, saving nothing, when the lease was lost."""
        return bool(self.owned(pk, token).update(lease_until=None, lease_token="", **values))

    def free_dead(self) -> int:
        """End the leases of this machine's processes that no longer live; returns how many.

        Without it a row whose worker was killed would wait until the lease runs out. Processes on other machines
        cannot be seen from here; their leases run out.
        """
        leased = self.filter(lease_token__startswith=f"{machine()}:").values_list("pk", "lease_token")
        dead = [(pk, token) for pk, token in leased if not is_alive(token)]
        past = clock.now() - timedelta(seconds=1)
        return sum(self.owned(pk, token).update(lease_until=past) for pk, token in dead)


class Leased(models.Model):
    """A row that one worker at a time works on. Only the methods of LeasedQuerySet and the runner write these columns.

    `enqueued_at` is empty while a worker has the row.
    """

    enqueued_at = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_token = models.CharField(max_length=80, blank=True, editable=False)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        abstract = True


def _end(lasts: timedelta | None) -> Any:
    return clock.now() + (lasts or timedelta(seconds=settings.A2P_LEASE_SECONDS))


# --- tokens ---------------------------------------------------------------------------------------------------------
@cache
def machine() -> str:
    """Identifies this machine, this boot, and this process namespace (each container has its own)."""
    facts = [socket.gethostname(), str(int(psutil.boot_time()))]
    namespace = Path("/proc/self/ns/pid")
    if namespace.exists():
        facts.append(os.readlink(namespace))
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:12]


def new_token() -> str:
    """`machine:pid:start:random`. The start time tells a process from a later one with the same pid."""
    pid = os.getpid()
    return f"{machine()}:{pid}:{psutil.Process(pid).create_time():.2f}:{secrets.token_hex(8)}"


def is_alive(token: str) -> bool:
    """Whether the process that made this token may still live. Only for tokens of this machine."""
    try:
        _, pid, started, _ = token.split(":")
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" == started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except (ValueError, psutil.Error):
        return True  # unknown: let the lease run out

"""Who may work on a registration now: one worker at a time, by a conditional UPDATE, for a limited time."""

import hashlib
import os
import secrets
import socket
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import psutil
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from registrations.core import clock
from registrations.models import Registration

RING_AGAIN_SECONDS = 30  # a slow queue must not fill with repeats


# What a person may change at any moment, and no call to Twilio may pass over.
_SAID = ("hold", "removing", "revision", "submitted_revision")


class LeaseLost(Exception):
    """Another worker owns the registration now; whatever this one still wanted to write is dropped."""


class Moved(Exception):
    """Held, edited or to be taken down since it was read: what was decided on it is out of date."""


def due(now: datetime) -> Q:
    """Due and free, or owned by a worker whose lease ran out."""
    return Q(next_run_at__lte=now, lease_until__isnull=True) | Q(lease_until__lt=now)


def _lease() -> timedelta:
    return timedelta(seconds=settings.A2P_LEASE_SECONDS)


def claim(pk: int) -> str | None:
    """Take the registration, consuming its wake-up. Who asks for another run meanwhile sets `next_run_at` again."""
    now, token = clock.now(), new_token()
    taken = Registration.objects.filter(due(now), pk=pk).update(
        lease_until=now + _lease(), lease_token=token, next_run_at=None, enqueued_at=None
    )
    return token if taken else None


def renew(pk: int, token: str) -> None:
    if not Registration.objects.filter(pk=pk, lease_token=token).update(lease_until=clock.now() + _lease()):
        raise LeaseLost


def hold(pk: int, token: str) -> None:
    """Inside a transaction: keep the registration ours until its end, or raise LeaseLost."""
    if not Registration.objects.select_for_update().filter(pk=pk, lease_token=token).exists():
        raise LeaseLost


def hold_as_read(registration: Registration) -> None:
    """Inside a transaction: keep the registration ours and as it was read until its end, or raise LeaseLost or Moved."""
    rows = Registration.objects.select_for_update().filter(
        pk=registration.pk, lease_token=registration.lease_token
    )
    said = rows.values(*_SAID).first()
    if said is None:
        raise LeaseLost
    if any(said[name] != getattr(registration, name) for name in _SAID):
        raise Moved


def free_dead() -> int:
    """End the leases of this machine's workers that no longer live; returns how many.

    Without it a registration whose worker was killed would wait for the lease to run out. Workers elsewhere cannot be
    seen from here; theirs run out.
    """
    owned = Registration.objects.filter(lease_token__startswith=f"{_machine()}:").values_list(
        "pk", "lease_token"
    )
    dead = [(pk, token) for pk, token in owned if not is_alive(token)]
    long_ago = clock.now() - timedelta(seconds=1)
    return sum(
        Registration.objects.filter(pk=pk, lease_token=token).update(lease_until=long_ago)
        for pk, token in dead
    )


@cache
def _machine() -> str:
    """Names this machine, this boot and this space of process numbers (containers have their own)."""
    facts = [socket.gethostname(), str(int(psutil.boot_time()))]
    namespace = Path("/proc/self/ns/pid")
    if namespace.exists():
        facts.append(os.readlink(namespace))
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:12]


def new_token() -> str:
    """`machine:pid:start:random`; the start time tells a process from a later one with its number."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{psutil.Process(pid).create_time():.2f}:{secrets.token_hex(8)}"


def is_alive(token: str) -> bool:
    """Whether the process that took this lease may still live; one elsewhere cannot be seen and counts as alive."""
    try:
        _, pid, started, _ = token.split(":")
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" == started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except (ValueError, psutil.Error):
        return True  # cannot be told: let the lease run out


@transaction.atomic
def claim_due(limit: int = 200, served_to: datetime | None = None) -> list[int]:
    """Registrations that should be running and are not: due, or left behind by a dead worker.

    Each is marked as rung, so that a slow queue does not fill with repeats. `served_to`: the queue, first due
    first served, has come so far; the bells of later registrations are still in it. None: it is empty. Registrations that
    somebody holds just now are passed over until the next sweep.
    """
    free_dead()
    now = clock.now()
    quiet = now - timedelta(seconds=RING_AGAIN_SECONDS)
    lost = Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=quiet)
    if served_to:
        passed = Q(next_run_at__lt=served_to) & (Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=served_to))
        lost &= Q(lease_until__isnull=False) | passed
    rows = (
        Registration.objects.filter(due(now))
        .filter(lost)
        .order_by("next_run_at")
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)[:limit]
    )
    return [
        pk for pk in list(rows) if Registration.objects.filter(due(now), lost, pk=pk).update(enqueued_at=now)
    ]

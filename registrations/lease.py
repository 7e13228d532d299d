"""Who may work on a case now: one worker at a time, by a conditional UPDATE, for a limited time."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from registrations import clock
from registrations.models import Registration

RING_AGAIN_SECONDS = 30  # a slow queue must not fill with repeats


class LeaseLost(Exception):
    """Another worker owns the case now; whatever this one still wanted to write is dropped."""


def due(now: datetime) -> Q:
    """Due and free, or owned by a worker whose lease ran out."""
    return Q(wake_at__lte=now, lease_until__isnull=True) | Q(lease_until__lt=now)


def _lease() -> timedelta:
    return timedelta(seconds=settings.A2P_LEASE_SECONDS)


def claim(pk: int) -> str | None:
    """Take the case, consuming its wake-up. Who asks for another run meanwhile sets `wake_at` again."""
    now, token = clock.now(), secrets.token_hex(16)
    taken = Registration.objects.filter(due(now), pk=pk).update(
        lease_until=now + _lease(), lease_token=token, wake_at=None, rung_at=None
    )
    return token if taken else None


def renew(pk: int, token: str) -> None:
    if not Registration.objects.filter(pk=pk, lease_token=token).update(lease_until=clock.now() + _lease()):
        raise LeaseLost


def claim_due(limit: int = 200) -> list[int]:
    """Cases that should be running and are not: due, or left behind by a dead worker.

    Each is marked as rung, so that a slow queue does not fill with repeats.
    """
    now = clock.now()
    quiet = now - timedelta(seconds=RING_AGAIN_SECONDS)
    rows = (
        Registration.objects.filter(due(now))
        .filter(Q(rung_at__isnull=True) | Q(rung_at__lt=quiet))
        .order_by("wake_at")
        .values_list("pk", flat=True)[:limit]
    )
    return [
        pk
        for pk in list(rows)
        if Registration.objects.filter(due(now), pk=pk)
        .filter(Q(rung_at__isnull=True) | Q(rung_at__lt=quiet))
        .update(rung_at=now)
    ]

"""The lease on a registration: which worker may advance it now. Built on `models.leases`."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from registrations.core import clock
from registrations.models import Registration

# A person may change these at any time, and no call to Twilio may ignore the change.
_CHANGED_BY_PEOPLE = ("hold", "removing", "revision", "submitted_revision")


class LeaseLost(Exception):
    """Another worker owns the registration now; whatever this one still wanted to write is dropped."""


class Moved(Exception):
    """Held, edited, or set to be removed since it was read: what was decided about it is out of date."""


def due(now: datetime) -> Q:
    """Due and free, or left behind by a worker whose lease ran out."""
    return Q(next_run_at__lte=now, lease_until__isnull=True) | Q(lease_until__lt=now)


def claim(pk: int) -> str | None:
    """Take the registration, clearing its wake-up. Whoever wants another run meanwhile sets `next_run_at` again."""
    return Registration.objects.filter(due(clock.now())).claim(pk, next_run_at=None)


def renew(pk: int, token: str) -> None:
    """Extend the lease; raises LeaseLost."""
    if not Registration.objects.renew(pk, token):
        raise LeaseLost


def hold(pk: int, token: str) -> None:
    """Inside a transaction: lock the registration until its end, or raise LeaseLost."""
    if not Registration.objects.select_for_update().owned(pk, token).exists():
        raise LeaseLost


def hold_as_read(registration: Registration) -> None:
    """Inside a transaction: lock the registration until its end, unchanged since it was read.

    Raises LeaseLost or Moved.
    """
    rows = Registration.objects.select_for_update().owned(registration.pk, registration.lease_token)
    current = rows.values(*_CHANGED_BY_PEOPLE).first()
    if current is None:
        raise LeaseLost
    if any(current[name] != getattr(registration, name) for name in _CHANGED_BY_PEOPLE):
        raise Moved


@transaction.atomic
def claim_due(limit: int = 200, served_to: datetime | None = None) -> list[int]:
    """Keys of registrations that need a job: due, or left behind by a dead worker. Marked as enqueued now.

    `served_to`: how far the queue has come; it runs first what was due first, so jobs of registrations due later
    are still in it. None: it is empty.
    """
    Registration.objects.free_dead()
    rows = Registration.objects.filter(due(clock.now()))
    if served_to:
        passed = Q(next_run_at__lt=served_to) & (Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=served_to))
        rows = rows.filter(Q(lease_until__isnull=False) | passed)
    return rows.order_by("next_run_at").claim_lost(limit)

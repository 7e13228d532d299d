"""The one place that knows what Twilio charges: the table of fees by date, else the settings A2P_FEE_….

Every step, page and estimate asks here. The table is small and read at most once a second in each process, so
that a page that asks for a hundred prices costs one query.
"""

import time
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from registrations.models import Fee
from registrations.models.choices import FeeKind

KEPT_SECONDS = 1.0
# (until when by the monotonic clock, {kind: [(first day, amount), newest first]})
_Table = dict[str, list[tuple[date, Decimal]]]
_kept: tuple[float, _Table] = (0.0, {})


def price(kind: str, day: date | None = None) -> Decimal:
    """US dollars for one of `FeeKind` on a day of the desk's time zone, by default today.

    Raises KeyError for a kind that nobody charges for.
    """
    default = settings.A2P_FEES[kind]
    when = day or timezone.localdate()
    return next((amount for first, amount in _table().get(kind, []) if first <= when), default)


def prices(day: date | None = None) -> dict[str, Decimal]:
    """Every price of that day by kind, US dollars."""
    return {str(kind): price(kind, day) for kind in FeeKind}


def exact(amount: Decimal) -> Decimal:
    """With cents, and with fractions of a cent only where there are some.

    >>> exact(Decimal("4.5000")), exact(Decimal("0.0080"))
    (Decimal('4.50'), Decimal('0.008'))
    """
    whole = amount.quantize(Decimal("0.01"))
    return whole if whole == amount else amount.normalize()


def forget(**kwargs: Any) -> None:
    """Read the table anew at the next question."""
    global _kept
    _kept = (0.0, {})


def _table() -> _Table:
    global _kept
    until, table = _kept
    if time.monotonic() >= until:
        table = {}
        for kind, first, amount in Fee.objects.order_by("-valid_from").values_list(
            "kind", "valid_from", "amount"
        ):
            table.setdefault(kind, []).append((first, exact(amount)))
        _kept = (time.monotonic() + KEPT_SECONDS, table)
    return table


# Who edits a price sees it at once; other processes within a second.
post_save.connect(forget, sender=Fee, dispatch_uid="fees.forget")
post_delete.connect(forget, sender=Fee, dispatch_uid="fees.forget")

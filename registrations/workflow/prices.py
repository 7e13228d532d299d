"""The only source of Twilio's prices: the Fee table by date, else the settings A2P_FEE_….

Every step, page, and estimate asks here. Each process reads the small table at most once per second, so a page with a
hundred prices costs one query.
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

CACHE_SECONDS = 1.0
# (expiry by the monotonic clock, {kind: [(first day, amount), newest first]})
_Table = dict[str, list[tuple[date, Decimal]]]
_cache: tuple[float, _Table] = (0.0, {})


def price(kind: str, day: date | None = None) -> Decimal:
    """US dollars for one of `FeeKind` on a day in the server's time zone, by default today.

    Raises KeyError for an unknown kind.
    """
    default = settings.A2P_FEES[kind]
    when = day or timezone.localdate()
    return next((amount for first, amount in _table().get(kind, []) if first <= when), default)


def prices(day: date | None = None) -> dict[str, Decimal]:
    """{kind: US dollars} for a day, by default today."""
    return {str(kind): price(kind, day) for kind in FeeKind}


def trimmed(amount: Decimal) -> Decimal:
    """With cents, and with fractions of a cent only if there are any.

    >>> trimmed(Decimal("4.5000")), trimmed(Decimal("0.0080"))
    (Decimal('4.50'), Decimal('0.008'))
    """
    whole = amount.quantize(Decimal("0.01"))
    return whole if whole == amount else amount.normalize()


def clear_cache(**kwargs: Any) -> None:
    """Read the table again on the next call."""
    global _cache
    _cache = (0.0, {})


def _table() -> _Table:
    global _cache
    until, table = _cache
    if time.monotonic() >= until:
        table = {}
        for kind, first, amount in Fee.objects.order_by("-valid_from").values_list(
            "kind", "valid_from", "amount"
        ):
            table.setdefault(kind, []).append((first, trimmed(amount)))
        _cache = (time.monotonic() + CACHE_SECONDS, table)
    return table


# An edited price is visible here immediately, and in other processes within a second.
post_save.connect(clear_cache, sender=Fee, dispatch_uid="prices.clear_cache")
post_delete.connect(clear_cache, sender=Fee, dispatch_uid="prices.clear_cache")

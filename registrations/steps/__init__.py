"""WHAT is done at Twilio: the step table, in the order of the walkthrough."""

from registrations.models import Registration

from . import brand, campaign, number, profile, removal, trust_bundle
from .base import AnyRow, Read, Row, Watch, Write

ROWS: tuple[AnyRow, ...] = (
    # First of all: what a campaign stands in the way of comes after it.
    campaign.MAKE_WAY,
    *profile.ROWS,
    *trust_bundle.ROWS,
    number.RESOLVE,
    *brand.ROWS,
    *campaign.ROWS,
    *number.ROWS,
)
REMOVAL_ROWS: tuple[AnyRow, ...] = removal.ROWS
BY_SLUG: dict[str, AnyRow] = {row.slug: row for row in (*ROWS, *REMOVAL_ROWS)}


def rows_of(registration: Registration) -> tuple[AnyRow, ...]:
    """The table that the case follows: up, or down again."""
    return REMOVAL_ROWS if registration.removing else ROWS


_WATCHES: tuple[Watch, ...] = tuple(row for row in ROWS if isinstance(row, Watch))
WATCHED_PARTS: tuple[str, ...] = tuple(dict.fromkeys(row.part for row in _WATCHES))


def watches(registration: Registration, part: str) -> list[Watch]:
    """The waits of one part that have something to look at, in their order."""
    return [row for row in _WATCHES if row.part == part and row.exists(registration)]


def watch_of(registration: Registration, part: str) -> Watch | None:
    """How to look at one part now: its first wait that is not over, else its last; None before there is any."""
    rows = watches(registration, part)
    return next((row for row in rows if not row.passed(registration)), rows[-1] if rows else None)


__all__ = [
    "BY_SLUG",
    "REMOVAL_ROWS",
    "ROWS",
    "WATCHED_PARTS",
    "AnyRow",
    "Read",
    "Row",
    "Watch",
    "Write",
    "rows_of",
    "watch_of",
    "watches",
]

"""WHAT is done at Twilio: the step table, in the order of the walkthrough."""

from . import brand, campaign, number, profile, trust_bundle
from .base import AnyRow, Read, Row, Watch, Write

ROWS: tuple[AnyRow, ...] = (
    *profile.ROWS,
    *trust_bundle.ROWS,
    number.RESOLVE,
    *brand.ROWS,
    *campaign.ROWS,
    *number.ROWS,
)
BY_SLUG: dict[str, AnyRow] = {row.slug: row for row in ROWS}

__all__ = ["BY_SLUG", "ROWS", "AnyRow", "Read", "Row", "Watch", "Write"]

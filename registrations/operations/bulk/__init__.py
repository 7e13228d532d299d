"""Bulk acts: the same verb for many registrations, in the background.

`table` says what an act is, `acts` lists them, `work` carries a batch through choosing, dry run, confirming and
doing, `progress` tells its page where it stands.
"""

from .action import BulkAct, Sight, Verdict
from .runner import ACTS, MOST, TooMany, advance, cancel, confirm, restart, start

__all__ = [
    "ACTS",
    "MOST",
    "BulkAct",
    "Sight",
    "TooMany",
    "Verdict",
    "advance",
    "cancel",
    "confirm",
    "restart",
    "start",
]

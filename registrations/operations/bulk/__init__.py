"""Bulk actions: the same action for many registrations, in the background.

`action` defines what a bulk action is, `actions` lists them, `runner` takes a batch from selection through dry run and
confirmation to the end, and `progress` reports where it stands.
"""

from .action import BulkAction, Candidate, Preview
from .runner import ACTIONS, MAX_REGISTRATIONS, TooMany, advance, cancel, confirm, restart, start

__all__ = [
    "ACTIONS",
    "MAX_REGISTRATIONS",
    "BulkAction",
    "Candidate",
    "Preview",
    "TooMany",
    "advance",
    "cancel",
    "confirm",
    "restart",
    "start",
]

"""What people of the team should know: written down once each, listed in the desk, and sent on if they wish."""

from .kinds import ASSIGNED, BATCH, FAILURE, HOW, IMPORT, KINDS, MENTION, OTP, RED, TEST, Kind
from .sending import due, path, send_due
from .telling import notify_batch_done, notify_import_done, notify_import_unread, tell
from .watching import in_charge, needs_us, watch_one_time_texts, watch_red

__all__ = [
    "ASSIGNED",
    "BATCH",
    "FAILURE",
    "HOW",
    "IMPORT",
    "KINDS",
    "MENTION",
    "OTP",
    "RED",
    "TEST",
    "Kind",
    "due",
    "in_charge",
    "needs_us",
    "notify_batch_done",
    "notify_import_done",
    "notify_import_unread",
    "path",
    "send_due",
    "tell",
    "watch_one_time_texts",
    "watch_red",
]

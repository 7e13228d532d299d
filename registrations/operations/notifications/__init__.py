"""Sends notifications by email and webhook, and watches for what people should know.

`delivery` sends what is due; `alerts` watches for OTP texts that expire and for problems of the whole installation.
The rows themselves are written by `workflow.notices`.
"""

from .alerts import watch_otp_texts, watch_system
from .delivery import due, path, send_due

__all__ = ["due", "path", "send_due", "watch_otp_texts", "watch_system"]

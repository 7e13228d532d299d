"""Sends notifications by email and Slack webhook, and watches for what people should know.

`delivery` sends what is due; `alerts` notices OTP texts that run out and problems of the whole installation.
The rows themselves are written by `workflow.notices`.
"""

from .alerts import watch_one_time_texts, watch_red
from .delivery import due, path, send_due

__all__ = ["due", "path", "send_due", "watch_one_time_texts", "watch_red"]

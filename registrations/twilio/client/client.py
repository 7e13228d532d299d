"""All calls to Twilio: plain arguments in, Twilio's JSON out, five kinds of errors (see errors.py).

Every method returns Twilio's JSON object unchanged, including unknown fields; deletes return {}. `iter_*`
methods are lazy: each page is fetched only when its first item is needed. Nothing is retried here; the runner
decides whether and when to repeat a call.
"""

from __future__ import annotations

import os

from .core import Config
from .events import Events
from .messaging import Messaging
from .phone_numbers import PhoneNumbers
from .trusthub import TrustHub


class TwilioClient(TrustHub, Messaging, PhoneNumbers, Events):
    """All calls for one Twilio account. Safe to share between threads, not across a fork."""

    def __repr__(self) -> str:
        return f"<TwilioClient {self.config.account_sid or 'without account'}>"


_current: tuple[int, Config, TwilioClient] | None = None


def get_client() -> TwilioClient:
    """This process's TwilioClient; a new one after a fork (sockets must not be shared) or when settings change."""
    global _current
    config, pid = Config.from_settings(), os.getpid()
    if _current is None or _current[:2] != (pid, config):
        _current = (pid, config, TwilioClient(config))
    return _current[2]

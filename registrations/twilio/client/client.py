"""The one door to Twilio: plain arguments in, Twilio's JSON out, five kinds of errors (see errors.py).

Every method returns Twilio's JSON object as it came, unknown fields included; deletes return {}. `iter_*`
methods are lazy: they make no call until the first item is asked for and fetch no page that is not reached.
Nothing is retried here; whether and when to repeat a call is the ledger's decision.
"""

from __future__ import annotations

import os

from .core import Config
from .events import Events
from .messaging import Messaging
from .phone_numbers import Numbers
from .trusthub import TrustHub


class TwilioClient(TrustHub, Messaging, Numbers, Events):
    """All calls of one Twilio account. Safe to share between threads, not across a fork."""

    def __repr__(self) -> str:
        return f"<TwilioClient {self.config.account_sid or 'without account'}>"


_current: tuple[int, Config, TwilioClient] | None = None


def get_client() -> TwilioClient:
    """This process's TwilioClient, made anew after a fork (sockets must not be shared) or changed settings."""
    global _current
    config, pid = Config.from_settings(), os.getpid()
    if _current is None or _current[:2] != (pid, config):
        _current = (pid, config, TwilioClient(config))
    return _current[2]

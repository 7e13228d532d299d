"""Locks across processes and hosts: for the rest of a transaction, or for work that takes a few seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from registrations.core import clock
from registrations.models import Heartbeat

EXPIRES = timedelta(seconds=40)  # a killed holder loses the lock after this time
RETRY_SECONDS = 0.5
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Busy(Exception):
    """Another process holds the lock."""


def transaction_lock(name: str) -> None:
    """Until the caller's transaction ends, other callers with the same name wait here.

    To avoid deadlocks, a transaction locks at most one registration visible to others before this, and none after it.
    """
    Heartbeat.objects.get_or_create(name=name, defaults={"at": _LONG_AGO})
    Heartbeat.objects.select_for_update().get(name=name)


class Mutex:
    """A lock in a Heartbeat row, claimed by a conditional UPDATE and renewed on each `pause`.

    The caller's `pause(seconds)` does the actual waiting.
    """

    def __init__(self, name: str, pause: Callable[[float], None]) -> None:
        self._name = name
        self._pause = pause
        self._at = _LONG_AGO

    @contextmanager
    def held(self, wait: float) -> Iterator[None]:
        """Hold the lock until the end of the block. Raises Busy if it is not free within `wait` seconds."""
        Heartbeat.objects.get_or_create(name=self._name, defaults={"at": _LONG_AGO})
        while not self._take(at__lt=clock.now() - EXPIRES):
            if wait <= 0:
                raise Busy
            wait -= RETRY_SECONDS
            self._pause(RETRY_SECONDS)
        try:
            yield
        finally:
            Heartbeat.objects.filter(name=self._name, at=self._at).update(at=_LONG_AGO)

    def pause(self, seconds: float) -> None:
        """Wait, and renew the lock if it is held."""
        self._pause(seconds)
        if self._at > _LONG_AGO:
            self._take(at=self._at)

    def _take(self, **where: Any) -> bool:
        now = clock.now()
        if taken := bool(Heartbeat.objects.filter(name=self._name, **where).update(at=now)):
            self._at = now
        return taken

"""One process at a time, on whatever host: for the rest of a transaction, or for acts that take seconds and end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from registrations.core import clock
from registrations.models import Heartbeat

EXPIRES = timedelta(seconds=40)  # a holder that was killed loses it after so long
RETRY_SECONDS = 0.5
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Busy(Exception):
    """Another process holds it."""


def turn(name: str) -> None:
    """Until the caller's transaction ends, others who call this with the same name wait here.

    Before it a transaction locks one registration at most that others can see, and none after it: no two wait for each other.
    """
    Heartbeat.objects.get_or_create(name=name, defaults={"at": _LONG_AGO})
    Heartbeat.objects.select_for_update().get(name=name)


class Mutex:
    """A row of Heartbeat, claimed by a conditional UPDATE and kept by pausing through `pause`.

    `pause(seconds)` of the caller is what passes the time.
    """

    def __init__(self, name: str, pause: Callable[[float], None]) -> None:
        self._name = name
        self._pause = pause
        self._at = _LONG_AGO

    @contextmanager
    def held(self, wait: float) -> Iterator[None]:
        """Ours until the end of the block; raises Busy when it did not become free within `wait` seconds."""
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
        self._pause(seconds)
        if self._at > _LONG_AGO:
            self._take(at=self._at)

    def _take(self, **where: Any) -> bool:
        now = clock.now()
        if taken := bool(Heartbeat.objects.filter(name=self._name, **where).update(at=now)):
            self._at = now
        return taken

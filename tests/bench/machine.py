"""How busy the machine was during a measurement, and how much of that was us."""

import resource
import time

import psutil


class Machine:
    """Made at the start; `text()` at the end, when the measurement's processes have ended."""

    def __init__(self) -> None:
        self._began, self._ours = time.monotonic(), _own_seconds()
        psutil.cpu_percent()  # the next call tells the mean since this one

    def text(self) -> str:
        """ "machine 62 % busy, 48 % by this measurement; 2 cores"; the rest is other people's noise."""
        cores = psutil.cpu_count() or 1
        busy = psutil.cpu_percent()
        ours = (_own_seconds() - self._ours) / (time.monotonic() - self._began) / cores * 100
        return f"machine {busy:.0f} % busy, {ours:.0f} % by this measurement; {cores} cores"


def _own_seconds() -> float:
    """CPU seconds of this process and of all ended children that were waited for."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)

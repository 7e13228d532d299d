"""Makes real worker processes die by SIGKILL at chosen points of every step: lives in tests only.

Used through crash_settings.py. Each registration dies at one point (by its number) of each of its steps, once.
"""

import os
import signal
from pathlib import Path

from django.apps import AppConfig

POINTS = ("before the intent", "after the intent", "after the call", "after the record")
FOLDER = Path(os.environ.get("A2P_TEST_FOLDER", "."))


def die_once(point: str, pk: int, slug: str) -> None:
    if POINTS[pk % len(POINTS)] != point:
        return
    try:
        # The mark survives the death that follows.
        os.close(os.open(FOLDER / f"died {pk} {slug} {point}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class CrashConfig(AppConfig):
    name = "tests.workflow"
    label = "crashing"

    def ready(self) -> None:
        from registrations.workflow.runner import runner

        intend, succeed = runner._intend, runner._succeed

        def intend_or_die(registration, row):
            die_once(POINTS[0], registration.pk, row.slug)
            run = intend(registration, row)
            die_once(POINTS[1], registration.pk, row.slug)
            return run

        def succeed_or_die(registration, token, row, *args, **kwargs):
            die_once(POINTS[2], registration.pk, row.slug)
            succeed(registration, token, row, *args, **kwargs)
            die_once(POINTS[3], registration.pk, row.slug)

        runner._intend, runner._succeed = intend_or_die, succeed_or_die

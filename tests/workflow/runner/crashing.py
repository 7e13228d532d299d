"""Makes real worker processes die by SIGKILL at chosen points of every step. For tests only.

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

        record_intent, record_success = runner._record_intent, runner._record_success

        def record_intent_or_die(registration, step):
            die_once(POINTS[0], registration.pk, step.slug)
            api_call = record_intent(registration, step)
            die_once(POINTS[1], registration.pk, step.slug)
            return api_call

        def record_success_or_die(registration, token, step, *args, **kwargs):
            die_once(POINTS[2], registration.pk, step.slug)
            record_success(registration, token, step, *args, **kwargs)
            die_once(POINTS[3], registration.pk, step.slug)

        runner._record_intent, runner._record_success = record_intent_or_die, record_success_or_die

"""`kill -9` of the workers in the middle of work on many rows."""

import random
from collections.abc import Callable

from registrations.worker.processes import pause
from tests.worker.conftest import wait_until
from tests.workflow.plant import Plant

DEATHS, ENOUGH = 6, 3


def through_deaths(
    plant: Plant, worker, *, done: Callable[[], int], over: Callable[[], bool], seed: int
) -> int:
    """Kill the workers whenever `done` has grown, until `over` or they died DEATHS times; then let it end.

    Returns how often they died; fails when the work was over before they had died often enough to tell.
    """
    chance, deaths = random.Random(seed), 0
    while deaths < DEATHS and not over():
        before = done()
        wait_until(lambda before=before: done() > before or over(), 90, "it goes on")
        pause(chance.uniform(0.0, 0.2))
        plant.kill_all(worker)
        deaths += 1
        worker = plant.worker(2)
    assert deaths >= ENOUGH, "the work was over before the workers had died often enough"
    wait_until(over, 120, "it ends")
    return deaths

"""`kill -9` of the workers while they work on many rows."""

import random
from collections.abc import Callable

from registrations.worker.processes import pause
from tests.worker.conftest import wait_until
from tests.workflow.plant import Plant

DEATHS, ENOUGH = 6, 3


def through_deaths(
    plant: Plant, worker, *, done: Callable[[], int], over: Callable[[], bool], seed: int
) -> int:
    """Kill the workers each time `done` grows, until `over` or DEATHS kills; then wait for the end.

    Returns the number of kills; fails if the work was over before there were enough of them.
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

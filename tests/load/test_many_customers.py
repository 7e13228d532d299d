"""Customers from a CSV, four workers, a Twilio that throttles and drops connections: all live, nothing twice.

30 customers here; `make bench` runs it with 100. Twilio's rate limit is not scaled: two registration calls a customer
at 1.05 s each are the minimum, about 65 s for 30 and 210 s for 100.
"""

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.worker.conftest import worker_database
from tests.workflow.plant import Plant

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
CUSTOMERS = int(os.environ.get("LOAD_CUSTOMERS", "30"))
SCALE = 0.1
# How often each fault is expected per hundred requests when there are a hundred customers. With fewer customers each
# request fails more often, so that every kind of fault occurs.
FAULTS = [
    ("429", 2, "POST", "."),
    ("500", 1, "POST", "."),
    ("500_after", 1, "POST", "."),
    ("drop_before", 1, "POST", "."),
    ("drop_after", 1, "POST", "."),
    ("503", 2, "GET", "."),
]


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    plant = Plant(tmp_path, worker_database, scale=SCALE, rate_limit=True)
    yield plant
    plant.stop()


def test_many_customers_with_four_workers_while_twilio_fails_now_and_then(plant: Plant):
    plant.post(
        "faults",
        rules=[
            {
                "method": method,
                "path": path,
                "action": action,
                "probability": percent / CUSTOMERS,
                "seed": f"bad {action}",
            }
            for action, percent, method, path in FAULTS
        ],
    )
    plant.submit(CUSTOMERS)
    started = time.monotonic()
    worker = plant.worker(4)
    plant.wait_live(CUSTOMERS, 120 + 3 * CUSTOMERS)
    seconds = time.monotonic() - started
    log = plant.log()
    limited = [e for e in log if e["method"] == "POST" and ("BrandReg" in e["path"] or "/Usa2p" in e["path"])]
    times = sorted(entry["at"] for entry in limited)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    unused = sum(gap - 1.05 for gap in gaps)
    print(
        f"{seconds:.0f} s, shortest gap {min(gaps):.2f} s, rate limit unused {unused:.0f} s:", plant.figures()
    )
    plant.assert_each_once(CUSTOMERS)
    assert min(gaps) >= 0.9
    worker.terminate()
    assert worker.wait(20) == 0

    faults = [entry for entry in log if entry["fault"]]
    assert {entry["fault"] for entry in faults} == {action for action, *_ in FAULTS}
    assert len(faults) > CUSTOMERS / 2, "there were too few faults to prove anything"

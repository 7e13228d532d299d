"""A hundred customers from a CSV, four workers, a Twilio that throttles and hangs up: all live, nothing twice."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.worker.conftest import worker_database
from tests.workflow.plant import Plant

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
CUSTOMERS = 100
# Twilio's pace is not scaled: 200 registration calls at 1.05 s each are the floor, about 210 s.
SCALE = 0.1
TROUBLE = [
    ("429", 0.02, "POST", "."),
    ("500", 0.01, "POST", "."),
    ("500_after", 0.01, "POST", "."),
    ("drop_before", 0.01, "POST", "."),
    ("drop_after", 0.01, "POST", "."),
    ("503", 0.02, "GET", "."),
]


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    plant = Plant(tmp_path, worker_database, scale=SCALE, rate_limit=True)
    yield plant
    plant.stop()


def test_a_hundred_customers_with_four_workers_and_a_bad_day_at_twilio(plant: Plant):
    plant.post(
        "faults",
        rules=[
            {"method": method, "path": path, "action": action, "probability": chance, "seed": f"bad {action}"}
            for action, chance, method, path in TROUBLE
        ],
    )
    plant.submit(CUSTOMERS)
    begun = time.monotonic()
    worker = plant.worker(4)
    plant.wait_live(CUSTOMERS, 420)
    took = time.monotonic() - begun
    log = plant.log()
    paced = [e for e in log if e["method"] == "POST" and ("BrandReg" in e["path"] or "/Usa2p" in e["path"])]
    gaps = [later["at"] - earlier["at"] for earlier, later in pairwise(sorted(paced, key=lambda e: e["at"]))]
    idle = sum(gap - 1.05 for gap in gaps)
    print(f"{took:.0f} s, least gap {min(gaps):.2f} s, lane idle {idle:.0f} s:", plant.figures())
    plant.assert_each_once(CUSTOMERS)
    assert min(gaps) >= 0.9
    worker.terminate()
    assert worker.wait(20) == 0

    faults = [entry for entry in log if entry["fault"]]
    assert {entry["fault"] for entry in faults} == {action for action, *_ in TROUBLE}
    assert len(faults) > CUSTOMERS / 2, "a bad day has more trouble"

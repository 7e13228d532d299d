"""`kill -9` of the workers in the middle of a batch: it goes on, and every row is done exactly once."""

from pathlib import Path

import pytest
from django.db.models import Count

from registrations.models import Batch, BatchItem, Event, Registration
from registrations.models.choices import ItemState, JobState
from tests.operations.imports.files import csv_bytes
from tests.worker.conftest import ALIAS, wait_until, worker_database
from tests.worker.deaths import through_deaths
from tests.workflow.plant import Plant, rows

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
ROWS = 200
START = """
from django.contrib.auth import get_user_model
from registrations.operations import bulk
from registrations.models import Registration
user, _ = get_user_model().objects.get_or_create(username="ann")
print(bulk.start("hold", Registration.objects.values_list("pk", flat=True), user=user).pk)
"""
CONFIRM = """
from registrations.operations import bulk
from registrations.models import Batch
batch = Batch.objects.get()
bulk.confirm(batch, user=batch.user, inputs={"reason": "All stop."})
"""


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    Batch.objects.using(ALIAS).all().delete()
    plant = Plant(tmp_path, worker_database, scale=0.01, rate_limit=False)
    yield plant
    plant.stop()


def batch() -> Batch:
    return Batch.objects.using(ALIAS).get()


def done() -> int:
    return BatchItem.objects.using(ALIAS).filter(state=ItemState.DONE).count()


def test_every_row_is_done_once_whoever_dies(plant: Plant):
    file = plant.folder / "customers.csv"
    file.write_bytes(csv_bytes(*rows(ROWS, plant.post("numbers", count=ROWS)["phone_numbers"])))
    plant.manage("import_registrations", str(file))
    assert Registration.objects.using(ALIAS).count() == ROWS
    plant.manage("shell", "-v0", "-c", START)

    worker = plant.worker(2)
    wait_until(lambda: batch().state == JobState.READY, 60, "the dry run is done")
    plant.manage("shell", "-v0", "-c", CONFIRM)
    deaths = through_deaths(plant, worker, done=done, over=lambda: batch().state == JobState.DONE, seed=3)

    assert set(BatchItem.objects.using(ALIAS).values_list("state", flat=True)) == {ItemState.DONE}
    held = Event.objects.using(ALIAS).filter(tag="hold").values("registration").annotate(n=Count("pk"))
    assert [row["n"] for row in held] == [1] * ROWS
    assert Registration.objects.using(ALIAS).filter(hold=True).count() == ROWS
    print(f"{deaths} deaths, {ROWS} rows")

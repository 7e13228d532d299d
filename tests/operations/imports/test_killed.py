"""`kill -9` of the workers during an import: it continues, and every row becomes one registration."""

from pathlib import Path

import pytest
from django.db.models import Count

from registrations.models import Event, Import, ImportRow, Registration
from registrations.models.choices import ItemState, JobState
from tests.operations.imports.files import csv_bytes
from tests.worker.conftest import ALIAS, wait_until, worker_database
from tests.worker.deaths import through_deaths
from tests.workflow.plant import Plant, rows

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
ROWS = 300
START = """
from django.contrib.auth import get_user_model
from registrations.operations.imports import importer
user, _ = get_user_model().objects.get_or_create(username="ann", is_superuser=True)
importer.store(open({path!r}, "rb"), "customers.csv", user=user, submit=False)
"""
CONFIRM = """
from registrations.operations.imports import importer
from registrations.models import Import
upload = Import.objects.get()
importer.confirm(upload, user=upload.user)
"""


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    Import.objects.using(ALIAS).all().delete()
    plant = Plant(tmp_path, worker_database, scale=0.01, rate_limit=False)
    yield plant
    plant.stop()


def upload() -> Import:
    return Import.objects.using(ALIAS).get()


def count(state: str) -> int:
    return ImportRow.objects.using(ALIAS).filter(state=state).count()


def test_every_row_becomes_one_registration_when_workers_are_killed(plant: Plant):
    file = plant.folder / "customers.csv"
    customers = rows(ROWS, plant.post("numbers", count=ROWS)["phone_numbers"])
    # No two alike: all are good rows.
    for number, row in enumerate(customers):
        row["mobile_phone_number"] = f"+1212{2000000 + number}"
    file.write_bytes(csv_bytes(*customers))
    plant.manage("shell", "-v0", "-c", START.format(path=str(file)))

    worker = plant.worker(2)
    wait_until(
        lambda: count(ItemState.NEW) < ROWS or upload().state == JobState.READY, 60, "the check begins"
    )
    plant.kill_all(worker)
    worker = plant.worker(2)
    wait_until(lambda: upload().state == JobState.READY, 90, "the check is done")
    assert count(ItemState.WILL) == ROWS
    assert not Registration.objects.using(ALIAS).exists()

    plant.manage("shell", "-v0", "-c", CONFIRM)
    deaths = through_deaths(
        plant,
        worker,
        done=lambda: count(ItemState.DONE),
        over=lambda: upload().state == JobState.DONE,
        seed=4,
    )

    assert count(ItemState.DONE) == ROWS
    registrations = Registration.objects.using(ALIAS)
    assert registrations.count() == ROWS
    assert set(registrations.values_list("external_id", flat=True)) == {
        row["external_id"] for row in customers
    }
    created = Event.objects.using(ALIAS).filter(tag="created").values("registration").annotate(n=Count("pk"))
    assert [row["n"] for row in created] == [1] * ROWS
    named = ImportRow.objects.using(ALIAS).values_list("registration", flat=True).distinct()
    assert named.count() == ROWS
    print(f"{deaths} deaths, {ROWS} rows")

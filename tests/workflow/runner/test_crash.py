"""`kill -9` anywhere, lost replies, a database that restarts: then everything is live and nothing exists twice."""

import os
import random
from pathlib import Path

import pytest
from django.db import connections

from registrations.models import ApiCall
from registrations.worker.processes import pause
from tests.worker.conftest import ALIAS, wait_until, worker_database
from tests.workflow.plant import Plant
from tests.workflow.runner.crashing import POINTS

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]  # the fixture: a migrated scratch database
WRITES = 19  # of a clean registration


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    plant = Plant(tmp_path, worker_database, scale=0.005, rate_limit=False)
    yield plant
    plant.stop()


def test_kill_9_of_a_worker_at_every_step_boundary(plant: Plant, tmp_path: Path):
    """Four registrations, each with one point of death, and there at each of its steps: 76 workers die."""
    registrations = len(POINTS)
    plant.submit(registrations)
    plant.worker(2, DJANGO_SETTINGS_MODULE="tests.workflow.runner.crash_settings", A2P_LEASE_SECONDS="30")
    plant.wait_live(registrations, 420)
    deaths = list(tmp_path.glob("died *"))
    assert len(deaths) == registrations * WRITES
    plant.assert_each_once(registrations)
    found = ApiCall.objects.using(ALIAS).filter(state="found").count()
    assert found == WRITES, "what was called and not recorded was found, not made again"
    lost = ApiCall.objects.using(ALIAS).filter(state="lost").count()
    assert lost == WRITES, "what was intended and not called was made, after a look"
    print(plant.figures())


@pytest.mark.smoke
def test_kill_9_of_everything_at_random_moments(plant: Plant):
    """The supervisor, its cluster and all workers die together, five times, in the middle of the work."""
    registrations, chance = 6, random.Random(2)
    plant.submit(registrations)
    for _ in range(5):
        done = len(plant.log())
        worker = plant.worker(2)
        wait_until(
            lambda done=done: len(plant.log()) > done or plant.live() == registrations, 30, "work goes on"
        )
        pause(chance.uniform(0.0, 0.4))
        plant.kill_all(worker)
    assert plant.live() < registrations, "the work was over before the last kill"
    plant.worker(2)
    plant.wait_live(registrations, 120)
    plant.assert_each_once(registrations)
    print(plant.figures())


def test_the_reply_of_every_write_is_lost(plant: Plant):
    """No write is ever answered; everything is found."""
    plant.post("faults", rules=[{"method": "POST", "path": ".", "action": "drop_after", "times": 0}])
    plant.submit(3)
    plant.worker(2)
    plant.wait_live(3, 180)
    plant.assert_each_once(3)
    assert ApiCall.objects.using(ALIAS).exclude(state="found").count() == 0


@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="a SQLite file has no server to restart",
)
def test_the_database_cuts_every_connection_again_and_again(plant: Plant):
    registrations = 6
    plant.submit(registrations)
    plant.worker(3)
    connection = connections[ALIAS]
    for _ in range(8):
        pause(0.7)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    plant.wait_live(registrations, 180)
    plant.assert_each_once(registrations)
    print(plant.figures())

"""/healthz and the facts behind it."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from registrations.core import queue
from registrations.models import Heartbeat, Registration
from registrations.reporting.health import health

pytestmark = pytest.mark.django_db


def beat(age=1, name="worker:host:1", **detail):
    return Heartbeat.objects.create(name=name, at=timezone.now() - timedelta(seconds=age), detail=detail)


def test_without_a_worker_it_is_unwell_but_the_web_part_is_well(client):
    reply = client.get("/healthz")
    assert reply.status_code == 503
    assert "No worker" in reply.json()["problems"][0]
    assert client.get("/healthz?part=web").status_code == 200


def test_well_with_a_living_worker_and_nobody_is_named(client):
    beat(workers=4, running=1, trouble="an idle worker was killed")
    reply = client.get("/healthz")
    assert reply.status_code == 200
    assert reply.json() == {"ok": True, "problems": [], "due": 0, "later": 0, "oldest_due_seconds": 0.0,
                            "overdue": 0, "failed_jobs_24h": 0, "workers": 1}  # fmt: skip
    assert "no-store" in reply["Cache-Control"]


def test_a_silent_worker_counts_as_dead(client):
    beat(age=31)
    assert client.get("/healthz").status_code == 503


def test_overdue_registrations_are_a_problem_unless_somebody_works_on_them(client):
    beat()
    now = timezone.now()
    Registration.objects.create(label="Late", next_run_at=now - timedelta(minutes=3))
    Registration.objects.create(
        label="In work", next_run_at=now - timedelta(minutes=3), lease_until=now + timedelta(minutes=1)
    )
    Registration.objects.create(label="Soon", next_run_at=now - timedelta(minutes=1))
    reply = client.get("/healthz")
    assert (reply.status_code, reply.json()["overdue"]) == (503, 1)
    assert "Late" not in reply.content.decode()


def test_a_database_that_is_away_is_503(client, monkeypatch):
    def away():
        raise OperationalError("connection to server at db.internal failed for user desk")

    monkeypatch.setattr("registrations.reporting.health.health", away)
    reply = client.get("/healthz?part=web")
    assert reply.status_code == 503
    assert "db.internal" not in reply.content.decode()


def test_reading_only(client):
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 503


def test_facts_and_their_price(django_assert_max_num_queries):
    beat(workers=4, frozen=2, trouble="jobs are due but nobody takes them")
    queue.enqueue(1, timezone.now() - timedelta(seconds=40))
    with django_assert_max_num_queries(6):
        facts = health()
    assert (facts.due, facts.later, facts.workers[0].frozen) == (1, 0, 2)
    assert facts.oldest_due_seconds >= 40
    assert facts.workers[0].trouble.startswith("jobs are due")

"""The sweep and the jobs must never wait for each other in a circle."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django_q.models import OrmQ

from registrations import clock, lease, routing, tasks
from registrations.models import Registration, WebhookDelivery
from registrations.worker import sweeper
from tests.cases import make_case

pytestmark = pytest.mark.django_db(transaction=True)


def due_case() -> Registration:
    case = make_case()
    OrmQ.objects.all().delete()
    Registration.objects.filter(pk=case.pk).update(wake_at=clock.now() - timedelta(seconds=5), rung_at=None)
    return case


def lost_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        kind=WebhookDelivery.Kind.BUNDLE_STATUS,
        dedupe_key="lost",
        subject="BU" + "7" * 32,
        state=WebhookDelivery.State.RECEIVED,
        rung_at=clock.now() - timedelta(minutes=5),
    )


def test_cases_are_let_go_before_deliveries_are_claimed(monkeypatch):
    """A job holds its delivery and waits for its case: who holds cases must not wait for deliveries."""
    case = due_case()

    def deliveries_that_are_waited_for() -> int:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(tasks, "ring_forgotten_deliveries", deliveries_that_are_waited_for)
    with pytest.raises(OperationalError):
        sweeper.sweep()
    case.refresh_from_db()
    assert case.rung_at is not None
    assert OrmQ.objects.count() == 1


def test_what_a_job_holds_is_passed_over_until_it_lets_go():
    """On SQLite there are no row locks, and one writer at a time: then the claims simply come one after another."""
    case, delivery = due_case(), lost_delivery()
    found: dict[str, list[object]] = {}

    def claim() -> None:
        try:
            found["cases"], found["deliveries"] = list(lease.claim_due()), routing.claim_forgotten()
        finally:
            connection.close()

    if connection.features.has_select_for_update:
        with transaction.atomic():
            Registration.objects.select_for_update().get(pk=case.pk)
            WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
            other = threading.Thread(target=claim)
            other.start()
            other.join(10)
        assert found == {"cases": [], "deliveries": []}
    claim()
    assert found == {"cases": [case.pk], "deliveries": [delivery.pk]}

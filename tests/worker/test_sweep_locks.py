"""The sweep and the jobs must never deadlock."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django_q.models import OrmQ

from registrations.core import clock
from registrations.models import Registration, WebhookDelivery
from registrations.operations.webhooks import handlers
from registrations.worker import due_work, sweeper
from registrations.workflow.runner import lease
from tests.customers import make_draft

pytestmark = pytest.mark.django_db(transaction=True)


def due_registration() -> Registration:
    registration = make_draft()
    OrmQ.objects.all().delete()
    Registration.objects.filter(pk=registration.pk).update(
        next_run_at=clock.now() - timedelta(seconds=5), enqueued_at=None
    )
    return registration


def lost_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        kind=WebhookDelivery.Kind.BUNDLE_STATUS,
        dedupe_key="lost",
        subject="BU" + "7" * 32,
        state=WebhookDelivery.State.RECEIVED,
        enqueued_at=clock.now() - timedelta(minutes=5),
    )


def test_registrations_are_released_before_deliveries_are_claimed(monkeypatch):
    """A job locks its delivery, then its registration: whoever locks registrations must not wait for deliveries."""
    registration = due_registration()

    def deadlocked_deliveries() -> int:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(due_work, "enqueue_forgotten_deliveries", deadlocked_deliveries)
    with pytest.raises(OperationalError):
        sweeper.sweep()
    registration.refresh_from_db()
    assert registration.enqueued_at is not None
    assert OrmQ.objects.count() == 1


def test_rows_that_a_job_has_locked_are_skipped_until_it_releases_them():
    """SQLite has no row locks and one writer at a time: there the claims simply run one after another."""
    registration, delivery = due_registration(), lost_delivery()
    found: dict[str, list[object]] = {}

    def claim() -> None:
        try:
            found["registrations"], found["deliveries"] = list(lease.claim_due()), handlers.claim_lost()
        finally:
            connection.close()

    if connection.features.has_select_for_update:
        with transaction.atomic():
            Registration.objects.select_for_update().get(pk=registration.pk)
            WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
            other = threading.Thread(target=claim)
            other.start()
            other.join(10)
        assert found == {"registrations": [], "deliveries": []}
    claim()
    assert found == {"registrations": [registration.pk], "deliveries": [delivery.pk]}

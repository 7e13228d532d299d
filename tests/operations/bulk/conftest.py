"""A person who starts batches, and a stand-in for the worker's jobs."""

import pytest
from django.contrib.auth import get_user_model

from registrations.models import Batch
from registrations.models.choices import JobState
from registrations.operations import bulk


@pytest.fixture
def ann(db):
    return get_user_model().objects.create_user("ann", password="pw", is_staff=True)


def prepared(kind: str, registrations, user, **params) -> Batch:
    """A batch whose dry run is done."""
    batch = bulk.start(kind, [registration.pk for registration in registrations], user=user, params=params)
    return work(batch)


def work(batch: Batch, jobs: int = 20) -> Batch:
    """Jobs until the batch waits for a person or is over."""
    for _ in range(jobs):
        batch.refresh_from_db()
        if not batch.in_progress:
            return batch
        bulk.advance(batch.pk)
    raise AssertionError(f"still {batch.state}")


def done(kind: str, registrations, user, inputs=None, **params) -> Batch:
    """A batch from its start to its end."""
    batch = prepared(kind, registrations, user, **params)
    assert batch.state == JobState.READY, batch.error
    bulk.confirm(batch, user=user, inputs=inputs)
    return work(batch)


def outcomes(batch: Batch) -> dict[str, tuple[str, str]]:
    """Label -> (state, text)."""
    rows = batch.items.select_related("registration")
    return {item.registration.label: (item.state, item.text) for item in rows}

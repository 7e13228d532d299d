"""A person who starts batches, and a stand-in for the worker's jobs."""

import pytest
from django.contrib.auth import get_user_model

from registrations import batches
from registrations.models import Batch
from registrations.states import WorkState


@pytest.fixture
def ann(db):
    return get_user_model().objects.create_user("ann", password="pw", is_staff=True)


def prepared(kind: str, cases, user, **params) -> Batch:
    """A batch whose dry run is done."""
    batch = batches.start(kind, [case.pk for case in cases], user=user, params=params)
    return work(batch)


def work(batch: Batch, jobs: int = 20) -> Batch:
    """Jobs until the batch waits for a person or is over."""
    for _ in range(jobs):
        batch.refresh_from_db()
        if not batch.under_way:
            return batch
        batches.advance(batch.pk)
    raise AssertionError(f"still {batch.state}")


def done(kind: str, cases, user, inputs=None, **params) -> Batch:
    """A batch from its start to its end."""
    batch = prepared(kind, cases, user, **params)
    assert batch.state == WorkState.READY, batch.error
    batches.confirm(batch, user=user, inputs=inputs)
    return work(batch)


def outcomes(batch: Batch) -> dict[str, tuple[str, str]]:
    """Label -> (state, text)."""
    rows = batch.items.select_related("registration")
    return {item.registration.label: (item.state, item.text) for item in rows}

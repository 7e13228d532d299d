"""The gate before the step table."""

import pytest

from registrations import pipeline
from tests.pipeline.support import Gate, Stand


@pytest.fixture
def gate(monkeypatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(pipeline, "decide", gate.decide)
    return gate


@pytest.fixture
def stand(desk, gate) -> Stand:
    return Stand(desk, gate)

"""The gate before the step table."""

import pytest

from registrations import pipeline, verbs
from tests.pipeline.support import SCALE, Gate, Stand


@pytest.fixture
def gate(monkeypatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(pipeline, "decide", gate.decide)
    return gate


@pytest.fixture
def stand(desk, gate) -> Stand:
    return Stand(desk, gate)


@pytest.fixture
def unhurried(settings) -> None:
    """Our waits ten times the sandbox's, so that no slow machine makes a job find them over already."""
    settings.A2P_TIME_SCALE = 10 * SCALE


@pytest.fixture(autouse=True)
def without_preflight(monkeypatch) -> None:
    """The sandbox's magic inputs are texts that the pre-flight rightly stops; it has tests of its own."""
    monkeypatch.setattr(verbs, "_check_texts", lambda *_: None)

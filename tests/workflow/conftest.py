"""The gate before the step table."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from registrations.operations import actions
from registrations.workflow.runner import runner
from tests.workflow.support import SCALE, Gate, Scenario


@pytest.fixture
def gate(monkeypatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(runner, "decide", gate.decide)
    return gate


@pytest.fixture
def scenario(harness, gate) -> Iterator[Scenario]:
    with ExitStack() as stack:
        yield Scenario(harness, gate, stack)


@pytest.fixture
def unhurried(settings) -> None:
    """Our waits ten times the sandbox's, so that no slow machine makes a job find them over already."""
    settings.A2P_TIME_SCALE = 10 * SCALE


@pytest.fixture(autouse=True)
def without_preflight(monkeypatch) -> None:
    """The sandbox's magic inputs are texts that the pre-flight rightly stops; it has tests of its own."""
    monkeypatch.setattr(actions, "_check_texts", lambda *_: None)

"""Scenarios with a gate before each step."""

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
    """Our waits are ten times the sandbox's, so that they do not end early on a slow machine."""
    settings.A2P_TIME_SCALE = 10 * SCALE


@pytest.fixture(autouse=True)
def without_preflight(monkeypatch) -> None:
    """The pre-flight rightly rejects the sandbox's magic inputs. It has its own tests."""
    monkeypatch.setattr(actions, "_check_texts", lambda *_: None)

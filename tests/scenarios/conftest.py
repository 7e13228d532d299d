"""One set of start states for the package, in one transaction. Each test runs in its own savepoint."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings

from registrations.workflow.runner import rate_limit, runner
from tests.admin.conftest import person
from tests.operations.webhooks.conftest import Postman
from tests.scenarios.start_states import StartStates, frozen
from tests.workflow.support import Gate


@pytest.fixture(scope="package")
def start_states(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[StartStates]:
    postman, gate = Postman(), Gate()
    patch = pytest.MonkeyPatch()
    patch.setattr(rate_limit, "INTERVALS", dict.fromkeys(rate_limit.INTERVALS, 0.0))
    patch.setattr(runner, "decide", gate.decide)
    here = override_settings(A2P_TIME_SCALE=1.0, PUBLIC_BASE_URL=postman.url, TWILIO_API_BASE_URL="")
    with django_db_blocker.unblock(), here, frozen() as time, transaction.atomic():
        yield StartStates(tmp_path_factory.mktemp("scenes"), time, gate)
        transaction.set_rollback(True)
    patch.undo()
    postman.stop()


@pytest.fixture
def enter(start_states, db):
    """`enter(name)` opens a start state, which is restored after the test."""
    user = person("supervisor", superuser=True)
    opened = []

    def open_scene(name):
        start = start_states.enter(name, user)
        opened.append(start)
        return start.__enter__()

    yield open_scene
    for start in opened:
        start.__exit__(None, None, None)

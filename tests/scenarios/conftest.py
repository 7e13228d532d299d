"""One set of scenes for the package, inside a transaction; each test runs in a savepoint of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from registrations.workflow.runner import rate_limit, runner
from tests.admin.conftest import person
from tests.operations.webhooks.conftest import Postman
from tests.scenarios.scenes import SceneLibrary, frozen
from tests.workflow.support import Gate


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder: `make test-all` runs them, `make test` does not."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture(scope="package")
def scene_library(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[SceneLibrary]:
    postman, gate = Postman(), Gate()
    patch = pytest.MonkeyPatch()
    patch.setattr(rate_limit, "INTERVALS", dict.fromkeys(rate_limit.INTERVALS, 0.0))
    patch.setattr(runner, "decide", gate.decide)
    here = override_settings(A2P_TIME_SCALE=1.0, PUBLIC_BASE_URL=postman.url, TWILIO_API_BASE_URL="")
    with django_db_blocker.unblock(), here, frozen() as traveler, transaction.atomic():
        yield SceneLibrary(tmp_path_factory.mktemp("scenes"), traveler, gate)
        transaction.set_rollback(True)
    patch.undo()
    postman.stop()


@pytest.fixture
def enter(scene_library, db):
    """`enter(name)` opens a scene; it is reset afterwards."""
    user = person("supervisor", superuser=True)
    opened = []

    def open_scene(name):
        scene = scene_library.enter(name, user)
        opened.append(scene)
        return scene.__enter__()

    yield open_scene
    for scene in opened:
        scene.__exit__(None, None, None)

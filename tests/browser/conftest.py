"""Chromium against the real pages: a live server, a sandbox Twilio, and a real worker where a test asks for one.

Run by `make browser` in a pytest process of its own: Playwright keeps an asyncio loop in its thread, and the
test database must be one that other threads and processes can open.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from playwright.sync_api import sync_playwright

from registrations.admin.changelist import live_regions
from registrations.sandbox import SandboxServer
from tests.browser.guard import Guard
from tests.browser.pages import App

from . import chromium

HERE = Path(__file__).parent
RESULTS = HERE.parent.parent / "test-results"
LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Of Twilio's waits: a clean walk takes seconds, the OTP text's 24 hours are 14 minutes.
TIME_SCALE = 0.01
USER, PASSWORD = "ann", "a-long-enough-password"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    ours = [item for item in items if HERE in item.path.parents]
    if len(ours) < len(items):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="needs a pytest process of its own: make browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Errors on the page fail the test; a failed test leaves screenshots."""
    guard = item.funcargs.get("guard")
    try:
        result = yield
        if guard:
            assert guard.faults == []
        return result
    except BaseException:
        if guard:
            guard.photograph(RESULTS / item.name)
        raise


# --- the database ------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """A test database in a file instead of in memory: the worker is another process."""
    entry = connections["default"].settings_dict
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["TEST"]["NAME"] = str(tmp_path_factory.mktemp("browser") / "db.sqlite3")


def database_url() -> str:
    """The test database's address, for another process."""
    name = str(connections["default"].settings_dict["NAME"])
    given = os.environ.get("DATABASE_URL", "")
    return given.rsplit("/", 1)[0] + "/" + name if given.startswith("postgres") else f"sqlite:///{name}"


# --- the processes ---------------------------------------------------------------------------------
@pytest.fixture
def sandbox(settings):
    settings.A2P_TIME_SCALE = TIME_SCALE
    server = SandboxServer(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        primary_profile_sid=settings.TWILIO_PRIMARY_PROFILE_SID,
        time_scale=TIME_SCALE,
    )
    server.start()
    settings.TWILIO_API_BASE_URL = server.url
    settings.A2P_SANDBOX_PANEL_URL = server.url + "/"
    yield server
    server.stop()


@pytest.fixture
def worker(sandbox, transactional_db, tmp_path):
    """A real `manage.py worker` on the test database; its output is shown when a test fails."""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(django_settings.BASE_DIR),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "TWILIO_API_BASE_URL": sandbox.url,
        "A2P_TIME_SCALE": str(TIME_SCALE),
        "A2P_STOP_GRACE_SECONDS": "3",
    }
    env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--workers", "2"],
            cwd=django_settings.BASE_DIR, env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    yield process
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    print(log.read_text())
    assert code == 0


# --- the browser -------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def browser():
    path = chromium.find()
    if path is None:
        say = "no Chromium was found: install one, or set CHROMIUM_PATH (make chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(say)
        pytest.skip(say)
    # Django sees Playwright's event loop in this thread and takes our synchronous calls for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=LAUNCH)
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def guard(live_server, sandbox):
    """Knows the two origins of a test, and collects the errors of its pages."""
    return Guard(allowed=(live_server.url + "/", sandbox.url + "/"))


@pytest.fixture
def visitor(browser, guard, live_server, monkeypatch):
    """visitor(**options of a browser context) -> an App that is not signed in."""
    monkeypatch.setattr(live_regions, "POLL_BUSY_SECONDS", 1)
    contexts = []

    def open_one(**options) -> App:
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(8000)
        guard.watch(context)
        contexts.append(context)
        return App(context.new_page())

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def user(transactional_db):
    return get_user_model().objects.create_superuser(USER, password=PASSWORD)


@pytest.fixture
def signed_in(visitor, user, live_server, settings):
    """signed_in(user=…, **options) -> an App that is signed in without using the sign-in page."""

    def open_one(who=user, **options) -> App:
        app = visitor(**options)
        client = Client()
        client.force_login(who)
        name = settings.SESSION_COOKIE_NAME
        app.page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        return app

    return open_one


@pytest.fixture
def app(signed_in) -> App:
    """A superuser's page."""
    return signed_in()

"""Fixtures for all tests: a sandbox Twilio on a real port, and a replacement for the worker's loop."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests

from registrations.core import clock
from registrations.models import Registration
from registrations.reporting import statistics
from registrations.sandbox import SandboxServer
from registrations.workflow import prices
from registrations.workflow.runner import rate_limit, retries, runner
from tests import database


@dataclass
class Harness:
    """What the workflow tests share: a sandbox, and `run`, which acts as the worker."""

    sandbox: SandboxServer

    def advance(self, pk: int) -> Registration:
        """One job."""
        runner.advance(pk)
        return runner.load(pk)

    def run(
        self, pk: int, until: Callable[[Registration], bool] | None = None, jobs: int = 200
    ) -> Registration:
        """Run jobs, each when it is due, until `until` is true or only infrequent checks are left."""
        soon = min(timedelta(seconds=60), clock.scaled(5 * 3600))
        for _ in range(jobs):
            registration = runner.load(pk)
            if until and until(registration):
                return registration
            now = clock.now()
            due = registration.next_run_at or registration.lease_until
            if due is None or due > now + soon:
                return registration
            threading.Event().wait(max(0.0, (due - now).total_seconds()) + 0.002)
            self.advance(pk)
        raise AssertionError(f"still running after {jobs} jobs: {registration.reason}")

    # --- what the sandbox saw -----------------------------------------------------------------------------
    def get(self, path: str) -> object:
        return requests.get(f"{self.sandbox.url}/_sandbox/{path}", timeout=10).json()

    def post(self, path: str, **body: object) -> object:
        answer = requests.post(f"{self.sandbox.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def log(self) -> list[dict]:
        return self.get("log")  # type: ignore[index]

    def writes(self) -> list[dict]:
        return [entry for entry in self.log() if entry["method"] != "GET"]

    def reads(self) -> list[dict]:
        return [entry for entry in self.log() if entry["method"] == "GET"]

    def counts(self) -> dict[str, int]:
        return self.get("counts")  # type: ignore[return-value]

    def violations(self) -> list:
        return self.get("violations")  # type: ignore[index]

    def fault(self, **rule: object) -> None:
        self.post("faults", rules=[rule])

    def answer_yes(self) -> None:
        self.post("answer", all=True, body="YES")


def pytest_configure() -> None:
    database.use_template()


@pytest.fixture(autouse=True)
def fresh_prices():
    """Prices are cached for a second, but not from one test to the next."""
    prices.clear_cache()


@pytest.fixture(autouse=True)
def current_statistics(monkeypatch):
    """Statistics are counted for every page, however slow the machine is."""
    monkeypatch.setattr(statistics, "FAST_SECONDS", 3600.0)


@pytest.fixture
def sandbox(settings) -> Iterator[SandboxServer]:
    server = SandboxServer(
        port=0,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        primary_profile_sid=settings.TWILIO_PRIMARY_PROFILE_SID,
        time_scale=settings.A2P_TIME_SCALE,
        state=":memory:",
        rate_limit=False,
    )
    server.start()
    settings.TWILIO_API_BASE_URL = server.url
    yield server
    server.stop()


@pytest.fixture
def harness(sandbox, db, monkeypatch) -> Harness:
    # The sandbox has no rate limit here; rate limits have their own tests.
    monkeypatch.setattr(rate_limit, "INTERVALS", dict.fromkeys(rate_limit.INTERVALS, 0.0))
    monkeypatch.setattr(runner, "MIN_SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(runner, "MIN_PAID_SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(retries, "NOT_FOUND_SECONDS", 0.02)
    return Harness(sandbox)

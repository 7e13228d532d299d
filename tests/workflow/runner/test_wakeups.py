"""Scheduling and leases: nothing is lost when people, workers, and bugs coincide."""

from datetime import timedelta

import pytest

from registrations.core import clock, queue
from registrations.models import ApiCall, Event, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.twilio.client import errors
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG
from tests.queued import queued_at
from tests.workflow.support import SECRETS, Scenario, personal_data_in

pytestmark = pytest.mark.django_db


def test_submit_while_a_job_runs_is_not_lost(scenario: Scenario, monkeypatch):
    """The agent fixes the address and presses Submit at the moment the worker decides to stop."""
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    release, pressed = runner._release, []

    def press_first(pk, token, outcome, *more):
        if not pressed and outcome.waiting_for == WaitingFor.US:
            pressed.append(1)
            scenario.edit(profile={"email": SECRETS["email"]})
        release(pk, token, outcome, *more)

    monkeypatch.setattr(runner, "_release", press_first)
    live = scenario.run()
    assert pressed
    assert live.stage == Stage.LIVE, live.reason


def test_each_stored_run_time_is_also_enqueued(scenario: Scenario):
    scenario.make()
    registration = scenario.job()
    assert queued_at(queue.ADVANCE)[-1] == (registration.pk, registration.next_run_at)


def test_a_dead_workers_registration_is_due_again_when_its_lease_runs_out(scenario: Scenario, settings):
    scenario.make()
    token = runner.claim(scenario.pk)
    assert token
    assert runner.claim(scenario.pk) is None
    assert runner.claim_due() == []
    Registration.objects.update(lease_until=clock.now() - timedelta(seconds=0.01))
    assert runner.claim_due() == [scenario.pk]
    assert runner.claim_due() == [], "enqueued a moment ago"
    assert scenario.run().stage == Stage.LIVE


def test_a_worker_that_lost_its_lease_leaves_the_api_call_alone(scenario: Scenario, monkeypatch):
    """Its call came back with an error after the new owner had settled what became of it."""
    scenario.reach("profile.create")
    execute = BY_SLUG["profile.create"].execute
    client = runner.get_client()

    def too_late(*args, **kwargs):
        execute(client, runner.load(scenario.pk), ApiCall.objects.get().request_params)
        Registration.objects.update(lease_until=clock.now() - timedelta(seconds=1))
        for _ in range(3):
            ApiCall.objects.filter(state="unknown").update(lookup_at=clock.now())
            scenario.wake()
            scenario.job()
        assert scenario.states() == ["found"]
        raise errors.Rejected("Too late", status=400, code=20001)

    class Late:
        def __getattr__(self, name):
            return too_late if name == "create_bundle" else getattr(client, name)

    with monkeypatch.context() as patched:
        real = runner.get_client
        workers = iter([Late()])
        patched.setattr(runner, "get_client", lambda: next(workers, None) or real())
        scenario.job()
    assert scenario.states() == ["found"], "the old owner overwrote the outcome"
    assert not Event.objects.filter(tag="profile.create:rejected").exists()
    scenario.gate.only = ""
    scenario.wake()
    assert scenario.run().stage == Stage.LIVE
    assert scenario.harness.counts()["CustomerProfiles"] == 2  # the primary profile and one more


def test_an_internal_error_is_stored_with_its_traceback_and_retried(scenario: Scenario, monkeypatch):
    scenario.reach("profile.create_address")
    scenario.gate.only = ""
    with monkeypatch.context() as patched:

        def broken(*args, **kwargs):
            raise ZeroDivisionError(f"near {SECRETS['email']}")

        patched.setattr(type(runner.get_client()), "create_address", broken)
        registration = scenario.job()
    assert "internal error" in registration.reason
    assert registration.next_run_at
    event = Event.objects.get(tag="error")
    assert "ZeroDivisionError" in event.data["traceback"]
    assert personal_data_in(event.data) == []
    assert scenario.run().stage == Stage.LIVE
    assert scenario.harness.counts()["Addresses"] == 1


def test_back_off_grows_is_jittered_and_capped(scenario: Scenario, settings):
    settings.A2P_TIME_SCALE = 1.0
    scenario.make()
    waits: list[float] = []
    for _ in range(12):
        scenario.harness.fault(method="", path=".", action="503", times=1)
        before = clock.now()
        scenario.wake()
        registration = scenario.job()
        waits.append((registration.next_run_at - before).total_seconds())
    assert 1 <= waits[0] <= 3.5
    for number, wait in enumerate(waits):
        assert 0.5 * min(300, 2 * 2**number) <= wait <= 1.5 * min(300, 2 * 2**number) + 0.5
    assert len(set(waits)) == len(waits)

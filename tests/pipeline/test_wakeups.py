"""Wake-ups and leases: nothing is lost when people, workers and defects come at the same moment."""

from datetime import timedelta

import pytest

from registrations import clock, pipeline
from registrations.gateway import errors
from registrations.models import Event, Registration, StepRun
from registrations.states import Stage, WaitingFor
from registrations.steps import BY_SLUG
from tests.pipeline.support import (
    SECRETS,
    Stand,
    personal_data_in,
)

pytestmark = pytest.mark.django_db


def test_submit_while_a_job_runs_is_not_lost(stand: Stand, monkeypatch):
    """The agent mends the address and presses Submit in the very moment the worker decides to stop."""
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    release, pressed = pipeline._release, []

    def press_first(pk, token, outcome, *more):
        if not pressed and outcome.waiting_for == WaitingFor.US:
            pressed.append(1)
            stand.edit(profile={"email": SECRETS["email"]})
        release(pk, token, outcome, *more)

    monkeypatch.setattr(pipeline, "_release", press_first)
    live = stand.run()
    assert pressed
    assert live.stage == Stage.LIVE, live.reason


def test_each_stored_wake_up_is_also_rung(stand: Stand):
    stand.make()
    case = stand.job()
    assert stand.desk.rung[-1] == (case.pk, case.wake_at)


def test_a_dead_workers_case_is_due_again_when_its_lease_runs_out(stand: Stand, settings):
    stand.make()
    token = pipeline.claim(stand.pk)
    assert token
    assert pipeline.claim(stand.pk) is None
    assert pipeline.claim_due() == []
    Registration.objects.update(lease_until=clock.now() - timedelta(seconds=0.01))
    assert pipeline.claim_due() == [stand.pk]
    assert pipeline.claim_due() == [], "rung a moment ago"
    assert stand.run().stage == Stage.LIVE


def test_a_worker_that_lost_its_lease_leaves_the_ledger_alone(stand: Stand, monkeypatch):
    """Its call came back with an error after the new owner had settled what became of it."""
    stand.reach("profile.create")
    act = BY_SLUG["profile.create"].act
    gateway = pipeline.get_gateway()

    def too_late(*args, **kwargs):
        act(gateway, pipeline.load(stand.pk), StepRun.objects.get().basis)
        Registration.objects.update(lease_until=clock.now() - timedelta(seconds=1))
        for _ in range(3):
            StepRun.objects.filter(state="unknown").update(look_at=clock.now())
            stand.wake()
            stand.job()
        assert stand.states() == ["found"]
        raise errors.Rejected("Too late", status=400, code=20001)

    class Late:
        def __getattr__(self, name):
            return too_late if name == "create_bundle" else getattr(gateway, name)

    with monkeypatch.context() as patched:
        real = pipeline.get_gateway
        workers = iter([Late()])
        patched.setattr(pipeline, "get_gateway", lambda: next(workers, None) or real())
        stand.job()
    assert stand.states() == ["found"], "the former owner overwrote the outcome"
    assert not Event.objects.filter(tag="profile.create:rejected").exists()
    stand.gate.only = ""
    stand.wake()
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.counts()["CustomerProfiles"] == 2  # the primary profile and one more


def test_a_defect_of_ours_is_kept_with_its_traceback_and_tried_again(stand: Stand, monkeypatch):
    stand.reach("profile.create_address")
    stand.gate.only = ""
    with monkeypatch.context() as patched:

        def broken(*args, **kwargs):
            raise ZeroDivisionError(f"near {SECRETS['email']}")

        patched.setattr(type(pipeline.get_gateway()), "create_address", broken)
        case = stand.job()
    assert "error of ours" in case.reason
    assert case.wake_at
    event = Event.objects.get(tag="error")
    assert "ZeroDivisionError" in event.data["traceback"]
    assert personal_data_in(event.data) == []
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.counts()["Addresses"] == 1


def test_back_off_grows_is_jittered_and_capped(stand: Stand, settings):
    settings.A2P_TIME_SCALE = 1.0
    stand.make()
    waits: list[float] = []
    for _ in range(12):
        stand.desk.fault(method="", path=".", action="503", times=1)
        before = clock.now()
        stand.wake()
        case = stand.job()
        waits.append((case.wake_at - before).total_seconds())
    assert 1 <= waits[0] <= 3.5
    for number, wait in enumerate(waits):
        assert 0.5 * min(300, 2 * 2**number) <= wait <= 1.5 * min(300, 2 * 2**number) + 0.5
    assert len(set(waits)) == len(waits)

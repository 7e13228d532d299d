"""Waiting: holds, unknown statuses, objects that disappear and return, the OTP text, credentials."""

from datetime import timedelta

import pytest

from registrations.core import clock
from registrations.models import Brand, Campaign, Profile
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions, otp
from registrations.twilio.client import errors
from registrations.workflow.planner import progress
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from tests.workflow.support import SCALE, SILENT, Rejecting, Scenario, at_otp, calls

pytestmark = pytest.mark.django_db


# --- hold, and unknown statuses -------------------------------------------------------------------------------
def test_hold_stops_writes_and_planned_looks_until_released(scenario: Scenario):
    scenario.gate.before = "trust_bundle.create"
    scenario.make()
    registration = scenario.run()
    scenario.gate.before = ""
    actions.hold(registration, reason="Asked by phone", actor="ann")
    seen = len(scenario.harness.log())
    scenario.wake()
    held = scenario.job()
    assert len(scenario.harness.log()) == seen
    assert held.waiting_for == WaitingFor.US
    assert "Asked by phone" in held.reason
    # What a person or a webhook asks for is fetched, and only once.
    actions.refresh(held, actor="ann")
    held = scenario.job()
    assert [call["method"] for call in scenario.harness.log()[seen:]] == ["GET"]
    assert not held.profile.refresh_requested_at
    assert "Asked by phone" in held.reason
    with pytest.raises(actions.Refused, match="hold"):
        actions.submit(held, actor="ann")
    actions.release(held, actor="ann")
    assert scenario.run().stage == Stage.LIVE


@pytest.mark.parametrize(
    ("kind", "model", "column", "field"),
    [
        ("CustomerProfiles", Profile, "sid", "status"),
        ("BrandRegistrations", Brand, "sid", "status"),
        ("Usa2p", Campaign, "service_sid", "campaign_status"),
    ],
)
def test_a_status_that_nobody_knows_is_kept_and_waited_out(
    unhurried, scenario: Scenario, kind, model, column, field
):
    scenario.make()
    scenario.run(lambda registration: bool(getattr(getattr(registration, model._meta.model_name), "submitted_at", None))
              if model is not Brand else bool(registration.brand.sid))  # fmt: skip
    key = getattr(model.objects.get(), column)
    world = scenario.harness.sandbox.world
    with world.lock:
        row = world.store.get(kind, key)
        row.update({field: "meditating", "_round": row["_round"] + 1})
        world.store.put(kind, key, row)
    model.objects.update(next_poll_at=clock.now())
    scenario.wake()
    registration = scenario.job()
    assert model.objects.get().status == "meditating"
    assert registration.waiting_for == WaitingFor.TWILIO
    assert registration.next_run_at
    assert progress.step_views(registration, clock.now())


# --- gone and back --------------------------------------------------------------------------------------------
def test_a_missing_brand_is_reported_and_found_again(scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    scenario.run(at_otp)
    sid = Brand.objects.get().sid
    world = scenario.harness.sandbox.world
    with world.lock:
        row = world.store.get("BrandRegistrations", sid)
        world.store.delete("BrandRegistrations", sid)
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    registration = scenario.job()
    assert registration.waiting_for == WaitingFor.TWILIO, "a 404 may pass by itself"
    registration = scenario.run(
        lambda registration: (
            bool(registration.brand.missing_since) and registration.waiting_for == WaitingFor.US
        )
    )
    assert registration.brand.missing_since
    assert "no longer" in registration.reason
    assert scenario.harness.counts()["BrandRegistrations"] == 0, "never a second brand on its own"
    with world.lock:
        world.store.put("BrandRegistrations", sid, row)
    actions.refresh(registration, actor="ann")
    registration = scenario.run(lambda registration: registration.waiting_for == WaitingFor.CUSTOMER)
    assert registration.brand.missing_since is None


def test_a_decision_that_is_reversed_is_noticed_by_refresh_and_by_itself(scenario: Scenario):
    """Twilio's support can lift a failure or a suspension; that must not need SQL."""
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799", "mobile_phone_number": SILENT})
    registration = scenario.stopped(Stage.BRAND)
    assert registration.next_run_at, "a failed object is looked at now and then"
    assert registration.next_run_at - clock.now() >= clock.scaled(4 * 3600), "but rarely"
    scenario.harness.post(f"brand/{registration.brand.sid}", action="approve")
    actions.refresh(registration, actor="ann")
    registration = scenario.run(at_otp)
    assert registration.waiting_for == WaitingFor.CUSTOMER


def test_refresh_looks_at_once(scenario: Scenario, monkeypatch):
    # The extra poll after one without news follows in 60 ms at this scale; a slow machine would count it too.
    monkeypatch.setattr(recorder, "ECHO_SECONDS", 3600.0)
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(at_otp)
    Brand.objects.update(next_poll_at=clock.now() + timedelta(hours=1))
    looks = len(calls(scenario, "GET", "/a2p/BrandRegistrations"))
    actions.refresh(runner.load(registration.pk), actor="ann")
    scenario.job()
    assert len(calls(scenario, "GET", "/a2p/BrandRegistrations")) == looks + 1


# --- the OTP text ----------------------------------------------------------------------------------------
def test_resend_is_counted_cooled_down_and_sent_once(scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(at_otp)
    Brand.objects.update(otp_sent_at=clock.now())
    with pytest.raises(actions.Refused, match="just sent"):
        otp.resend(registration, actor="ann")
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(seconds=300 * SCALE + 0.001))
    otp.resend(runner.load(registration.pk), actor="ann")
    with pytest.raises(actions.Refused, match="being sent"):
        otp.resend(runner.load(registration.pk), actor="bob")
    registration = scenario.job()
    assert len(calls(scenario, "POST", "/SmsOtp")) == 1
    assert (registration.brand.otp_sends, registration.waiting_for) == (2, WaitingFor.CUSTOMER)
    assert not otp.state(registration).can_resend


def test_a_refused_resend_does_not_stop_the_watch_for_yes(scenario: Scenario, monkeypatch):
    scenario.reach("brand.send_otp")
    scenario.gate.only = ""
    rejecting = Rejecting(runner.get_client(), errors.Rejected("Not now", status=400, code=20001))
    with monkeypatch.context() as patched:
        patched.setattr(runner, "get_client", lambda: rejecting)
        registration = scenario.job()
    assert rejecting.calls == 1
    assert "20001" in registration.reason
    assert registration.next_run_at, "the first text may still be answered"
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(hours=1))
    assert otp.state(runner.load(registration.pk)).can_resend
    scenario.harness.answer_yes()
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    assert scenario.run().stage == Stage.LIVE


# --- credentials ----------------------------------------------------------------------------------------------
def test_wrong_credentials_stop_for_the_operator_and_resume_by_themselves(scenario: Scenario, settings):
    good = settings.TWILIO_AUTH_TOKEN
    settings.TWILIO_AUTH_TOKEN = "wrong"
    scenario.make()
    registration = scenario.job()
    assert registration.waiting_for == WaitingFor.US
    assert "credentials" in registration.reason
    assert "wrong" not in registration.reason
    assert registration.next_run_at - clock.now() <= clock.scaled(900)
    settings.TWILIO_AUTH_TOKEN = good
    assert scenario.run().stage == Stage.LIVE
    assert scenario.harness.violations() == []


def test_a_missing_primary_profile_is_reported_before_any_call(scenario: Scenario, settings):
    settings.TWILIO_PRIMARY_PROFILE_SID = ""
    scenario.make()
    registration = scenario.stopped(Stage.PROFILE)
    assert "TWILIO_PRIMARY_PROFILE_SID" in registration.reason
    assert scenario.harness.writes() == []

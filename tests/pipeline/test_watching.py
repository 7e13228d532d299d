"""Waits for somebody else: holds, unknown words, objects that go and come back, the one-time text, credentials."""

from datetime import timedelta

import pytest

from registrations import clock, one_time_texts, pipeline, step_board, sync, verbs
from registrations.gateway import errors
from registrations.models import Brand, Campaign, Profile
from registrations.states import Stage, WaitingFor
from tests.pipeline.support import (
    SCALE,
    SILENT,
    Refusing,
    Stand,
    at_otp,
    calls,
)

pytestmark = pytest.mark.django_db


# --- hold, and words nobody knows -----------------------------------------------------------------------------
def test_hold_stops_writes_and_planned_looks_until_released(stand: Stand):
    stand.gate.before = "trust_bundle.create"
    stand.make()
    case = stand.run()
    stand.gate.before = ""
    verbs.hold(case, reason="Asked by phone", actor="ann")
    seen = len(stand.desk.log())
    stand.wake()
    held = stand.job()
    assert len(stand.desk.log()) == seen
    assert held.waiting_for == WaitingFor.US
    assert "Asked by phone" in held.reason
    # What somebody asks for, or a delivery tells, is looked at: by reading, and once.
    verbs.refresh(held, actor="ann")
    held = stand.job()
    assert [call["method"] for call in stand.desk.log()[seen:]] == ["GET"]
    assert not held.profile.look_requested_at
    assert "Asked by phone" in held.reason
    with pytest.raises(verbs.Refused, match="hold"):
        verbs.submit(held, actor="ann")
    verbs.release(held, actor="ann")
    assert stand.run().stage == Stage.LIVE


@pytest.mark.parametrize(
    ("kind", "model", "column", "field"),
    [
        ("CustomerProfiles", Profile, "sid", "status"),
        ("BrandRegistrations", Brand, "sid", "status"),
        ("Usa2p", Campaign, "service_sid", "campaign_status"),
    ],
)
def test_a_status_that_nobody_knows_is_kept_and_waited_out(
    unhurried, stand: Stand, kind, model, column, field
):
    stand.make()
    stand.run(lambda case: bool(getattr(getattr(case, model._meta.model_name), "submitted_at", None))
              if model is not Brand else bool(case.brand.sid))  # fmt: skip
    key = getattr(model.objects.get(), column)
    world = stand.desk.sandbox.world
    with world.lock:
        row = world.store.get(kind, key)
        row.update({field: "meditating", "_round": row["_round"] + 1})
        world.store.put(kind, key, row)
    model.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.job()
    assert model.objects.get().status == "meditating"
    assert case.waiting_for == WaitingFor.TWILIO
    assert case.wake_at
    assert step_board.board(case, clock.now())


# --- gone and back --------------------------------------------------------------------------------------------
def test_a_brand_that_twilio_does_not_find_is_told_and_seen_again(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    stand.run(at_otp)
    sid = Brand.objects.get().sid
    world = stand.desk.sandbox.world
    with world.lock:
        row = world.store.get("BrandRegistrations", sid)
        world.store.delete("BrandRegistrations", sid)
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.job()
    assert case.waiting_for == WaitingFor.TWILIO, "a 404 may pass by itself"
    case = stand.run(lambda case: bool(case.brand.gone_at) and case.waiting_for == WaitingFor.US)
    assert case.brand.gone_at
    assert "no longer" in case.reason
    assert stand.desk.counts()["BrandRegistrations"] == 0, "never a second brand by itself"
    with world.lock:
        world.store.put("BrandRegistrations", sid, row)
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: case.waiting_for == WaitingFor.CUSTOMER)
    assert case.brand.gone_at is None


def test_a_decision_that_is_reversed_is_noticed_by_refresh_and_by_itself(stand: Stand):
    """Twilio's support can lift a failure or a suspension; nobody should have to know SQL then."""
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799", "mobile_phone_number": SILENT})
    case = stand.stopped(Stage.BRAND)
    assert case.wake_at, "a failed object is looked at now and then"
    assert case.wake_at - clock.now() >= clock.scaled(4 * 3600), "but rarely"
    stand.desk.post(f"brand/{case.brand.sid}", action="approve")
    verbs.refresh(case, actor="ann")
    case = stand.run(at_otp)
    assert case.waiting_for == WaitingFor.CUSTOMER


def test_refresh_looks_at_once(stand: Stand, monkeypatch):
    # The second look that follows one without news is 60 ms away at this scale: a slow machine would count it, too.
    monkeypatch.setattr(sync, "ECHO_SECONDS", 3600.0)
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    Brand.objects.update(next_poll_at=clock.now() + timedelta(hours=1))
    looks = len(calls(stand, "GET", "/a2p/BrandRegistrations"))
    verbs.refresh(pipeline.load(case.pk), actor="ann")
    stand.job()
    assert len(calls(stand, "GET", "/a2p/BrandRegistrations")) == looks + 1


# --- the one-time text ----------------------------------------------------------------------------------------
def test_resend_is_counted_cooled_down_and_sent_once(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    Brand.objects.update(otp_sent_at=clock.now())
    with pytest.raises(verbs.Refused, match="moment ago"):
        one_time_texts.resend(case, actor="ann")
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(seconds=300 * SCALE + 0.001))
    one_time_texts.resend(pipeline.load(case.pk), actor="ann")
    with pytest.raises(verbs.Refused, match="being sent"):
        one_time_texts.resend(pipeline.load(case.pk), actor="bob")
    case = stand.job()
    assert len(calls(stand, "POST", "/SmsOtp")) == 1
    assert (case.brand.otp_sends, case.waiting_for) == (2, WaitingFor.CUSTOMER)
    assert not one_time_texts.state(case).can_resend


def test_a_refused_resend_does_not_stop_the_watch_for_yes(stand: Stand, monkeypatch):
    stand.reach("brand.send_otp")
    stand.gate.only = ""
    no = Refusing(pipeline.get_gateway(), errors.Rejected("Not now", status=400, code=20001))
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "get_gateway", lambda: no)
        case = stand.job()
    assert no.asked == 1
    assert "20001" in case.reason
    assert case.wake_at, "the first text may still be answered"
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(hours=1))
    assert one_time_texts.state(pipeline.load(case.pk)).can_resend
    stand.desk.answer_yes()
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    assert stand.run().stage == Stage.LIVE


# --- credentials ----------------------------------------------------------------------------------------------
def test_wrong_credentials_stop_for_the_operator_and_resume_by_themselves(stand: Stand, settings):
    good = settings.TWILIO_AUTH_TOKEN
    settings.TWILIO_AUTH_TOKEN = "wrong"
    stand.make()
    case = stand.job()
    assert case.waiting_for == WaitingFor.US
    assert "credentials" in case.reason
    assert "wrong" not in case.reason
    assert case.wake_at - clock.now() <= clock.scaled(900)
    settings.TWILIO_AUTH_TOKEN = good
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.violations() == []


def test_a_missing_primary_profile_is_said_before_any_call(stand: Stand, settings):
    settings.TWILIO_PRIMARY_PROFILE_SID = ""
    stand.make()
    case = stand.stopped(Stage.PROFILE)
    assert "TWILIO_PRIMARY_PROFILE_SID" in case.reason
    assert stand.desk.writes() == []

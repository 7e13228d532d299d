"""The walk as Twilio sees it: the order, the settle waits, the stops before money, and what the case says."""

from datetime import timedelta
from decimal import Decimal

import pytest

from registrations import clock, pipeline, planning, verbs
from registrations.models import Brand, Event, Profile, Registration, StepRun
from registrations.states import RunState, Stage, WaitingFor
from tests.cases import OWNED_NUMBER_SID, make_case
from tests.pipeline.support import (
    OTHER_NUMBER_SID,
    SCALE,
    SECRETS,
    SILENT,
    Stand,
    at_otp,
    calls,
    personal_data_in,
    steps,
)

pytestmark = pytest.mark.django_db


# --- order and settle waits -----------------------------------------------------------------------------------
def test_order_of_the_walk_and_its_settle_waits(stand: Stand):
    stand.make()
    assert stand.run().stage == Stage.LIVE
    submits = calls(stand, "POST", "/CustomerProfiles/BU") + calls(stand, "POST", "/TrustProducts/BU")
    profile, bundle = [entry for entry in submits if "Status" in entry["params"]]
    [brand] = calls(stand, "POST", "/a2p/BrandRegistrations")
    [first_bundle_call] = [
        e for e in calls(stand, "POST", "/TrustProducts") if e["path"].endswith("Products")
    ]
    [campaign] = calls(stand, "POST", "/Usa2p")
    assert first_bundle_call["at"] - profile["at"] >= 30 * SCALE
    assert brand["at"] - bundle["at"] >= 30 * SCALE
    [look] = calls(stand, "GET", "/CustomerProfiles/BU")
    assert profile["at"] + 30 * SCALE <= look["at"] <= first_bundle_call["at"]
    [look] = calls(stand, "GET", "/TrustProducts/BU")
    assert bundle["at"] + 30 * SCALE <= look["at"] <= brand["at"]
    verified = Brand.objects.get().verified_at.timestamp()
    assert campaign["at"] >= verified - 0.001
    assert calls(stand, "GET", "/a2p/BrandRegistrations")[0]["at"] - brand["at"] >= 30 * SCALE
    assert stand.desk.violations() == []


def test_the_brand_is_not_bought_while_the_settle_window_runs(stand: Stand, settings):
    settings.A2P_TIME_SCALE = 1.0
    stand.make()
    case = stand.job()
    assert steps(stand)[-1] == "profile.submit"
    assert case.waiting_for == WaitingFor.TWILIO
    assert timedelta(seconds=29) < case.wake_at - clock.now() <= timedelta(seconds=30)
    Registration.objects.update(wake_at=clock.now())
    early = stand.job()
    assert early.wake_at == case.profile.next_poll_at
    assert calls(stand, "GET", "/CustomerProfiles/BU") == []


def test_no_campaign_before_the_customer_said_yes(unhurried, stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    assert (case.stage, case.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)
    looks = len(calls(stand, "GET", "/a2p/BrandRegistrations"))
    for _ in range(3):
        stand.wake()
        # So many looks ago that the next one comes in half an hour: a job takes one, however slow it is.
        Brand.objects.update(next_poll_at=clock.now(), polls=20)
        case = stand.job()
    assert len(calls(stand, "GET", "/a2p/BrandRegistrations")) == looks + 3
    assert case.stage == Stage.OTP
    assert "campaign.create_service" not in steps(stand)
    stand.desk.answer_yes()
    Brand.objects.update(next_poll_at=clock.now(), polls=0)
    stand.wake()
    assert stand.run().stage == Stage.LIVE


@pytest.mark.parametrize("word", ["SELF_DECLARED", "UNVERIFIED", "A_WORD_OF_NEXT_YEAR", ""])
def test_any_identity_but_verified_means_the_yes_is_owed(stand: Stand, word):
    name = "Quillfeather self declared" if word == "SELF_DECLARED" else "Quillfeather Kites"
    stand.make(trust_bundle={"mobile_phone_number": SILENT, "brand_name": name})
    case = stand.run(at_otp)
    if word not in ("SELF_DECLARED", "UNVERIFIED"):
        Brand.objects.update(identity_status=word)
    else:
        assert case.brand.identity_status == word
    case = pipeline.load(stand.pk)
    summary = planning.summarize(case, clock.now())
    assert (summary.stage, summary.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)


# --- stops before money ---------------------------------------------------------------------------------------
def test_a_noncompliant_evaluation_stops_before_the_submission_and_names_the_fields(stand: Stand):
    stand.gate.before = "profile.evaluate"
    stand.make()
    stand.run()
    # Somebody removed the attribute at Twilio: only its own evaluation can tell.
    end_user = Profile.objects.get().end_user_sid
    with stand.desk.sandbox.world.lock:
        row = stand.desk.sandbox.world.store.get("EndUsers", end_user)
        del row["attributes"]["email"]
        stand.desk.sandbox.world.store.put("EndUsers", end_user, row)
    stand.gate.before = ""
    stand.wake()
    case = stand.run()
    assert (case.stage, case.waiting_for) == (Stage.PROFILE, WaitingFor.US)
    assert "profile.submit" not in steps(stand)
    assert case.profile.evaluation_status == "noncompliant"
    assert "email" in [problem.field for problem in planning.problems(case)]
    assert case.wake_at is None
    case.refresh_from_db()
    verbs.submit(case, actor="ann")
    again = stand.run()
    assert steps(stand).count("profile.evaluate") == 2, "one evaluation a Submit"
    assert again.waiting_for == WaitingFor.US


def test_a_rejected_profile_stops_before_the_brand_and_its_edit_goes_on(stand: Stand):
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    case = stand.stopped(Stage.PROFILE)
    assert case.profile.status == "twilio-rejected"
    assert stand.desk.counts()["BrandRegistrations"] == 0
    stand.edit(profile={"email": SECRETS["email"]})
    assert stand.run().stage == Stage.LIVE
    assert steps(stand).count("profile.submit") == 2
    assert stand.desk.counts()["fees"]["brand_fees"] == 1
    assert stand.desk.violations() == []


def test_a_sender_that_is_not_ours_stops_before_the_brand(stand: Stand):
    stand.make(phone_number={"sender_number": "+14155550999"})
    case = stand.stopped(Stage.BRAND)
    assert "not among your Twilio numbers" in case.reason
    assert stand.desk.counts()["BrandRegistrations"] == 0
    stand.edit(phone_number={"sender_number": OWNED_NUMBER_SID})
    assert stand.run().stage == Stage.LIVE


def test_buying_waits_for_the_confirmed_price(stand: Stand):
    stand.make(phone_number={"sender_number": "", "area_code": "415"})
    case = stand.stopped(Stage.NUMBER)
    assert "Confirm" in case.reason
    assert stand.desk.counts()["fees"]["numbers_bought"] == 0
    verbs.confirm_purchase(case, actor="ann")
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert stand.desk.counts()["fees"]["numbers_bought"] == 1
    assert live.phone_number.phone_number.startswith("+1415")


def test_two_customers_who_buy_in_one_area_at_once_both_get_a_number(stand: Stand, monkeypatch):
    """Between the search and the purchase somebody else may take the number."""
    stand.reach("number.buy")
    gateway = pipeline.get_gateway()
    offers = gateway.search_numbers("US", area_code="415", sms_enabled=True, limit=1)
    search = type(gateway).search_numbers
    asked: list[int] = []

    def stale_at_first(self, *args, **kwargs):
        asked.append(1)
        return offers if len(asked) == 1 else search(self, *args, **kwargs)

    gateway.buy_number(phone_number=offers[0]["phone_number"], friendly_name="somebody else's")
    monkeypatch.setattr(type(gateway), "search_numbers", stale_at_first)
    stand.gate.only = ""
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.phone_number != offers[0]["phone_number"]


def test_a_sender_that_gives_way_to_an_area_code_is_not_attached(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    stand.run(at_otp)
    stand.edit(phone_number={"sender_number": "", "area_code": "415"})
    verbs.confirm_purchase(pipeline.load(stand.pk), actor="ann")
    stand.desk.answer_yes()
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.sid != OWNED_NUMBER_SID
    assert stand.desk.counts()["fees"]["numbers_bought"] == 1


def test_another_sender_takes_the_place_of_the_first(stand: Stand):
    stand.make()
    assert stand.run().stage == Stage.LIVE
    stand.edit(phone_number={"sender_number": OTHER_NUMBER_SID})
    live = stand.run()
    assert (live.stage, live.phone_number.sid) == (Stage.LIVE, OTHER_NUMBER_SID)
    assert stand.desk.counts()["ServicePhoneNumbers"] == 1


# --- money ----------------------------------------------------------------------------------------------------
def test_fees_are_planned_and_recorded(stand: Stand):
    case = make_case()
    plan = planning.plan(case)
    assert len(plan.calls) == 19
    assert plan.fee == Decimal("19.50")
    stand.make()
    stand.run()
    paid = StepRun.objects.filter(registration_id=stand.pk, fee__isnull=False, state=RunState.OK)
    assert {run.step: run.fee for run in paid} == {
        "brand.create": Decimal("4.50"),
        "campaign.create": Decimal("15.00"),
    }
    assert planning.plan(pipeline.load(stand.pk)).calls == []


# --- where a case stands --------------------------------------------------------------------------------------
def test_stage_and_who_must_act_all_along_the_walk(unhurried, stand: Stand):
    case = make_case()
    assert (case.stage, case.waiting_for) == (Stage.DRAFT, WaitingFor.US)
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    queued = pipeline.load(stand.pk)
    assert (queued.stage, queued.waiting_for) == (Stage.PROFILE, WaitingFor.WORKER)
    seen = []

    def note(case: Registration) -> bool:
        if not seen or seen[-1] != (case.stage, case.waiting_for):
            seen.append((case.stage, case.waiting_for))
        if case.stage == Stage.OTP:
            stand.desk.answer_yes()
        return False

    stand.run(note)
    assert seen[0] == (Stage.PROFILE, WaitingFor.WORKER)
    assert seen[-1] == (Stage.LIVE, WaitingFor.NOBODY)
    stages = [stage for stage, _ in seen]
    assert stages == sorted(stages, key=list(Stage).index)
    for expected in [
        (Stage.PROFILE, WaitingFor.TWILIO),
        (Stage.TRUST_BUNDLE, WaitingFor.TWILIO),
        (Stage.BRAND, WaitingFor.TWILIO),
        (Stage.OTP, WaitingFor.CUSTOMER),
        (Stage.CAMPAIGN, WaitingFor.TWILIO),
    ]:
        assert expected in seen
    assert personal_data_in(list(Event.objects.values("text", "data"))) == []

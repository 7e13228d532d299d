"""The walkthrough as Twilio sees it: order, settle waits, stops before fees, and the registration's status."""

from datetime import timedelta
from decimal import Decimal

import pytest

from registrations.core import clock
from registrations.models import ApiCall, Brand, Event, Profile, Registration
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.operations import actions
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.customers import OWNED_NUMBER_SID, make_draft
from tests.workflow.support import (
    OTHER_NUMBER_SID,
    SCALE,
    SECRETS,
    SILENT,
    Scenario,
    at_otp,
    calls,
    personal_data_in,
    steps,
)

pytestmark = pytest.mark.django_db


# --- order and settle waits -----------------------------------------------------------------------------------
def test_order_of_the_walk_and_its_settle_waits(scenario: Scenario):
    scenario.make()
    assert scenario.run().stage == Stage.LIVE
    submits = calls(scenario, "POST", "/CustomerProfiles/BU") + calls(scenario, "POST", "/TrustProducts/BU")
    profile, bundle = [entry for entry in submits if "Status" in entry["params"]]
    [brand] = calls(scenario, "POST", "/a2p/BrandRegistrations")
    [first_bundle_call] = [
        e for e in calls(scenario, "POST", "/TrustProducts") if e["path"].endswith("Products")
    ]
    [campaign] = calls(scenario, "POST", "/Usa2p")
    assert first_bundle_call["at"] - profile["at"] >= 30 * SCALE
    assert brand["at"] - bundle["at"] >= 30 * SCALE
    [look] = calls(scenario, "GET", "/CustomerProfiles/BU")
    assert profile["at"] + 30 * SCALE <= look["at"] <= first_bundle_call["at"]
    [look] = calls(scenario, "GET", "/TrustProducts/BU")
    assert bundle["at"] + 30 * SCALE <= look["at"] <= brand["at"]
    verified = Brand.objects.get().verified_at.timestamp()
    assert campaign["at"] >= verified - 0.001
    assert calls(scenario, "GET", "/a2p/BrandRegistrations")[0]["at"] - brand["at"] >= 30 * SCALE
    assert scenario.harness.violations() == []


def test_the_brand_is_not_bought_while_the_settle_window_runs(scenario: Scenario, settings):
    settings.A2P_TIME_SCALE = 1.0
    scenario.make()
    registration = scenario.job()
    assert steps(scenario)[-1] == "profile.submit"
    assert registration.waiting_for == WaitingFor.TWILIO
    assert timedelta(seconds=29) < registration.next_run_at - clock.now() <= timedelta(seconds=30)
    Registration.objects.update(next_run_at=clock.now())
    early = scenario.job()
    assert early.next_run_at == registration.profile.next_poll_at
    assert calls(scenario, "GET", "/CustomerProfiles/BU") == []


def test_no_campaign_before_the_customer_said_yes(unhurried, scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(at_otp)
    assert (registration.stage, registration.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)
    looks = len(calls(scenario, "GET", "/a2p/BrandRegistrations"))
    for _ in range(3):
        scenario.wake()
        # After so many polls the next one is in half an hour: each job makes one, however slow it is.
        Brand.objects.update(next_poll_at=clock.now(), poll_count=20)
        registration = scenario.job()
    assert len(calls(scenario, "GET", "/a2p/BrandRegistrations")) == looks + 3
    assert registration.stage == Stage.OTP
    assert "campaign.create_service" not in steps(scenario)
    scenario.harness.answer_yes()
    Brand.objects.update(next_poll_at=clock.now(), poll_count=0)
    scenario.wake()
    assert scenario.run().stage == Stage.LIVE


@pytest.mark.parametrize("word", ["SELF_DECLARED", "UNVERIFIED", "A_WORD_OF_NEXT_YEAR", ""])
def test_any_identity_but_verified_means_the_yes_is_missing(scenario: Scenario, word):
    name = "Quillfeather self declared" if word == "SELF_DECLARED" else "Quillfeather Kites"
    scenario.make(trust_bundle={"mobile_phone_number": SILENT, "brand_name": name})
    registration = scenario.run(at_otp)
    if word not in ("SELF_DECLARED", "UNVERIFIED"):
        Brand.objects.update(identity_status=word)
    else:
        assert registration.brand.identity_status == word
    registration = runner.load(scenario.pk)
    summary = decisions.summarize(registration, clock.now())
    assert (summary.stage, summary.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)


# --- stops before fees ----------------------------------------------------------------------------------------
def test_a_noncompliant_evaluation_stops_before_the_submission_and_names_the_fields(scenario: Scenario):
    scenario.gate.before = "profile.evaluate"
    scenario.make()
    scenario.run()
    # Somebody removed the attribute at Twilio: only its own evaluation shows that.
    end_user = Profile.objects.get().end_user_sid
    with scenario.harness.sandbox.world.lock:
        row = scenario.harness.sandbox.world.store.get("EndUsers", end_user)
        del row["attributes"]["email"]
        scenario.harness.sandbox.world.store.put("EndUsers", end_user, row)
    scenario.gate.before = ""
    scenario.wake()
    registration = scenario.run()
    assert (registration.stage, registration.waiting_for) == (Stage.PROFILE, WaitingFor.US)
    assert "profile.submit" not in steps(scenario)
    assert registration.profile.evaluation_status == "noncompliant"
    assert "email" in [problem.field for problem in decisions.problems(registration)]
    assert registration.next_run_at is None
    registration.refresh_from_db()
    actions.submit(registration, actor="ann")
    again = scenario.run()
    assert steps(scenario).count("profile.evaluate") == 2, "one evaluation per Submit"
    assert again.waiting_for == WaitingFor.US


def test_a_rejected_profile_stops_before_the_brand_and_its_edit_goes_on(scenario: Scenario):
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    registration = scenario.stopped(Stage.PROFILE)
    assert registration.profile.status == "twilio-rejected"
    assert scenario.harness.counts()["BrandRegistrations"] == 0
    scenario.edit(profile={"email": SECRETS["email"]})
    assert scenario.run().stage == Stage.LIVE
    assert steps(scenario).count("profile.submit") == 2
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1
    assert scenario.harness.violations() == []


def test_a_sender_that_is_not_ours_stops_before_the_brand(scenario: Scenario):
    scenario.make(phone_number={"sender_number": "+14155550999"})
    registration = scenario.stopped(Stage.BRAND)
    assert "not among your Twilio numbers" in registration.reason
    assert scenario.harness.counts()["BrandRegistrations"] == 0
    scenario.edit(phone_number={"sender_number": OWNED_NUMBER_SID})
    assert scenario.run().stage == Stage.LIVE


def test_buying_waits_for_the_confirmed_price(scenario: Scenario):
    scenario.make(phone_number={"sender_number": "", "area_code": "415"})
    registration = scenario.stopped(Stage.NUMBER)
    assert "Confirm" in registration.reason
    assert scenario.harness.counts()["fees"]["numbers_bought"] == 0
    actions.confirm_purchase(registration, actor="ann")
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert scenario.harness.counts()["fees"]["numbers_bought"] == 1
    assert live.phone_number.phone_number.startswith("+1415")


def test_two_customers_who_buy_in_one_area_at_once_both_get_a_number(scenario: Scenario, monkeypatch):
    """Between the search and the purchase somebody else may take the number."""
    scenario.reach("number.buy")
    client = runner.get_client()
    offers = client.search_numbers("US", area_code="415", sms_enabled=True, limit=1)
    search = type(client).search_numbers
    asked: list[int] = []

    def stale_at_first(self, *args, **kwargs):
        asked.append(1)
        return offers if len(asked) == 1 else search(self, *args, **kwargs)

    client.buy_number(phone_number=offers[0]["phone_number"], friendly_name="somebody else's")
    monkeypatch.setattr(type(client), "search_numbers", stale_at_first)
    scenario.gate.only = ""
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.phone_number != offers[0]["phone_number"]


def test_a_sender_that_gives_way_to_an_area_code_is_not_attached(scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    scenario.run(at_otp)
    scenario.edit(phone_number={"sender_number": "", "area_code": "415"})
    actions.confirm_purchase(runner.load(scenario.pk), actor="ann")
    scenario.harness.answer_yes()
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.sid != OWNED_NUMBER_SID
    assert scenario.harness.counts()["fees"]["numbers_bought"] == 1


def test_another_sender_takes_the_place_of_the_first(scenario: Scenario):
    scenario.make()
    assert scenario.run().stage == Stage.LIVE
    scenario.edit(phone_number={"sender_number": OTHER_NUMBER_SID})
    live = scenario.run()
    assert (live.stage, live.phone_number.sid) == (Stage.LIVE, OTHER_NUMBER_SID)
    assert scenario.harness.counts()["ServicePhoneNumbers"] == 1


# --- fees -----------------------------------------------------------------------------------------------------
def test_fees_are_planned_and_recorded(scenario: Scenario):
    registration = make_draft()
    plan = decisions.plan(registration)
    assert len(plan.calls) == 19
    assert plan.fee == Decimal("19.50")
    scenario.make()
    scenario.run()
    paid = ApiCall.objects.filter(registration_id=scenario.pk, fee__isnull=False, state=CallState.OK)
    assert {call.step: call.fee for call in paid} == {
        "brand.create": Decimal("4.50"),
        "campaign.create": Decimal("15.00"),
    }
    assert decisions.plan(runner.load(scenario.pk)).calls == []


# --- where a registration stands --------------------------------------------------------------------------------------
def test_stage_and_who_must_act_all_along_the_walk(unhurried, scenario: Scenario):
    registration = make_draft()
    assert (registration.stage, registration.waiting_for) == (Stage.DRAFT, WaitingFor.US)
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    queued = runner.load(scenario.pk)
    assert (queued.stage, queued.waiting_for) == (Stage.PROFILE, WaitingFor.WORKER)
    seen = []

    def note(registration: Registration) -> bool:
        if not seen or seen[-1] != (registration.stage, registration.waiting_for):
            seen.append((registration.stage, registration.waiting_for))
        if registration.stage == Stage.OTP:
            scenario.harness.answer_yes()
        return False

    scenario.run(note)
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

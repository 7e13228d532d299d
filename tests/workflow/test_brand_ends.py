"""Brands that cannot be resubmitted: a person deletes them in the Console, and only Submit pays for another."""

from decimal import Decimal

import pytest

from registrations.core import clock
from registrations.models import ApiCall, Brand, Registration, RetiredResource
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions, otp
from registrations.workflow import spending
from registrations.workflow.planner import decisions, manual_tasks
from registrations.workflow.runner import runner
from tests.workflow.support import AUTO_YES, SILENT, Scenario, at_otp, calls, new_calls, steps

pytestmark = pytest.mark.django_db


def tasks(registration: Registration) -> list[str]:
    return [task.key for task in manual_tasks.manual_tasks(registration)]


def deleted_in_the_console(scenario: Scenario, sid: str) -> Registration:
    """Somebody deletes the brand at Twilio, and we poll."""
    scenario.harness.post(f"brand/{sid}", action="delete")
    actions.refresh(runner.load(scenario.pk), actor="ann")
    return scenario.run(
        lambda registration: (
            bool(registration.brand.missing_since) and registration.waiting_for == WaitingFor.US
        )
    )


def fees(scenario: Scenario) -> tuple[int, int]:
    """(brands, vettings) that Twilio charged for."""
    counted = scenario.harness.counts()["fees"]
    return counted["brand_fees"], counted["vetting_fees"]


def test_a_brand_that_failed_three_times_is_deleted_by_hand_and_submit_pays_for_a_new_one(
    unhurried, scenario: Scenario
):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    registration = scenario.stopped(Stage.BRAND)
    for _ in range(3):
        actions.submit(registration, actor="ann")
        scenario.run(lambda registration: registration.brand.status == "PENDING")
        registration = scenario.stopped(Stage.BRAND)
    former = registration.brand.sid
    assert tasks(registration) == [f"delete_brand_{former}"]
    assert registration.next_run_at, "the deletion is looked for"

    registration = deleted_in_the_console(scenario, former)
    assert tasks(registration) == [], "the task closes itself"
    seen = len(scenario.harness.writes())
    scenario.wake()
    scenario.job()
    assert len(scenario.harness.writes()) == seen, "nobody asked for another brand yet"
    assert actions.edit(registration, {"trust_bundle": {"brand_name": "Quillfeather Kites"}}, actor="ann")
    plan = decisions.plan(runner.load(scenario.pk))
    assert [call.slug for call in plan.calls if call.fee] == ["brand.create", "campaign.create"]
    assert (plan.fee, plan.blockers) == (Decimal("19.50"), [])
    assert any("fee is charged again" in note for note in plan.notes)

    actions.submit(runner.load(scenario.pk), actor="bob")
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(scenario, seen) == [
        "POST EndUsers/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations",
        "POST Services",
        "POST Usa2p",
        "POST PhoneNumbers",
    ]
    assert live.brand.sid != former
    assert (live.brand.resubmissions, live.brand.missing_since) == (0, None)
    assert fees(scenario) == (2, 1)
    assert spending.spent(ApiCall.objects.filter(registration=live)) == Decimal("24.00")
    assert tasks(live) == [], "what is gone already needs no deleting"
    assert RetiredResource.objects.get(sid=former).missing_since
    assert scenario.harness.violations() == []


def test_a_live_registration_whose_brand_is_lost_keeps_its_campaign_until_submit_then_gets_both_again(
    scenario: Scenario,
):
    scenario.make()
    live = scenario.run()
    former = live.brand.sid
    scenario.harness.post(f"brand/{former}", action="reject", code=30793)
    actions.refresh(live, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert "30793" in registration.reason
    scenario.wake()
    scenario.job()
    assert calls(scenario, "DELETE", "/Usa2p") == [], "no customer's messages stop on their own"
    assert [call.slug for call in decisions.plan(registration).calls] == ["campaign.make_way"]

    actions.submit(registration, actor="ann")
    registration = scenario.run(
        lambda registration: not registration.campaign.sid and registration.waiting_for == WaitingFor.US
    )
    assert tasks(registration) == [f"delete_brand_{former}"]
    registration = deleted_in_the_console(scenario, former)
    assert fees(scenario) == (1, 1)
    seen = len(scenario.harness.writes())
    actions.submit(registration, actor="ann")
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(scenario, seen) == ["POST BrandRegistrations", "POST Usa2p"]
    assert fees(scenario) == (2, 2)
    counts = scenario.harness.counts()
    assert (counts["BrandRegistrations"], counts["Usa2p"], counts["violations"]) == (1, 1, {})


def test_twilio_counts_resubmissions_that_we_did_not_see(scenario: Scenario):
    """Somebody used them up in the Console: one rejection, then the same way out; nothing is charged on its own."""
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    registration = scenario.stopped(Stage.BRAND)
    world = scenario.harness.sandbox.world
    with world.lock:
        row = world.store.get("BrandRegistrations", registration.brand.sid)
        row["_updates"] = 3
        world.store.put("BrandRegistrations", registration.brand.sid, row)
    actions.submit(registration, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert "21724" in registration.reason
    assert tasks(registration) == [f"delete_brand_{registration.brand.sid}"]
    actions.submit(registration, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert steps(scenario).count("brand.update") == 1, "what must be rejected is not sent"
    registration = deleted_in_the_console(scenario, registration.brand.sid)
    scenario.wake()
    scenario.job()
    assert scenario.harness.counts()["BrandRegistrations"] == 0
    assert fees(scenario) == (1, 0)


@pytest.mark.parametrize("word", ["EXPIRED", "DELETION_FAILED", "expired"])
def test_other_ends_of_a_brand_become_the_same_task(scenario: Scenario, word):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(at_otp)
    scenario.harness.post(f"brand/{registration.brand.sid}", action="set", status=word)
    actions.refresh(registration, actor="ann")
    registration = scenario.run(
        lambda registration: (
            registration.brand.status == word.upper() and registration.waiting_for == WaitingFor.US
        )
    )
    assert tasks(registration) == [f"delete_brand_{registration.brand.sid}"]
    assert not otp.state(registration).owed
    actions.submit(registration, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert "Console" in registration.reason
    assert fees(scenario) == (1, 0)
    assert "brand.update" not in steps(scenario)


def test_while_a_brand_is_being_deleted_nobody_needs_to_act(scenario: Scenario):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30793"})
    registration = scenario.stopped(Stage.BRAND)
    scenario.harness.post(f"brand/{registration.brand.sid}", action="set", status="DELETION_PENDING")
    actions.refresh(registration, actor="ann")
    registration = scenario.run(lambda registration: registration.brand.status == "DELETION_PENDING")
    scenario.wake()
    registration = scenario.job()
    assert (tasks(registration), registration.waiting_for) == ([], WaitingFor.TWILIO)
    assert deleted_in_the_console(scenario, registration.brand.sid).brand.missing_since


def test_after_a_verified_brand_vanished_edits_reach_the_bundles_before_the_new_brand(scenario: Scenario):
    scenario.make()
    live = scenario.run()
    registration = deleted_in_the_console(scenario, live.brand.sid)
    seen = len(scenario.harness.writes())
    scenario.edit(trust_bundle={"mobile_phone_number": "+14155559999", "brand_name": "Quillfeather Toys"})
    live = scenario.run(
        lambda registration: registration.stage == Stage.LIVE and registration.campaign.status == "VERIFIED"
    )
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(scenario, seen)[:4] == [
        "POST EndUsers/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations",
    ]
    assert "DELETE Usa2p/…" in new_calls(scenario, seen), "a campaign stays with its brand"
    assert live.brand.sid != registration.brand.sid
    assert live.campaign.accepted_params["campaign"]["brand_registration_sid"] == live.brand.sid
    assert fees(scenario) == (2, 2)


# --- suspended -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", ["brand", "campaign"])
def test_a_suspension_is_a_task_for_support_and_costs_nothing(scenario: Scenario, part):
    scenario.make()
    live = scenario.run()
    key = live.brand.sid if part == "brand" else live.campaign.service_sid
    scenario.harness.post(f"{part}/{key}", action="suspend")
    actions.refresh(live, actor="ann")
    registration = scenario.run(lambda registration: registration.waiting_for == WaitingFor.US)
    assert "Support" in registration.reason
    assert tasks(registration) == [f"{part}_suspended"]
    assert manual_tasks.manual_tasks(registration)[0].support
    text = manual_tasks.ticket_text(registration)
    assert registration.brand.sid in text
    assert "SUSPENDED" in text
    assert AUTO_YES not in text

    seen, paid = len(scenario.harness.writes()), fees(scenario)
    actions.submit(registration, actor="ann")
    registration = scenario.run(lambda registration: registration.waiting_for == WaitingFor.US)
    assert len(scenario.harness.writes()) == seen
    assert fees(scenario) == paid
    lifted = {"brand": ("status", "APPROVED"), "campaign": ("campaign_status", "VERIFIED")}[part]
    scenario.harness.post(f"{part}/{key}", action="set", **dict([lifted]))
    actions.refresh(registration, actor="ann")
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert (live.stage, tasks(live)) == (Stage.LIVE, [])


# --- the OTP text after a changed mobile -----------------------------------------------------------------------
def other_mobile(scenario: Scenario, brand_name: str) -> Registration:
    """A customer whose YES is missing gets another mobile, and a text."""
    scenario.make(trust_bundle={"mobile_phone_number": SILENT, "brand_name": brand_name})
    registration = scenario.run(at_otp)
    otp.change_mobile(registration, mobile="+14155552699", actor="ann")
    return scenario.run(lambda registration: registration.brand.otp_sends == 2)


def test_texts_that_follow_the_bundle_reach_the_new_mobile(scenario: Scenario):
    registration = other_mobile(scenario, "Quillfeather Kites")
    assert "new number" in otp.state(registration).note
    assert scenario.harness.post("answer", mobile=SILENT)["verified"] == []
    assert scenario.harness.post("answer", mobile="+14155552699")["verified"] == [registration.brand.sid]
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    live = scenario.run()
    assert (live.stage, otp.state(live).note) == (Stage.LIVE, "")
    assert scenario.harness.violations() == []


def test_texts_that_stay_with_the_brand_are_explained_and_a_new_brand_reaches_the_new_mobile(
    scenario: Scenario,
):
    registration = other_mobile(scenario, "Quillfeather fixed mobile")
    assert scenario.harness.post("answer", mobile="+14155552699")["verified"] == []
    note = otp.state(registration).note
    assert "delete the brand in Twilio's Console" in note
    former = registration.brand.sid
    registration = deleted_in_the_console(scenario, former)
    assert not otp.state(registration).owed
    actions.submit(registration, actor="ann")
    registration = scenario.run(
        lambda registration: registration.brand.sid != former and registration.stage == Stage.OTP
    )
    assert otp.state(registration).note == ""
    assert scenario.harness.post("answer", mobile="+14155552699")["verified"] == [registration.brand.sid]
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    assert scenario.run().stage == Stage.LIVE
    assert fees(scenario) == (2, 1)


def test_the_plan_says_that_texts_may_not_follow_a_changed_mobile(scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(at_otp)
    assert otp.state(registration).note == ""
    assert actions.edit(registration, {"trust_bundle": {"mobile_phone_number": "+14155552699"}}, actor="ann")
    assert any("new number" in note for note in decisions.plan(runner.load(registration.pk)).notes)

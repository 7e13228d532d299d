"""Brands that cannot be resubmitted: a person deletes them in the Console, and only Submit pays for another."""

from decimal import Decimal

import pytest

from registrations import clock, manual, money, one_time_texts, pipeline, planning, support, verbs
from registrations.models import Brand, Registration, RetiredResource, StepRun
from registrations.states import Stage, WaitingFor
from tests.pipeline.support import AUTO_YES, SILENT, Stand, at_otp, calls, new_calls, steps

pytestmark = pytest.mark.django_db


def tasks(case: Registration) -> list[str]:
    return [task.key for task in manual.manual_tasks(case)]


def deleted_in_the_console(stand: Stand, sid: str) -> Registration:
    """Somebody deletes the brand at Twilio; the desk looks."""
    stand.desk.post(f"brand/{sid}", action="delete")
    verbs.refresh(pipeline.load(stand.pk), actor="ann")
    return stand.run(lambda case: bool(case.brand.gone_at) and case.waiting_for == WaitingFor.US)


def fees(stand: Stand) -> tuple[int, int]:
    """(brands, vettings) that Twilio charged for."""
    counted = stand.desk.counts()["fees"]
    return counted["brand_fees"], counted["vetting_fees"]


def test_a_brand_that_failed_three_times_is_deleted_by_hand_and_submit_pays_for_a_new_one(
    unhurried, stand: Stand
):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    for _ in range(3):
        verbs.submit(case, actor="ann")
        stand.run(lambda case: case.brand.status == "PENDING")
        case = stand.stopped(Stage.BRAND)
    former = case.brand.sid
    assert tasks(case) == [f"delete_brand_{former}"]
    assert case.wake_at, "the deletion is looked for"

    case = deleted_in_the_console(stand, former)
    assert tasks(case) == [], "the task closes itself"
    seen = len(stand.desk.writes())
    stand.wake()
    stand.job()
    assert len(stand.desk.writes()) == seen, "nobody asked for another brand yet"
    assert verbs.edit(case, {"trust_bundle": {"brand_name": "Quillfeather Kites"}}, actor="ann")
    plan = planning.plan(pipeline.load(stand.pk))
    assert [call.slug for call in plan.calls if call.fee] == ["brand.create", "campaign.create"]
    assert (plan.fee, plan.blockers) == (Decimal("19.50"), [])
    assert any("fee is paid again" in note for note in plan.notes)

    verbs.submit(pipeline.load(stand.pk), actor="bob")
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(stand, seen) == [
        "POST EndUsers/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations",
        "POST Services",
        "POST Usa2p",
        "POST PhoneNumbers",
    ]
    assert live.brand.sid != former
    assert (live.brand.resubmissions, live.brand.gone_at) == (0, None)
    assert fees(stand) == (2, 1)
    assert money.spent(StepRun.objects.filter(registration=live)) == Decimal("24.00")
    assert tasks(live) == [], "what is gone already needs no deleting"
    assert RetiredResource.objects.get(sid=former).gone_at
    assert stand.desk.violations() == []


def test_a_live_case_whose_brand_is_lost_keeps_its_campaign_until_submit_then_gets_both_anew(stand: Stand):
    stand.make()
    live = stand.run()
    former = live.brand.sid
    stand.desk.post(f"brand/{former}", action="reject", code=30793)
    verbs.refresh(live, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert "30793" in case.reason
    stand.wake()
    stand.job()
    assert calls(stand, "DELETE", "/Usa2p") == [], "nobody's messages stop by themselves"
    assert [call.slug for call in planning.plan(case).calls] == ["campaign.make_way"]

    verbs.submit(case, actor="ann")
    case = stand.run(lambda case: not case.campaign.sid and case.waiting_for == WaitingFor.US)
    assert tasks(case) == [f"delete_brand_{former}"]
    case = deleted_in_the_console(stand, former)
    assert fees(stand) == (1, 1)
    seen = len(stand.desk.writes())
    verbs.submit(case, actor="ann")
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(stand, seen) == ["POST BrandRegistrations", "POST Usa2p"]
    assert fees(stand) == (2, 2)
    counts = stand.desk.counts()
    assert (counts["BrandRegistrations"], counts["Usa2p"], counts["violations"]) == (1, 1, {})


def test_twilio_counts_resubmissions_that_we_did_not_see(stand: Stand):
    """Somebody used them up in the Console: one refusal, then the same way out; nothing is paid by itself."""
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    world = stand.desk.sandbox.world
    with world.lock:
        row = world.store.get("BrandRegistrations", case.brand.sid)
        row["_updates"] = 3
        world.store.put("BrandRegistrations", case.brand.sid, row)
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert "21724" in case.reason
    assert tasks(case) == [f"delete_brand_{case.brand.sid}"]
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert steps(stand).count("brand.update") == 1, "what must be refused is not asked for"
    case = deleted_in_the_console(stand, case.brand.sid)
    stand.wake()
    stand.job()
    assert stand.desk.counts()["BrandRegistrations"] == 0
    assert fees(stand) == (1, 0)


@pytest.mark.parametrize("word", ["EXPIRED", "DELETION_FAILED", "expired"])
def test_other_ends_of_a_brand_become_the_same_task(stand: Stand, word):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    stand.desk.post(f"brand/{case.brand.sid}", action="set", status=word)
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: case.brand.status == word.upper() and case.waiting_for == WaitingFor.US)
    assert tasks(case) == [f"delete_brand_{case.brand.sid}"]
    assert not one_time_texts.state(case).owed
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert "Console" in case.reason
    assert fees(stand) == (1, 0)
    assert "brand.update" not in steps(stand)


def test_while_a_brand_is_being_deleted_nothing_is_asked_of_anybody(stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30793"})
    case = stand.stopped(Stage.BRAND)
    stand.desk.post(f"brand/{case.brand.sid}", action="set", status="DELETION_PENDING")
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: case.brand.status == "DELETION_PENDING")
    stand.wake()
    case = stand.job()
    assert (tasks(case), case.waiting_for) == ([], WaitingFor.TWILIO)
    assert deleted_in_the_console(stand, case.brand.sid).brand.gone_at


def test_after_a_verified_brand_vanished_edits_reach_the_bundles_before_the_new_brand(stand: Stand):
    stand.make()
    live = stand.run()
    case = deleted_in_the_console(stand, live.brand.sid)
    seen = len(stand.desk.writes())
    stand.edit(trust_bundle={"mobile_phone_number": "+14155559999", "brand_name": "Quillfeather Toys"})
    live = stand.run(lambda case: case.stage == Stage.LIVE and case.campaign.status == "VERIFIED")
    assert live.stage == Stage.LIVE, live.reason
    assert new_calls(stand, seen)[:4] == [
        "POST EndUsers/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations",
    ]
    assert "DELETE Usa2p/…" in new_calls(stand, seen), "a campaign stays with its brand"
    assert live.brand.sid != case.brand.sid
    assert live.campaign.sent["campaign"]["brand_registration_sid"] == live.brand.sid
    assert fees(stand) == (2, 2)


# --- suspended -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", ["brand", "campaign"])
def test_a_suspension_is_a_task_for_support_and_costs_nothing(stand: Stand, part):
    stand.make()
    live = stand.run()
    key = live.brand.sid if part == "brand" else live.campaign.service_sid
    stand.desk.post(f"{part}/{key}", action="suspend")
    verbs.refresh(live, actor="ann")
    case = stand.run(lambda case: case.waiting_for == WaitingFor.US)
    assert "support" in case.reason
    assert tasks(case) == [f"{part}_suspended"]
    assert manual.manual_tasks(case)[0].support
    text = support.ticket_text(case)
    assert case.brand.sid in text
    assert "SUSPENDED" in text
    assert AUTO_YES not in text

    seen, paid = len(stand.desk.writes()), fees(stand)
    verbs.submit(case, actor="ann")
    case = stand.run(lambda case: case.waiting_for == WaitingFor.US)
    assert len(stand.desk.writes()) == seen
    assert fees(stand) == paid
    lifted = {"brand": ("status", "APPROVED"), "campaign": ("campaign_status", "VERIFIED")}[part]
    stand.desk.post(f"{part}/{key}", action="set", **dict([lifted]))
    verbs.refresh(case, actor="ann")
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    assert (live.stage, tasks(live)) == (Stage.LIVE, [])


# --- the one-time text after a changed mobile -----------------------------------------------------------------------
def other_mobile(stand: Stand, brand_name: str) -> Registration:
    """A customer who owes the YES gets another mobile, and a text."""
    stand.make(trust_bundle={"mobile_phone_number": SILENT, "brand_name": brand_name})
    case = stand.run(at_otp)
    one_time_texts.change_mobile(case, mobile="+14155552699", actor="ann")
    return stand.run(lambda case: case.brand.otp_sends == 2)


def test_texts_that_follow_the_bundle_reach_the_new_mobile(stand: Stand):
    case = other_mobile(stand, "Quillfeather Kites")
    assert "new number" in one_time_texts.state(case).note
    assert stand.desk.post("answer", mobile=SILENT)["verified"] == []
    assert stand.desk.post("answer", mobile="+14155552699")["verified"] == [case.brand.sid]
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    live = stand.run()
    assert (live.stage, one_time_texts.state(live).note) == (Stage.LIVE, "")
    assert stand.desk.violations() == []


def test_texts_that_stay_with_the_brand_are_told_and_a_new_brand_reaches_the_new_mobile(stand: Stand):
    case = other_mobile(stand, "Quillfeather fixed mobile")
    assert stand.desk.post("answer", mobile="+14155552699")["verified"] == []
    note = one_time_texts.state(case).note
    assert "delete the brand in Twilio's Console" in note
    former = case.brand.sid
    case = deleted_in_the_console(stand, former)
    assert not one_time_texts.state(case).owed
    verbs.submit(case, actor="ann")
    case = stand.run(lambda case: case.brand.sid != former and case.stage == Stage.OTP)
    assert one_time_texts.state(case).note == ""
    assert stand.desk.post("answer", mobile="+14155552699")["verified"] == [case.brand.sid]
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    assert stand.run().stage == Stage.LIVE
    assert fees(stand) == (2, 1)


def test_the_plan_tells_that_texts_may_not_follow_a_changed_mobile(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    assert one_time_texts.state(case).note == ""
    assert verbs.edit(case, {"trust_bundle": {"mobile_phone_number": "+14155552699"}}, actor="ann")
    assert any("new number" in note for note in planning.plan(pipeline.load(case.pk)).notes)

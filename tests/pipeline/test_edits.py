"""Edits: not sent before Submit, then exactly what they take at Twilio."""

from datetime import timedelta

import pytest

from registrations import clock, pacing, pipeline, planning, verbs
from registrations.models import Brand, Registration
from registrations.states import Stage, WaitingFor
from tests.cases import PARTS
from tests.pipeline.support import (
    SCALE,
    SECRETS,
    SILENT,
    Stand,
    at_otp,
    calls,
    steps,
)

pytestmark = pytest.mark.django_db


def test_an_edit_is_not_sent_before_submit(stand: Stand):
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    case = stand.stopped(Stage.PROFILE)
    before = len(stand.desk.writes())
    assert verbs.edit(case, {"profile": {"email": SECRETS["email"]}}, actor="ann")
    stand.wake()
    case = stand.job()
    assert len(stand.desk.writes()) == before
    assert case.waiting_for == WaitingFor.US
    assert "Submit" in case.reason
    verbs.submit(case, actor="ann")
    assert stand.run().stage == Stage.LIVE


def test_an_edit_in_mid_walk_stops_the_writes_until_submit(stand: Stand):
    stand.gate.before = "trust_bundle.create"
    stand.make()
    case = stand.run()
    verbs.edit(case, {"trust_bundle": {"brand_name": "Quillfeather Two"}}, actor="ann")
    stand.gate.before = ""
    stand.wake()
    stand.job()
    assert "trust_bundle.create" not in steps(stand)
    verbs.submit(case, actor="ann")
    assert stand.run().stage == Stage.LIVE


def hold(case):
    verbs.hold(case, reason="The customer called.", actor="ann")


def edit(case):
    verbs.edit(case, {"trust_bundle": {"brand_name": "Quillfeather Two"}}, actor="ann")


@pytest.mark.parametrize("act", [hold, edit])
def test_what_a_person_does_just_before_a_paid_call_stops_it(stand: Stand, monkeypatch, act):
    """The worker has decided and not yet called: no fee may be paid for what was stopped or replaced."""
    stand.reach("brand.create")
    take, acted = pacing.take, []

    def take_while_somebody_acts(lane, registration):
        if not acted:
            acted.append(act(registration))
        return take(lane, registration)

    monkeypatch.setattr(pacing, "take", take_while_somebody_acts)
    case = stand.job()
    assert acted
    assert stand.runs() == []
    assert calls(stand, "POST", "BrandRegistrations") == []
    assert case.waiting_for == WaitingFor.US
    if act is hold:
        verbs.release(case, actor="ann")
    else:
        verbs.submit(case, actor="ann")
    stand.gate.only = ""
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert stand.desk.counts()["fees"]["brand_fees"] == 1


def test_a_worker_that_slept_before_a_paid_call_does_not_pay_a_second_time(stand: Stand, monkeypatch):
    """It decided, slept past its lease, and meanwhile another worker has made the call and closed its attempt."""
    stand.reach("brand.create")
    take, slept = pacing.take, []

    def sleep(lane, registration):
        if not slept:
            slept.append(True)
            Registration.objects.filter(pk=stand.pk).update(lease_until=clock.now() - timedelta(seconds=1))
            stand.job()
            assert stand.states() == ["ok"]
        return take(lane, registration)

    monkeypatch.setattr(pacing, "take", sleep)
    stand.job()
    assert stand.states() == ["ok"]
    assert stand.desk.counts()["fees"]["brand_fees"] == 1


def test_an_edit_while_the_brand_is_pending_waits_for_its_end(unhurried, stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(lambda case: case.brand.status == "PENDING")
    Brand.objects.update(next_poll_at=clock.now() + timedelta(seconds=5))
    before = len(stand.desk.writes())
    stand.edit(profile={"first_name": "Willa"})
    case = stand.job()
    assert len(stand.desk.writes()) == before, "a brand under review must be left alone"
    assert case.waiting_for == WaitingFor.TWILIO
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    stand.run(at_otp)
    stand.run(lambda case: steps(stand).count("trust_bundle.submit") == 2)
    assert "profile.update_end_user" in steps(stand)
    assert "brand.update" not in steps(stand), "an approved brand cannot be updated (21725)"
    assert stand.desk.violations() == []


def test_a_failed_brand_is_resubmitted_after_the_bundles_and_no_second_one_is_made(stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    assert case.brand.status == "FAILED"
    stand.edit(trust_bundle={"brand_name": "Quillfeather Kites"})
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.brand.resubmissions == 1
    counts = stand.desk.counts()
    assert (counts["BrandRegistrations"], counts["fees"]["brand_fees"]) == (1, 1)
    tail = steps(stand)[steps(stand).index("brand.create") + 1 :]
    assert tail[:4] == [
        "trust_bundle.update_end_user",
        "trust_bundle.evaluate",
        "trust_bundle.submit",
        "brand.update",
    ]
    assert stand.desk.violations() == []


def test_brand_resubmissions_end_after_three(unhurried, stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    for _ in range(3):
        verbs.submit(case, actor="ann")
        stand.run(lambda case: case.brand.status == "PENDING")
        case = stand.stopped(Stage.BRAND)
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert steps(stand).count("brand.update") == 3
    assert "21724" in case.reason
    assert "21724" in " ".join(planning.plan(case).blockers)


def test_30793_cannot_be_resubmitted_and_says_so(unhurried, stand: Stand):
    stand.make()
    stand.run(lambda case: case.brand.status == "PENDING")
    stand.desk.post(f"brand/{Brand.objects.get().sid}", action="reject", code=30793)
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.stopped(Stage.BRAND)
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert "30793" in case.reason
    assert "brand.update" not in steps(stand)
    assert stand.desk.counts()["BrandRegistrations"] == 1


def test_a_failed_campaign_is_edited_in_place_when_only_editable_fields_changed(stand: Stand):
    token = " [[30886:USE_CASE_DESCRIPTION]]"
    stand.make(campaign={"description": PARTS["campaign"]["description"] + token})
    case = stand.stopped(Stage.CAMPAIGN)
    assert [problem.field for problem in planning.problems(case)] == ["description"]
    stand.edit(campaign={"description": PARTS["campaign"]["description"]})
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert len(calls(stand, "POST", "/Usa2p/QE")) == 1
    assert calls(stand, "DELETE", "/Usa2p") == []
    assert stand.desk.counts()["Services"] == 1


def test_changed_keywords_mean_delete_five_seconds_and_create(stand: Stand):
    stand.make(campaign={"description": PARTS["campaign"]["description"] + " [[once 30890:HELP_MESSAGE]]"})
    stand.stopped(Stage.CAMPAIGN)
    stand.edit(
        campaign={"help_keywords": "HELP, ASSIST", "description": PARTS["campaign"]["description"]},
    )
    planned = [call.slug for call in planning.plan(pipeline.load(stand.pk)).calls]
    assert planned[:2] == ["campaign.delete", "campaign.create"]
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    [deleted] = calls(stand, "DELETE", "/Usa2p/QE")
    created = calls(stand, "POST", "/Usa2p")[-1]
    assert created["at"] - deleted["at"] >= 5 * SCALE
    assert created["params"]["HelpKeywords"] == ["HELP", "ASSIST"]
    assert calls(stand, "POST", "/Usa2p/QE") == []
    assert stand.desk.violations() == []

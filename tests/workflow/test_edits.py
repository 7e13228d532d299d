"""Edits: not sent before Submit, then with exactly the calls they need."""

from datetime import timedelta

import pytest

from registrations.core import clock
from registrations.models import Brand, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from registrations.workflow.planner import decisions
from registrations.workflow.runner import rate_limit, runner
from tests.customers import PARTS
from tests.workflow.support import SCALE, SECRETS, SILENT, Scenario, at_otp, calls, steps

pytestmark = pytest.mark.django_db


def test_an_edit_is_not_sent_before_submit(scenario: Scenario):
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    registration = scenario.stopped(Stage.PROFILE)
    before = len(scenario.harness.writes())
    assert actions.edit(registration, {"profile": {"email": SECRETS["email"]}}, actor="ann")
    scenario.wake()
    registration = scenario.job()
    assert len(scenario.harness.writes()) == before
    assert registration.waiting_for == WaitingFor.US
    assert "Submit" in registration.reason
    actions.submit(registration, actor="ann")
    assert scenario.run().stage == Stage.LIVE


def test_an_edit_in_mid_walk_stops_the_writes_until_submit(scenario: Scenario):
    scenario.gate.before = "trust_bundle.create"
    scenario.make()
    registration = scenario.run()
    actions.edit(registration, {"trust_bundle": {"brand_name": "Quillfeather Two"}}, actor="ann")
    scenario.gate.before = ""
    scenario.wake()
    scenario.job()
    assert "trust_bundle.create" not in steps(scenario)
    actions.submit(registration, actor="ann")
    assert scenario.run().stage == Stage.LIVE


def hold(registration):
    actions.hold(registration, reason="The customer called.", actor="ann")


def edit(registration):
    actions.edit(registration, {"trust_bundle": {"brand_name": "Quillfeather Two"}}, actor="ann")


@pytest.mark.parametrize("action", [hold, edit])
def test_what_a_person_does_just_before_a_paid_call_stops_it(scenario: Scenario, monkeypatch, action):
    """The worker decided but has not called yet: no fee may be charged for what was stopped or replaced."""
    scenario.reach("brand.create")
    take, acted = rate_limit.take, []

    def take_while_somebody_acts(limit, registration):
        if not acted:
            acted.append(action(registration))
        return take(limit, registration)

    monkeypatch.setattr(rate_limit, "take", take_while_somebody_acts)
    registration = scenario.job()
    assert acted
    assert scenario.api_calls() == []
    assert calls(scenario, "POST", "BrandRegistrations") == []
    assert registration.waiting_for == WaitingFor.US
    if action is hold:
        actions.release(registration, actor="ann")
    else:
        actions.submit(registration, actor="ann")
    scenario.gate.only = ""
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1


def test_a_worker_that_slept_before_a_paid_call_does_not_pay_a_second_time(scenario: Scenario, monkeypatch):
    """It decided and slept past its lease; meanwhile another worker made the call and completed it."""
    scenario.reach("brand.create")
    take, slept = rate_limit.take, []

    def sleep(limit, registration):
        if not slept:
            slept.append(True)
            Registration.objects.filter(pk=scenario.pk).update(lease_until=clock.now() - timedelta(seconds=1))
            scenario.job()
            assert scenario.states() == ["ok"]
        return take(limit, registration)

    monkeypatch.setattr(rate_limit, "take", sleep)
    scenario.job()
    assert scenario.states() == ["ok"]
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1


def test_an_edit_while_the_brand_is_pending_waits_for_its_end(unhurried, scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(lambda registration: registration.brand.status == "PENDING")
    Brand.objects.update(next_poll_at=clock.now() + timedelta(seconds=5))
    before = len(scenario.harness.writes())
    scenario.edit(profile={"first_name": "Willa"})
    registration = scenario.job()
    assert len(scenario.harness.writes()) == before, "a brand under review must be left alone"
    assert registration.waiting_for == WaitingFor.TWILIO
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    scenario.run(at_otp)
    scenario.run(lambda registration: steps(scenario).count("trust_bundle.submit") == 2)
    assert "profile.update_end_user" in steps(scenario)
    assert "brand.update" not in steps(scenario), "an approved brand cannot be updated (21725)"
    assert scenario.harness.violations() == []


def test_a_failed_brand_is_resubmitted_after_the_bundles_and_no_second_one_is_made(scenario: Scenario):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    registration = scenario.stopped(Stage.BRAND)
    assert registration.brand.status == "FAILED"
    scenario.edit(trust_bundle={"brand_name": "Quillfeather Kites"})
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.brand.resubmissions == 1
    counts = scenario.harness.counts()
    assert (counts["BrandRegistrations"], counts["fees"]["brand_fees"]) == (1, 1)
    tail = steps(scenario)[steps(scenario).index("brand.create") + 1 :]
    assert tail[:4] == [
        "trust_bundle.update_end_user",
        "trust_bundle.evaluate",
        "trust_bundle.submit",
        "brand.update",
    ]
    assert scenario.harness.violations() == []


def test_brand_resubmissions_end_after_three(unhurried, scenario: Scenario):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    registration = scenario.stopped(Stage.BRAND)
    for _ in range(3):
        actions.submit(registration, actor="ann")
        scenario.run(lambda registration: registration.brand.status == "PENDING")
        registration = scenario.stopped(Stage.BRAND)
    actions.submit(registration, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert steps(scenario).count("brand.update") == 3
    assert "21724" in registration.reason
    assert "21724" in " ".join(decisions.plan(registration).blockers)


def test_30793_cannot_be_resubmitted_and_says_so(unhurried, scenario: Scenario):
    scenario.make()
    scenario.run(lambda registration: registration.brand.status == "PENDING")
    scenario.harness.post(f"brand/{Brand.objects.get().sid}", action="reject", code=30793)
    Brand.objects.update(next_poll_at=clock.now())
    scenario.wake()
    registration = scenario.stopped(Stage.BRAND)
    actions.submit(registration, actor="ann")
    registration = scenario.stopped(Stage.BRAND)
    assert "30793" in registration.reason
    assert "brand.update" not in steps(scenario)
    assert scenario.harness.counts()["BrandRegistrations"] == 1


def test_a_failed_campaign_is_edited_in_place_when_only_editable_fields_changed(scenario: Scenario):
    token = " [[30886:USE_CASE_DESCRIPTION]]"
    scenario.make(campaign={"description": PARTS["campaign"]["description"] + token})
    registration = scenario.stopped(Stage.CAMPAIGN)
    assert [problem.field for problem in decisions.problems(registration)] == ["description"]
    scenario.edit(campaign={"description": PARTS["campaign"]["description"]})
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    assert len(calls(scenario, "POST", "/Usa2p/QE")) == 1
    assert calls(scenario, "DELETE", "/Usa2p") == []
    assert scenario.harness.counts()["Services"] == 1


def test_changed_keywords_mean_delete_five_seconds_and_create(scenario: Scenario):
    scenario.make(campaign={"description": PARTS["campaign"]["description"] + " [[once 30890:HELP_MESSAGE]]"})
    scenario.stopped(Stage.CAMPAIGN)
    scenario.edit(
        campaign={"help_keywords": "HELP, ASSIST", "description": PARTS["campaign"]["description"]},
    )
    planned = [call.slug for call in decisions.plan(runner.load(scenario.pk)).calls]
    assert planned[:2] == ["campaign.delete", "campaign.create"]
    live = scenario.run()
    assert live.stage == Stage.LIVE, live.reason
    [deleted] = calls(scenario, "DELETE", "/Usa2p/QE")
    created = calls(scenario, "POST", "/Usa2p")[-1]
    assert created["at"] - deleted["at"] >= 5 * SCALE
    assert created["params"]["HelpKeywords"] == ["HELP", "ASSIST"]
    assert calls(scenario, "POST", "/Usa2p/QE") == []
    assert scenario.harness.violations() == []

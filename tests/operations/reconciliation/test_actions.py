"""Acts: one call each, after one more look; what Twilio refuses is shown as it came."""

from datetime import timedelta

import pytest

from registrations.core import clock, queue
from registrations.models import Finding, Registration
from registrations.models.choices import Stage
from registrations.models.registration import new_ref
from registrations.operations import actions, reconciliation
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.customers import PARTS, make_draft
from tests.operations.reconciliation.conftest import AUTO_YES
from tests.operations.reconciliation.test_scan import ADDRESS, end_user, retire
from tests.queued import queued

SILENT = {"mobile_phone_number": "+14155552672"}


def exists(house, finding: Finding) -> bool:
    return finding.sid in str(house.harness.get("state"))


def orphan(house, registration: Registration | None = None) -> Finding:
    """A duplicate that nothing uses."""
    end_user(house, (registration or make_draft()).friendly_name("person", 2))
    house.scan()
    return house.only()


# --- delete ----------------------------------------------------------------------------------------------------
def test_an_orphan_is_deleted_by_one_call_and_told_on_its_registration(house):
    finding = orphan(house)
    before = len(house.harness.writes())
    finding = house.act(finding)
    assert (finding.state, finding.result) == ("done", "Deleted at Twilio.")
    assert not exists(house, finding)
    assert [entry["method"] for entry in house.harness.writes()[before:]] == ["DELETE"]
    event = finding.registration.events.get(tag="reconcile:delete")
    assert (event.actor, finding.sid in event.text) == ("ann", True)
    assert house.scan().counts["found"] == {}


@pytest.mark.parametrize("kind", ["address", "service", "supporting_document", "customer_profile"])
def test_every_kind_with_a_deletion_is_deleted(house, kind):
    ref = new_ref()
    make = {
        "address": lambda: house.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS),
        "service": lambda: house.client.create_service(friendly_name=f"A2P {ref} service"),
        "supporting_document": lambda: house.client.create_supporting_document(
            friendly_name=f"A2P {ref} document", type="customer_profile_address", attributes={}
        ),
        "customer_profile": lambda: house.client.create_bundle(
            "customer_profile",
            friendly_name=f"A2P {ref} profile",
            email="a@harborcrafts.com",
            policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
        ),
    }
    sid = make[kind]()["sid"]
    house.scan()
    finding = house.act(house.only(kind=kind))
    assert (finding.sid, finding.state) == (sid, "done")
    assert not exists(house, finding)


def test_twilios_refusal_is_shown_as_it_came_and_may_be_tried_again(house):
    registration = house.registration(until=Stage.OTP, trust_bundle=SILENT)
    bundle = house.client.create_bundle(
        "customer_profile",
        friendly_name=registration.friendly_name("profile", 2),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    person = end_user(house, registration.friendly_name("person", 2))
    house.client.create_assignment("customer_profile", bundle, object_sid=person)
    registration.api_calls.update(finished_at=clock.now() - timedelta(hours=1))
    house.scan()
    finding = house.act(house.only(sid=person))
    assert finding.state == "failed"
    assert "21644" in finding.result
    assert exists(house, finding)
    house.act(house.only(sid=bundle))
    assert house.act(finding).state == "done"


def test_a_double_click_or_a_redelivered_job_calls_once(house):
    finding = orphan(house)
    assert reconciliation.actions.ask(finding, actor="ann")
    assert not reconciliation.actions.ask(finding, actor="bob")
    assert queued(queue.FINDING) == [(finding.pk,)]
    assert reconciliation.actions.run(finding.pk)
    calls = len(house.harness.log())
    assert not reconciliation.actions.run(finding.pk)
    assert len(house.harness.log()) == calls
    finding.refresh_from_db()
    assert (finding.state, finding.acted_by) == ("done", "ann")
    assert not reconciliation.actions.ask(finding, actor="bob")


def test_a_job_whose_worker_died_is_done_by_the_next_one(house):
    finding = orphan(house)
    reconciliation.actions.ask(finding, actor="ann", enqueue=False)
    Finding.objects.update(claimed_at=clock.now())
    assert not reconciliation.actions.run(finding.pk)
    Finding.objects.update(claimed_at=clock.now() - timedelta(minutes=5), enqueued_at=clock.now())
    assert reconciliation.actions.claim_forgotten() == []
    Finding.objects.update(enqueued_at=clock.now() - timedelta(minutes=1))
    assert reconciliation.actions.claim_forgotten() == [finding.pk]
    assert reconciliation.actions.run(finding.pk)


def test_a_scan_leaves_what_was_asked_meanwhile(house):
    finding = orphan(house)
    reconciliation.actions.ask(finding, actor="ann", enqueue=False)
    house.client.delete_end_user(finding.sid)
    house.scan()
    finding.refresh_from_db()
    assert (finding.state, finding.action) == ("asked", "delete")
    assert reconciliation.actions.run(finding.pk)
    finding.refresh_from_db()
    assert (finding.state, finding.result) == ("done", "It was gone already.")


@pytest.mark.parametrize("action", ["drop_after", "500_after", "drop_before"])
def test_a_lost_answer_is_looked_after(house, action):
    finding = orphan(house)
    house.harness.fault(method="DELETE", path=".", action=action, times=1)
    finding = house.act(finding)
    if action == "drop_before":
        assert (finding.state, exists(house, finding)) == ("failed", True)
        finding = house.act(finding)
    assert (finding.state, exists(house, finding)) == ("done", False)


def test_looked_at_again_before_it_is_deleted(house):
    """Between scan and click the object came into use, its registration is worked on, or its key turned up here."""
    registration = make_draft()
    finding = orphan(house, registration)
    type(registration.profile).objects.update(end_user_sid=finding.sid)
    assert "uses it now" in house.act(finding).result
    type(registration.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "A worker is at" in house.act(finding).result
    Registration.objects.update(lease_until=None)
    Finding.objects.update(name="A2P somebody else's")
    assert "name has changed" in house.act(finding).result
    Finding.objects.update(name=registration.friendly_name("person", 2), registration=None)
    assert "here now" in house.act(finding).result
    assert exists(house, finding)


def test_what_others_stand_on_is_not_deleted(house):
    """Twilio itself would delete these: an address under a document, a service with its campaign or number."""
    ref = new_ref()
    address = house.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS)["sid"]
    service = house.client.create_service(friendly_name=f"A2P {ref} service")["sid"]
    house.scan()
    house.client.create_supporting_document(
        friendly_name="x", type="customer_profile_address", attributes={"address_sids": address}
    )
    house.client.attach_number(service, "PN" + "0" * 31 + "1")
    assert "names it" in house.act(house.only(sid=address)).result
    assert "A number is in it" in house.act(house.only(sid=service)).result


def test_a_service_with_a_campaign_stays(house, finished):
    registration = finished(house.registration())
    service = registration.campaign.service_sid
    type(registration.campaign).objects.update(service_sid="")
    type(registration.phone_number).objects.update(service_sid="")
    Registration.objects.update(stage=Stage.REMOVED)
    house.scan()
    finding = house.only(kind="service")
    assert (finding.sid, finding.action) == (service, "none")
    # Even one that was offered by an earlier scan.
    Finding.objects.update(action="delete")
    finding.refresh_from_db()
    assert "a campaign" in house.act(finding).result
    assert exists(house, finding)


def test_a_retired_object_is_gone_when_it_is_deleted(house):
    registration = make_draft()
    row = retire(registration, "end_user", end_user(house, registration.friendly_name("person")))
    house.scan()
    house.act(house.only())
    row.refresh_from_db()
    assert row.missing_since


# --- adopt -----------------------------------------------------------------------------------------------------
def test_an_adopted_object_is_not_made_again(house):
    registration = make_draft(trust_bundle={"mobile_phone_number": AUTO_YES})
    end_user(house, registration.friendly_name("person"))
    house.client.create_address(friendly_name=registration.friendly_name("address"), **ADDRESS)
    house.client.create_service(friendly_name=registration.friendly_name("service"))
    house.scan()
    assert {action for _, _, action in house.found()} == {"adopt"}
    for finding in Finding.objects.all():
        assert house.act(finding).state == "done", finding.result
    assert set(registration.api_calls.values_list("state", flat=True)) == {"found"}
    # The person at Twilio is somebody else's data: the plan mends it, like any drift.
    actions.submit(registration, actor="ann")
    registration = house.harness.run(registration.pk)
    assert registration.stage == Stage.LIVE, registration.reason
    counts = house.harness.counts()
    assert (counts["EndUsers"], counts["Addresses"], counts["Services"], counts["duplicates"]) == (
        2,
        1,
        1,
        {},
    )
    person = house.client.fetch_end_user(registration.profile.end_user_sid)
    assert person["attributes"]["first_name"] == PARTS["profile"]["first_name"]
    assert house.scan().counts["found"] == {}


def test_an_adopted_brand_spares_the_second_fee(house, finished):
    registration = finished(house.registration(until=Stage.OTP, trust_bundle=SILENT))
    sid = registration.brand.sid
    type(registration.brand).objects.update(
        sid="", status="", accepted_params={}, identity_status="", approved_at=None
    )
    Registration.objects.update(hold=True, next_run_at=None)
    house.scan()
    assert house.act(house.only(kind="brand")).state == "done"
    actions.release(registration, actor="ann")
    registration = house.harness.run(
        registration.pk, until=lambda registration: registration.stage == Stage.OTP
    )
    assert (registration.brand.sid, registration.stage) == (sid, Stage.OTP), registration.reason
    assert (
        decisions.plan(registration).fee
        == decisions.plan(make_draft()).fee - decisions.BY_SLUG["brand.create"].fee()
    )
    assert house.harness.counts()["BrandRegistrations"] == 1


def test_a_submitted_registration_goes_on_by_itself(house):
    registration = make_draft()
    end_user(house, registration.friendly_name("person"))
    house.scan()
    Registration.objects.update(submitted_revision=1, next_run_at=None)
    house.act(house.only())
    assert queued(queue.ADVANCE) == [(registration.pk,)]
    assert runner.load(registration.pk).next_run_at is not None


def test_a_bundle_with_parts_is_not_adopted(house):
    registration = make_draft()
    profile = house.client.create_bundle(
        "customer_profile",
        friendly_name=registration.friendly_name("profile"),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    house.scan()
    finding = house.only()
    assert finding.action == "adopt"
    person = end_user(house, registration.friendly_name("person"))
    assignment = house.client.create_assignment("customer_profile", profile, object_sid=person)["sid"]
    assert "assigned to it" in house.act(finding).result
    house.client.delete_assignment("customer_profile", profile, assignment)
    assert house.act(finding).state == "done"
    assert runner.load(registration.pk).profile.sid == profile


def test_adopting_looks_again(house):
    registration = make_draft()
    sid = end_user(house, registration.friendly_name("person"))
    house.scan()
    finding = house.only()
    type(registration.profile).objects.update(end_user_sid="IT" + "d" * 32)
    assert "has one already" in house.act(finding).result
    type(registration.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "A worker is at" in house.act(finding).result
    Registration.objects.update(lease_until=None)
    house.client.delete_end_user(sid)
    assert "gone" in house.act(finding).result
    assert runner.load(registration.pk).profile.end_user_sid == ""

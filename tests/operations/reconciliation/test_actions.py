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


def exists(account, finding: Finding) -> bool:
    return finding.sid in str(account.harness.get("state"))


def orphan(account, registration: Registration | None = None) -> Finding:
    """A duplicate that nothing uses."""
    end_user(account, (registration or make_draft()).friendly_name("person", 2))
    account.scan()
    return account.only()


# --- delete ----------------------------------------------------------------------------------------------------
def test_an_orphan_is_deleted_by_one_call_and_noted_on_its_registration(account):
    finding = orphan(account)
    before = len(account.harness.writes())
    finding = account.run_action(finding)
    assert (finding.state, finding.result) == ("done", "Deleted at Twilio.")
    assert not exists(account, finding)
    assert [entry["method"] for entry in account.harness.writes()[before:]] == ["DELETE"]
    event = finding.registration.events.get(tag="reconcile:delete")
    assert (event.actor, finding.sid in event.text) == ("ann", True)
    assert account.scan().counts["found"] == {}


@pytest.mark.parametrize("kind", ["address", "service", "supporting_document", "customer_profile"])
def test_every_kind_with_a_deletion_is_deleted(account, kind):
    ref = new_ref()
    make = {
        "address": lambda: account.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS),
        "service": lambda: account.client.create_service(friendly_name=f"A2P {ref} service"),
        "supporting_document": lambda: account.client.create_supporting_document(
            friendly_name=f"A2P {ref} document", type="customer_profile_address", attributes={}
        ),
        "customer_profile": lambda: account.client.create_bundle(
            "customer_profile",
            friendly_name=f"A2P {ref} profile",
            email="a@harborcrafts.com",
            policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
        ),
    }
    sid = make[kind]()["sid"]
    account.scan()
    finding = account.run_action(account.only(resource_type=kind))
    assert (finding.sid, finding.state) == (sid, "done")
    assert not exists(account, finding)


def test_twilios_refusal_is_shown_as_it_came_and_may_be_tried_again(account):
    registration = account.registration(until=Stage.OTP, trust_bundle=SILENT)
    bundle = account.client.create_bundle(
        "customer_profile",
        friendly_name=registration.friendly_name("profile", 2),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    person = end_user(account, registration.friendly_name("person", 2))
    account.client.create_assignment("customer_profile", bundle, object_sid=person)
    registration.api_calls.update(finished_at=clock.now() - timedelta(hours=1))
    account.scan()
    finding = account.run_action(account.only(sid=person))
    assert finding.state == "failed"
    assert "21644" in finding.result
    assert exists(account, finding)
    account.run_action(account.only(sid=bundle))
    assert account.run_action(finding).state == "done"


def test_a_double_click_or_a_redelivered_job_calls_once(account):
    finding = orphan(account)
    assert reconciliation.actions.request(finding, actor="ann")
    assert not reconciliation.actions.request(finding, actor="bob")
    assert queued(queue.FINDING) == [(finding.pk,)]
    assert reconciliation.actions.run(finding.pk)
    calls = len(account.harness.log())
    assert not reconciliation.actions.run(finding.pk)
    assert len(account.harness.log()) == calls
    finding.refresh_from_db()
    assert (finding.state, finding.requested_by) == ("done", "ann")
    assert not reconciliation.actions.request(finding, actor="bob")


def test_a_job_whose_worker_died_is_done_by_the_next_one(account):
    finding = orphan(account)
    reconciliation.actions.request(finding, actor="ann", enqueue=False)
    Finding.objects.update(lease_until=clock.now() + reconciliation.actions.LEASE)
    assert not reconciliation.actions.run(finding.pk)
    Finding.objects.update(lease_until=clock.now() - timedelta(minutes=3), enqueued_at=clock.now())
    assert reconciliation.actions.claim_lost() == []
    Finding.objects.update(enqueued_at=clock.now() - timedelta(minutes=1))
    assert reconciliation.actions.claim_lost() == [finding.pk]
    assert reconciliation.actions.run(finding.pk)


def test_a_scan_leaves_what_was_asked_meanwhile(account):
    finding = orphan(account)
    reconciliation.actions.request(finding, actor="ann", enqueue=False)
    account.client.delete_end_user(finding.sid)
    account.scan()
    finding.refresh_from_db()
    assert (finding.state, finding.action) == ("requested", "delete")
    assert reconciliation.actions.run(finding.pk)
    finding.refresh_from_db()
    assert (finding.state, finding.result) == ("done", "It was already gone.")


@pytest.mark.parametrize("action", ["drop_after", "500_after", "drop_before"])
def test_a_lost_answer_is_looked_after(account, action):
    finding = orphan(account)
    account.harness.fault(method="DELETE", path=".", action=action, times=1)
    finding = account.run_action(finding)
    if action == "drop_before":
        assert (finding.state, exists(account, finding)) == ("failed", True)
        finding = account.run_action(finding)
    assert (finding.state, exists(account, finding)) == ("done", False)


def test_looked_at_again_before_it_is_deleted(account):
    """Between scan and click the object came into use, its registration is worked on, or its key turned up here."""
    registration = make_draft()
    finding = orphan(account, registration)
    type(registration.profile).objects.update(end_user_sid=finding.sid)
    assert "uses it now" in account.run_action(finding).result
    type(registration.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "being worked on" in account.run_action(finding).result
    Registration.objects.update(lease_until=None)
    Finding.objects.update(name="A2P somebody else's")
    assert "renamed" in account.run_action(finding).result
    Finding.objects.update(name=registration.friendly_name("person", 2), registration=None)
    assert "now exists" in account.run_action(finding).result
    assert exists(account, finding)


def test_what_others_stand_on_is_not_deleted(account):
    """Twilio itself would delete these: an address under a document, a service with its campaign or number."""
    ref = new_ref()
    address = account.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS)["sid"]
    service = account.client.create_service(friendly_name=f"A2P {ref} service")["sid"]
    account.scan()
    account.client.create_supporting_document(
        friendly_name="x", type="customer_profile_address", attributes={"address_sids": address}
    )
    account.client.attach_number(service, "PN" + "0" * 31 + "1")
    assert "refers to it" in account.run_action(account.only(sid=address)).result
    assert "has a number" in account.run_action(account.only(sid=service)).result


def test_a_service_with_a_campaign_stays(account, finished):
    registration = finished(account.registration())
    service = registration.campaign.service_sid
    type(registration.campaign).objects.update(service_sid="")
    type(registration.phone_number).objects.update(service_sid="")
    Registration.objects.update(stage=Stage.REMOVED)
    account.scan()
    finding = account.only(resource_type="service")
    assert (finding.sid, finding.action) == (service, "none")
    # Even one that was offered by an earlier scan.
    Finding.objects.update(action="delete")
    finding.refresh_from_db()
    assert "a campaign" in account.run_action(finding).result
    assert exists(account, finding)


def test_a_retired_object_is_gone_when_it_is_deleted(account):
    registration = make_draft()
    row = retire(registration, "end_user", end_user(account, registration.friendly_name("person")))
    account.scan()
    account.run_action(account.only())
    row.refresh_from_db()
    assert row.missing_since


# --- adopt -----------------------------------------------------------------------------------------------------
def test_an_adopted_object_is_not_made_again(account):
    registration = make_draft(trust_bundle={"mobile_phone_number": AUTO_YES})
    end_user(account, registration.friendly_name("person"))
    account.client.create_address(friendly_name=registration.friendly_name("address"), **ADDRESS)
    account.client.create_service(friendly_name=registration.friendly_name("service"))
    account.scan()
    assert {action for _, _, action in account.found()} == {"adopt"}
    for finding in Finding.objects.all():
        assert account.run_action(finding).state == "done", finding.result
    assert set(registration.api_calls.values_list("state", flat=True)) == {"found"}
    # The person at Twilio is somebody else's data: the plan mends it, like any drift.
    actions.submit(registration, actor="ann")
    registration = account.harness.run(registration.pk)
    assert registration.stage == Stage.LIVE, registration.reason
    counts = account.harness.counts()
    assert (counts["EndUsers"], counts["Addresses"], counts["Services"], counts["duplicates"]) == (
        2,
        1,
        1,
        {},
    )
    person = account.client.fetch_end_user(registration.profile.end_user_sid)
    assert person["attributes"]["first_name"] == PARTS["profile"]["first_name"]
    assert account.scan().counts["found"] == {}


def test_an_adopted_brand_spares_the_second_fee(account, finished):
    registration = finished(account.registration(until=Stage.OTP, trust_bundle=SILENT))
    sid = registration.brand.sid
    type(registration.brand).objects.update(
        sid="", status="", accepted_params={}, identity_status="", approved_at=None
    )
    Registration.objects.update(hold=True, next_run_at=None)
    account.scan()
    assert account.run_action(account.only(resource_type="brand")).state == "done"
    actions.release(registration, actor="ann")
    registration = account.harness.run(
        registration.pk, until=lambda registration: registration.stage == Stage.OTP
    )
    assert (registration.brand.sid, registration.stage) == (sid, Stage.OTP), registration.reason
    assert (
        decisions.plan(registration).fee
        == decisions.plan(make_draft()).fee - decisions.BY_SLUG["brand.create"].fee()
    )
    assert account.harness.counts()["BrandRegistrations"] == 1


def test_a_submitted_registration_goes_on_by_itself(account):
    registration = make_draft()
    end_user(account, registration.friendly_name("person"))
    account.scan()
    Registration.objects.update(submitted_revision=1, next_run_at=None)
    account.run_action(account.only())
    assert queued(queue.ADVANCE) == [(registration.pk,)]
    assert runner.load(registration.pk).next_run_at is not None


def test_a_bundle_with_parts_is_not_adopted(account):
    registration = make_draft()
    profile = account.client.create_bundle(
        "customer_profile",
        friendly_name=registration.friendly_name("profile"),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    account.scan()
    finding = account.only()
    assert finding.action == "adopt"
    person = end_user(account, registration.friendly_name("person"))
    assignment = account.client.create_assignment("customer_profile", profile, object_sid=person)["sid"]
    assert "assigned to it" in account.run_action(finding).result
    account.client.delete_assignment("customer_profile", profile, assignment)
    assert account.run_action(finding).state == "done"
    assert runner.load(registration.pk).profile.sid == profile


def test_adopting_looks_again(account):
    registration = make_draft()
    sid = end_user(account, registration.friendly_name("person"))
    account.scan()
    finding = account.only()
    type(registration.profile).objects.update(end_user_sid="IT" + "d" * 32)
    assert "has one already" in account.run_action(finding).result
    type(registration.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "being worked on" in account.run_action(finding).result
    Registration.objects.update(lease_until=None)
    account.client.delete_end_user(sid)
    assert "no longer exists" in account.run_action(finding).result
    assert runner.load(registration.pk).profile.end_user_sid == ""

"""Acts: one call each, after one more look; what Twilio refuses is shown as it came."""

from datetime import timedelta

import pytest

from registrations import clock, pipeline, planning, reconcile, verbs
from registrations.models import Finding, Registration
from registrations.models.registration import new_ref
from registrations.states import Stage
from tests.cases import PARTS, make_case

from .conftest import AUTO_YES
from .test_scan import ADDRESS, end_user, retire

SILENT = {"mobile_phone_number": "+14155552672"}


def exists(house, finding: Finding) -> bool:
    return finding.sid in str(house.desk.get("state"))


def orphan(house, case: Registration | None = None) -> Finding:
    """A duplicate that nothing uses."""
    end_user(house, (case or make_case()).friendly_name("person", 2))
    house.scan()
    return house.only()


# --- delete ----------------------------------------------------------------------------------------------------
def test_an_orphan_is_deleted_by_one_call_and_told_on_its_case(house):
    finding = orphan(house)
    before = len(house.desk.writes())
    finding = house.act(finding)
    assert (finding.state, finding.result) == ("done", "Deleted at Twilio.")
    assert not exists(house, finding)
    assert [entry["method"] for entry in house.desk.writes()[before:]] == ["DELETE"]
    event = finding.registration.events.get(tag="reconcile:delete")
    assert (event.actor, finding.sid in event.text) == ("ann", True)
    assert house.scan().counts["found"] == {}


@pytest.mark.parametrize("kind", ["address", "service", "supporting_document", "customer_profile"])
def test_every_kind_with_a_deletion_is_deleted(house, kind):
    ref = new_ref()
    make = {
        "address": lambda: house.gateway.create_address(friendly_name=f"A2P {ref} address", **ADDRESS),
        "service": lambda: house.gateway.create_service(friendly_name=f"A2P {ref} service"),
        "supporting_document": lambda: house.gateway.create_supporting_document(
            friendly_name=f"A2P {ref} document", type="customer_profile_address", attributes={}
        ),
        "customer_profile": lambda: house.gateway.create_bundle(
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
    case = house.case(until=Stage.OTP, trust_bundle=SILENT)
    bundle = house.gateway.create_bundle(
        "customer_profile",
        friendly_name=case.friendly_name("profile", 2),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    person = end_user(house, case.friendly_name("person", 2))
    house.gateway.create_assignment("customer_profile", bundle, object_sid=person)
    case.runs.update(finished_at=clock.now() - timedelta(hours=1))
    house.scan()
    finding = house.act(house.only(sid=person))
    assert finding.state == "failed"
    assert "21644" in finding.result
    assert exists(house, finding)
    house.act(house.only(sid=bundle))
    assert house.act(finding).state == "done"


def test_a_double_click_or_a_redelivered_job_calls_once(house):
    finding = orphan(house)
    rung: list[int] = []
    assert reconcile.acts.ask(finding, actor="ann", ring=rung.append)
    assert not reconcile.acts.ask(finding, actor="bob", ring=rung.append)
    assert rung == [finding.pk]
    assert reconcile.acts.run(finding.pk, ring=house.desk.ring)
    calls = len(house.desk.log())
    assert not reconcile.acts.run(finding.pk, ring=house.desk.ring)
    assert len(house.desk.log()) == calls
    finding.refresh_from_db()
    assert (finding.state, finding.acted_by) == ("done", "ann")
    assert not reconcile.acts.ask(finding, actor="bob", ring=rung.append)


def test_a_job_whose_worker_died_is_done_by_the_next_one(house):
    finding = orphan(house)
    reconcile.acts.ask(finding, actor="ann", ring=None)
    Finding.objects.update(claimed_at=clock.now())
    assert not reconcile.acts.run(finding.pk, ring=house.desk.ring)
    Finding.objects.update(claimed_at=clock.now() - timedelta(minutes=5), rung_at=clock.now())
    assert reconcile.acts.claim_forgotten() == []
    Finding.objects.update(rung_at=clock.now() - timedelta(minutes=1))
    assert reconcile.acts.claim_forgotten() == [finding.pk]
    assert reconcile.acts.run(finding.pk, ring=house.desk.ring)


def test_a_scan_leaves_what_was_asked_meanwhile(house):
    finding = orphan(house)
    reconcile.acts.ask(finding, actor="ann", ring=None)
    house.gateway.delete_end_user(finding.sid)
    house.scan()
    finding.refresh_from_db()
    assert (finding.state, finding.action) == ("asked", "delete")
    assert reconcile.acts.run(finding.pk, ring=house.desk.ring)
    finding.refresh_from_db()
    assert (finding.state, finding.result) == ("done", "It was gone already.")


@pytest.mark.parametrize("action", ["drop_after", "500_after", "drop_before"])
def test_a_lost_answer_is_looked_after(house, action):
    finding = orphan(house)
    house.desk.fault(method="DELETE", path=".", action=action, times=1)
    finding = house.act(finding)
    if action == "drop_before":
        assert (finding.state, exists(house, finding)) == ("failed", True)
        finding = house.act(finding)
    assert (finding.state, exists(house, finding)) == ("done", False)


def test_looked_at_again_before_it_is_deleted(house):
    """Between scan and click the object came into use, its case is worked on, or its key turned up here."""
    case = make_case()
    finding = orphan(house, case)
    type(case.profile).objects.update(end_user_sid=finding.sid)
    assert "uses it now" in house.act(finding).result
    type(case.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "A worker is at" in house.act(finding).result
    Registration.objects.update(lease_until=None)
    Finding.objects.update(name="A2P somebody else's")
    assert "name has changed" in house.act(finding).result
    Finding.objects.update(name=case.friendly_name("person", 2), registration=None)
    assert "here now" in house.act(finding).result
    assert exists(house, finding)


def test_what_others_stand_on_is_not_deleted(house):
    """Twilio itself would delete these: an address under a document, a service with its campaign or number."""
    ref = new_ref()
    address = house.gateway.create_address(friendly_name=f"A2P {ref} address", **ADDRESS)["sid"]
    service = house.gateway.create_service(friendly_name=f"A2P {ref} service")["sid"]
    house.scan()
    house.gateway.create_supporting_document(
        friendly_name="x", type="customer_profile_address", attributes={"address_sids": address}
    )
    house.gateway.attach_number(service, "PN" + "0" * 31 + "1")
    assert "names it" in house.act(house.only(sid=address)).result
    assert "A number is in it" in house.act(house.only(sid=service)).result


def test_a_service_with_a_campaign_stays(house, finished):
    case = finished(house.case())
    service = case.campaign.service_sid
    type(case.campaign).objects.update(service_sid="")
    type(case.phone_number).objects.update(service_sid="")
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
    case = make_case()
    row = retire(case, "end_user", end_user(house, case.friendly_name("person")))
    house.scan()
    house.act(house.only())
    row.refresh_from_db()
    assert row.gone_at


# --- adopt -----------------------------------------------------------------------------------------------------
def test_an_adopted_object_is_not_made_again(house):
    case = make_case(trust_bundle={"mobile_phone_number": AUTO_YES})
    end_user(house, case.friendly_name("person"))
    house.gateway.create_address(friendly_name=case.friendly_name("address"), **ADDRESS)
    house.gateway.create_service(friendly_name=case.friendly_name("service"))
    house.scan()
    assert {action for _, _, action in house.found()} == {"adopt"}
    for finding in Finding.objects.all():
        assert house.act(finding).state == "done", finding.result
    assert set(case.runs.values_list("state", flat=True)) == {"found"}
    # The person at Twilio is somebody else's data: the plan mends it, like any drift.
    verbs.submit(case, actor="ann")
    case = house.desk.run(case.pk)
    assert case.stage == Stage.LIVE, case.reason
    counts = house.desk.counts()
    assert (counts["EndUsers"], counts["Addresses"], counts["Services"], counts["duplicates"]) == (
        2,
        1,
        1,
        {},
    )
    person = house.gateway.fetch_end_user(case.profile.end_user_sid)
    assert person["attributes"]["first_name"] == PARTS["profile"]["first_name"]
    assert house.scan().counts["found"] == {}


def test_an_adopted_brand_spares_the_second_fee(house, finished):
    case = finished(house.case(until=Stage.OTP, trust_bundle=SILENT))
    sid = case.brand.sid
    type(case.brand).objects.update(sid="", status="", sent={}, identity_status="", approved_at=None)
    Registration.objects.update(hold=True, wake_at=None)
    house.scan()
    assert house.act(house.only(kind="brand")).state == "done"
    verbs.release(case, actor="ann")
    case = house.desk.run(case.pk, until=lambda case: case.stage == Stage.OTP)
    assert (case.brand.sid, case.stage) == (sid, Stage.OTP), case.reason
    assert planning.plan(case).fee == planning.plan(make_case()).fee - planning.BY_SLUG["brand.create"].fee()
    assert house.desk.counts()["BrandRegistrations"] == 1


def test_a_submitted_case_goes_on_by_itself(house):
    case = make_case()
    end_user(house, case.friendly_name("person"))
    house.scan()
    Registration.objects.update(submitted_revision=1, wake_at=None)
    house.act(house.only())
    assert [pk for pk, _ in house.desk.rung] == [case.pk]
    assert pipeline.load(case.pk).wake_at is not None


def test_a_bundle_with_parts_is_not_adopted(house):
    case = make_case()
    profile = house.gateway.create_bundle(
        "customer_profile",
        friendly_name=case.friendly_name("profile"),
        email="a@harborcrafts.com",
        policy_sid="RN806dd6cd175f314e1f96a9727ee271f4",
    )["sid"]
    house.scan()
    finding = house.only()
    assert finding.action == "adopt"
    person = end_user(house, case.friendly_name("person"))
    assignment = house.gateway.create_assignment("customer_profile", profile, object_sid=person)["sid"]
    assert "assigned to it" in house.act(finding).result
    house.gateway.delete_assignment("customer_profile", profile, assignment)
    assert house.act(finding).state == "done"
    assert pipeline.load(case.pk).profile.sid == profile


def test_adopting_looks_again(house):
    case = make_case()
    sid = end_user(house, case.friendly_name("person"))
    house.scan()
    finding = house.only()
    type(case.profile).objects.update(end_user_sid="IT" + "d" * 32)
    assert "has one already" in house.act(finding).result
    type(case.profile).objects.update(end_user_sid="")
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    assert "A worker is at" in house.act(finding).result
    Registration.objects.update(lease_until=None)
    house.gateway.delete_end_user(sid)
    assert "gone" in house.act(finding).result
    assert pipeline.load(case.pk).profile.end_user_sid == ""

"""Forgetting what is gone at Twilio, and the jobs of all acts."""

from datetime import timedelta

import pytest
from django.utils.module_loading import import_string

from registrations import clock, pipeline, planning, reconcile, tasks, verbs
from registrations.models import Finding, Registration, RetiredResource, Scan
from registrations.states import Stage
from registrations.worker import sweeper
from tests.cases import make_case

from .conftest import AUTO_YES
from .test_acts import orphan

SILENT = {"mobile_phone_number": "+14155552672"}


# --- forget ----------------------------------------------------------------------------------------------------
def test_a_forgotten_service_is_made_again_by_submit_and_not_before(house, finished):
    case = finished(house.case())
    lost = case.campaign.service_sid
    house.gateway.delete_service(lost)
    house.scan()
    finding = house.act(house.only())
    assert finding.state == "done"
    case = pipeline.load(case.pk)
    assert (case.campaign.service_sid, case.campaign.sid, case.campaign.status) == ("", "", "")
    assert case.phone_number.attached_at is case.phone_number.confirmed_at is None
    assert case.phone_number.sid
    writes = len(house.desk.writes())
    Registration.objects.update(wake_at=clock.now())
    case = house.desk.run(case.pk)
    assert (len(house.desk.writes()), case.is_submitted) == (writes, False)
    slugs = [call.slug for call in planning.plan(case).calls]
    assert slugs == ["campaign.create_service", "campaign.create", "number.attach"]
    verbs.submit(case, actor="ann")
    case = house.desk.run(case.pk)
    assert case.stage == Stage.LIVE, case.reason
    assert case.campaign.service_sid not in ("", lost)
    retired = RetiredResource.objects.get()
    assert (retired.sid, retired.kind, bool(retired.gone_at)) == (lost, "service", True)
    assert house.scan().counts["found"] == {}


def test_a_forgotten_person_is_made_assigned_and_submitted_again(house, finished):
    case = finished(house.case(until=Stage.OTP, trust_bundle=SILENT))
    lost = case.profile.end_user_sid
    house.gateway.delete_assignment(
        "customer_profile", case.profile.sid, case.profile.end_user_assignment_sid
    )
    house.gateway.delete_end_user(lost)
    house.scan()
    assert house.act(house.only()).state == "done"
    case = pipeline.load(case.pk)
    assert (case.profile.end_user_sid, case.profile.end_user_assignment_sid) == ("", "")
    assert case.profile.address_sid
    verbs.submit(case, actor="ann")
    case = house.desk.run(case.pk, until=lambda case: case.stage == Stage.OTP and case.profile.submitted_at)
    assert case.stage == Stage.OTP, case.reason
    assert case.profile.end_user_sid not in ("", lost)
    assert house.desk.counts()["BrandRegistrations"] == 1
    assert house.scan().counts["found"] == {}


def test_a_lost_brand_is_marked_as_gone(house, finished):
    case = finished(house.case(until=Stage.OTP, trust_bundle=SILENT))
    house.desk.post(f"brand/{case.brand.sid}", action="delete")
    house.scan()
    finding = house.only(what="lost")
    assert house.act(finding).state == "done"
    case = pipeline.load(case.pk)
    assert case.brand.gone_at
    assert case.brand.sid == finding.sid
    assert house.scan().counts["found"] == {}


def test_a_number_that_is_gone_asks_for_its_price_again(house, finished):
    parts = {"sender_number": "", "area_code": "415"}
    case = make_case(phone_number=parts, trust_bundle={"mobile_phone_number": AUTO_YES})
    verbs.submit(case, actor="ann")
    verbs.confirm_purchase(case, actor="ann")
    case = finished(house.desk.run(case.pk))
    assert case.stage == Stage.LIVE, case.reason
    house.gateway.detach_number(case.campaign.service_sid, case.phone_number.sid)
    house.gateway.release_number(case.phone_number.sid)
    house.scan()
    assert house.act(house.only()).state == "done"
    number = pipeline.load(case.pk).phone_number
    assert (number.sid, number.attached_at, number.purchase_confirmed_at) == ("", None, None)
    case = pipeline.load(case.pk)
    verbs.submit(case, actor="ann")
    case = house.desk.run(case.pk)
    assert (case.stage, "Confirm the purchase" in case.reason) == (Stage.NUMBER, True)


def test_forgetting_looks_again(house, finished):
    case = finished(house.case(until=Stage.OTP, trust_bundle=SILENT))
    real = case.trust_bundle.end_user_sid
    type(case.trust_bundle).objects.update(end_user_sid="IT" + "c" * 32)
    house.scan()
    lost = house.only(what="lost")
    type(case.trust_bundle).objects.update(end_user_sid=real)
    assert "another object" in house.act(lost).result
    Finding.objects.filter(pk=lost.pk).update(sid=real)
    lost.refresh_from_db()
    assert "after all" in house.act(lost).result
    assert pipeline.load(case.pk).trust_bundle.end_user_sid == real


# --- jobs ------------------------------------------------------------------------------------------------------
def test_our_own_error_is_on_the_row_and_raised(house, monkeypatch):
    finding = orphan(house)
    monkeypatch.setattr("registrations.reconcile.acts.house.knows", lambda sid: 1 / 0)
    reconcile.acts.ask(finding, actor="ann", ring=None)
    with pytest.raises(ZeroDivisionError):
        reconcile.acts.run(finding.pk, ring=house.desk.ring)
    finding.refresh_from_db()
    assert (finding.state, "ZeroDivisionError" in finding.result) == ("failed", True)


def test_a_hand_made_request_cannot_ask_for_what_is_not_offered(house):
    house.gateway.create_service(friendly_name="mine")
    for action in ("console", "none"):
        finding = Finding.objects.create(
            scan=house.scan(), what="orphan", kind="brand", sid=f"BN{action}", action=action
        )
        assert not reconcile.acts.ask(finding, actor="ann", ring=None)


def test_jobs_carry_ids_and_the_sweep_rings_again(house, monkeypatch):
    sent: list[tuple] = []
    monkeypatch.setattr(tasks, "async_task", lambda name, *args, **kwargs: sent.append((name, *args)))
    scan = reconcile.scan.ask(actor="ann", ring=tasks.ring_scan)
    tasks.run_scan(scan.pk)
    finding = orphan(house)
    reconcile.acts.ask(finding, actor="ann", ring=tasks.ring_finding)
    ago = clock.now() - timedelta(minutes=1)
    Finding.objects.update(rung_at=ago)
    second = reconcile.scan.ask(actor="ann", ring=None)
    Scan.objects.update(rung_at=ago)
    sweeper.sweep()
    assert sent == [
        (tasks.SCAN, scan.pk),
        (tasks.FINDING, finding.pk),
        (tasks.SCAN, second.pk),
        (tasks.FINDING, finding.pk),
    ]
    assert import_string(tasks.SCAN) is tasks.run_scan
    import_string(tasks.FINDING)(finding.pk)
    finding.refresh_from_db()
    assert finding.state == "done"


def test_a_forgotten_address_takes_a_new_document_with_it(house, finished):
    case = finished(house.case(until=Stage.OTP, trust_bundle=SILENT))
    lost, document = case.profile.address_sid, case.profile.supporting_document_sid
    house.gateway.delete_address(lost)
    house.scan()
    assert house.act(house.only()).state == "done"
    verbs.submit(case, actor="ann")
    case = house.desk.run(case.pk, until=lambda case: case.stage == Stage.OTP and case.profile.submitted_at)
    assert case.stage == Stage.OTP, case.reason
    named = house.gateway.fetch_supporting_document(case.profile.supporting_document_sid)
    assert named["attributes"]["address_sids"] == case.profile.address_sid != lost
    case = finished(case)
    house.scan()
    # The former document is retired, and may go now.
    assert house.only().sid == document
    assert house.act(house.only()).state == "done"

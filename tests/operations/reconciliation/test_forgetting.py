"""Forgetting what is gone at Twilio, and the jobs of all acts."""

from datetime import timedelta

import pytest
from django.utils.module_loading import import_string

from registrations.core import clock, queue
from registrations.models import Finding, Registration, RetiredResource, Scan
from registrations.models.choices import Stage
from registrations.operations import actions, reconciliation
from registrations.worker import jobs, sweeper
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.customers import make_draft
from tests.operations.reconciliation.conftest import AUTO_YES
from tests.operations.reconciliation.test_actions import orphan

SILENT = {"mobile_phone_number": "+14155552672"}


# --- forget ----------------------------------------------------------------------------------------------------
def test_a_forgotten_service_is_made_again_by_submit_and_not_before(account, finished):
    registration = finished(account.registration())
    lost = registration.campaign.service_sid
    account.client.delete_service(lost)
    account.scan()
    finding = account.run_action(account.only())
    assert finding.state == "done"
    registration = runner.load(registration.pk)
    assert (registration.campaign.service_sid, registration.campaign.sid, registration.campaign.status) == (
        "",
        "",
        "",
    )
    assert registration.phone_number.attached_at is registration.phone_number.confirmed_at is None
    assert registration.phone_number.sid
    writes = len(account.harness.writes())
    Registration.objects.update(next_run_at=clock.now())
    registration = account.harness.run(registration.pk)
    assert (len(account.harness.writes()), registration.is_submitted) == (writes, False)
    slugs = [call.slug for call in decisions.plan(registration).calls]
    assert slugs == ["campaign.create_service", "campaign.create", "number.attach"]
    actions.submit(registration, actor="ann")
    registration = account.harness.run(registration.pk)
    assert registration.stage == Stage.LIVE, registration.reason
    assert registration.campaign.service_sid not in ("", lost)
    retired = RetiredResource.objects.get()
    assert (retired.sid, retired.kind, bool(retired.missing_since)) == (lost, "service", True)
    assert account.scan().counts["found"] == {}


def test_a_forgotten_person_is_made_assigned_and_submitted_again(account, finished):
    registration = finished(account.registration(until=Stage.OTP, trust_bundle=SILENT))
    lost = registration.profile.end_user_sid
    account.client.delete_assignment(
        "customer_profile", registration.profile.sid, registration.profile.end_user_assignment_sid
    )
    account.client.delete_end_user(lost)
    account.scan()
    assert account.run_action(account.only()).state == "done"
    registration = runner.load(registration.pk)
    assert (registration.profile.end_user_sid, registration.profile.end_user_assignment_sid) == ("", "")
    assert registration.profile.address_sid
    actions.submit(registration, actor="ann")
    registration = account.harness.run(
        registration.pk,
        until=lambda registration: registration.stage == Stage.OTP and registration.profile.submitted_at,
    )
    assert registration.stage == Stage.OTP, registration.reason
    assert registration.profile.end_user_sid not in ("", lost)
    assert account.harness.counts()["BrandRegistrations"] == 1
    assert account.scan().counts["found"] == {}


def test_a_lost_brand_is_marked_as_gone(account, finished):
    registration = finished(account.registration(until=Stage.OTP, trust_bundle=SILENT))
    account.harness.post(f"brand/{registration.brand.sid}", action="delete")
    account.scan()
    finding = account.only(finding_type="lost")
    assert account.run_action(finding).state == "done"
    registration = runner.load(registration.pk)
    assert registration.brand.missing_since
    assert registration.brand.sid == finding.sid
    assert account.scan().counts["found"] == {}


def test_a_number_that_is_gone_asks_for_its_price_again(account, finished):
    parts = {"sender_number": "", "area_code": "415"}
    registration = make_draft(phone_number=parts, trust_bundle={"mobile_phone_number": AUTO_YES})
    actions.submit(registration, actor="ann")
    actions.confirm_purchase(registration, actor="ann")
    registration = finished(account.harness.run(registration.pk))
    assert registration.stage == Stage.LIVE, registration.reason
    account.client.detach_number(registration.campaign.service_sid, registration.phone_number.sid)
    account.client.release_number(registration.phone_number.sid)
    account.scan()
    assert account.run_action(account.only()).state == "done"
    number = runner.load(registration.pk).phone_number
    assert (number.sid, number.attached_at, number.purchase_confirmed_at) == ("", None, None)
    registration = runner.load(registration.pk)
    actions.submit(registration, actor="ann")
    registration = account.harness.run(registration.pk)
    assert (registration.stage, "Confirm the purchase" in registration.reason) == (Stage.NUMBER, True)


def test_forgetting_looks_again(account, finished):
    registration = finished(account.registration(until=Stage.OTP, trust_bundle=SILENT))
    real = registration.trust_bundle.end_user_sid
    type(registration.trust_bundle).objects.update(end_user_sid="IT" + "c" * 32)
    account.scan()
    lost = account.only(finding_type="lost")
    type(registration.trust_bundle).objects.update(end_user_sid=real)
    assert "another object" in account.run_action(lost).result
    Finding.objects.filter(pk=lost.pk).update(sid=real)
    lost.refresh_from_db()
    assert "still exists" in account.run_action(lost).result
    assert runner.load(registration.pk).trust_bundle.end_user_sid == real


# --- jobs ------------------------------------------------------------------------------------------------------
def test_our_own_error_is_on_the_row_and_raised(account, monkeypatch):
    finding = orphan(account)
    monkeypatch.setattr(
        "registrations.operations.reconciliation.actions.local_inventory.knows", lambda sid: 1 / 0
    )
    reconciliation.actions.request(finding, actor="ann", enqueue=False)
    with pytest.raises(ZeroDivisionError):
        reconciliation.actions.run(finding.pk)
    finding.refresh_from_db()
    assert (finding.state, "ZeroDivisionError" in finding.result) == ("failed", True)


def test_a_hand_made_request_cannot_ask_for_what_is_not_offered(account):
    account.client.create_service(friendly_name="mine")
    for action in ("console", "none"):
        finding = Finding.objects.create(
            scan=account.scan(),
            finding_type="orphan",
            resource_type="brand",
            sid=f"BN{action}",
            action=action,
        )
        assert not reconciliation.actions.request(finding, actor="ann", enqueue=False)


def test_jobs_carry_ids_and_the_sweep_enqueues_again(account, monkeypatch):
    sent: list[tuple] = []
    monkeypatch.setattr(queue, "async_task", lambda name, *args, **kwargs: sent.append((name, *args)))
    scan = reconciliation.scan.request(actor="ann")
    jobs.run_scan(scan.pk)
    finding = orphan(account)
    reconciliation.actions.request(finding, actor="ann")
    ago = clock.now() - timedelta(minutes=1)
    Finding.objects.update(enqueued_at=ago)
    second = reconciliation.scan.request(actor="ann", enqueue=False)
    Scan.objects.update(enqueued_at=ago)
    sweeper.sweep()
    assert sent == [
        (queue.SCAN, scan.pk),
        (queue.FINDING, finding.pk),
        (queue.SCAN, second.pk),
        (queue.FINDING, finding.pk),
    ]
    assert import_string(queue.SCAN) is jobs.run_scan
    import_string(queue.FINDING)(finding.pk)
    finding.refresh_from_db()
    assert finding.state == "done"


def test_a_forgotten_address_takes_a_new_document_with_it(account, finished):
    registration = finished(account.registration(until=Stage.OTP, trust_bundle=SILENT))
    lost, document = registration.profile.address_sid, registration.profile.supporting_document_sid
    account.client.delete_address(lost)
    account.scan()
    assert account.run_action(account.only()).state == "done"
    actions.submit(registration, actor="ann")
    registration = account.harness.run(
        registration.pk,
        until=lambda registration: registration.stage == Stage.OTP and registration.profile.submitted_at,
    )
    assert registration.stage == Stage.OTP, registration.reason
    named = account.client.fetch_supporting_document(registration.profile.supporting_document_sid)
    assert named["attributes"]["address_sids"] == registration.profile.address_sid != lost
    registration = finished(registration)
    account.scan()
    # The former document is retired, and may go now.
    assert account.only().sid == document
    assert account.run_action(account.only()).state == "done"

"""Scans: what is found, what is left alone, and what a scan costs."""

from datetime import timedelta

import pytest

from registrations.core import clock, queue
from registrations.models import ApiCall, Finding, Registration, RetiredResource, Scan
from registrations.models.choices import CallState, Stage
from registrations.models.registration import new_ref
from registrations.operations import reconciliation
from registrations.operations.reconciliation import compare, remote_inventory, resource_types
from registrations.twilio.client import core
from tests.customers import make_draft
from tests.factories import make_registration
from tests.queued import queued

ADDRESS = {
    "customer_name": "Ann Lee",
    "street": "1 Main St",
    "city": "Boston",
    "region": "MA",
    "postal_code": "02139",
    "iso_country": "US",
    "auto_correct_address": False,
}
PERSON = {"first_name": "A", "last_name": "B", "email": "a@harborcrafts.com", "phone_number": "+14155552671"}


def end_user(account, name: str) -> str:
    kind = "starter_customer_profile_information"
    return account.client.create_end_user(friendly_name=name, type=kind, attributes=PERSON)["sid"]


def test_a_live_registration_is_in_order(account):
    account.registration()
    scan = account.scan()
    assert account.found() == []
    assert (scan.state, scan.counts["in_progress"], scan.counts["found"]) == ("done", 0, {})
    assert scan.counts["read"]["customer_profile"] >= 2
    assert scan.counts["read"]["brand"] == scan.counts["read"]["service"] == 1


def test_a_second_object_of_a_known_registration(account):
    registration = account.registration()
    sid = end_user(account, registration.friendly_name("person"))
    account.scan()
    finding = account.only()
    assert (finding.finding_type, finding.sid, finding.action) == ("orphan", sid, "delete")
    assert (finding.registration, finding.ref) == (registration, registration.ref)


def test_what_a_registration_lacks_is_offered_to_it_and_only_once(account):
    registration = make_draft()
    older, newer = (end_user(account, registration.friendly_name("person")) for _ in range(2))
    account.scan()
    assert {(row.sid, row.action) for row in Finding.objects.all()} == {(older, "adopt"), (newer, "delete")}


def test_a_later_generation_is_not_what_the_registration_would_make(account):
    end_user(account, make_draft().friendly_name("person", 2))
    account.scan()
    assert account.found() == [("orphan", "end_user", "delete")]


def test_an_unknown_key_is_another_installations(account):
    end_user(account, f"A2P {new_ref()} person")
    account.scan()
    finding = account.only()
    assert (finding.registration, finding.action) == (None, "delete")
    assert "another installation" in finding.note


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        "A2P registration person",  # twelve letters, but not of a ref's alphabet
        "A2P arrangements of mine",  # a ref's alphabet, but no part that we make
        "A2P person",
        "my A2P abcdefghjkmn person",
        "A2P abcdefghjkmn person, old",
        "A2P abcdefghjkm person",
    ],
)
def test_foreign_objects_are_not_even_listed(account, name):
    sid = end_user(account, name)
    account.scan()
    assert Finding.objects.count() == 0
    assert account.client.fetch_end_user(sid)["friendly_name"] == name


def test_a_second_brand_on_our_bundles_is_a_second_fee(account):
    registration = account.registration(until=Stage.OTP, trust_bundle={"mobile_phone_number": "+14155552672"})
    brand = account.client.create_brand(
        customer_profile_bundle_sid=registration.profile.sid,
        a2p_profile_bundle_sid=registration.trust_bundle.sid,
    )
    registration.api_calls.update(finished_at=clock.now() - timedelta(hours=1))
    account.scan()
    finding = account.only()
    assert (finding.resource_type, finding.sid, finding.action) == ("brand", brand["sid"], "console")
    assert finding.registration == registration
    assert "second fee" in finding.note


def test_the_only_brand_is_offered_to_its_registration(account, finished):
    registration = finished(account.registration())
    type(registration.brand).objects.update(sid="")
    account.scan()
    assert account.found() == [("orphan", "brand", "adopt")]


def test_numbers_are_never_deleted_from_here(account):
    offer = account.client.search_numbers("US", area_code="415")[0]["phone_number"]
    account.client.buy_number(phone_number=offer, friendly_name=f"A2P {new_ref()} number")
    account.scan()
    finding = account.only()
    assert (finding.resource_type, finding.action) == ("number", "console")
    assert resource_types.RESOURCE_TYPES["number"].delete is None
    assert resource_types.RESOURCE_TYPES["brand"].delete is None


def test_an_address_that_a_document_names_stays(account):
    ref = new_ref()
    address = account.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS)
    account.client.create_supporting_document(
        friendly_name="somebody's",
        type="customer_profile_address",
        attributes={"address_sids": address["sid"]},
    )
    account.scan()
    assert account.found() == [("orphan", "address", "none")]
    assert "Document RD" in account.only().note


# --- what is left alone for now -------------------------------------------------------------------------------
def test_a_young_object_may_be_under_way(account, monkeypatch):
    monkeypatch.setattr(compare, "RECENT_SECONDS", 15 * 60 / 0.001)
    end_user(account, make_draft().friendly_name("person"))
    scan = account.scan()
    assert account.found() == [("orphan", "end_user", "none")]
    assert account.only().in_progress
    assert scan.counts["in_progress"] == 1


@pytest.mark.parametrize("how", ["lease", "run", "just now"])
def test_a_registration_that_is_worked_on_is_left_alone(account, how, monkeypatch):
    registration = make_draft()
    end_user(account, registration.friendly_name("person"))
    if how == "lease":
        Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    else:
        state, end = (CallState.UNKNOWN, None) if how == "run" else (CallState.OK, clock.now())
        after = timedelta(minutes=1)
        ApiCall.objects.create(
            registration=registration, step="profile.create_end_user", state=state, started_at=clock.now(),
            finished_at=end and end + after,
        )  # fmt: skip
    account.scan()
    assert account.only().in_progress


# --- lost ------------------------------------------------------------------------------------------------------
def test_a_record_whose_object_is_gone(account, finished):
    registration = finished(account.registration())
    service = registration.campaign.service_sid
    account.client.delete_service(service)
    account.scan()
    finding = account.only()
    assert (finding.finding_type, finding.resource_type, finding.sid, finding.action) == (
        "lost",
        "service",
        service,
        "forget",
    )


def test_under_an_accepted_brand_a_lost_part_is_a_matter_for_support(account, finished):
    registration = finished(account.registration())
    end_user_sid = registration.profile.end_user_sid
    type(registration.profile).objects.update(end_user_sid="IT" + "f" * 32)
    account.scan()
    lost = account.only(finding_type="lost")
    assert (lost.action, "Support" in lost.note) == ("none", True)
    # The real one is now nobody's, and fits the registration neither: its column is taken.
    assert account.only(finding_type="orphan").sid == end_user_sid


def test_removed_registrations_miss_nothing(account, finished):
    registration = finished(account.registration())
    account.client.delete_service(registration.campaign.service_sid)
    Registration.objects.update(stage=Stage.REMOVED)
    account.scan()
    assert account.found() == []


def test_another_account_is_not_taken_for_a_great_loss(account):
    for number in range(3):
        make_registration(Stage.LIVE, label=str(number))
    retired = RetiredResource.objects.create(
        registration=Registration.objects.first(), kind="brand", sid="BN" + "1" * 32, reason="Replaced"
    )
    scan = account.scan()
    assert scan.state == "failed"
    assert "right account" in scan.error
    retired.refresh_from_db()
    assert (Finding.objects.count(), retired.missing_since) == (0, None)


# --- retired ---------------------------------------------------------------------------------------------------
def retire(registration: Registration, kind: str, sid: str, removal: str = "api") -> RetiredResource:
    return RetiredResource.objects.create(
        registration=registration, kind=kind, sid=sid, reason="Replaced", removal=removal
    )


def test_retired_objects_are_looked_for(account):
    registration = make_draft()
    there = retire(registration, "end_user", end_user(account, registration.friendly_name("person")))
    gone = retire(registration, "end_user", "IT" + "e" * 32)
    evaluation = retire(registration, "evaluation", "EL" + "e" * 32)
    account.scan()
    for row in (there, gone, evaluation):
        row.refresh_from_db()
    assert (bool(there.checked_at), there.missing_since) == (True, None)
    assert gone.missing_since
    assert evaluation.checked_at is None
    assert account.found() == [("retired", "end_user", "delete")]
    assert registration.events.filter(tag="retired:gone").count() == 1


def test_a_brand_for_the_console_closes_itself(account, finished):
    registration = finished(
        account.registration(until=Stage.OTP, trust_bundle={"mobile_phone_number": "+14155552672"})
    )
    sid = registration.brand.sid
    row = retire(registration, "brand", sid, "console")
    type(registration.brand).objects.update(sid="")
    account.scan()
    finding = account.only()
    assert (finding.finding_type, finding.action) == ("retired", "console")
    account.harness.post(f"brand/{sid}", action="delete")
    account.scan()
    row.refresh_from_db()
    finding.refresh_from_db()
    assert row.missing_since
    assert (finding.state, finding.result) == ("done", "Not found anymore.")


def test_what_counted_as_gone_and_is_seen_again_was_not(account):
    registration = make_draft()
    row = retire(registration, "end_user", end_user(account, registration.friendly_name("person")))
    RetiredResource.objects.update(missing_since=clock.now())
    account.scan()
    row.refresh_from_db()
    assert row.missing_since is None
    assert account.found() == [("retired", "end_user", "delete")]


# --- over time -------------------------------------------------------------------------------------------------
def test_one_row_over_all_scans(account):
    end_user(account, make_draft().friendly_name("person", 2))
    account.scan()
    first = account.only()
    scan = account.scan()
    assert account.only() == first
    assert account.only().scan == scan


def test_scans_cost_the_same_reads_whatever_they_find(account, django_assert_max_num_queries):
    account.registration()

    def reads() -> int:
        before = len(account.harness.reads())
        account.scan()
        return len(account.harness.reads()) - before

    clean = reads()
    assert clean == len(resource_types.RESOURCE_TYPES)
    for _ in range(5):
        make_registration_with_orphan(account)
    assert reads() == clean
    scan = reconciliation.scan.request(actor="ann", enqueue=False)
    with django_assert_max_num_queries(60):
        reconciliation.scan.run(scan.pk)


def make_registration_with_orphan(account) -> None:
    end_user(account, make_draft().friendly_name("person"))


def test_lists_longer_than_a_page(account, monkeypatch):
    monkeypatch.setattr("registrations.twilio.client.trusthub.PAGE_SIZE", 3)
    names = {make_draft(label=str(n)).friendly_name("person") for n in range(8)}
    for name in names:
        end_user(account, name)
    before = len(account.harness.reads())
    account.scan()
    assert {row.name for row in Finding.objects.all()} == names
    assert len(account.harness.reads()) - before > len(resource_types.RESOURCE_TYPES)
    assert core.PAGE_SIZE == 1000


def test_a_scan_only_reads_at_twilio(account):
    registration = account.registration()
    end_user(account, registration.friendly_name("person"))
    before = len(account.harness.writes())
    account.scan()
    assert len(account.harness.writes()) == before


# --- asking and running -----------------------------------------------------------------------------------------
def test_a_double_click_is_one_scan_and_a_redelivered_job_none(account):
    first = reconciliation.scan.request(actor="ann")
    assert reconciliation.scan.request(actor="bob") == first
    assert queued(queue.SCAN) == [(first.pk,)]
    assert reconciliation.scan.run(first.pk)
    reads = len(account.harness.reads())
    assert not reconciliation.scan.run(first.pk)
    assert len(account.harness.reads()) == reads
    assert reconciliation.scan.request(actor="bob") != first


def test_two_jobs_at_once_are_one(account, monkeypatch):
    scan = reconciliation.scan.request(actor="ann", enqueue=False)
    second: list[bool] = []
    read_account = remote_inventory.read_account

    def slow(client, heartbeat, wait):
        second.append(reconciliation.scan.run(scan.pk))
        return read_account(client, heartbeat, wait)

    monkeypatch.setattr(remote_inventory, "read_account", slow)
    assert reconciliation.scan.run(scan.pk)
    assert second == [False]


def test_a_refusal_ends_the_scan_with_twilios_words(account):
    account.harness.fault(method="GET", path="EndUsers", action="503", times=1)
    scan = account.scan()
    assert scan.state == "failed"
    assert "503" in scan.error
    assert account.scan().state == "done"


def test_a_list_that_broke_off_is_read_again_after_a_rest(account, monkeypatch):
    monkeypatch.setattr("registrations.twilio.client.trusthub.PAGE_SIZE", 2)
    orphans = {end_user(account, f"A2P {new_ref()} person") for _ in range(5)}
    account.harness.fault(method="GET", path="EndUsers", action="503", nth=2)
    account.harness.fault(method="GET", path="Services", action="429", times=2)
    scan, rests = reconciliation.scan.request(actor="ann", enqueue=False), []
    assert reconciliation.scan.run(scan.pk, wait=rests.append)
    scan.refresh_from_db()
    assert (scan.state, scan.counts["read"]["end_user"]) == ("done", 5)
    assert {row.sid for row in Finding.objects.all()} == orphans
    assert len(rests) == 3
    assert max(rests) <= remote_inventory.MAX_RETRY_WAIT


def test_a_scan_that_takes_too_long_says_what_to_do(account):
    scan = reconciliation.scan.request(actor="ann", enqueue=False)
    assert reconciliation.scan.run(scan.pk, seconds=-1.0)
    scan.refresh_from_db()
    assert (scan.state, "manage.py reconcile" in scan.error) == ("failed", True)


def test_the_sweep_finds_lost_and_dead_scans(account):
    scan = reconciliation.scan.request(actor="ann", enqueue=False)
    assert reconciliation.scan.claim_lost() == []
    ago = clock.now() - timedelta(minutes=1)
    Scan.objects.update(enqueued_at=ago)
    assert reconciliation.scan.claim_lost() == [scan.pk]
    assert reconciliation.scan.claim_lost() == []
    Scan.objects.update(enqueued_at=ago, started_at=ago, lease_until=ago + reconciliation.scan.LEASE)
    assert reconciliation.scan.claim_lost() == []  # slow, but alive
    Scan.objects.update(lease_until=clock.now() - timedelta(minutes=3))
    assert reconciliation.scan.claim_lost() == [scan.pk]
    assert reconciliation.scan.run(scan.pk)


def test_our_own_error_is_on_the_row_and_raised(account, monkeypatch):
    monkeypatch.setattr("registrations.operations.reconciliation.scan.compare", lambda *args: 1 / 0)
    scan = reconciliation.scan.request(actor="ann", enqueue=False)
    with pytest.raises(ZeroDivisionError):
        reconciliation.scan.run(scan.pk)
    scan.refresh_from_db()
    assert (scan.state, "ZeroDivisionError" in scan.error) == ("failed", True)

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


def end_user(house, name: str) -> str:
    kind = "starter_customer_profile_information"
    return house.client.create_end_user(friendly_name=name, type=kind, attributes=PERSON)["sid"]


def test_a_live_registration_is_in_order(house):
    house.registration()
    scan = house.scan()
    assert house.found() == []
    assert (scan.state, scan.counts["under_way"], scan.counts["found"]) == ("done", 0, {})
    assert scan.counts["read"]["customer_profile"] >= 2
    assert scan.counts["read"]["brand"] == scan.counts["read"]["service"] == 1


def test_a_second_object_of_a_known_registration(house):
    registration = house.registration()
    sid = end_user(house, registration.friendly_name("person"))
    house.scan()
    finding = house.only()
    assert (finding.what, finding.sid, finding.action) == ("orphan", sid, "delete")
    assert (finding.registration, finding.ref) == (registration, registration.ref)


def test_what_a_registration_lacks_is_offered_to_it_and_only_once(house):
    registration = make_draft()
    older, newer = (end_user(house, registration.friendly_name("person")) for _ in range(2))
    house.scan()
    assert {(row.sid, row.action) for row in Finding.objects.all()} == {(older, "adopt"), (newer, "delete")}


def test_a_later_generation_is_not_what_the_registration_would_make(house):
    end_user(house, make_draft().friendly_name("person", 2))
    house.scan()
    assert house.found() == [("orphan", "end_user", "delete")]


def test_an_unknown_key_is_another_desks(house):
    end_user(house, f"A2P {new_ref()} person")
    house.scan()
    finding = house.only()
    assert (finding.registration, finding.action) == (None, "delete")
    assert "another desk" in finding.note


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
def test_foreign_objects_are_not_even_listed(house, name):
    sid = end_user(house, name)
    house.scan()
    assert Finding.objects.count() == 0
    assert house.client.fetch_end_user(sid)["friendly_name"] == name


def test_a_second_brand_on_our_bundles_is_a_second_fee(house):
    registration = house.registration(until=Stage.OTP, trust_bundle={"mobile_phone_number": "+14155552672"})
    brand = house.client.create_brand(
        customer_profile_bundle_sid=registration.profile.sid,
        a2p_profile_bundle_sid=registration.trust_bundle.sid,
    )
    registration.api_calls.update(finished_at=clock.now() - timedelta(hours=1))
    house.scan()
    finding = house.only()
    assert (finding.kind, finding.sid, finding.action) == ("brand", brand["sid"], "console")
    assert finding.registration == registration
    assert "second fee" in finding.note


def test_the_only_brand_is_offered_to_its_registration(house, finished):
    registration = finished(house.registration())
    type(registration.brand).objects.update(sid="")
    house.scan()
    assert house.found() == [("orphan", "brand", "adopt")]


def test_numbers_are_never_deleted_from_here(house):
    offer = house.client.search_numbers("US", area_code="415")[0]["phone_number"]
    house.client.buy_number(phone_number=offer, friendly_name=f"A2P {new_ref()} number")
    house.scan()
    finding = house.only()
    assert (finding.kind, finding.action) == ("number", "console")
    assert resource_types.KINDS["number"].delete is None
    assert resource_types.KINDS["brand"].delete is None


def test_an_address_that_a_document_names_stays(house):
    ref = new_ref()
    address = house.client.create_address(friendly_name=f"A2P {ref} address", **ADDRESS)
    house.client.create_supporting_document(
        friendly_name="somebody's",
        type="customer_profile_address",
        attributes={"address_sids": address["sid"]},
    )
    house.scan()
    assert house.found() == [("orphan", "address", "none")]
    assert "Document RD" in house.only().note


# --- what is left alone for now -------------------------------------------------------------------------------
def test_a_young_object_may_be_under_way(house, monkeypatch):
    monkeypatch.setattr(compare, "YOUNG_SECONDS", 15 * 60 / 0.001)
    end_user(house, make_draft().friendly_name("person"))
    scan = house.scan()
    assert house.found() == [("orphan", "end_user", "none")]
    assert house.only().under_way
    assert scan.counts["under_way"] == 1


@pytest.mark.parametrize("how", ["lease", "run", "just now"])
def test_a_registration_that_is_worked_on_is_left_alone(house, how, monkeypatch):
    registration = make_draft()
    end_user(house, registration.friendly_name("person"))
    if how == "lease":
        Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    else:
        state, end = (CallState.UNKNOWN, None) if how == "run" else (CallState.OK, clock.now())
        after = timedelta(minutes=1)
        ApiCall.objects.create(
            registration=registration, step="profile.create_end_user", state=state, started_at=clock.now(),
            finished_at=end and end + after,
        )  # fmt: skip
    house.scan()
    assert house.only().under_way


# --- lost ------------------------------------------------------------------------------------------------------
def test_a_record_whose_object_is_gone(house, finished):
    registration = finished(house.registration())
    service = registration.campaign.service_sid
    house.client.delete_service(service)
    house.scan()
    finding = house.only()
    assert (finding.what, finding.kind, finding.sid, finding.action) == ("lost", "service", service, "forget")


def test_under_an_accepted_brand_a_lost_part_is_a_matter_for_support(house, finished):
    registration = finished(house.registration())
    end_user_sid = registration.profile.end_user_sid
    type(registration.profile).objects.update(end_user_sid="IT" + "f" * 32)
    house.scan()
    lost = house.only(what="lost")
    assert (lost.action, "support" in lost.note) == ("none", True)
    # The real one is now nobody's, and fits the registration neither: its column is taken.
    assert house.only(what="orphan").sid == end_user_sid


def test_removed_registrations_miss_nothing(house, finished):
    registration = finished(house.registration())
    house.client.delete_service(registration.campaign.service_sid)
    Registration.objects.update(stage=Stage.REMOVED)
    house.scan()
    assert house.found() == []


def test_another_account_is_not_taken_for_a_great_loss(house):
    for number in range(3):
        make_registration(Stage.LIVE, label=str(number))
    retired = RetiredResource.objects.create(
        registration=Registration.objects.first(), kind="brand", sid="BN" + "1" * 32, reason="Replaced"
    )
    scan = house.scan()
    assert scan.state == "failed"
    assert "right account" in scan.error
    retired.refresh_from_db()
    assert (Finding.objects.count(), retired.missing_since) == (0, None)


# --- retired ---------------------------------------------------------------------------------------------------
def retire(registration: Registration, kind: str, sid: str, removal: str = "api") -> RetiredResource:
    return RetiredResource.objects.create(
        registration=registration, kind=kind, sid=sid, reason="Replaced", removal=removal
    )


def test_retired_objects_are_looked_for(house):
    registration = make_draft()
    there = retire(registration, "end_user", end_user(house, registration.friendly_name("person")))
    gone = retire(registration, "end_user", "IT" + "e" * 32)
    evaluation = retire(registration, "evaluation", "EL" + "e" * 32)
    house.scan()
    for row in (there, gone, evaluation):
        row.refresh_from_db()
    assert (bool(there.checked_at), there.missing_since) == (True, None)
    assert gone.missing_since
    assert evaluation.checked_at is None
    assert house.found() == [("retired", "end_user", "delete")]
    assert registration.events.filter(tag="retired:gone").count() == 1


def test_a_brand_for_the_console_closes_itself(house, finished):
    registration = finished(
        house.registration(until=Stage.OTP, trust_bundle={"mobile_phone_number": "+14155552672"})
    )
    sid = registration.brand.sid
    row = retire(registration, "brand", sid, "console")
    type(registration.brand).objects.update(sid="")
    house.scan()
    finding = house.only()
    assert (finding.what, finding.action) == ("retired", "console")
    house.harness.post(f"brand/{sid}", action="delete")
    house.scan()
    row.refresh_from_db()
    finding.refresh_from_db()
    assert row.missing_since
    assert (finding.state, finding.result) == ("done", "Not found any more.")


def test_what_counted_as_gone_and_is_seen_again_was_not(house):
    registration = make_draft()
    row = retire(registration, "end_user", end_user(house, registration.friendly_name("person")))
    RetiredResource.objects.update(missing_since=clock.now())
    house.scan()
    row.refresh_from_db()
    assert row.missing_since is None
    assert house.found() == [("retired", "end_user", "delete")]


# --- over time -------------------------------------------------------------------------------------------------
def test_one_row_over_all_scans(house):
    end_user(house, make_draft().friendly_name("person", 2))
    house.scan()
    first = house.only()
    scan = house.scan()
    assert house.only() == first
    assert house.only().scan == scan


def test_scans_cost_the_same_reads_whatever_they_find(house, django_assert_max_num_queries):
    house.registration()

    def reads() -> int:
        before = len(house.harness.reads())
        house.scan()
        return len(house.harness.reads()) - before

    clean = reads()
    assert clean == len(resource_types.KINDS)
    for _ in range(5):
        make_registration_with_orphan(house)
    assert reads() == clean
    scan = reconciliation.scan.ask(actor="ann", enqueue=False)
    with django_assert_max_num_queries(60):
        reconciliation.scan.run(scan.pk)


def make_registration_with_orphan(house) -> None:
    end_user(house, make_draft().friendly_name("person"))


def test_lists_longer_than_a_page(house, monkeypatch):
    monkeypatch.setattr("registrations.twilio.client.trusthub.PAGE_SIZE", 3)
    names = {make_draft(label=str(n)).friendly_name("person") for n in range(8)}
    for name in names:
        end_user(house, name)
    before = len(house.harness.reads())
    house.scan()
    assert {row.name for row in Finding.objects.all()} == names
    assert len(house.harness.reads()) - before > len(resource_types.KINDS)
    assert core.PAGE_SIZE == 1000


def test_a_scan_only_reads_at_twilio(house):
    registration = house.registration()
    end_user(house, registration.friendly_name("person"))
    before = len(house.harness.writes())
    house.scan()
    assert len(house.harness.writes()) == before


# --- asking and running -----------------------------------------------------------------------------------------
def test_a_double_click_is_one_scan_and_a_redelivered_job_none(house):
    first = reconciliation.scan.ask(actor="ann")
    assert reconciliation.scan.ask(actor="bob") == first
    assert queued(queue.SCAN) == [(first.pk,)]
    assert reconciliation.scan.run(first.pk)
    reads = len(house.harness.reads())
    assert not reconciliation.scan.run(first.pk)
    assert len(house.harness.reads()) == reads
    assert reconciliation.scan.ask(actor="bob") != first


def test_two_jobs_at_once_are_one(house, monkeypatch):
    scan = reconciliation.scan.ask(actor="ann", enqueue=False)
    second: list[bool] = []
    take = remote_inventory.take

    def slow(client, pulse, rest):
        second.append(reconciliation.scan.run(scan.pk))
        return take(client, pulse, rest)

    monkeypatch.setattr(remote_inventory, "take", slow)
    assert reconciliation.scan.run(scan.pk)
    assert second == [False]


def test_a_refusal_ends_the_scan_with_twilios_words(house):
    house.harness.fault(method="GET", path="EndUsers", action="503", times=1)
    scan = house.scan()
    assert scan.state == "failed"
    assert "503" in scan.error
    assert house.scan().state == "done"


def test_a_list_that_broke_off_is_read_again_after_a_rest(house, monkeypatch):
    monkeypatch.setattr("registrations.twilio.client.trusthub.PAGE_SIZE", 2)
    orphans = {end_user(house, f"A2P {new_ref()} person") for _ in range(5)}
    house.harness.fault(method="GET", path="EndUsers", action="503", nth=2)
    house.harness.fault(method="GET", path="Services", action="429", times=2)
    scan, rests = reconciliation.scan.ask(actor="ann", enqueue=False), []
    assert reconciliation.scan.run(scan.pk, rest=rests.append)
    scan.refresh_from_db()
    assert (scan.state, scan.counts["read"]["end_user"]) == ("done", 5)
    assert {row.sid for row in Finding.objects.all()} == orphans
    assert len(rests) == 3
    assert max(rests) <= remote_inventory.LONGEST_REST


def test_a_scan_that_takes_too_long_says_what_to_do(house):
    scan = reconciliation.scan.ask(actor="ann", enqueue=False)
    assert reconciliation.scan.run(scan.pk, seconds=-1.0)
    scan.refresh_from_db()
    assert (scan.state, "manage.py reconcile" in scan.error) == ("failed", True)


def test_the_sweep_finds_lost_and_dead_scans(house):
    scan = reconciliation.scan.ask(actor="ann", enqueue=False)
    assert reconciliation.scan.claim_forgotten() == []
    ago = clock.now() - timedelta(minutes=1)
    Scan.objects.update(enqueued_at=ago)
    assert reconciliation.scan.claim_forgotten() == [scan.pk]
    assert reconciliation.scan.claim_forgotten() == []
    Scan.objects.update(enqueued_at=ago, started_at=ago, alive_at=ago)
    assert reconciliation.scan.claim_forgotten() == []  # slow, but alive
    Scan.objects.update(alive_at=clock.now() - timedelta(minutes=5))
    assert reconciliation.scan.claim_forgotten() == [scan.pk]
    assert reconciliation.scan.run(scan.pk)


def test_our_own_error_is_on_the_row_and_raised(house, monkeypatch):
    monkeypatch.setattr("registrations.operations.reconciliation.scan.judge", lambda *args: 1 / 0)
    scan = reconciliation.scan.ask(actor="ann", enqueue=False)
    with pytest.raises(ZeroDivisionError):
        reconciliation.scan.run(scan.pk)
    scan.refresh_from_db()
    assert (scan.state, "ZeroDivisionError" in scan.error) == ("failed", True)

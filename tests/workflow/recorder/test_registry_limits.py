"""Lifetime uses of a mobile, an email, an address: what counts, and what never gives a use back."""

import contextlib
import threading

import pytest
from django.db import connection, transaction

from registrations.core import clock
from registrations.models import LimitUse, Registration
from registrations.models.choices import Stage
from registrations.operations import actions
from registrations.workflow.recorder import recorder, registry_limits
from registrations.workflow.steps import BY_SLUG
from tests.factories import PARTS, make_registration

MOBILE = str(PARTS["trust_bundle"]["mobile_phone_number"])
OTHER = "+12125550199"


def used(value: str = MOBILE, without: Registration | None = None) -> int:
    return registry_limits.uses(mobile=value, without=without)[0].used


def change(registration: Registration, mobile: str) -> None:
    actions.edit(registration, {"trust_bundle": {"mobile_phone_number": mobile}}, actor="ann")
    registration.trust_bundle.refresh_from_db()


def done(registration: Registration, slug: str, **payload: str) -> None:
    """The step, as if Twilio had accepted it just now."""
    step = BY_SLUG[slug]
    with transaction.atomic():
        recorder.record(registration, step, payload, step.request_params(registration))


@pytest.mark.django_db
class TestCounted:
    def test_a_registration_counts_from_submit_on_and_only_once(self):
        make_registration()
        assert used() == 0
        registration = make_registration(Stage.PROFILE)
        assert used() == 1
        assert used(without=registration) == 0
        make_registration(Stage.LIVE)
        assert used() == 2

    def test_what_a_brand_was_registered_with_stays_used_after_an_edit(self):
        registration = make_registration(Stage.OTP)
        change(registration, OTHER)
        assert (used(), used(OTHER)) == (1, 1)
        assert used(MOBILE, without=registration) == 0

    def test_before_there_is_a_brand_an_edit_gives_the_value_back(self):
        registration = make_registration(Stage.PROFILE)
        change(registration, OTHER)
        assert (used(), used(OTHER)) == (0, 1)

    @pytest.mark.parametrize(("stage", "count"), [(Stage.PROFILE, 0), (Stage.LIVE, 1)])
    def test_a_removed_registration_has_used_what_its_brand_used(self, stage, count):
        registration = make_registration(stage)
        Registration.objects.filter(pk=registration.pk).update(removing=True)
        registration.refresh_from_db()
        step = BY_SLUG["remove.brand"]
        recorder.learn(registration, step, step.learn(None, registration))
        Registration.objects.filter(pk=registration.pk).update(removing=False, stage=Stage.REMOVED)
        assert used() == count

    def test_resubmitting_the_same_brand_is_the_same_use(self):
        registration = make_registration(Stage.BRAND, answer={"status": "FAILED"})
        done(registration, "brand.update", status="PENDING")
        assert used() == 1
        change(registration, OTHER)
        done(registration, "brand.update", status="PENDING")
        assert (used(), used(OTHER)) == (1, 1)

    def test_a_new_brand_for_the_same_customer_is_another_use(self):
        registration = make_registration(Stage.BRAND, answer={"status": "FAILED"})
        type(registration.brand).objects.filter(pk=registration.brand.pk).update(missing_since=clock.now())
        registration.brand.refresh_from_db()
        assert registry_limits.limits_apply(registration)
        assert used(without=registration) == 1  # the old brand; the next one is the second
        done(registration, "brand.create", sid="BN" + "9" * 32, status="PENDING")
        registration.brand.refresh_from_db()
        assert (used(), used(without=registration)) == (2, 1)

    def test_a_mobile_that_an_approved_brand_got_by_its_bundle_is_used_too(self):
        registration = make_registration(Stage.OTP)
        change(registration, OTHER)
        done(registration, "trust_bundle.submit", status="pending-review")
        change(registration, "+12125550111")
        assert (used(), used(OTHER), used("+12125550111")) == (1, 1, 1)

    def test_another_registration_of_the_values_is_counted_for_many_as_for_one(
        self, django_assert_num_queries
    ):
        registrations = [
            make_registration(stage) for stage in (Stage.DRAFT, Stage.PROFILE, Stage.OTP, Stage.OTP)
        ]
        change(registrations[3], OTHER)
        with django_assert_num_queries(5):
            many = registry_limits.uses_of_many(registrations)
        assert [many[registration.pk][0].used for registration in registrations] == [3, 2, 2, 0]
        assert [uses[1].used for uses in many.values()] == [3, 2, 2, 2]
        assert {use.field for use in many[registrations[0].pk]} == set(
            LimitUse.objects.values_list("field", flat=True)
        )

    def test_an_override_covers_the_values_it_was_given_for(self):
        for _ in range(3):
            make_registration(Stage.BRAND)
        registration = make_registration(parts={"trust_bundle": {"mobile_phone_number": OTHER}})
        actions.override_limits(registration, reason="Same owner.", actor="chief")
        actions.edit(registration, {"profile": {"first_name": "Anna"}}, actor="ann")
        registration.refresh_from_db()
        assert registration.limit_override  # nothing that is counted has changed
        change(registration, MOBILE)
        registration.refresh_from_db()
        assert registration.limit_override == ""
        with pytest.raises(actions.Refused, match="was used for 3 other brands"):
            actions.submit(registration, actor="ann", despite=None)
        actions.override_limits(registration, reason="Same owner.", actor="chief")
        actions.submit(registration, actor="ann", despite=None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("1 Main St.", "Apt 4", "02139-1234"), ("1  main street", "#4", "02139")),
        (("12 North First Avenue", "", "02139"), ("12 N. First Ave", "", "02139")),
        (("P.O. Box 12", "", "02139"), ("PO Box 12", "", "02139")),
        (("7 Rue Montréal", "", "02139"), ("7 rue Montreal", "", "02139")),
        (("9 NW Oak Blvd, Suite 5", "", "02139"), ("9 Northwest Oak Boulevard", "Ste 5", "02139")),
    ],
)
def test_spellings_of_one_address(one, other):
    assert registry_limits.address_key(*one, "US") == registry_limits.address_key(*other, "US")


@pytest.mark.parametrize(
    "other",
    [
        ("2 Main St", "", "02139"),
        ("1 Main St", "Apt 4", "02139"),
        ("1 Main St", "", "02140"),
        ("1 Main Ave", "", "02139"),
    ],
)
def test_other_addresses_are_other_addresses(other):
    assert registry_limits.address_key("1 Main St", "", "02139", "US") != registry_limits.address_key(
        *other, "US"
    )


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one transaction in at a time")
@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_cannot_both_take_the_last_use(monkeypatch):
    for _ in range(2):
        make_registration(Stage.LIVE)
    registrations = [make_registration(), make_registration()]
    both_counted, count = threading.Barrier(2), registry_limits.uses_of
    results: list[str] = []

    def slowly(registration: Registration) -> list[registry_limits.Use]:
        found = count(registration)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other one waits for the lock
            both_counted.wait(timeout=1)
        return found

    def submit(registration: Registration) -> None:
        try:
            actions.submit(registration, actor="ann", despite=None)
            results.append("submitted")
        except actions.Refused as refusal:
            results.append(str(refusal))
        finally:
            connection.close()

    monkeypatch.setattr(registry_limits, "uses_of", slowly)
    threads = [threading.Thread(target=submit, args=(registration,)) for registration in registrations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results)[1:] == ["submitted"]
    assert "was used for 3 other brands" in sorted(results)[0]

"""Magic inputs: each gives its outcome, where docs/twilio.md says it appears."""

from __future__ import annotations

from pathlib import Path

import pytest

from registrations.sandbox import SOLE_PROP_POLICY, STARTER_POLICY, outcomes
from registrations.sandbox.seed import OWNED
from registrations.sandbox.state import (
    AUTO_REPLY,
    BRAND_REVIEW,
    OTP_DEADLINE,
    OTP_LIFE,
    PROFILE_CHECK,
    SUSPEND_AFTER,
)
from tests.sandbox.conftest import control
from tests.sandbox.walk import Walk

SUGGESTION = (
    "Address suggestion -> Street: 1 Jersey St. Secondary Street: Boston, MA 02215-4147. Locality: Boston. "
    "Region: MA. Postal Code: 02215-4147. Country: US"
)


def last_form(walk: Walk) -> dict[str, str]:
    return control(walk.server, "deliveries")[-1]["form"]


def test_the_document_contains_the_table_of_the_code():
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    assert outcomes.table() in text


# -- profile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "address", "reason", "codes"),
    [
        ({"email": "a.bad-syntax@x.com"}, {}, "Email domain has an invalid address syntax.", [18055]),
        ({"email": "a.bad-domain@x.com"}, {}, "Unknown email domain.", [18055]),
        ({"email": "a@mailinator.com"}, {}, "Email is a suspected disposable address.", [18055]),
        ({"email": "a.bad-email@x.com"}, {}, "Email is invalid.", [18055]),
        ({"email": "a.code-18602@x.com"}, {}, None, [18602]),
        ({"email": "a.bad-email.callback-only@x.com"}, {}, "Email is invalid.", None),
        ({"email": "a.bad-email.poll-only@x.com"}, {}, None, [18055]),
        ({"phone_number": "415 555"}, {}, None, [18054]),
        ({}, {"postal_code": "00000"}, f"[address_sids] - Invalid Postal Code. {SUGGESTION};", [18603]),
        ({}, {"street": "1 Wrong St"}, f"[address_sids] - Invalid Street. {SUGGESTION}", [18603]),
        ({}, {"city": "Nowhere"}, f"[address_sids] - Invalid Locality. {SUGGESTION};", [18603]),
        ({}, {"street_secondary": "fail region"}, f"[address_sids] - Invalid Region. {SUGGESTION};", [18603]),
        ({}, {"street": "0 Main St"}, "[address_sids] - Invalid House Number", [18603]),
        ({}, {"iso_country": "FR"}, "The provided address is not a valid US or Canada address", [18603]),
    ],
)
def test_profile_rejections(walk, person, address, reason, codes):
    walk.person.update(person)
    walk.address.update(address)
    walk.build_profile().submit_profile()
    walk.advance(PROFILE_CHECK - 1)
    assert walk.bundle.fetch().status == "in-review"
    walk.advance(1)
    profile = walk.bundle.fetch()
    assert profile.status == "twilio-rejected"
    assert profile.errors == (codes and [{"code": code} for code in codes])
    form = last_form(walk)
    assert form["Status"] == "twilio-rejected"
    assert form.get("FailureReason") == reason


def test_several_reasons_come_in_one_text_and_a_fix_passes(walk):
    walk.address["street_secondary"] = "fail postal fail house"
    walk.build_profile().submit_profile().advance(PROFILE_CHECK)
    reason = last_form(walk)["FailureReason"]
    assert reason.count("[address_sids] - ") == 2
    walk.client.addresses(walk.sids["address"]).update(street_secondary="")
    assert walk.client.addresses(walk.sids["address"]).fetch().street_secondary is None
    walk.submit_profile().advance(PROFILE_CHECK)
    assert (walk.bundle.fetch().status, walk.bundle.fetch().errors) == ("in-review", None)


def test_trust_bundle_rejection(walk):
    walk.trust_user["brand_name"] = "Ana bundle 18602"
    walk.bundles()
    assert walk.trust.fetch().errors == [{"code": 18602}]


def test_auto_correct_rewrites_the_street(walk):
    create = walk.client.addresses.create
    assert create(**{**walk.address, "street": "1  Misspelt Long Street"}).street == "1 Long St"
    kept = create(**{**walk.address, "street": "1 Long Street"}, auto_correct_address=False)
    assert (kept.street, kept.validated) == ("1 Long Street", False)


# -- brand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trust_user", "person", "code"),
    [
        ({"brand_name": "Ana fail 30799"}, {}, 30799),
        ({}, {"last_name": "Fail-30756"}, 30756),
        ({"mobile_phone_number": "+14155550750"}, {}, 30750),
        ({"mobile_phone_number": "+14155550751"}, {}, 30751),
        ({"mobile_phone_number": "+18005550123"}, {}, 30751),
        ({"mobile_phone_number": OWNED["PN" + "0" * 31 + "1"]}, {}, 30751),
        ({"mobile_phone_number": "+447700900123"}, {}, 30755),
    ],
)
def test_brand_failures(walk, trust_user, person, code):
    walk.trust_user.update(trust_user)
    walk.person.update(person)
    walk.bundles().create_brand()
    walk.advance(BRAND_REVIEW)
    brand = walk.brand().fetch()
    assert brand.status == "FAILED"
    assert [item["error_code"] for item in brand.errors] == [code]
    assert brand.tcr_id


def test_30701_when_the_profile_was_rejected_after_the_trust_bundle_was_built(walk):
    walk.person["email"] = "a.bad-email@x.com"
    walk.build_profile().submit_profile().build_trust().submit_trust().advance(30)
    walk.create_brand()
    walk.advance(BRAND_REVIEW)
    assert [item["error_code"] for item in walk.brand().fetch().errors] == [30701]
    assert control(walk.server, "counts")["violations"] == {"settle": 1}
    walk.hub.end_users(walk.sids["user"]).update(attributes={**walk.person, "email": "ana@example.com"})
    walk.submit_profile().submit_trust().advance(30)
    assert walk.brand().update().status == "PENDING"
    walk.advance(BRAND_REVIEW)
    assert walk.brand().fetch().status == "APPROVED"


def test_a_rejected_profile_makes_the_trust_bundle_noncompliant(walk):
    walk.person["email"] = "a.bad-email@x.com"
    walk.build_profile().submit_profile().advance(30)
    evaluation = walk.build_trust().trust.trust_products_evaluations.create(policy_sid=SOLE_PROP_POLICY)
    row = next(row for row in evaluation.results if row["requirement_name"] == "customer_profile")
    assert (evaluation.status, row["passed"]) == ("noncompliant", False)


def test_evaluation_codes(walk):
    hub = walk.hub
    profile = hub.customer_profiles.create(friendly_name="x", email="a@b.c", policy_sid=STARTER_POLICY)
    walk.sids["profile"] = profile.sid

    def codes() -> list[int | None]:
        results = walk.bundle.customer_profiles_evaluations.create(policy_sid=STARTER_POLICY).results
        return [row["error_code"] for row in results if not row["passed"]]

    assert codes() == [22214, 22216, None]
    user = hub.end_users.create("x", "starter_customer_profile_information", attributes={"first_name": "Ana"})
    document = hub.supporting_documents.create("x", "customer_profile_address", attributes={})
    for sid in (user.sid, document.sid):
        walk.bundle.customer_profiles_entity_assignments.create(object_sid=sid)
    assert codes() == [22215, 22217, None]
    attributes = {"address_sids": "AD" + "0" * 32}
    hub.supporting_documents(document.sid).update(attributes=attributes)
    assert codes() == [22215, 22219, None]


def test_a_brand_reads_what_was_submitted_not_what_was_edited(walk):
    walk.trust_user["brand_name"] = "fail 30799"
    walk.bundles().create_brand()
    walk.advance(BRAND_REVIEW)
    walk.hub.end_users(walk.sids["trust_user"]).update(attributes={**walk.trust_user, "brand_name": "Ana"})
    walk.brand().update()
    walk.advance(BRAND_REVIEW)
    assert walk.brand().fetch().status == "FAILED", "the edited bundle was never submitted"
    walk.submit_trust().advance(30)
    walk.brand().update()
    walk.advance(BRAND_REVIEW)
    assert walk.brand().fetch().status == "APPROVED"


def test_fail_once_and_the_event_spelling(walk):
    walk.trust_user["brand_name"] = "Ana fail once 30791 event style"
    walk.bundles().create_brand()
    walk.advance(BRAND_REVIEW)
    brand = walk.brand().fetch()
    assert brand.failure_reason == "Unable to register Brand with The Campaign Registry"
    assert brand.errors[0]["registrationerrorcode"] == 30791
    walk.brand().update()
    walk.advance(BRAND_REVIEW)
    assert walk.brand().fetch().status == "APPROVED"


@pytest.mark.parametrize("wrong", ["transposed", "strangers", "not settled", "standard"])
def test_30793(walk, wrong):
    more = {}
    if wrong == "not settled":
        walk.build_profile().submit_profile().advance(30)
        walk.build_trust().submit_trust().advance(29)
    else:
        walk.bundles()
    if wrong == "transposed":
        walk.sids["profile"], walk.sids["trust"] = walk.sids["trust"], walk.sids["profile"]
    elif wrong == "strangers":
        other = Walk(walk.server, walk.client, name="customer 2").bundles()
        walk.sids["profile"] = other.sids["profile"]
    elif wrong == "standard":
        more = {"brand_type": "STANDARD"}
    walk.create_brand(**more)
    walk.advance(BRAND_REVIEW)
    brand = walk.brand().fetch()
    assert [item["error_code"] for item in brand.errors] == [30793]
    assert (brand.status, brand.tcr_id) == ("FAILED", None)
    assert control(walk.server, "violations")


def test_a_second_brand_is_accepted_and_charged_again(walk):
    walk.bundles().create_brand()
    walk.create_brand()
    counts = control(walk.server, "counts")
    assert counts["fees"]["brand_fees"] == 2
    assert counts["violations"] == {"second-brand": 1}
    assert counts["duplicates"]["BrandRegistrations"]


def test_the_fourth_use_of_a_mobile(server, client):
    for number in range(4):
        walk = Walk(server, client, name=f"customer {number}").reviewed_brand()
    brand = walk.brand().fetch()
    assert [item["error_code"] for item in brand.errors] == [30750]


def test_self_declared_and_a_later_suspension(walk):
    walk.trust_user["brand_name"] = "Ana self declared suspend later"
    walk.reviewed_brand()
    assert walk.brand().fetch().identity_status == "SELF_DECLARED"
    assert walk.say()
    walk.advance(SUSPEND_AFTER)
    assert walk.brand().fetch().status == "SUSPENDED"


@pytest.mark.parametrize(("ending", "identity"), [("9999", "VERIFIED"), ("9998", "UNVERIFIED")])
def test_mobiles_that_reply_automatically(walk, ending, identity):
    walk.trust_user["mobile_phone_number"] = f"+1415555{ending}"
    walk.reviewed_brand().advance(AUTO_REPLY)
    assert walk.brand().fetch().identity_status == identity


def test_an_otp_that_never_arrives_then_one_that_does(walk):
    walk.trust_user["mobile_phone_number"] = "+14155550752"
    walk.reviewed_brand()
    assert not walk.say()
    walk.advance(OTP_LIFE)
    brand = walk.brand().fetch()
    assert (brand.status, brand.errors[0]["error_code"]) == ("APPROVED", 30752)
    walk.brand().brand_registration_otps.create()
    assert walk.say()


def test_a_late_or_wrong_reply_does_not_verify(walk):
    walk.reviewed_brand()
    assert not walk.say("who is this?")
    walk.brand().brand_registration_otps.create()
    walk.advance(OTP_LIFE)
    assert not walk.say()
    assert walk.brand().fetch().identity_status == "UNVERIFIED"


def test_the_thirty_day_deadline(walk):
    walk.trust_user["brand_name"] = "Ana enforce deadline"
    walk.reviewed_brand().advance(OTP_DEADLINE)
    assert walk.brand().fetch().status == "EXPIRED"


def test_a_mock_brand_gets_no_otp_and_no_campaign(walk):
    walk.bundles().create_brand(mock=True)
    walk.advance(BRAND_REVIEW)
    assert walk.brand().fetch().mock is True
    assert not walk.say()

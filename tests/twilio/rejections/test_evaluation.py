"""What an evaluation holds against a bundle, at the inputs of the form."""

import random

import pytest

from registrations.twilio.rejections import parse_evaluation

from .test_error_items import junk

PASSED = {
    "requirement_name": "primary_customer_profile",
    "object_type": "primary_customer_profile_type_business",
    "passed": True,
    "failure_reason": None,
    "error_code": None,
    "invalid": [],
    "valid": [
        {
            "object_field": "bundle_sid",
            "friendly_name": "Supporting Bundle Status",
            "passed": True,
            "failure_reason": None,
            "error_code": None,
        }
    ],
}
PERSON = {
    "requirement_name": "sole_proprietor_information",
    "requirement_friendly_name": "Sole Proprietor Information",
    "object_type": "sole_proprietor_information",
    "passed": False,
    "error_code": 22214,
    "failure_reason": "The End-User is missing.",
    "valid": [],
    "invalid": [
        {
            "object_field": "mobile_phone_number",
            "friendly_name": "Mobile Phone Number",
            "error_code": 22215,
            "failure_reason": "The Mobile Phone Number is missing.",
        },
        {"object_field": "brand_name", "friendly_name": "Brand Name", "error_code": 22215},
    ],
}
ADDRESS = {
    "requirement_name": "customer_profile_address",
    "object_type": "customer_profile_address",
    "requirement_friendly_name": "Customer Profile Address",
    "passed": False,
    "error_code": 22216,
    "failure_reason": "The document is missing.",
    "valid": [],
    "invalid": [],
}
SUPPORT = {
    "requirement_name": "customer_profile",
    "object_type": "starter_customer_profile_type_business",
    "passed": False,
    "error_code": None,
    "failure_reason": None,
    "valid": [],
    "invalid": [{"object_field": "bundle_status", "friendly_name": "Supporting Bundle Status"}],
}


def test_passed_rows_give_nothing() -> None:
    assert parse_evaluation([PASSED]) == []
    assert parse_evaluation({"status": "compliant", "results": [PASSED, PASSED]}) == []


def test_row_then_its_fields_at_their_inputs() -> None:
    row, mobile, brand = parse_evaluation({"status": "noncompliant", "results": [PASSED, PERSON]})
    assert (row.code, row.description, row.inputs) == (22214, "The End-User is missing.", ())
    assert (mobile.code, mobile.inputs) == (22215, ("mobile_phone_number",))
    assert mobile.description == "The Mobile Phone Number is missing."
    assert (brand.description, brand.inputs) == ("Brand Name", ("brand_name",))


def test_missing_address_is_at_the_address() -> None:
    (item,) = parse_evaluation([ADDRESS])
    assert item.code == 22216
    assert item.inputs == ("street", "city", "region", "postal_code")


@pytest.mark.parametrize(
    "field", ["address_sids", "first_name", "last_name", "email", "phone_number", "vertical"]
)
def test_every_field_of_the_policies_has_an_input(field: str) -> None:
    (item,) = parse_evaluation([{"passed": False, "invalid": [{"object_field": field, "error_code": 22217}]}])
    assert item.inputs[0] == ("street" if field == "address_sids" else field)


def test_supporting_bundle_is_explained_without_a_code() -> None:
    (item,) = parse_evaluation([SUPPORT])
    assert item.failure.key == "evaluation_supporting_bundle"
    assert item.description == "Supporting Bundle Status"
    assert item.inputs == ()


def test_a_field_listed_as_valid_but_not_passed_counts() -> None:
    row = {"passed": False, "valid": [{"object_field": "email", "passed": False, "error_code": 22215}]}
    (item,) = parse_evaluation([row])
    assert item.inputs == ("email",)


def test_a_failed_row_without_anything_else_still_speaks() -> None:
    (item,) = parse_evaluation([{"passed": False, "requirement_friendly_name": "Some Requirement"}])
    assert item.description == "Some Requirement"
    assert item.failure.key == "evaluation_noncompliant"


def test_unknown_codes_and_fields_are_shown() -> None:
    (item,) = parse_evaluation(
        [
            {
                "passed": False,
                "invalid": [{"object_field": "shoe_size", "error_code": 22299, "failure_reason": "?"}],
            }
        ]
    )
    assert (item.code, item.fields, item.inputs) == (22299, ("shoe_size",), ())
    assert "22299" in item.failure.title


@pytest.mark.parametrize("odd", [None, "", "junk", 7, {}, [None], [[]], {"results": 3}, "[" * 100_000])
def test_odd_answers_give_nothing(odd: object) -> None:
    assert parse_evaluation(odd) == []


def test_random_rows_never_raise() -> None:
    rng = random.Random(9)
    keys = [*PERSON, "status"]
    for _ in range(3000):
        row = {rng.choice(keys): junk(rng) for _ in range(rng.randrange(8))}
        for item in parse_evaluation([row, PERSON]):
            assert item.failure.advice

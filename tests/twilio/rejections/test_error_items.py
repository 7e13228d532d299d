"""errors[] in every spelling seen, and in some never seen."""

import json
import random
import string
from typing import Any

import pytest

from registrations.intake.form import RegistrationForm
from registrations.twilio.rejections import ErrorItem, inputs_in_text, parse_error_items
from registrations.twilio.rejections.field_names import TOKENS, fields_of

REST = {
    "error_code": 30886,
    "fields": ["USE_CASE_DESCRIPTION"],
    "url": "https://www.twilio.com/docs/api/errors/30886",
    "description": "The campaign was rejected.",
}
EVENT = {
    "registrationerrorcode": 30886,
    "registrationerrorfields": ["USE_CASE_DESCRIPTION"],
    "registrationerrorurl": "https://www.twilio.com/docs/api/errors/30886",
    "registrationerrordescription": "The campaign was rejected.",
}
CAMEL = {
    "registrationErrorCode": "30886",
    "registrationErrorFields": "USE_CASE_DESCRIPTION",
    "registrationErrorUrl": "https://www.twilio.com/docs/api/errors/30886",
    "registrationErrorDescription": "The campaign was rejected.",
}
VETTING = {
    "errorcode": 30886,
    "errordescription": "The campaign was rejected.",
    "fields": ["USE_CASE_DESCRIPTION"],
}


@pytest.mark.parametrize("item", [REST, EVENT, CAMEL, VETTING], ids=["rest", "event", "camel", "vetting"])
def test_every_spelling_reads_alike(item: dict[str, Any]) -> None:
    (found,) = parse_error_items([item])
    assert found == ErrorItem(
        code=30886,
        description="The campaign was rejected.",
        url="https://www.twilio.com/docs/api/errors/30886",
        fields=("USE_CASE_DESCRIPTION",),
        inputs=("description",),
    )
    assert found.raw == item
    assert found.failure.title == "Description is not good enough"


@pytest.mark.parametrize("token", ["SAMPLE_MESSAGE_6", "SAMPLE_MESSAGE_9", "sample_message_0"])
def test_a_sample_that_we_cannot_have_stands_for_the_samples(token: str) -> None:
    (item,) = parse_error_items([{"error_code": 39999, "fields": [token]}])
    assert (item.inputs, item.unknown_fields) == (("message_sample_1",), ())


def test_names_that_we_do_not_know_are_kept_beside_those_that_we_do() -> None:
    (item,) = parse_error_items([{"error_code": 30893, "fields": "NEW_THING, MESSAGE_FLOW"}])
    assert (item.inputs, item.unknown_fields) == (("message_flow",), ("NEW_THING",))


def test_all_items_in_order() -> None:
    codes = [30909, 30886, 30893, 30886, 30999]
    found = parse_error_items([{"error_code": code} for code in codes])
    assert [item.code for item in found] == codes


def test_bundle_item_holds_only_a_code() -> None:
    (item,) = parse_error_items([{"code": 18603}])
    assert item.inputs[0] == "street"
    assert item.url.endswith("/18603")


def test_event_data_gives_its_own_code_and_the_nested_errors() -> None:
    data = {
        "brandsid": "BN1",
        "campaignregistrationstatus": "failure",
        "createddate": 1700000000000,
        "errorcode": 30991,
        "campaignregistrationerrors": [EVENT, {"registrationerrorcode": 30909}],
    }
    assert [item.code for item in parse_error_items(data)] == [30991, 30886, 30909]


@pytest.mark.parametrize("nothing", [None, [], "", "  ", [None], (), "[]"])
def test_nothing_is_nothing(nothing: object) -> None:
    assert parse_error_items(nothing) == []


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("Something new", None, "Something new"),
        (30751, 30751, ""),
        ("30751", 30751, ""),
        ("Error 30751: unsupported", 30751, "Error 30751: unsupported"),
        ("see https://www.twilio.com/docs/api/errors/30751", 30751, "see https://www.twilio.com/docs/api/errors/30751"),
        ("Error code 30751", 30751, "Error code 30751"),
        ("Postal code: 30751 is wrong", None, "Postal code: 30751 is wrong"),
        (json.dumps([REST]), 30886, "The campaign was rejected."),
        ("{broken json", None, "{broken json"),
        ({"error": {"code": 30751, "message": "no"}}, 30751, "no"),
        ({"error": "no"}, None, "no"),
        ({"colour": "blue"}, None, '{"colour": "blue"}'),
        ({}, None, ""),
        (True, None, "true"),
        ({"code": True, "message": "odd"}, None, "odd"),
        ({"code": "E-7", "message": "odd"}, None, "odd"),
        ({"title": "Short", "detail": "Much longer words", "status": 400, "code": 20001}, 20001, "Much longer words"),
    ],
)  # fmt: skip
def test_odd_shapes(value: object, code: int | None, words: str) -> None:
    (item,) = parse_error_items([value])
    assert (item.code, item.description) == (code, words)
    assert item.failure.advice


def test_known_words_without_a_code_find_their_entry() -> None:
    (item,) = parse_error_items(["Unknown email domain."])
    assert item.failure.key == "email_unknown_domain"
    assert item.inputs == ("email",)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "errors/30886", ""])
def test_only_web_addresses_become_links(url: str) -> None:
    (item,) = parse_error_items([{"error_code": 30886, "url": url}])
    assert item.url == "https://www.twilio.com/docs/api/errors/30886"


# --- names of fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "field"),
    [
        ("USE_CASE_DESCRIPTION", "description"),
        ("Description", "description"),
        ("SAMPLE_MESSAGE_1", "message_sample_1"),
        ("SAMPLE_MESSAGE_5", "message_sample_5"),
        ("MessageSamples", "message_samples"),
        ("MESSAGE_FLOW", "message_flow"),
        ("messageFlow", "message_flow"),
        ("PRIVACY_POLICY_URL", "privacy_policy_url"),
        ("TERMS_AND_CONDITIONS_URL", "terms_and_conditions_url"),
        ("OptOutKeywords", "opt_out_keywords"),
        ("mobile_phone_number", "mobile_phone_number"),
        ("HasEmbeddedLinks", "has_embedded_links"),
    ],
)
def test_token(token: str, field: str) -> None:
    assert fields_of(token) == (field,)


@pytest.mark.parametrize("token", ["SAMPLE_MESSAGE_X", "NEW_THING", "", "§", "notes", "pk"])
def test_unknown_token(token: str) -> None:
    assert fields_of(token) == ()


def test_unknown_tokens_are_kept_and_known_ones_mapped() -> None:
    (item,) = parse_error_items([{"error_code": 30893, "fields": ["SAMPLE_MESSAGE_2", "NEW_THING"]}])
    assert item.fields == ("SAMPLE_MESSAGE_2", "NEW_THING")
    assert item.inputs == ("message_sample_2",)


def test_without_known_tokens_the_catalogue_names_the_inputs() -> None:
    (item,) = parse_error_items([{"error_code": 30893, "fields": ["NEW_THING"]}])
    assert item.inputs == ("message_sample_1", "description")


@pytest.mark.parametrize("fields", ["A,B C", [["A"], "B", "C"], [{"name": "A"}, {"field": "B"}, "C"]])
def test_fields_in_any_nesting(fields: object) -> None:
    (item,) = parse_error_items([{"error_code": 30893, "fields": fields}])
    assert item.fields == ("A", "B", "C")


def test_token_table_names_inputs_of_the_form() -> None:
    known = {*RegistrationForm().fields, "message_samples"}
    assert {field for fields in TOKENS.values() for field in fields} <= known


@pytest.mark.parametrize(
    ("message", "inputs"),
    [
        ("Missing required parameter MessageFlow in the post body", ("message_flow",)),
        ("SAMPLE_MESSAGE_2 and Description are too short", ("message_sample_2", "description")),
        ("Invalid PrivacyPolicyUrl", ("privacy_policy_url",)),
        ("the description of privacy", ()),
        (None, ()),
    ],
)
def test_parameters_named_in_a_refusal(message: object, inputs: tuple[str, ...]) -> None:
    assert inputs_in_text(message) == inputs


# --- anything at all --------------------------------------------------------------------------------------


def junk(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(12 if depth < 5 else 8)
    if kind < 2:
        return "".join(rng.choices(string.printable, k=rng.randrange(20)))
    if kind == 2:
        return rng.choice([None, True, False, 1e400, float("nan"), -1, 10**30, 30886, "30886", b"x"])
    if kind < 6:
        return rng.choice(["30751", "Email is invalid.", "[1,", "{}", "[[30751]]", "SAMPLE_MESSAGE_1", 18601])
    if kind < 8:
        return rng.randrange(10**6)
    if kind < 10:
        return [junk(rng, depth + 1) for _ in range(rng.randrange(4))]
    keys = [*REST, *EVENT, *CAMEL, "errors", "error", "x", "", 7, None]
    return {rng.choice(keys): junk(rng, depth + 1) for _ in range(rng.randrange(5))}


def test_random_shapes_never_raise_and_can_be_shown() -> None:
    rng = random.Random(3)
    inputs = set(RegistrationForm().fields)
    for _ in range(4000):
        for item in parse_error_items(junk(rng)):
            assert item.code is None or item.code > 0
            assert isinstance(item.description, str)
            assert set(item.inputs) <= inputs
            assert item.url == "" or item.url.startswith("http")
            assert item.failure.advice


def test_very_deep_shapes_are_cut_not_crashed() -> None:
    deep: Any = 30751
    for _ in range(5000):
        deep = [deep]
    assert len(parse_error_items(deep)) == 1
    assert len(parse_error_items("[" * 100_000)) == 1


def test_a_known_list_survives_junk_around_it() -> None:
    rng = random.Random(5)
    for _ in range(300):
        found = parse_error_items([junk(rng), REST, junk(rng)])
        assert any(item.raw is REST for item in found)

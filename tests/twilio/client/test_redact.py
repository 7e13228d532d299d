"""Masking: private data is removed, useful data is kept, and masking twice changes nothing."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from registrations.twilio.client import CAMPAIGN_SID, redact, redact_text
from registrations.twilio.client.redaction import MASK

SID = "BU" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("jane.doe@example.com", "j•••@example.com"),
        ("Mail to <jane+tag@mail.example.co.uk>, please", "Mail to <j•••@mail.example.co.uk>, please"),
        ("zoë@exämple.com", "z•••@exämple.com"),
        ("FriendlyName=jane%2Btag%40example.com&Page=1", "FriendlyName=j•••%40example.com&Page=1"),
        ("https://user:secret@example.com/hook", "https://user:s•••@example.com/hook"),
        ("+15125550123", "+1•••••0123"),
        ("call +1 (512) 555-0123 now", "call +1•••••0123 now"),
        ("call (512) 555-0123, or 512-555-0124.", "call •••••0123, or •••••0124."),
        ("512.555.0123", "•••••0123"),
        ("5125550123", "•••••0123"),
        ("1-512-555-0123", "+1•••••0123"),
        ("15125550123", "+1•••••0123"),
        ("To=%2B15125550123&x=1", "To=+1•••••0123&x=1"),
        ("/v2/PhoneNumbers/+15125550123?Fields=x", "/v2/PhoneNumbers/+1•••••0123?Fields=x"),
        ("+442071838750", "+•••••8750"),
    ],
)
def test_free_text(text: str, masked: str) -> None:
    assert redact_text(text) == masked
    assert redact_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        SID,
        CAMPAIGN_SID,
        f"/v1/Services/MG{'1' * 32}/Compliance/Usa2p/{CAMPAIGN_SID}",
        "2026-11-23T18:04:45Z",
        "Mon, 23 Nov 2026 18:04:45 +0000",
        "HTTP 400, code 21717",
        "1700000000000",
        "02215-4147",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-1234-1234-123456789012",
        "1.234.567",
        "https://www.twilio.com/docs/api/errors/30886",
        "at 3@4 each",
        "B1A2C3D",
    ],
)
def test_harmless_text_is_kept(text: str) -> None:
    assert redact_text(text) == text
    assert redact(text) == text


KEYS = [
    ("email", "jane@example.com", "j•••@example.com"),
    ("email", "not an address", MASK),
    ("phone_number", "+15125550123", "+1•••••0123"),
    ("mobile_phone_number", "(512) 555-0123", "•••••0123"),
    ("phone_number", "911", MASK),
    ("first_name", "Jane", "J•••"),
    ("last_name", "O'Neill-Smith", "O•••"),
    ("customer_name", "Jane Doe", "J•••"),
    ("brand_name", "Jane's Bakery", "J. B."),
    ("street", "1 Jersey St", MASK),
    ("street_secondary", "Unit 2", MASK),
    ("postal_code", "02215", MASK),
    ("auth_token", "0123456789abcdef", MASK),
    ("api_key_secret", "s3cret", MASK),
    ("session_token", "tok", MASK),
    ("authorization", "Basic abc", MASK),
]
SPELLINGS = [
    lambda key: key,
    lambda key: key.title().replace("_", ""),
    lambda key: key.upper(),
    lambda key: key.replace("_", "-"),
    lambda key: key.replace("_", ""),
]


@pytest.mark.parametrize("spell", SPELLINGS, ids=["snake", "Pascal", "UPPER", "hyphen", "joined"])
@pytest.mark.parametrize(("key", "value", "masked"), KEYS)
def test_by_key_in_any_spelling(key: str, value: str, masked: str, spell: Any) -> None:
    assert redact({spell(key): value}) == {spell(key): masked}
    assert redact({spell(key): [value, {"x": value}]}) == {spell(key): [masked, {"x": masked}]}
    assert redact({spell(key): masked}) == {spell(key): masked}


@pytest.mark.parametrize("nothing", ["", None, True, False, [], {}])
def test_empty_values_are_kept(nothing: object) -> None:
    for key, _, _ in KEYS:
        assert redact({key: nothing}) == {key: nothing}


def test_private_values_that_are_not_text() -> None:
    assert redact({"phone_number": 15125550123, "postal_code": 2215}) == {
        "phone_number": "+1•••••0123",
        "postal_code": MASK,
    }


def test_attributes_as_text_and_as_object() -> None:
    attributes = {"first_name": "Jane", "email": "jane@example.com", "vertical": "RETAIL"}
    masked = {"first_name": "J•••", "email": "j•••@example.com", "vertical": "RETAIL"}
    assert redact({"attributes": attributes}) == {"attributes": masked}
    text = redact({"Attributes": json.dumps(attributes)})["Attributes"]
    assert json.loads(text) == masked
    assert redact({"attributes": "Jane, no JSON"}) == {"attributes": MASK}
    assert redact({"attributes": {"address_sids": "AD1"}}) == {"attributes": {"address_sids": "AD1"}}
    assert json.loads(redact('[{"Email": "jane@example.com"}]')) == [{"Email": "j•••@example.com"}]


def test_campaign_texts_are_kept_verbatim() -> None:
    campaign = {
        "description": "Jane's Bakery, (512) 555-0123",
        "message_flow": "Sign up at https://example.com/join or mail help@example.com",
        "message_samples": ["Call 512-555-0123"],
        "HelpMessage": "help@example.com",
        "opt_in_keywords": ["START"],
        "privacy_policy_url": "https://example.com/p/5125550123",
        "errors": [{"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"], "description": "rejected"}],
    }
    assert redact(campaign) == campaign


def test_a_response_keeps_what_an_agent_needs() -> None:
    profile = {
        "sid": SID,
        "account_sid": "AC" + "0" * 32,
        "status": "twilio-rejected",
        "email": "jane@example.com",
        "errors": [{"code": 18603}],
        "valid_until": None,
        "status_callback": "https://desk.example.com/hooks/bundle",
        "date_created": "2026-11-23T18:04:45Z",
        "links": {"evaluations": f"https://trusthub.twilio.com/v1/CustomerProfiles/{SID}/Evaluations"},
    }
    assert redact(profile) == {**profile, "email": "j•••@example.com"}


def test_the_suggested_address_of_a_rejection_is_kept() -> None:
    reason = "[address_sids] - Invalid Street. Address suggestion -> Street: 1 Jersey St. Locality: Boston."
    assert redact({"FailureReason": reason}) == {"FailureReason": reason}


PRIVATE = {
    "email": "jane.q.doe@example.com",
    "phone_number": "+15125550123",
    "first_name": "Janequa",
    "last_name": "Doemann",
    "customer_name": "Janequa Doemann",
    "brand_name": "Doemann Bakery",
    "street": "77 Jerseyfield St",
    "postal_code": "02215",
    "auth_token": "f00dfacef00dfacef00dfacef00dface",
}
LEAKS = ["jane.q", "512555", "Janequa", "Doemann", "Jersey", "02215", "f00dface"]
HARMLESS = {"sid": SID, "status": "draft", "code": 21717, "ok": True, "none": None, "size": 1.5}


def grow(rng: random.Random, depth: int) -> Any:
    """A random JSON value with private data under private keys, at any depth, in any spelling."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice([*HARMLESS.values(), f"write to {PRIVATE['email']} or {PRIVATE['phone_number']}"])
    if rng.random() < 0.3:
        return [grow(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    node: dict[str, Any] = {}
    for key in rng.sample(sorted(PRIVATE), rng.randint(0, 4)):
        node[rng.choice(SPELLINGS)(key)] = rng.choice([PRIVATE[key], [PRIVATE[key]], {"v": PRIVATE[key]}])
    for key in rng.sample(sorted(HARMLESS), rng.randint(0, 3)):
        node[key] = HARMLESS[key]
    node["child"] = grow(rng, depth - 1)
    if rng.random() < 0.5:
        inner = grow(rng, depth - 1)
        node["Attributes"] = rng.choice([json.dumps, copy.copy])({"inner": inner})
    return node


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize("seed", range(150))
def test_nothing_private_survives_at_any_depth(seed: int) -> None:
    value = grow(random.Random(seed), 5)
    before = copy.deepcopy(value)
    masked = redact(value)
    masked_text = json.dumps(masked, ensure_ascii=False)
    assert [leak for leak in LEAKS if leak in masked_text] == []
    assert value == before
    assert shape(masked) == shape(value)
    assert redact(masked) == masked
    assert masked_text.count(SID) == json.dumps(value).count(SID)


def test_the_random_values_contain_private_data() -> None:
    masked_text = [json.dumps(grow(random.Random(seed), 5)) for seed in range(150)]
    assert all(any(leak in text for text in masked_text) for leak in LEAKS)


def test_a_deep_copy_is_returned() -> None:
    value = {"list": [1, {"a": 1}], "message_samples": ["x"]}
    masked = redact(value)
    masked["list"][1]["a"] = 2
    masked["message_samples"].append("y")
    assert value == {"list": [1, {"a": 1}], "message_samples": ["x"]}
    assert redact(("a", 1)) == ["a", 1]

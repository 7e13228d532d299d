"""Every call: the right URL, only parameters of the published API, and Twilio's JSON returned unchanged."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from registrations.twilio.client import CAMPAIGN_SID, TwilioClient
from registrations.twilio.client.core import BaseClient
from tests.twilio.client.calls import (
    AD,
    ADDRESS,
    BN,
    BU,
    CALLS,
    CAMPAIGN,
    DELETES,
    EVENT,
    IT,
    MG,
    READS,
    SEVEN,
    SPEC_OF_HOST,
    WRITES,
    Call,
)
from tests.twilio.client.server import ScriptedServer

SPECS = Path(__file__).resolve().parents[4] / "shared" / "twilio" / "openapi"
BODY = {
    "sid": "XX1",
    "status": "a-word-nobody-knows",
    "date_created": ["not", "a", "date"],
    "a_new_field": {"deep": [1, None, "x"]},
    "us_app_to_person_usecases": [{"code": "SOLE_PROPRIETOR"}],
    "rows": [{"sid": "R1", "new": True}],
    "meta": {"key": "rows", "next_page_url": None},
}
each_call = pytest.mark.parametrize("call", CALLS, ids=str)


def operation(call: Call) -> dict[str, Any]:
    file = SPECS / f"{SPEC_OF_HOST[call.host]}.json"
    if not file.exists():
        pytest.skip(f"the published API description {file.name} is not beside this checkout")
    paths = json.loads(file.read_text())["paths"]
    fitting = [
        template
        for template, methods in paths.items()
        if call.method.lower() in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+?", template), call.path)
    ]
    assert fitting, f"{call.method} {call.path} is not in {file.name}"
    return dict(paths[min(fitting, key=lambda template: template.count("{"))][call.method.lower()])


def test_the_table_has_every_public_method() -> None:
    public = {
        name
        for name, _ in inspect.getmembers(TwilioClient, inspect.isfunction)
        if not name.startswith("_") and name not in vars(BaseClient)
    }
    assert {call.name for call in CALLS} == public


@each_call
def test_path_and_raw_json(call: Call, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(204 if call.method == "DELETE" else 201 if call.method == "POST" else 200, BODY)
    result = call.run(twilio)
    assert (server.last.method, server.last.path) == (call.method, call.path)
    if call.method == "DELETE":
        assert result == {}
    elif call.name.startswith(("iter_", "search_")):
        assert result == BODY["rows"]
    elif call.name.startswith("list_"):
        assert result == BODY["us_app_to_person_usecases"]
    else:
        assert result == BODY
    assert len(server.asked) == 1


@each_call
def test_goes_to_twilios_own_host(call: Call, client_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    twilio = client_for("")
    seen: list[Any] = []

    def send(prepared: Any, **kwargs: Any) -> Any:
        seen.append((prepared, kwargs))
        raise ConnectionRefusedError

    monkeypatch.setattr(twilio._transport.session, "send", send)
    with pytest.raises(Exception, match="nothing was sent"):
        call.run(twilio)
    [(prepared, kwargs)] = seen
    assert prepared.url.split("?")[0] == f"https://{call.host}{call.path}"
    assert kwargs["timeout"] == (2.0, 10.0)


@pytest.mark.parametrize("call", WRITES, ids=str)
def test_form_matches_the_published_api(call: Call, twilio: TwilioClient, server: ScriptedServer) -> None:
    spec = operation(call)
    server.reply(201, BODY)
    call.run(twilio)
    content = spec.get("requestBody", {}).get("content", {})
    schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    known = schema.get("properties", {})
    sent = {key for key, _ in server.last.form}
    assert sent <= set(known)
    assert set(schema.get("required", [])) <= sent
    repeated = {key for key in sent if [k for k, _ in server.last.form].count(key) > 1}
    assert all(known[key].get("type") == "array" for key in repeated)
    for key, value in server.last.form:
        if known[key].get("type") == "boolean":
            assert value in ("true", "false")


@pytest.mark.parametrize("call", READS + DELETES, ids=str)
def test_query_matches_the_published_api(call: Call, twilio: TwilioClient, server: ScriptedServer) -> None:
    spec = operation(call)
    server.reply(200, BODY)
    call.run(twilio)
    known = {parameter["name"] for parameter in spec.get("parameters", []) if parameter.get("in") == "query"}
    assert {key for key, _ in server.last.query} <= known


def test_campaign_form_in_full(twilio: TwilioClient, server: ScriptedServer) -> None:
    twilio.create_campaign(MG, **CAMPAIGN)
    form = server.last.form
    assert [value for key, value in form if key == "MessageSamples"] == SEVEN["message_samples"]
    assert [value for key, value in form if key == "OptInKeywords"] == ["START", "JOIN"]
    single = {
        key: value for key, value in form if key not in ("MessageSamples", "OptInKeywords", "OptOutKeywords")
    }
    assert single == {
        "BrandRegistrationSid": BN,
        "Description": SEVEN["description"],
        "MessageFlow": SEVEN["message_flow"],
        "UsAppToPersonUsecase": "SOLE_PROPRIETOR",
        "HasEmbeddedLinks": "true",
        "HasEmbeddedPhone": "false",
        "SubscriberOptIn": "true",
        "AgeGated": "false",
        "DirectLending": "false",
        "OptInMessage": CAMPAIGN["opt_in_message"],
        "OptOutMessage": CAMPAIGN["opt_out_message"],
        "HelpMessage": CAMPAIGN["help_message"],
        "HelpKeywords": "HELP",
        "PrivacyPolicyUrl": "https://example.com/privacy",
        "TermsAndConditionsUrl": "https://example.com/terms",
    }


def test_empty_optional_texts_are_left_to_twilio(twilio: TwilioClient, server: ScriptedServer) -> None:
    twilio.create_campaign(MG, brand_registration_sid=BN, us_app_to_person_usecase="SOLE_PROPRIETOR", **SEVEN)
    sent = {key for key, _ in server.last.form}
    assert not [key for key in sent if key.startswith(("Opt", "Help", "Privacy", "Terms", "Subscriber"))]
    assert {"AgeGated", "DirectLending"} <= sent  # False was given, so False is said


@pytest.mark.parametrize(
    "name", ["create_campaign", "update_campaign", "fetch_campaign", "iter_campaigns", "delete_campaign"]
)
def test_campaign_calls_name_the_api_version(name: str, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.otherwise.body = BODY
    next(call for call in CALLS if call.name == name).run(twilio)
    assert server.last.headers["X-Twilio-Api-Version"] == "v1.2"
    if not name.startswith(("create", "iter")):
        assert server.last.path.endswith(CAMPAIGN_SID)


def test_other_calls_name_no_api_version(twilio: TwilioClient, server: ScriptedServer) -> None:
    twilio.fetch_service(MG)
    assert "X-Twilio-Api-Version" not in server.last.headers


def test_brand_resubmission_and_otp_have_no_body(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(202, {"sid": BN})
    assert twilio.update_brand(BN) == {"sid": BN}
    assert server.last.body == ""
    server.reply(201, {"brand_registration_sid": BN})
    twilio.send_brand_otp(BN)
    assert server.last.body == ""


def test_a_brand_is_a_sole_proprietor_by_default(twilio: TwilioClient, server: ScriptedServer) -> None:
    twilio.create_brand(customer_profile_bundle_sid=BU, a2p_profile_bundle_sid=BU)
    assert ("BrandType", "SOLE_PROPRIETOR") in server.last.form
    assert "Mock" not in dict(server.last.form)


def test_attributes_are_one_json_text(twilio: TwilioClient, server: ScriptedServer) -> None:
    attributes = {"first_name": "Zoë", "phone_number": "+15125550123", "n": None}
    twilio.update_end_user(IT, attributes=attributes)
    assert json.loads(dict(server.last.form)["Attributes"]) == attributes


def test_event_types_are_repeated_json_texts(twilio: TwilioClient, server: ScriptedServer) -> None:
    next(call for call in CALLS if call.name == "create_subscription").run(twilio)
    types = [json.loads(value) for key, value in server.last.form if key == "Types"]
    assert types == [
        {"type": EVENT, "schema_version": 3},
        {"type": "com.twilio.other", "schema_version": 1},
    ]


def test_second_address_line_can_be_cleared_and_is_not_sent_by_default(
    twilio: TwilioClient, server: ScriptedServer
) -> None:
    twilio.update_address(AD, street_secondary="")
    assert server.last.form == [("StreetSecondary", "")]
    twilio.update_address(AD, city="Austin")
    assert server.last.form == [("City", "Austin")]
    twilio.create_address(**ADDRESS, iso_country="US", auto_correct_address=True)
    assert "StreetSecondary" not in dict(server.last.form)
    assert dict(server.last.form)["AutoCorrectAddress"] == "true"


def test_bundle_update_sends_only_what_was_given(twilio: TwilioClient, server: ScriptedServer) -> None:
    twilio.update_bundle("trust_product", BU, email="new@example.com")
    assert server.last.form == [("Email", "new@example.com")]


@pytest.mark.parametrize("bad", ["", " ", "../Accounts", "BU1/Evaluations", "BU1?x=1", "..", None])
def test_a_missing_sid_never_becomes_another_call(
    bad: Any, twilio: TwilioClient, server: ScriptedServer
) -> None:
    for attempt in (
        lambda: twilio.update_bundle("customer_profile", bad, status="pending-review"),
        lambda: twilio.update_brand(bad),
        lambda: twilio.delete_campaign(bad),
        lambda: twilio.delete_assignment("trust_product", BU, bad),
    ):
        with pytest.raises(ValueError, match="SID"):
            attempt()
    assert server.asked == []

"""Magic inputs of campaigns and numbers: each gives its outcome, where docs/twilio.md says it appears."""

from __future__ import annotations

import pytest

from registrations.sandbox.seed import OWNED
from registrations.sandbox.state import CAMPAIGN_REVIEW, NUMBER_REGISTRATION, SUSPEND_AFTER
from tests.sandbox.conftest import control
from tests.sandbox.walk import EDIT, Walk

# -- campaign ----------------------------------------------------------------------------------------------


def test_campaign_errors_until_the_text_is_gone(walk):
    walk.verified_brand().create_service()
    text = "Bad text that asks for [[30886:USE_CASE_DESCRIPTION]] and [[30893:SAMPLE_MESSAGE_1,SAMPLE_MESSAGE_2]]."
    walk.create_campaign(description=text)
    walk.advance(CAMPAIGN_REVIEW)
    campaign = walk.fetch_campaign()
    assert campaign.campaign_status == "FAILED"
    found = [(item["error_code"], item["fields"]) for item in campaign.errors]
    assert found == [(30886, ["USE_CASE_DESCRIPTION"]), (30893, ["SAMPLE_MESSAGE_1", "SAMPLE_MESSAGE_2"])]
    walk.campaign.update(**EDIT)
    assert walk.fetch_campaign().errors == []
    walk.advance(CAMPAIGN_REVIEW)
    assert walk.fetch_campaign().campaign_status == "VERIFIED"


def test_campaign_fails_once(walk):
    walk.verified_brand().create_service()
    text = "Fine text but for the token [[once 30896:MESSAGE_FLOW]] in it, which passes later."
    walk.create_campaign(message_flow=text)
    walk.advance(CAMPAIGN_REVIEW)
    assert walk.fetch_campaign().campaign_status == "FAILED"
    walk.campaign.update(**{**EDIT, "message_flow": text})
    walk.advance(CAMPAIGN_REVIEW)
    assert walk.fetch_campaign().campaign_status == "VERIFIED"


NO_URLS = {"privacy_policy_url": "", "terms_and_conditions_url": ""}


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"x_twilio_api_version": "v1"}, [30908, 30882]),
        (NO_URLS, [30933, 30934]),
        ({"terms_and_conditions_url": ""}, [30934]),
    ],
)
def test_campaign_urls(walk, more, codes):
    walk.verified_brand().create_service()
    assert walk.create_campaign(**more).campaign_status == "PENDING"
    walk.advance(1)
    campaign = walk.fetch_campaign()
    assert [item["error_code"] for item in campaign.errors] == codes
    assert campaign.campaign_status == "FAILED"


def test_the_urls_are_absent_from_the_plain_view(walk):
    walk.live_campaign()
    path = f"https://messaging.twilio.com/v1/Services/{walk.sids['service']}/Compliance/Usa2p"
    plain = walk.client.request("GET", path).text
    assert "privacy_policy_url" not in plain
    assert walk.fetch_campaign().privacy_policy_url == "https://example.com/privacy"


def test_opt_in_message_without_subscriber_opt_in(walk):
    walk.verified_brand().create_service()
    walk.create_campaign(opt_in_message="Ana Silva: you are in. Reply STOP to end.")
    walk.advance(CAMPAIGN_REVIEW)
    assert walk.fetch_campaign().errors[0]["error_code"] == 30709


def test_a_later_campaign_suspension(walk):
    walk.verified_brand().create_service()
    walk.create_campaign(description="A campaign that will be stopped after its approval. [[suspend]]")
    walk.advance(CAMPAIGN_REVIEW)
    walk.advance(SUSPEND_AFTER)
    assert walk.fetch_campaign().campaign_status == "SUSPENDED"


# -- numbers -----------------------------------------------------------------------------------------------


def states(walk: Walk) -> dict[str, str]:
    return {row["sid"]: row["_a2p"] for row in control(walk.server, "state")["ServicePhoneNumbers"]}


def test_only_one_number_of_a_service_is_registered(walk):
    walk.live_campaign()
    first, second, _ = OWNED
    for sid in (first, second):
        walk.service.phone_numbers.create(phone_number_sid=sid)
    walk.advance(NUMBER_REGISTRATION)
    assert states(walk) == {first: "REGISTERED", second: "UNREGISTERED"}
    walk.service.phone_numbers(first).delete()
    walk.advance(NUMBER_REGISTRATION)
    assert states(walk) == {second: "REGISTERED"}


def test_a_number_whose_registration_fails(walk):
    walk.live_campaign()
    number = walk.client.incoming_phone_numbers.create(phone_number="+14155550666")
    walk.service.phone_numbers.create(phone_number_sid=number.sid)
    walk.advance(NUMBER_REGISTRATION)
    assert states(walk) == {number.sid: "FAILURE"}


def test_deleting_the_service_also_deletes_the_campaign(walk):
    walk.live_campaign()
    walk.service.phone_numbers.create(phone_number_sid=next(iter(OWNED)))
    walk.service.delete()
    counts = control(walk.server, "counts")
    assert (counts["Usa2p"], counts["ServicePhoneNumbers"], counts["IncomingPhoneNumbers"]) == (0, 0, 3)


@pytest.mark.parametrize(
    ("number", "type_", "country"),
    [
        ("+14155550199", "mobile", "US"),
        ("+14165550199", "mobile", "CA"),
        ("+14155550751", "nonFixedVoip", "US"),
        ("+14155550753", "landline", "US"),
        ("+18335550100", "tollFree", "US"),
        ("+14155550101", "nonFixedVoip", "US"),
    ],
)
def test_lookup(client, number, type_, country):
    found = client.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
    assert (found.valid, found.country_code, found.line_type_intelligence["type"]) == (True, country, type_)


def test_lookup_of_a_wrong_number(client):
    found = client.lookups.v2.phone_numbers("+1415").fetch(fields="line_type_intelligence")
    assert (found.valid, found.line_type_intelligence) == (False, None)

"""Codes and prose about the same thing are one reason; nothing that Twilio said is lost."""

import pytest

from registrations.twilio.rejections import merge_reasons

SUGGESTION = (
    "[address_sids] - Invalid Region. Address suggestion -> Street: 1 Main St. Locality: Cambridge. "
    "Region: MA. Postal Code: 02139. Country: US;"
)
ADDRESS = {"code": 18603, "description": "The address could not be verified."}


def test_an_address_rejected_by_code_and_prose_is_one_reason():
    (reason,) = merge_reasons("profile", [ADDRESS], SUGGESTION)
    assert reason.code == 18603
    assert reason.failure.key == "address_region"
    assert reason.message.startswith("The address could not be verified. Invalid Region.")
    assert reason.inputs == ("region",)
    assert reason.suggestion.city == "Cambridge"
    assert reason.url.endswith("/18603")


def test_two_wrong_parts_of_an_address_stay_two_and_the_code_is_shown_with_both():
    text = f"{SUGGESTION} [address_sids] - Invalid Postal Code. Address suggestion -> Postal Code: 02139;"
    reasons = merge_reasons("profile", [ADDRESS], text)
    assert [reason.failure.key for reason in reasons] == ["address_region", "address_postal_code"]
    assert {reason.code for reason in reasons} == {18603}
    assert [ADDRESS["description"] in reason.message for reason in reasons] == [True, False]


@pytest.mark.parametrize("text", ["Email is invalid.", "Something that nobody has seen."])
def test_prose_about_something_else_is_its_own_reason(text):
    reasons = merge_reasons("profile", [ADDRESS], text)
    assert reasons[0].code == 18603
    assert reasons[1].message == text
    assert len(reasons) == 2


def test_the_same_words_twice_are_one_reason():
    errors = [{"error_code": 30909, "description": "Not verified."}]
    assert len(merge_reasons("campaign", errors, "Not verified.")) == 1


def test_a_brand_s_prose_with_its_modern_code_is_one_reason():
    text = "Unable to fetch A2P Bundle Details"
    (reason,) = merge_reasons("brand", [{"registrationerrorcode": "30793"}], text)
    assert (reason.code, reason.message) == (30793, text)


@pytest.mark.parametrize(("errors", "text"), [(None, None), ([], ""), ("", " ")])
def test_nothing_said_is_no_reason(errors, text):
    assert merge_reasons("profile", errors, text) == []

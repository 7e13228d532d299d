"""Entries with tests of their own: brands that a person must delete, texts, suspensions, numbers."""

import pytest
from django.conf import settings

from registrations.models import ApiCall
from registrations.models.choices import Stage
from registrations.twilio.rejections import by_key
from tests.scenarios.scenes import OWNED, Play
from tests.scenarios.ways import by_brand_state, by_silence
from tests.scenarios.writes import PAID, actions_of

from . import inputs, pages

# The entries in this file; test_entry_ways.py counts them.
KEYS = (
    "30793",
    "brand_expired",
    "21724",
    "30752",
    "21725",
    "21731",
    "21729",
    "21717",
    "21732",
    "campaign_not_editable_now",
    "21701",
    "21710",
    "21712",
    "21630",
)


def tasks_of(play: Play) -> str:
    return pages.card(pages.source_of(play), "tasks")


# --- a brand that only a person can delete ----------------------------------------------------------------------
def wrong_bundles(play: Play) -> list[str]:
    """30793: Twilio rejected the bundles under the brand, and cannot fix the brand itself."""
    for bundle in (play.registration.profile, play.registration.trust_bundle):
        play.post(f"bundle/{bundle.sid}", action="set", status="twilio-rejected")
    words = "Unable to fetch A2P Bundle Details, please check the Bundle SID and status"
    play.post(f"brand/{play.registration.brand.sid}", action="reject", code=30793, failure_reason=words)
    pages.press(play, "refresh")
    play.go(
        lambda registration: (
            registration.brand.status == "FAILED" and registration.profile.status == "twilio-rejected"
        )
    )
    pages.assert_shown(play, by_key("30793"), words)
    pages.assert_shown_in_form(play, by_key("30793"))
    play.mark()
    pages.submit(play)
    return ["profile", "trust_bundle"]


def no_answer_for_30_days(play: Play) -> list[str]:
    failure = by_key("brand_expired")
    pages.assert_shown(play, failure, by_brand_state("EXPIRED")(play, failure, ""))
    pages.assert_shown_in_form(play, failure)
    play.mark()
    pages.submit(play)
    return []


def unknown_to_the_registry(play: Play) -> list[str]:
    """21724 also occurs for a brand without a TCR ID; then even the first resubmission is rejected."""
    path = f"brand/{play.registration.brand.sid}"
    play.post(path, action="reject", code=30749)
    play.post(path, action="set", tcr_id=None)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.brand.status == "FAILED")
    play.mark()
    pages.edit_and_submit(play, inputs.changes_of(("email",)))
    return ["end_user", "profile", "trust_bundle"]


@pytest.mark.parametrize(
    ("key", "meet"),
    [("30793", wrong_bundles), ("brand_expired", no_answer_for_30_days), ("21724", unknown_to_the_registry)],
)
def test_a_lost_brand_is_deleted_by_hand_before_another_is_paid(key, meet, enter) -> None:
    play = enter("brand")
    former, repairs = play.registration.brand.sid, meet(play)
    registration = play.go()
    assert actions_of(play.since()) == repairs
    assert (registration.brand.sid, registration.brand.missing_since) == (former, None)
    assert "Delete a brand in Twilio's Console" in tasks_of(play)
    assert former in tasks_of(play)
    assert set(by_key(key).redo) >= {"console_delete", "new_brand"}
    if "support" in by_key(key).redo:
        assert "21724" in registration.reason
        assert "Message for Twilio Support" in tasks_of(play)

    play.mark()
    play.post(f"brand/{former}", action="delete")
    pages.press(play, "refresh")
    play.go(lambda registration: bool(registration.brand.missing_since))
    play.go()
    assert play.since() == [], "nothing is charged before a person submits"
    assert pages.submit(play)
    play.go(lambda registration: registration.stage == Stage.OTP)
    assert actions_of(play.since()) == ["new_brand"]
    assert play.registration.brand.sid != former
    assert play.counts()["fees"]["brand_fees"] == 2
    assert play.violations() == []


# --- a brand that changed meanwhile -------------------------------------------------------------------------------
def failed_here(play: Play) -> str:
    """We know that the brand failed. Returns its control path."""
    path = f"brand/{play.registration.brand.sid}"
    play.post(path, action="reject", code=30791)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.brand.status == "FAILED")
    play.mark()
    return path


def refused_codes(play: Play) -> set[int]:
    return {entry["code"] for entry in play.log()[play.seen :] if entry["status"] >= 400}


def test_21725_a_brand_that_is_under_review_again_is_waited_for(enter) -> None:
    play = enter("brand")
    path = failed_here(play)
    play.post(path, action="set", status="PENDING", errors=[])
    assert pages.submit(play)
    registration = play.go(lambda registration: registration.brand.status == "PENDING")
    assert refused_codes(play) == {21725}
    assert "21725" in pages.card(pages.source_of(play), "timeline")
    assert pages.card(pages.source_of(play), "problems") == ""
    assert registration.waiting_for == "twilio"
    play.post(path, action="approve")
    play.go(lambda registration: registration.stage == Stage.OTP)
    assert actions_of(play.since()) == []


def test_21731_a_suspended_brand_needs_support(enter) -> None:
    play = enter("brand")
    play.post(failed_here(play), action="set", status="SUSPENDED")
    assert pages.submit(play)
    play.go(lambda registration: registration.brand.status == "SUSPENDED")
    assert refused_codes(play) == {21731}
    pages.assert_shown(play, by_key("brand_suspended"), "")
    assert "21731" in pages.card(pages.source_of(play), "timeline")
    assert by_key("21731").redo == by_key("brand_suspended").redo
    assert "Message for Twilio Support" in tasks_of(play)
    pages.submit(play)
    play.go()
    assert actions_of(play.since()) == []


def test_21729_a_suspended_campaign_needs_support(enter) -> None:
    play = enter("campaign")
    path = f"campaign/{play.registration.campaign.service_sid}"
    play.post(path, action="reject", code=30890)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.campaign.status == "FAILED")
    play.mark()
    play.post(path, action="set", campaign_status="SUSPENDED", errors=[])
    pages.edit_and_submit(play, {"help_keywords": "HELP, ASSIST"})
    play.go(lambda registration: registration.campaign.status == "SUSPENDED")
    assert refused_codes(play) == {21729}
    pages.assert_shown(play, by_key("campaign_suspended"), "")
    assert "21729" in pages.card(pages.source_of(play), "timeline")
    assert by_key("21729").redo == by_key("campaign_suspended").redo
    assert "Message for Twilio Support" in tasks_of(play)
    pages.submit(play)
    play.go()
    assert not set(actions_of(play.since())) & set(PAID)


# --- the OTP text --------------------------------------------------------------------------------------------
def test_30752_the_text_is_sent_again(enter) -> None:
    play = enter("otp")
    failure = by_key("30752")
    pages.assert_shown(play, failure, by_silence(play, failure, ""))
    pages.assert_shown_in_form(play, failure)
    play.mark()
    play.hold_before("campaign.create_service")
    assert pages.press(play, "resend-otp", revision=str(play.registration.revision))
    play.go(lambda registration: registration.brand.otp_sends == 2)
    play.answer_yes()
    pages.press(play, "refresh")
    play.go(lambda registration: bool(play.gate.held))
    assert actions_of(play.since()) == ["resend_otp"] == list(failure.redo)


def test_21717_the_campaign_waits_until_the_customer_has_answered(enter) -> None:
    """Twilio revoked the verification before the campaign was registered."""
    play = enter("otp")
    failure, path = by_key("21717"), f"brand/{play.registration.brand.sid}"
    play.hold_before("campaign.create")
    play.answer_yes()
    pages.press(play, "refresh")
    play.go(lambda registration: bool(play.gate.held))
    play.post(path, action="set", identity_status="UNVERIFIED")
    play.mark()
    play.release()
    play.go(lambda registration: registration.stage == Stage.OTP)
    assert refused_codes(play) == {21717}
    assert "21717" in pages.card(pages.source_of(play), "timeline")
    assert play.registration.waiting_for == "customer"
    play.traveler.shift(600)  # a text was sent a moment ago
    assert pages.press(play, "resend-otp", revision=str(play.registration.revision))
    play.go(lambda registration: registration.brand.otp_sends == 2)
    play.answer_yes()
    pages.press(play, "refresh")
    play.go(lambda registration: registration.brand.identity_status == "VERIFIED")
    pages.submit(play)
    play.go(lambda registration: bool(registration.campaign.sid))
    assert actions_of(play.since()) == ["resend_otp", "campaign_recreate"]
    assert failure.redo == ("resend_otp", "retry_later")


# --- a campaign ---------------------------------------------------------------------------------------------------
def test_21732_the_other_campaign_of_the_brand_is_deleted_first(enter) -> None:
    play = enter("otp")
    failure = by_key("21732")
    play.hold_before("campaign.create")
    play.answer_yes()
    pages.press(play, "refresh")
    play.go(lambda registration: bool(play.gate.held))
    other = play.api("POST", "/v1/Services", FriendlyName="By hand")["sid"]
    texts = play.registration.campaign
    play.api(
        "POST",
        f"/v1/Services/{other}/Compliance/Usa2p",
        BrandRegistrationSid=play.registration.brand.sid,
        UsAppToPersonUsecase="SOLE_PROPRIETOR",
        Description=texts.description,
        MessageFlow=texts.message_flow,
        MessageSamples=texts.message_samples,
        HasEmbeddedLinks="false",
        HasEmbeddedPhone="false",
    )
    play.release()
    play.go(lambda registration: registration.waiting_for == "us")
    pages.assert_shown(play, failure, "Campaign limit reached on the brand")
    pages.assert_shown_in_form(play, failure)
    play.api("DELETE", f"/v1/Services/{other}")
    play.mark()
    play.hold_before("number.attach")
    assert pages.submit(play)
    play.go(lambda registration: bool(play.gate.held))
    assert actions_of(play.since()) == ["campaign_recreate"] == list(failure.redo)


def rejected_here(play: Play) -> str:
    path = f"campaign/{play.registration.campaign.service_sid}"
    play.post(path, action="reject", code=30886)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.campaign.status == "FAILED")
    play.mark()
    return path


def test_a_campaign_that_cannot_be_edited_now_is_recognized_by_its_text(enter) -> None:
    play = enter("campaign")
    failure = by_key("campaign_not_editable_now")
    rejected_here(play)
    words = f"{failure.texts[0]}(s). It is not allowed in the current state PENDING_DCA1_REVIEW"
    play.fault(method="POST", path=r"/Usa2p/QE\w+$", action="error", status=400, code=20001, message=words)
    pages.edit_and_submit(play, inputs.changes_of(("description",)))
    play.go(lambda registration: registration.waiting_for == "us")
    pages.assert_shown(play, failure, words)
    play.hold_before("number.attach")
    assert pages.submit(play)
    play.go(lambda registration: bool(play.gate.held))
    assert actions_of(play.since()) == ["campaign_update"]


def test_a_campaign_under_review_again_is_waited_for(enter) -> None:
    play = enter("campaign")
    path = rejected_here(play)
    play.post(path, action="set", campaign_status="IN_PROGRESS", errors=[])
    pages.edit_and_submit(play, inputs.changes_of(("description",)))
    play.go(lambda registration: registration.campaign.status == "IN_PROGRESS")
    assert play.registration.waiting_for == "twilio"
    assert pages.card(pages.source_of(play), "problems") == ""
    play.hold_before("number.attach")
    play.post(path, action="approve")
    pages.press(play, "refresh")
    play.go(lambda registration: bool(play.gate.held))
    assert actions_of(play.since()) == []


# --- a number -----------------------------------------------------------------------------------------------------
def test_21710_a_number_that_is_already_in_the_service_counts_as_success(enter) -> None:
    play = enter("campaign")
    play.api(
        "POST", f"/v1/Services/{play.registration.campaign.service_sid}/PhoneNumbers", PhoneNumberSid=OWNED[0]
    )
    play.mark()
    play.go(lambda registration: registration.stage == Stage.LIVE)
    assert refused_codes(play) == {21710}
    assert pages.card(pages.source_of(play), "problems") == ""
    assert ApiCall.objects.filter(registration_id=play.pk, step="number.attach").get().state == "ok"
    assert actions_of(play.since()) == []
    assert by_key("21710").redo == ("none",)


@pytest.mark.parametrize("freed", [True, False], ids=["freed_elsewhere", "another_number"])
def test_21712_a_number_of_another_service(freed: bool, enter) -> None:
    play = enter("campaign")
    failure = by_key("21712")
    other = play.api("POST", "/v1/Services", FriendlyName="By hand")["sid"]
    play.api("POST", f"/v1/Services/{other}/PhoneNumbers", PhoneNumberSid=OWNED[0])
    play.go(lambda registration: registration.waiting_for == "us")
    pages.assert_shown(play, failure, "Phone Number is associated with another Messaging Service")
    pages.assert_shown_in_form(play, failure)
    if freed:
        play.api("DELETE", f"/v1/Services/{other}/PhoneNumbers/{OWNED[0]}")
        play.mark()
        assert pages.submit(play)
    else:
        play.mark()
        pages.edit_and_submit(play, {"sender_number": OWNED[1]})
    play.go(lambda registration: registration.stage == Stage.LIVE)
    assert actions_of(play.since()) == ["number"] == list(failure.redo)
    assert play.registration.phone_number.sid == OWNED[0 if freed else 1]


def test_21701_a_missing_service_is_created_again_with_its_campaign(enter) -> None:
    play = enter("campaign")
    failure, former = by_key("21701"), play.registration.campaign.service_sid
    play.hold_before("number.attach")
    play.go(lambda registration: bool(play.gate.held))
    play.api("DELETE", f"/v1/Services/{former}")
    words = "The Messaging Service does not exist"
    play.fault(path=f"/v1/Services/{former}", action="error", status=404, code=21701, message=words, times=0)
    play.release()
    play.go(lambda registration: registration.waiting_for == "us")
    pages.assert_shown(play, failure, words)
    pages.assert_shown_in_form(play, failure)

    pages.press(play, "refresh")
    play.go(lambda registration: bool(registration.campaign.missing_since))
    play.mark()
    assert pages.submit(play)
    play.go(lambda registration: registration.stage == Stage.LIVE)
    assert actions_of(play.since()) == ["service", *failure.redo]
    assert play.registration.campaign.service_sid != former
    assert play.counts()["ServicePhoneNumbers"] == 1


# --- an address ---------------------------------------------------------------------------------------------------
def test_21630_an_address_that_twilio_locked_is_replaced_automatically(enter) -> None:
    play = enter("profile")
    failure, former = by_key("21630"), play.registration.profile.address_sid
    reason = "[address_sids] - Invalid Street"
    play.post(f"profile/{play.registration.profile.sid}", action="reject", reason=reason)
    play.go(lambda registration: registration.waiting_for == "us")
    path = rf"/Addresses/{former}\.json$"
    play.fault(
        method="POST", path=path, action="error", status=400, code=21630, message="It is frozen.", times=0
    )
    play.mark()
    play.hold_before("trust_bundle.create")
    pages.edit_and_submit(play, inputs.changes_of(("street",)))
    play.go(lambda registration: bool(play.gate.held))
    assert refused_codes(play) == {21630}
    assert actions_of(play.since()) == list(failure.redo) == ["address", "profile"]
    assert play.registration.profile.address_sid != former
    assert pages.card(pages.source_of(play), "problems") == ""
    assert "21630" in pages.card(pages.source_of(play), "api-calls")


def test_an_address_missing_at_twilio_is_created_again_unchanged(enter) -> None:
    """What the entry address_sid_not_found advises if only the address itself is missing."""
    play = enter("profile")
    failure, former = by_key("address_sid_not_found"), play.registration.profile.address_sid
    play.api("DELETE", f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Addresses/{former}.json")
    reason = f"{failure.texts[0]} {former}"
    play.post(f"profile/{play.registration.profile.sid}", action="reject", reason=reason)
    play.go(lambda registration: registration.waiting_for == "us")
    pages.assert_shown(play, failure, reason)
    play.mark()
    play.hold_before("trust_bundle.create")
    assert pages.submit(play)
    play.go(lambda registration: bool(play.gate.held))
    assert actions_of(play.since()) == ["address", "profile"]
    assert [row["street"] for row in play.sandbox.world.store.all("Addresses")] == [
        play.registration.profile.street
    ]
    assert play.violations() == []

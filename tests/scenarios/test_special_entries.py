"""Entries that need a test of their own: brands that a person must delete, OTP texts, suspensions, numbers."""

import pytest
from django.conf import settings

from registrations.models import ApiCall
from registrations.models.choices import Stage
from registrations.twilio.rejections import by_key
from tests.scenarios.actions import PAID, actions_of
from tests.scenarios.routes import by_brand_state, by_silence
from tests.scenarios.start_states import OWNED, Session

from . import inputs, pages

# What this file covers; test_catalogue_routes.py checks the list.
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


def tasks_of(session: Session) -> str:
    return pages.card(pages.source_of(session), "tasks")


# --- a brand that only a person can delete ----------------------------------------------------------------------
def wrong_bundles(session: Session) -> list[str]:
    """30793: Twilio has rejected the bundles under the brand, and cannot fix the brand itself."""
    for bundle in (session.registration.profile, session.registration.trust_bundle):
        session.post(f"bundle/{bundle.sid}", action="set", status="twilio-rejected")
    words = "Unable to fetch A2P Bundle Details, please check the Bundle SID and status"
    session.post(f"brand/{session.registration.brand.sid}", action="reject", code=30793, failure_reason=words)
    pages.press(session, "refresh")
    session.go(
        lambda registration: (
            registration.brand.status == "FAILED" and registration.profile.status == "twilio-rejected"
        )
    )
    pages.assert_told(session, by_key("30793"), words)
    pages.assert_told_in_form(session, by_key("30793"))
    session.mark()
    pages.submit(session)
    return ["profile", "trust_bundle"]


def no_answer_for_30_days(session: Session) -> list[str]:
    failure = by_key("brand_expired")
    pages.assert_told(session, failure, by_brand_state("EXPIRED")(session, failure, ""))
    pages.assert_told_in_form(session, failure)
    session.mark()
    pages.submit(session)
    return []


def unknown_to_the_registry(session: Session) -> list[str]:
    """21724 also comes for a brand that never got a TCR ID; then the first resubmission is refused."""
    path = f"brand/{session.registration.brand.sid}"
    session.post(path, action="reject", code=30749)
    session.post(path, action="set", tcr_id=None)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.brand.status == "FAILED")
    session.mark()
    pages.edit_and_submit(session, inputs.changes_of(("email",)))
    return ["end_user", "profile", "trust_bundle"]


@pytest.mark.parametrize(
    ("key", "provoke"),
    [("30793", wrong_bundles), ("brand_expired", no_answer_for_30_days), ("21724", unknown_to_the_registry)],
)
def test_a_lost_brand_is_deleted_by_hand_before_another_is_paid(key, provoke, enter) -> None:
    session = enter("brand")
    former, repairs = session.registration.brand.sid, provoke(session)
    registration = session.go()
    assert actions_of(session.since()) == repairs
    assert (registration.brand.sid, registration.brand.missing_since) == (former, None)
    assert "Delete a brand in Twilio's Console" in tasks_of(session)
    assert former in tasks_of(session)
    assert set(by_key(key).redo) >= {"console_delete", "new_brand"}
    if "support" in by_key(key).redo:
        assert "21724" in registration.reason
        assert "Text for Twilio's support" in tasks_of(session)

    session.mark()
    session.post(f"brand/{former}", action="delete")
    pages.press(session, "refresh")
    session.go(lambda registration: bool(registration.brand.missing_since))
    session.go()
    assert session.since() == [], "nothing is paid before a person submits"
    assert pages.submit(session)
    session.go(lambda registration: registration.stage == Stage.OTP)
    assert actions_of(session.since()) == ["new_brand"]
    assert session.registration.brand.sid != former
    assert session.counts()["fees"]["brand_fees"] == 2
    assert session.violations() == []


# --- a brand that changed in the meantime -----------------------------------------------------------------------------
def failed_here(session: Session) -> str:
    """Runs until we know that the brand failed; returns its control path."""
    path = f"brand/{session.registration.brand.sid}"
    session.post(path, action="reject", code=30791)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.brand.status == "FAILED")
    session.mark()
    return path


def refused_codes(session: Session) -> set[int]:
    return {entry["code"] for entry in session.log()[session.seen :] if entry["status"] >= 400}


def test_21725_a_brand_that_is_under_review_again_is_waited_for(enter) -> None:
    session = enter("brand")
    path = failed_here(session)
    session.post(path, action="set", status="PENDING", errors=[])
    assert pages.submit(session)
    registration = session.go(lambda registration: registration.brand.status == "PENDING")
    assert refused_codes(session) == {21725}
    assert "21725" in pages.card(pages.source_of(session), "timeline")
    assert pages.card(pages.source_of(session), "problems") == ""
    assert registration.waiting_for == "twilio"
    session.post(path, action="approve")
    session.go(lambda registration: registration.stage == Stage.OTP)
    assert actions_of(session.since()) == []


def test_21731_a_suspended_brand_is_a_matter_for_support(enter) -> None:
    session = enter("brand")
    session.post(failed_here(session), action="set", status="SUSPENDED")
    assert pages.submit(session)
    session.go(lambda registration: registration.brand.status == "SUSPENDED")
    assert refused_codes(session) == {21731}
    pages.assert_told(session, by_key("brand_suspended"), "")
    assert "21731" in pages.card(pages.source_of(session), "timeline")
    assert by_key("21731").redo == by_key("brand_suspended").redo
    assert "Text for Twilio's support" in tasks_of(session)
    pages.submit(session)
    session.go()
    assert actions_of(session.since()) == []


def test_21729_a_suspended_campaign_is_a_matter_for_support(enter) -> None:
    session = enter("campaign")
    path = f"campaign/{session.registration.campaign.service_sid}"
    session.post(path, action="reject", code=30890)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.campaign.status == "FAILED")
    session.mark()
    session.post(path, action="set", campaign_status="SUSPENDED", errors=[])
    pages.edit_and_submit(session, {"help_keywords": "HELP, ASSIST"})
    session.go(lambda registration: registration.campaign.status == "SUSPENDED")
    assert refused_codes(session) == {21729}
    pages.assert_told(session, by_key("campaign_suspended"), "")
    assert "21729" in pages.card(pages.source_of(session), "timeline")
    assert by_key("21729").redo == by_key("campaign_suspended").redo
    assert "Text for Twilio's support" in tasks_of(session)
    pages.submit(session)
    session.go()
    assert not set(actions_of(session.since())) & set(PAID)


# --- the OTP text --------------------------------------------------------------------------------------------
def test_30752_the_text_is_sent_again(enter) -> None:
    session = enter("otp")
    failure = by_key("30752")
    pages.assert_told(session, failure, by_silence(session, failure, ""))
    pages.assert_told_in_form(session, failure)
    session.mark()
    session.hold_before("campaign.create_service")
    assert pages.press(session, "resend-otp", revision=str(session.registration.revision))
    session.go(lambda registration: registration.brand.otp_sends == 2)
    session.answer_yes()
    pages.press(session, "refresh")
    session.go(lambda registration: bool(session.gate.held))
    assert actions_of(session.since()) == ["resend_otp"] == list(failure.redo)


def test_21717_the_campaign_waits_until_the_customer_has_answered(enter) -> None:
    """Twilio withdraws the verification before the campaign is registered."""
    session = enter("otp")
    failure, path = by_key("21717"), f"brand/{session.registration.brand.sid}"
    session.hold_before("campaign.create")
    session.answer_yes()
    pages.press(session, "refresh")
    session.go(lambda registration: bool(session.gate.held))
    session.post(path, action="set", identity_status="UNVERIFIED")
    session.mark()
    session.release()
    session.go(lambda registration: registration.stage == Stage.OTP)
    assert refused_codes(session) == {21717}
    assert "21717" in pages.card(pages.source_of(session), "timeline")
    assert session.registration.waiting_for == "customer"
    session.time.shift(600)  # a text went out a moment ago
    assert pages.press(session, "resend-otp", revision=str(session.registration.revision))
    session.go(lambda registration: registration.brand.otp_sends == 2)
    session.answer_yes()
    pages.press(session, "refresh")
    session.go(lambda registration: registration.brand.identity_status == "VERIFIED")
    pages.submit(session)
    session.go(lambda registration: bool(registration.campaign.sid))
    assert actions_of(session.since()) == ["resend_otp", "campaign_recreate"]
    assert failure.redo == ("resend_otp", "retry_later")


# --- a campaign ---------------------------------------------------------------------------------------------------
def test_21732_the_other_campaign_of_the_brand_is_deleted_first(enter) -> None:
    session = enter("otp")
    failure = by_key("21732")
    session.hold_before("campaign.create")
    session.answer_yes()
    pages.press(session, "refresh")
    session.go(lambda registration: bool(session.gate.held))
    other = session.api("POST", "/v1/Services", FriendlyName="By hand")["sid"]
    texts = session.registration.campaign
    session.api(
        "POST",
        f"/v1/Services/{other}/Compliance/Usa2p",
        BrandRegistrationSid=session.registration.brand.sid,
        UsAppToPersonUsecase="SOLE_PROPRIETOR",
        Description=texts.description,
        MessageFlow=texts.message_flow,
        MessageSamples=texts.message_samples,
        HasEmbeddedLinks="false",
        HasEmbeddedPhone="false",
    )
    session.release()
    session.go(lambda registration: registration.waiting_for == "us")
    pages.assert_told(session, failure, "Campaign limit reached on the brand")
    pages.assert_told_in_form(session, failure)
    session.api("DELETE", f"/v1/Services/{other}")
    session.mark()
    session.hold_before("number.attach")
    assert pages.submit(session)
    session.go(lambda registration: bool(session.gate.held))
    assert actions_of(session.since()) == ["campaign_recreate"] == list(failure.redo)


def rejected_here(session: Session) -> str:
    path = f"campaign/{session.registration.campaign.service_sid}"
    session.post(path, action="reject", code=30886)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.campaign.status == "FAILED")
    session.mark()
    return path


def test_a_campaign_that_cannot_be_edited_now_is_told_in_words_without_a_code(enter) -> None:
    session = enter("campaign")
    failure = by_key("campaign_not_editable_now")
    rejected_here(session)
    words = f"{failure.texts[0]}(s). It is not allowed in the current state PENDING_DCA1_REVIEW"
    session.fault(method="POST", path=r"/Usa2p/QE\w+$", action="error", status=400, code=20001, message=words)
    pages.edit_and_submit(session, inputs.changes_of(("description",)))
    session.go(lambda registration: registration.waiting_for == "us")
    pages.assert_told(session, failure, words)
    session.hold_before("number.attach")
    assert pages.submit(session)
    session.go(lambda registration: bool(session.gate.held))
    assert actions_of(session.since()) == ["campaign_update"]


def test_a_campaign_under_review_again_is_waited_for(enter) -> None:
    session = enter("campaign")
    path = rejected_here(session)
    session.post(path, action="set", campaign_status="IN_PROGRESS", errors=[])
    pages.edit_and_submit(session, inputs.changes_of(("description",)))
    session.go(lambda registration: registration.campaign.status == "IN_PROGRESS")
    assert session.registration.waiting_for == "twilio"
    assert pages.card(pages.source_of(session), "problems") == ""
    session.hold_before("number.attach")
    session.post(path, action="approve")
    pages.press(session, "refresh")
    session.go(lambda registration: bool(session.gate.held))
    assert actions_of(session.since()) == []


# --- a number -----------------------------------------------------------------------------------------------------
def test_21710_a_number_that_is_in_the_service_already_is_what_was_wished_for(enter) -> None:
    session = enter("campaign")
    session.api(
        "POST",
        f"/v1/Services/{session.registration.campaign.service_sid}/PhoneNumbers",
        PhoneNumberSid=OWNED[0],
    )
    session.mark()
    session.go(lambda registration: registration.stage == Stage.LIVE)
    assert refused_codes(session) == {21710}
    assert pages.card(pages.source_of(session), "problems") == ""
    assert ApiCall.objects.filter(registration_id=session.pk, step="number.attach").get().state == "ok"
    assert actions_of(session.since()) == []
    assert by_key("21710").redo == ("none",)


@pytest.mark.parametrize("freed", [True, False], ids=["freed_elsewhere", "another_number"])
def test_21712_a_number_of_another_service(freed: bool, enter) -> None:
    session = enter("campaign")
    failure = by_key("21712")
    other = session.api("POST", "/v1/Services", FriendlyName="By hand")["sid"]
    session.api("POST", f"/v1/Services/{other}/PhoneNumbers", PhoneNumberSid=OWNED[0])
    session.go(lambda registration: registration.waiting_for == "us")
    pages.assert_told(session, failure, "Phone Number is associated with another Messaging Service")
    pages.assert_told_in_form(session, failure)
    if freed:
        session.api("DELETE", f"/v1/Services/{other}/PhoneNumbers/{OWNED[0]}")
        session.mark()
        assert pages.submit(session)
    else:
        session.mark()
        pages.edit_and_submit(session, {"sender_number": OWNED[1]})
    session.go(lambda registration: registration.stage == Stage.LIVE)
    assert actions_of(session.since()) == ["number"] == list(failure.redo)
    assert session.registration.phone_number.sid == OWNED[0 if freed else 1]


def test_21701_a_service_that_is_gone_is_made_anew_with_its_campaign(enter) -> None:
    session = enter("campaign")
    failure, former = by_key("21701"), session.registration.campaign.service_sid
    session.hold_before("number.attach")
    session.go(lambda registration: bool(session.gate.held))
    session.api("DELETE", f"/v1/Services/{former}")
    words = "The Messaging Service does not exist"
    session.fault(
        path=f"/v1/Services/{former}", action="error", status=404, code=21701, message=words, times=0
    )
    session.release()
    session.go(lambda registration: registration.waiting_for == "us")
    pages.assert_told(session, failure, words)
    pages.assert_told_in_form(session, failure)

    pages.press(session, "refresh")
    session.go(lambda registration: bool(registration.campaign.missing_since))
    session.mark()
    assert pages.submit(session)
    session.go(lambda registration: registration.stage == Stage.LIVE)
    assert actions_of(session.since()) == ["service", *failure.redo]
    assert session.registration.campaign.service_sid != former
    assert session.counts()["ServicePhoneNumbers"] == 1


# --- an address ---------------------------------------------------------------------------------------------------
def test_21630_an_address_that_twilio_has_locked_is_replaced_without_asking(enter) -> None:
    session = enter("profile")
    failure, former = by_key("21630"), session.registration.profile.address_sid
    reason = "[address_sids] - Invalid Street"
    session.post(f"profile/{session.registration.profile.sid}", action="reject", reason=reason)
    session.go(lambda registration: registration.waiting_for == "us")
    path = rf"/Addresses/{former}\.json$"
    session.fault(
        method="POST", path=path, action="error", status=400, code=21630, message="It is frozen.", times=0
    )
    session.mark()
    session.hold_before("trust_bundle.create")
    pages.edit_and_submit(session, inputs.changes_of(("street",)))
    session.go(lambda registration: bool(session.gate.held))
    assert refused_codes(session) == {21630}
    assert actions_of(session.since()) == list(failure.redo) == ["address", "profile"]
    assert session.registration.profile.address_sid != former
    assert pages.card(pages.source_of(session), "problems") == ""
    assert "21630" in pages.card(pages.source_of(session), "ledger")


def test_an_address_that_is_gone_at_twilio_is_made_anew_unchanged(enter) -> None:
    """What the entry address_sid_not_found advises, when only the address is wrong."""
    session = enter("profile")
    failure, former = by_key("address_sid_not_found"), session.registration.profile.address_sid
    session.api("DELETE", f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Addresses/{former}.json")
    reason = f"{failure.texts[0]} {former}"
    session.post(f"profile/{session.registration.profile.sid}", action="reject", reason=reason)
    session.go(lambda registration: registration.waiting_for == "us")
    pages.assert_told(session, failure, reason)
    session.mark()
    session.hold_before("trust_bundle.create")
    assert pages.submit(session)
    session.go(lambda registration: bool(session.gate.held))
    assert actions_of(session.since()) == ["address", "profile"]
    assert [row["street"] for row in session.sandbox.world.store.all("Addresses")] == [
        session.registration.profile.street
    ]
    assert session.violations() == []

"""The page of one registration, at every stage and with every kind of answer from Twilio."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.models import ApiCall, Event, Registration
from registrations.models.choices import CallState, Stage
from registrations.operations import actions, otp
from tests.admin.conftest import page_url
from tests.factories import fake_sid, make_registration

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CAMPAIGN_ERRORS = [
    {
        "error_code": 30909,
        "fields": ["MESSAGE_FLOW"],
        "url": "https://www.twilio.com/docs/api/errors/30909",
        "description": "The call to action could not be verified.",
    },
    {"error_code": 30932, "fields": ["PRIVACY_POLICY_URL"], "description": "Sharing is not excluded."},
    {"error_code": 39999, "fields": ["BRAND_NEW_TOKEN"], "description": "Something nobody has seen yet."},
]


def text(response) -> str:
    return response.content.decode()


def primary(page: str) -> str:
    """The label of the page's one primary button, or ""."""
    found = re.findall(r'id="action-primary">([^<]*)<', page)
    assert len(re.findall(r'class="btn btn-primary"', page)) <= 1, "one primary button per page"
    return found[0] if found else ""


@pytest.mark.parametrize("stage", list(Stage))
def test_renders_at_every_stage(boss, stage):
    registration = make_registration(stage)
    assert registration.stage == stage
    response = boss.get(page_url(registration))
    assert response.status_code == 200
    page = text(response)
    assert Stage(stage).label in page
    assert registration.reason.replace("'", "&#x27;") in page


@pytest.mark.parametrize("stage", list(Stage))
def test_edit_and_confirm_pages_render_at_every_stage(boss, stage):
    registration = make_registration(stage)
    for page in ("change", "confirm/submit", "confirm/purchase"):
        assert boss.get(page_url(registration, page)).status_code == 200


@pytest.mark.parametrize(
    ("stage", "label"),
    [
        (Stage.DRAFT, "Submit"),
        (Stage.PROFILE, ""),
        (Stage.BRAND, ""),
        (Stage.CAMPAIGN, ""),
        (Stage.LIVE, ""),
    ],
)
def test_primary_action_follows_the_stage(boss, stage, label):
    assert primary(text(boss.get(page_url(make_registration(stage))))) == label


def test_primary_action_of_an_edited_registration_is_submit_changes(boss):
    registration = make_registration(Stage.OTP)
    actions.edit(registration, {"profile": {"city": "Salem"}}, actor="ann")
    page = text(boss.get(page_url(registration)))
    assert primary(page) == "Submit changes"
    assert "Edited, not submitted" in page


def test_primary_action_on_hold_is_release(boss):
    registration = make_registration(Stage.BRAND)
    actions.hold(registration, reason="Wait for Monday.", actor="ann")
    page = text(boss.get(page_url(registration)))
    assert primary(page) == "Release"
    assert "Wait for Monday." in page


def test_every_problem_has_its_advice_and_links_to_its_input(boss):
    registration = make_registration(
        Stage.CAMPAIGN,
        answer={"campaign_status": "FAILED", "errors": CAMPAIGN_ERRORS, "campaign_id": "C1234AB"},
    )
    page = text(boss.get(page_url(registration)))
    for item in CAMPAIGN_ERRORS:
        assert str(item["error_code"]) in page
        assert item["description"] in page
    assert "Rejected by Twilio for 3 reasons" in page
    assert f'{page_url(registration, "change")}#field-message_flow"' in page
    assert f'{page_url(registration, "change")}#field-privacy_policy_url"' in page
    assert primary(page) == "Fix this"


def test_each_problem_is_beside_its_input_on_the_form(boss):
    registration = make_registration(
        Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": CAMPAIGN_ERRORS}
    )
    page = text(boss.get(page_url(registration, "change")))
    flow = page.split('id="field-message_flow"')[1].split('id="field-message_sample_1"')[0]
    assert "The call to action could not be verified." in flow
    assert "30909" in flow
    # A problem without an input is shown above the form.
    assert "Something nobody has seen yet." in page.split('id="registration-form"')[0]


def test_hostile_texts_from_twilio_and_people_are_escaped(boss):
    registration = make_registration(
        Stage.CAMPAIGN,
        label=HOSTILE,
        parts={"trust_bundle": {"brand_name": HOSTILE}},
        answer={
            "campaign_status": "FAILED",
            "errors": [
                {
                    "error_code": 30909,
                    "fields": [HOSTILE],
                    "description": HOSTILE,
                    "url": "javascript:alert(3)",
                }
            ],
        },
    )
    Event.objects.create(registration=registration, tag=HOSTILE, text=HOSTILE, actor=HOSTILE)
    call = ApiCall.objects.create(
        registration=registration,
        step=HOSTILE[:40],
        state=CallState.REJECTED,
        actor=HOSTILE,
        request={HOSTILE: HOSTILE},
        response={"message": HOSTILE},
        error_message=HOSTILE,
        started_at=timezone.now(),
    )
    actions.add_note(registration, text=HOSTILE, actor=HOSTILE)
    actions.hold(registration, reason=HOSTILE, actor=HOSTILE)
    for url in (
        page_url(registration),
        page_url(registration, "refresh"),
        page_url(registration, "change"),
        page_url(registration, "confirm/submit"),
        "/admin/registrations/registration/",
        "/admin/registrations/campaign/",
        "/admin/registrations/apicall/",
        "/admin/registrations/event/",
        f"/admin/registrations/apicall/{call.pk}/change/",
    ):
        response = boss.get(url)
        assert response.status_code == 200, url
        assert "<script>alert" not in text(response), url
        assert "<img src=x" not in text(response), url
        assert 'href="javascript:' not in text(response), url


@pytest.mark.parametrize("status", ["PAUSED_FOR_NOW", "SOMETHING_NEW", "<b>", "lower-case"])
def test_unknown_statuses_are_shown_as_received(boss, status):
    shown = status.replace("<", "&lt;").replace(">", "&gt;")
    brand = make_registration(Stage.BRAND, answer={"status": status, "identity_status": status})
    campaign = make_registration(Stage.CAMPAIGN, answer={"campaign_status": status})
    profile = make_registration(Stage.PROFILE, answer={"status": status})
    for registration in (brand, campaign, profile):
        assert boss.get(page_url(registration)).status_code == 200
    assert shown in text(boss.get("/admin/registrations/brand/"))
    assert shown in text(boss.get("/admin/registrations/campaign/"))


@pytest.mark.parametrize(
    "errors", [None, {}, "just a text", ["a", None, 7], [{"code": 18601}], [{"x": {"y": 1}}]]
)
def test_odd_shapes_of_errors_are_rendered(boss, errors):
    registration = make_registration(Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors})
    for url in (page_url(registration), page_url(registration, "change"), "/admin/registrations/campaign/"):
        assert boss.get(url).status_code == 200


def test_unknown_stage_and_waiting_for_render(boss):
    registration = make_registration(Stage.DRAFT)
    Registration.objects.filter(pk=registration.pk).update(stage="odd", waiting_for="martian")
    ApiCall.objects.create(
        registration=registration, step="gone.step", state="odd", started_at=timezone.now()
    )
    for url in (
        page_url(registration),
        "/admin/registrations/registration/",
        "/admin/registrations/apicall/",
    ):
        response = boss.get(url)
        assert response.status_code == 200
    assert "martian" in text(boss.get("/admin/registrations/registration/"))
    assert "gone.step" in text(boss.get("/admin/registrations/apicall/"))


class TestOtpText:
    def test_card_shows_times_and_message(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        settings.A2P_SANDBOX_PANEL_URL = "http://127.0.0.1:8/panel"
        registration = make_registration(Stage.OTP)
        sent = timezone.now() - timedelta(hours=20, minutes=30)
        registration.brand.otp_sent_at, registration.brand.otp_sends = sent, 2
        registration.brand.registered_at = timezone.now() - timedelta(days=3, hours=1)
        registration.brand.save()
        page = text(boss.get(page_url(registration)))
        assert "<dt>Texts sent</dt><dd>2</dd>" in page
        assert "<dt>Text expires in</dt><dd>3 h</dd>" in page
        assert "<dt>Brand expires in</dt><dd>26 d</dd>" in page
        assert "+1 915-278-2000" in page
        assert "YES" in page
        assert "no code to type" in page
        assert "reply for the customer" in page
        assert primary(page) == "Resend OTP text"

    def test_during_the_cooldown_there_is_no_button_and_the_reason_is_shown(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        registration = make_registration(Stage.OTP)  # Twilio's first text went out this moment
        page = text(boss.get(page_url(registration)))
        assert "confirm/resend-otp" not in page
        assert 'id="otp-why-not"' in page
        assert otp.state(registration).why_not in page
        assert primary(page) == ""

    def test_an_expired_text_is_shown(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        registration = make_registration(Stage.OTP)
        registration.brand.otp_sent_at = timezone.now() - timedelta(hours=25)
        registration.brand.save()
        assert "expired" in text(boss.get(page_url(registration)))

    def test_no_card_before_and_after(self, boss):
        for stage in (Stage.BRAND, Stage.CAMPAIGN):
            assert "Texts sent" not in text(boss.get(page_url(make_registration(stage))))


def test_sids_link_to_the_console_and_can_be_copied(boss):
    registration = make_registration(Stage.CAMPAIGN)
    page = text(boss.get(page_url(registration)))
    assert f"https://console.twilio.com/us1/develop/sms/services/{registration.campaign.service_sid}" in page
    assert f'data-copy="{registration.brand.sid}"' in page


def test_our_own_number_is_not_listed_as_bought(boss):
    assert "Buy a number" not in text(boss.get(page_url(make_registration(Stage.OTP))))


def test_the_price_of_a_number_is_confirmed_first(boss, agent):
    registration = make_registration(
        Stage.NUMBER, parts={"phone_number": {"sender_number": "", "area_code": "415"}}
    )
    assert primary(text(boss.get(page_url(registration)))) == "Confirm purchase"
    assert "$1.15 a month" in text(boss.get(page_url(registration, "confirm/purchase")))
    # Without permission to buy there is no button.
    assert primary(text(agent.get(page_url(registration)))) != "Confirm purchase"
    assert "cannot buy numbers" in text(agent.get(page_url(registration, "confirm/purchase")))


def test_twilios_statuses_are_beside_the_steps(boss):
    registration = make_registration(Stage.LIVE)
    assert "A2P status not reported" in text(boss.get(page_url(registration)))
    registration.phone_number.a2p_status = "pending_registration"
    registration.phone_number.save()
    registration.brand.resubmissions = 2
    registration.brand.save()
    page = text(boss.get(page_url(registration)))
    for expected in ("In the service", "Registering", "B4NKP7Q", "resubmitted 2 of 3 times", "C7LM2XY"):
        assert expected in page


def test_retired_objects_are_shown(boss):
    registration = make_registration(Stage.CAMPAIGN)
    sid = fake_sid("MG")
    registration.retired.create(kind="service", sid=sid, reason="Replaced.")
    page = text(boss.get(page_url(registration)))
    assert sid in page
    assert "Left at Twilio" in page
    assert "Replaced." in page


def test_missing_registration_is_a_404(boss):
    for page in ("detail", "refresh", "change", "confirm/submit", "history"):
        assert boss.get(f"/admin/registrations/registration/999/{page}/").status_code == 404
    assert boss.get("/admin/registrations/registration/abc/change/").status_code == 404


def test_queries_do_not_grow_with_the_registration(boss, django_assert_max_num_queries):
    registration = make_registration(Stage.LIVE)
    for n in range(60):
        Event.objects.create(registration=registration, tag="note", text=str(n))
        ApiCall.objects.create(
            registration=registration,
            step="brand.create",
            state=CallState.UNAVAILABLE,
            started_at=timezone.now(),
        )
    with django_assert_max_num_queries(20):
        page = text(boss.get(page_url(registration)))
    assert "Full timeline" in page
    assert "All calls of this registration" in page


def test_api_calls_are_redacted(boss):
    """Inputs as sent (`request_params`) never reach the page: only the redacted request does."""
    registration = make_registration(Stage.PROFILE)
    call = registration.api_calls.first()
    call.request_params = {"secret": "plain-text-email"}
    call.save()
    for url in (page_url(registration), f"/admin/registrations/apicall/{call.pk}/change/"):
        assert "plain-text-email" not in text(boss.get(url))

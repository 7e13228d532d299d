"""The page of one case, at every stage and with every kind of answer of Twilio's."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from registrations import one_time_texts, verbs
from registrations.models import Event, Registration, StepRun
from registrations.states import RunState, Stage
from tests.factories import fake_sid, make_registration

from .conftest import desk_url

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
    """The words on the page's one primary button, or ""."""
    found = re.findall(r'id="act-primary">([^<]*)<', page)
    assert len(re.findall(r'class="btn btn-primary"', page)) <= 1, "one primary button a page"
    return found[0] if found else ""


@pytest.mark.parametrize("stage", list(Stage))
def test_renders_at_every_stage(boss, stage):
    case = make_registration(stage)
    assert case.stage == stage
    response = boss.get(desk_url(case))
    assert response.status_code == 200
    page = text(response)
    assert Stage(stage).label in page
    assert case.reason.replace("'", "&#x27;") in page


@pytest.mark.parametrize("stage", list(Stage))
def test_edit_and_confirm_pages_render_at_every_stage(boss, stage):
    case = make_registration(stage)
    for page in ("change", "confirm/submit", "confirm/purchase"):
        assert boss.get(desk_url(case, page)).status_code == 200


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
    assert primary(text(boss.get(desk_url(make_registration(stage))))) == label


def test_primary_action_of_an_edited_case_is_to_send_the_changes(boss):
    case = make_registration(Stage.OTP)
    verbs.edit(case, {"profile": {"city": "Salem"}}, actor="ann")
    page = text(boss.get(desk_url(case)))
    assert primary(page) == "Submit changes"
    assert "Edited, not sent" in page


def test_primary_action_on_hold_is_release(boss):
    case = make_registration(Stage.BRAND)
    verbs.hold(case, reason="Wait for Monday.", actor="ann")
    page = text(boss.get(desk_url(case)))
    assert primary(page) == "Release"
    assert "Wait for Monday." in page


def test_every_problem_is_told_with_its_advice_and_leads_to_its_input(boss):
    case = make_registration(
        Stage.CAMPAIGN,
        answer={"campaign_status": "FAILED", "errors": CAMPAIGN_ERRORS, "campaign_id": "C1234AB"},
    )
    page = text(boss.get(desk_url(case)))
    for item in CAMPAIGN_ERRORS:
        assert str(item["error_code"]) in page
        assert item["description"] in page
    assert "Twilio refused this for 3 reasons" in page
    assert f'{desk_url(case, "change")}#field-message_flow"' in page
    assert f'{desk_url(case, "change")}#field-privacy_policy_url"' in page
    assert primary(page) == "Fix this"


def test_each_problem_stands_beside_its_input_on_the_form(boss):
    case = make_registration(Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": CAMPAIGN_ERRORS})
    page = text(boss.get(desk_url(case, "change")))
    flow = page.split('id="field-message_flow"')[1].split('id="field-message_sample_1"')[0]
    assert "The call to action could not be verified." in flow
    assert "30909" in flow
    # What belongs to no input is told above the form instead of being dropped.
    assert "Something nobody has seen yet." in page.split('id="registration-form"')[0]


def test_hostile_words_of_twilio_and_of_people_are_escaped(boss):
    case = make_registration(
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
    Event.objects.create(registration=case, tag=HOSTILE, text=HOSTILE, actor=HOSTILE)
    run = StepRun.objects.create(
        registration=case,
        step=HOSTILE[:40],
        state=RunState.REJECTED,
        actor=HOSTILE,
        request={HOSTILE: HOSTILE},
        response={"message": HOSTILE},
        error_message=HOSTILE,
        started_at=timezone.now(),
    )
    verbs.add_note(case, text=HOSTILE, actor=HOSTILE)
    verbs.hold(case, reason=HOSTILE, actor=HOSTILE)
    for url in (
        desk_url(case),
        desk_url(case, "live"),
        desk_url(case, "change"),
        desk_url(case, "confirm/submit"),
        "/admin/registrations/registration/",
        "/admin/registrations/campaign/",
        "/admin/registrations/steprun/",
        "/admin/registrations/event/",
        f"/admin/registrations/steprun/{run.pk}/change/",
    ):
        response = boss.get(url)
        assert response.status_code == 200, url
        assert "<script>alert" not in text(response), url
        assert "<img src=x" not in text(response), url
        assert 'href="javascript:' not in text(response), url


@pytest.mark.parametrize("word", ["PAUSED_FOR_NOW", "SOMETHING_NEW", "<b>", "lower-case"])
def test_unknown_words_are_shown_as_they_came(boss, word):
    shown = word.replace("<", "&lt;").replace(">", "&gt;")
    brand = make_registration(Stage.BRAND, answer={"status": word, "identity_status": word})
    campaign = make_registration(Stage.CAMPAIGN, answer={"campaign_status": word})
    profile = make_registration(Stage.PROFILE, answer={"status": word})
    for case in (brand, campaign, profile):
        assert boss.get(desk_url(case)).status_code == 200
    assert shown in text(boss.get("/admin/registrations/brand/"))
    assert shown in text(boss.get("/admin/registrations/campaign/"))


@pytest.mark.parametrize(
    "errors", [None, {}, "just a text", ["a", None, 7], [{"code": 18601}], [{"x": {"y": 1}}]]
)
def test_odd_shapes_of_errors_crash_nothing(boss, errors):
    case = make_registration(Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors})
    for url in (desk_url(case), desk_url(case, "change"), "/admin/registrations/campaign/"):
        assert boss.get(url).status_code == 200


def test_unknown_stage_and_waiting_words_render(boss):
    case = make_registration(Stage.DRAFT)
    Registration.objects.filter(pk=case.pk).update(stage="odd", waiting_for="martian")
    StepRun.objects.create(registration=case, step="gone.step", state="odd", started_at=timezone.now())
    for url in (desk_url(case), "/admin/registrations/registration/", "/admin/registrations/steprun/"):
        response = boss.get(url)
        assert response.status_code == 200
    assert "martian" in text(boss.get("/admin/registrations/registration/"))
    assert "gone.step" in text(boss.get("/admin/registrations/steprun/"))


class TestOneTimeText:
    def test_panel_shows_clock_and_wording(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        settings.A2P_SANDBOX_PANEL_URL = "http://127.0.0.1:8/panel"
        case = make_registration(Stage.OTP)
        sent = timezone.now() - timedelta(hours=20, minutes=30)
        case.brand.otp_sent_at, case.brand.otp_sends = sent, 2
        case.brand.registered_at = timezone.now() - timedelta(days=3, hours=1)
        case.brand.save()
        page = text(boss.get(desk_url(case)))
        assert "<dt>Texts sent</dt><dd>2</dd>" in page
        assert "<dt>Answer within</dt><dd>3 h</dd>" in page
        assert "26 d left" in page
        assert "+1 915-278-2000" in page
        assert "YES" in page
        assert "no code to type" in page
        assert "answer for the customer" in page
        assert primary(page) == "Resend one-time text"

    def test_the_cool_down_takes_the_button_away_and_says_why(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        case = make_registration(Stage.OTP)  # Twilio's first text went out this moment
        page = text(boss.get(desk_url(case)))
        assert "confirm/resend-otp" not in page
        assert 'id="otp-why-not"' in page
        assert one_time_texts.state(case).why_not in page
        assert primary(page) == ""

    def test_expired_text_is_said(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        case = make_registration(Stage.OTP)
        case.brand.otp_sent_at = timezone.now() - timedelta(hours=25)
        case.brand.save()
        assert "expired" in text(boss.get(desk_url(case)))

    def test_no_panel_before_and_after(self, boss):
        for stage in (Stage.BRAND, Stage.CAMPAIGN):
            assert "Texts sent" not in text(boss.get(desk_url(make_registration(stage))))


def test_sids_link_to_the_console_and_can_be_copied(boss):
    case = make_registration(Stage.CAMPAIGN)
    page = text(boss.get(desk_url(case)))
    assert f"https://console.twilio.com/us1/develop/sms/services/{case.campaign.service_sid}" in page
    assert f'data-copy="{case.brand.sid}"' in page


def test_an_owned_number_is_not_called_bought(boss):
    assert "Buy a number" not in text(boss.get(desk_url(make_registration(Stage.OTP))))


def test_a_number_to_buy_asks_for_the_price_first(boss, agent):
    case = make_registration(Stage.NUMBER, parts={"phone_number": {"sender_number": "", "area_code": "415"}})
    assert primary(text(boss.get(desk_url(case)))) == "Confirm purchase"
    assert "$1.15 a month" in text(boss.get(desk_url(case, "confirm/purchase")))
    # Who may not spend is not offered the button.
    assert primary(text(agent.get(desk_url(case)))) != "Confirm purchase"
    assert "may not buy numbers" in text(agent.get(desk_url(case, "confirm/purchase")))


def test_what_twilio_says_stands_beside_the_steps(boss):
    case = make_registration(Stage.LIVE)
    assert "A2P state not reported" in text(boss.get(desk_url(case)))
    case.phone_number.a2p_status = "pending_registration"
    case.phone_number.save()
    case.brand.resubmissions = 2
    case.brand.save()
    page = text(boss.get(desk_url(case)))
    for word in ("In the service", "Registering", "B4NKP7Q", "resubmitted 2 of 3 times", "C7LM2XY"):
        assert word in page


def test_retired_objects_are_shown(boss):
    case = make_registration(Stage.CAMPAIGN)
    sid = fake_sid("MG")
    case.retired.create(kind="service", sid=sid, why="Replaced.")
    page = text(boss.get(desk_url(case)))
    assert sid in page
    assert "Left at Twilio" in page


def test_missing_case_is_a_404(boss):
    for page in ("desk", "live", "change", "confirm/submit", "history"):
        assert boss.get(f"/admin/registrations/registration/999/{page}/").status_code == 404
    assert boss.get("/admin/registrations/registration/abc/change/").status_code == 404


def test_queries_do_not_grow_with_the_case(boss, django_assert_max_num_queries):
    case = make_registration(Stage.LIVE)
    for n in range(60):
        Event.objects.create(registration=case, tag="note", text=str(n))
        StepRun.objects.create(
            registration=case, step="brand.create", state=RunState.UNAVAILABLE, started_at=timezone.now()
        )
    with django_assert_max_num_queries(20):
        page = text(boss.get(desk_url(case)))
    assert "The whole timeline" in page
    assert "All calls of this case" in page


def test_redacted_ledger_only(boss):
    """Inputs as sent (`basis`) never reach the page: only the redacted request does."""
    case = make_registration(Stage.PROFILE)
    run = case.runs.first()
    run.basis = {"secret": "plain-text-e-mail"}
    run.save()
    for url in (desk_url(case), f"/admin/registrations/steprun/{run.pk}/change/"):
        assert "plain-text-e-mail" not in text(boss.get(url))

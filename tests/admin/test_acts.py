"""What buttons do: by POST alone, with the right permission, as confirmed, and nothing else."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from registrations import one_time_texts
from registrations.admin.acts import ACTS
from registrations.models import Registration
from registrations.states import Stage
from tests.factories import make_registration

from .conftest import desk_url, person, state

pytestmark = pytest.mark.django_db


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def press(client, case, act, **data):
    return client.post(desk_url(case, f"act/{act}"), {"revision": case.revision, "fee": "100", **data})


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_acts_take_nothing_but_post(boss, act, method):
    case = make_registration(Stage.OTP)
    before = state(case)
    assert getattr(boss, method)(desk_url(case, f"act/{act}")).status_code == 405
    assert state(case) == before


@pytest.mark.parametrize("act", ACTS)
def test_acts_need_the_permission(viewer, nobody, act):
    case = make_registration(Stage.OTP)
    before = state(case)
    for client in (viewer, nobody):
        assert press(client, case, act, reason="x", text="x").status_code == 403
    assert Client().post(desk_url(case, f"act/{act}")).status_code == 302
    assert state(case) == before


@pytest.mark.parametrize("act", ACTS)
def test_acts_need_the_token(act, db):
    case = make_registration(Stage.OTP)
    before = state(case)
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("forged", superuser=True))
    response = press(client, case, act, reason="x", text="x")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert state(case) == before


def test_unknown_acts_are_not_found(boss):
    case = make_registration()
    assert press(boss, case, "explode").status_code == 404
    assert boss.get(desk_url(case, "confirm/explode")).status_code == 404


def test_submit(agent):
    case = make_registration()
    page = agent.get(desk_url(case, "confirm/submit")).content.decode()
    assert "19 calls" in page
    assert "$4.50" in page
    assert "$15.00" in page
    assert "Submit · $19.50" in page
    response = press(agent, case, "submit", fee="19.50")
    assert response.headers["Location"] == desk_url(case)
    case.refresh_from_db()
    assert case.is_submitted
    assert case.submitted_by == "agent"


def test_submit_is_refused_when_the_case_or_its_price_moved_on(agent):
    case = make_registration()
    for data in ({"fee": "4.50"}, {"fee": ""}, {"fee": "NaN"}, {"revision": "7"}, {"revision": ""}):
        response = press(agent, case, "submit", **{"fee": "19.50", **data})
        assert response.headers["Location"] == desk_url(case, "confirm/submit")
        assert "look again" in said(response)
    case.refresh_from_db()
    assert not case.was_submitted


def test_try_again_is_submit(agent):
    case = make_registration(Stage.PROFILE, answer={"status": "twilio-rejected", "errors": [{"code": 18603}]})
    page = agent.get(desk_url(case)).content.decode()
    assert "Try again" in page
    press(agent, case, "submit")
    case.profile.refresh_from_db()
    assert case.profile.resubmit_requested


def test_resend(agent):
    case = make_registration(Stage.OTP)
    case.brand.otp_sent_at = timezone.now() - timedelta(hours=1)
    case.brand.save()
    response = press(agent, case, "resend-otp")
    assert "YES" in said(response)
    case.brand.refresh_from_db()
    assert case.brand.otp_requested_by == "agent"


def test_a_refusal_is_said_and_changes_nothing(agent):
    case = make_registration(Stage.BRAND)
    before = state(case)
    response = press(agent, case, "resend-otp")
    assert response.headers["Location"] == desk_url(case, "confirm/resend-otp")
    assert said(response) == one_time_texts.state(case).why_not
    assert state(case) == before


def test_buying_needs_its_own_permission(boss, agent):
    case = make_registration(Stage.NUMBER, parts={"phone_number": {"sender_number": "", "area_code": "415"}})
    before = state(case)
    assert press(agent, case, "purchase").status_code == 403
    assert state(case) == before
    press(boss, case, "purchase")
    case.phone_number.refresh_from_db()
    assert case.phone_number.purchase_confirmed_by == "boss"


def test_hold_release_refresh_note(agent):
    case = make_registration(Stage.BRAND)
    press(agent, case, "hold", reason="Until Monday.")
    case.refresh_from_db()
    assert (case.hold, case.hold_reason) == (True, "Until Monday.")
    press(agent, case, "release")
    case.refresh_from_db()
    assert not case.hold
    press(agent, case, "refresh")
    press(agent, case, "note", text="  She called.  ")
    assert case.events.first().text == "She called."
    assert case.events.first().actor == "agent"


@pytest.mark.parametrize(
    ("act", "data"), [("hold", {"reason": " "}), ("note", {}), ("note", {"text": "x" * 2001})]
)
def test_empty_and_endless_words_are_refused(agent, act, data):
    case = make_registration(Stage.BRAND)
    before = state(case)
    assert "Please" in said(press(agent, case, act, **data))
    assert state(case) == before


def test_two_clicks_are_one_submission(agent):
    case = make_registration()
    for _ in range(2):
        press(agent, case, "submit", fee="19.50")
    assert Registration.objects.get(pk=case.pk).submitted_revision == 1

"""What buttons do: only by POST, only with permission, only as confirmed."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from registrations.admin.registration.actions import ACTIONS
from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.operations import otp
from tests.admin.conftest import page_url, person, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


def messages_of(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def press(client, registration, action, **data):
    return client.post(
        page_url(registration, f"action/{action}"), {"revision": registration.revision, "fee": "100", **data}
    )


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_actions_accept_only_post(boss, action, method):
    registration = make_registration(Stage.OTP)
    before = state(registration)
    assert getattr(boss, method)(page_url(registration, f"action/{action}")).status_code == 405
    assert state(registration) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_need_permission(viewer, nobody, action):
    registration = make_registration(Stage.OTP)
    before = state(registration)
    for client in (viewer, nobody):
        assert press(client, registration, action, reason="x", text="x").status_code == 403
    assert Client().post(page_url(registration, f"action/{action}")).status_code == 302
    assert state(registration) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_need_the_csrf_token(action, db):
    registration = make_registration(Stage.OTP)
    before = state(registration)
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("forged", superuser=True))
    response = press(client, registration, action, reason="x", text="x")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert state(registration) == before


def test_unknown_actions_are_not_found(boss):
    registration = make_registration()
    assert press(boss, registration, "explode").status_code == 404
    assert boss.get(page_url(registration, "confirm/explode")).status_code == 404


def test_submit(agent):
    registration = make_registration()
    page = agent.get(page_url(registration, "confirm/submit")).content.decode()
    assert "19 calls" in page
    assert "$4.50" in page
    assert "$15.00" in page
    assert "Submit · $19.50" in page
    response = press(agent, registration, "submit", fee="19.50")
    assert response.headers["Location"] == page_url(registration)
    registration.refresh_from_db()
    assert registration.is_submitted
    assert registration.submitted_by == "agent"


def test_submit_is_refused_after_an_edit_or_a_price_change(agent):
    registration = make_registration()
    for data in ({"fee": "4.50"}, {"fee": ""}, {"fee": "NaN"}, {"revision": "7"}, {"revision": ""}):
        response = press(agent, registration, "submit", **{"fee": "19.50", **data})
        assert response.headers["Location"] == page_url(registration, "confirm/submit")
        assert "review it again" in messages_of(response)
    registration.refresh_from_db()
    assert not registration.was_submitted


def test_try_again_is_submit(agent):
    registration = make_registration(
        Stage.PROFILE, answer={"status": "twilio-rejected", "errors": [{"code": 18603}]}
    )
    page = agent.get(page_url(registration)).content.decode()
    assert "Try again" in page
    press(agent, registration, "submit")
    registration.profile.refresh_from_db()
    assert registration.profile.resubmit_requested


def test_resend(agent):
    registration = make_registration(Stage.OTP)
    registration.brand.otp_sent_at = timezone.now() - timedelta(hours=1)
    registration.brand.save()
    response = press(agent, registration, "resend-otp")
    assert "YES" in messages_of(response)
    registration.brand.refresh_from_db()
    assert registration.brand.otp_requested_by == "agent"


def test_a_refusal_is_shown_and_changes_nothing(agent):
    registration = make_registration(Stage.BRAND)
    before = state(registration)
    response = press(agent, registration, "resend-otp")
    assert response.headers["Location"] == page_url(registration, "confirm/resend-otp")
    assert messages_of(response) == otp.state(registration).why_not
    assert state(registration) == before


def test_buying_needs_its_own_permission(boss, agent):
    registration = make_registration(
        Stage.NUMBER, parts={"phone_number": {"sender_number": "", "area_code": "415"}}
    )
    before = state(registration)
    assert press(agent, registration, "purchase").status_code == 403
    assert state(registration) == before
    press(boss, registration, "purchase")
    registration.phone_number.refresh_from_db()
    assert registration.phone_number.purchase_confirmed_by == "boss"


def test_hold_release_refresh_note(agent):
    registration = make_registration(Stage.BRAND)
    press(agent, registration, "hold", reason="Until Monday.")
    registration.refresh_from_db()
    assert (registration.hold, registration.hold_reason) == (True, "Until Monday.")
    press(agent, registration, "release")
    registration.refresh_from_db()
    assert not registration.hold
    press(agent, registration, "refresh")
    press(agent, registration, "note", text="  She called.  ")
    assert registration.events.first().text == "She called."
    assert registration.events.first().actor == "agent"


@pytest.mark.parametrize(
    ("action", "data"), [("hold", {"reason": " "}), ("note", {}), ("note", {"text": "x" * 2001})]
)
def test_empty_and_too_long_texts_are_refused(agent, action, data):
    registration = make_registration(Stage.BRAND)
    before = state(registration)
    assert "Please" in messages_of(press(agent, registration, action, **data))
    assert state(registration) == before


def test_two_clicks_are_one_submission(agent):
    registration = make_registration()
    for _ in range(2):
        press(agent, registration, "submit", fee="19.50")
    assert Registration.objects.get(pk=registration.pk).submitted_revision == 1

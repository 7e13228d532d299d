"""Taking a registration down: who may, what the page says first, and the name that must be typed."""

import pytest
from django.contrib.messages import get_messages

from registrations.models.choices import Stage
from tests.admin.conftest import browser, desk_url, person, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def remover(db):
    return browser(person("remover", "view_registration", "change_registration", "remove_registration"))


def press(client, registration, **data):
    return client.post(
        desk_url(registration, "action/remove"),
        {"revision": registration.revision, "label": registration.label} | data,
    )


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_only_who_may_is_offered_it(agent, remover):
    registration = make_registration(Stage.LIVE)
    assert "Take down at Twilio" not in agent.get(desk_url(registration)).content.decode()
    assert "Take down at Twilio" in remover.get(desk_url(registration)).content.decode()
    assert agent.get(desk_url(registration, "confirm/remove")).status_code == 403
    before = state(registration)
    assert press(agent, registration).status_code == 403
    assert state(registration) == before


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.REMOVED])
def test_nothing_to_take_down(remover, stage):
    registration = make_registration(stage)
    before = state(registration)
    assert "Take down at Twilio…" not in remover.get(desk_url(registration)).content.decode()
    assert "nothing to take down" in remover.get(desk_url(registration, "confirm/remove")).content.decode()
    assert "nothing to take down" in said(press(remover, registration))
    assert state(registration) == before


def test_the_page_says_what_stays_and_changes_nothing(remover):
    registration = make_registration(Stage.LIVE)
    before = state(registration)
    page = remover.get(desk_url(registration, "confirm/remove")).content.decode()
    assert "only a person can delete it, in the Console" in page
    assert "+14155550101 stays in your account" in page
    assert "cannot be undone" in page
    assert state(registration) == before


@pytest.mark.parametrize("label", ["", "ann lee nails", "Someone else"])
def test_the_name_must_be_typed(remover, label):
    registration = make_registration(Stage.LIVE)
    before = state(registration)
    response = press(remover, registration, label=label)
    assert response.headers["Location"] == desk_url(registration, "confirm/remove")
    assert "does not match" in said(response)
    assert state(registration) == before


def test_a_registration_that_moved_on_is_looked_at_again(remover):
    registration = make_registration(Stage.LIVE)
    assert "look again" in said(press(remover, registration, revision="7"))


def test_the_plan_names_the_calls_in_order(remover):
    page = remover.get(desk_url(make_registration(Stage.LIVE), "confirm/remove")).content.decode()
    number, campaign = page.index("Remove the number from the service"), page.index("Delete the campaign")
    assert number < campaign


def test_taken_down(remover):
    registration = make_registration(Stage.LIVE)
    assert press(remover, registration).headers["Location"] == desk_url(registration)
    registration.refresh_from_db()
    assert registration.removing
    assert registration.events.filter(actor="remover").exists()
    page = remover.get(desk_url(registration)).content.decode()
    assert "Removing" in page
    assert "Take down at Twilio…" not in page

"""Removing a registration from Twilio: who can, what the page shows first, and the name to type."""

import pytest
from django.contrib.messages import get_messages

from registrations.models.choices import Stage
from tests.admin.conftest import browser, page_url, person, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def remover(db):
    return browser(person("remover", "view_registration", "change_registration", "remove_registration"))


def press(client, registration, **data):
    return client.post(
        page_url(registration, "action/remove"),
        {"revision": registration.revision, "label": registration.label} | data,
    )


def messages_of(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_offered_only_with_permission(agent, remover):
    registration = make_registration(Stage.LIVE)
    assert "Remove from Twilio" not in agent.get(page_url(registration)).content.decode()
    assert "Remove from Twilio" in remover.get(page_url(registration)).content.decode()
    assert agent.get(page_url(registration, "confirm/remove")).status_code == 403
    before = state(registration)
    assert press(agent, registration).status_code == 403
    assert state(registration) == before


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.REMOVED])
def test_nothing_to_remove(remover, stage):
    registration = make_registration(stage)
    before = state(registration)
    assert "Remove from Twilio…" not in remover.get(page_url(registration)).content.decode()
    assert "nothing to remove" in remover.get(page_url(registration, "confirm/remove")).content.decode()
    assert "nothing to remove" in messages_of(press(remover, registration))
    assert state(registration) == before


def test_the_page_shows_what_stays_and_changes_nothing(remover):
    registration = make_registration(Stage.LIVE)
    before = state(registration)
    page = remover.get(page_url(registration, "confirm/remove")).content.decode()
    assert "it can only be deleted by hand, in the Console" in page
    assert "+14155550101 stays in your account" in page
    assert "cannot be undone" in page
    assert state(registration) == before


@pytest.mark.parametrize("label", ["", "ann lee nails", "Someone else"])
def test_the_name_must_be_typed(remover, label):
    registration = make_registration(Stage.LIVE)
    before = state(registration)
    response = press(remover, registration, label=label)
    assert response.headers["Location"] == page_url(registration, "confirm/remove")
    assert "does not match" in messages_of(response)
    assert state(registration) == before


def test_after_an_edit_the_page_is_shown_again(remover):
    registration = make_registration(Stage.LIVE)
    assert "review it again" in messages_of(press(remover, registration, revision="7"))


def test_the_plan_names_the_calls_in_order(remover):
    page = remover.get(page_url(make_registration(Stage.LIVE), "confirm/remove")).content.decode()
    number, campaign = page.index("Remove the number from the service"), page.index("Delete the campaign")
    assert number < campaign


def test_removed(remover):
    registration = make_registration(Stage.LIVE)
    assert press(remover, registration).headers["Location"] == page_url(registration)
    registration.refresh_from_db()
    assert registration.removing
    assert registration.events.filter(actor="remover").exists()
    page = remover.get(page_url(registration)).content.decode()
    assert "Removing" in page
    assert "Remove from Twilio…" not in page

"""Taking a case down: who may, what the page says first, and the name that must be typed."""

import pytest
from django.contrib.messages import get_messages

from registrations.states import Stage
from tests.factories import make_registration

from .conftest import browser, desk_url, person, state

pytestmark = pytest.mark.django_db


@pytest.fixture
def remover(db):
    return browser(person("remover", "view_registration", "change_registration", "remove_registration"))


def press(client, case, **data):
    return client.post(desk_url(case, "act/remove"), {"revision": case.revision, "label": case.label} | data)


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_only_who_may_is_offered_it(agent, remover):
    case = make_registration(Stage.LIVE)
    assert "Take down at Twilio" not in agent.get(desk_url(case)).content.decode()
    assert "Take down at Twilio" in remover.get(desk_url(case)).content.decode()
    assert agent.get(desk_url(case, "confirm/remove")).status_code == 403
    before = state(case)
    assert press(agent, case).status_code == 403
    assert state(case) == before


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.REMOVED])
def test_nothing_to_take_down(remover, stage):
    case = make_registration(stage)
    before = state(case)
    assert "Take down at Twilio…" not in remover.get(desk_url(case)).content.decode()
    assert "nothing to take down" in remover.get(desk_url(case, "confirm/remove")).content.decode()
    assert "nothing to take down" in said(press(remover, case))
    assert state(case) == before


def test_the_page_says_what_stays_and_changes_nothing(remover):
    case = make_registration(Stage.LIVE)
    before = state(case)
    page = remover.get(desk_url(case, "confirm/remove")).content.decode()
    assert "only a person can delete it, in the Console" in page
    assert "+14155550101 stays in your account" in page
    assert "cannot be undone" in page
    assert state(case) == before


@pytest.mark.parametrize("label", ["", "ann lee nails", "Someone else"])
def test_the_name_must_be_typed(remover, label):
    case = make_registration(Stage.LIVE)
    before = state(case)
    response = press(remover, case, label=label)
    assert response.headers["Location"] == desk_url(case, "confirm/remove")
    assert "does not match" in said(response)
    assert state(case) == before


def test_a_case_that_moved_on_is_looked_at_again(remover):
    case = make_registration(Stage.LIVE)
    assert "look again" in said(press(remover, case, revision="7"))


def test_the_plan_names_the_calls_in_order(remover):
    page = remover.get(desk_url(make_registration(Stage.LIVE), "confirm/remove")).content.decode()
    number, campaign = page.index("Take the number out of the service"), page.index("Delete the campaign")
    assert number < campaign


def test_taken_down(remover):
    case = make_registration(Stage.LIVE)
    assert press(remover, case).headers["Location"] == desk_url(case)
    case.refresh_from_db()
    assert case.removing
    assert case.events.filter(actor="remover").exists()
    page = remover.get(desk_url(case)).content.decode()
    assert "Being taken down" in page
    assert "Take down at Twilio…" not in page

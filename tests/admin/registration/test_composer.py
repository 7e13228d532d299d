"""The composer's page: from the form to composed texts and back into the form; nothing is saved."""

import re
from html import unescape

import pytest

from registrations.models import Registration
from tests.admin.conftest import state
from tests.customers import make_draft
from tests.intake.form.rows import VALID

COMPOSE = "/admin/registrations/registration/compose/"
ADD = "/admin/registrations/registration/add/"
CHOICES = {
    "composer-brand": "Tío Beto's Tacos",
    "composer-business": "shop",
    "composer-purpose": "news",
    "composer-opt_in": "keyword",
    "composer-page": "tiobeto.example.com/texts",
    "composer-privacy": "https://tiobeto.example.com/privacy",
    "composer-terms": "https://tiobeto.example.com/terms",
    "composer-keyword": "tacos",
}


def hidden(html: str) -> dict[str, str]:
    """The hidden inputs of a page, and the composed lines, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)"[^>]*? value="([^"]*)"', html)
    found += re.findall(r'<input type="text" name="(new-[^"]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found}


def areas(html: str) -> dict[str, str]:
    found = re.findall(r'<textarea name="([^"]+)"[^>]*>\s*(.*?)</textarea>', html, re.S)
    return {name: unescape(value) for name, value in found}


def test_it_starts_with_the_forms_values(agent):
    html = agent.post(COMPOSE, VALID).content.decode()
    assert 'name="composer-brand" value="Ann Lee Nails"' in html
    assert hidden(html)["last_name"] == "Lee"
    assert "Use these texts" not in html


def test_texts_are_shown_and_nothing_is_saved(agent):
    html = agent.post(COMPOSE, {**VALID, **CHOICES}).content.decode()
    texts = areas(html)
    assert "Tío Beto's Tacos" in texts["new-message_flow"]
    assert "TACOS" in texts["new-message_flow"]
    assert 'class="finding' not in html
    assert not Registration.objects.exists()


def test_used_texts_appear_unsaved_in_the_form_beside_everything_typed(agent):
    shown = agent.post(COMPOSE, {**VALID, **CHOICES}).content.decode()
    typed = {**hidden(shown), **areas(shown)}
    typed["new-description"] = typed["new-description"] + " And more."
    html = agent.post(ADD, {**typed, "_use_texts": "1"}).content.decode()
    assert areas(html)["description"].endswith(" And more.")
    assert areas(html)["message_sample_3"] == ""
    assert 'name="last_name" value="Lee"' in html
    assert 'name="brand_name" value="Tío Beto&#x27;s Tacos"' in html
    assert re.search(r'name="subscriber_opt_in"[^>]* checked', html)
    assert 'class="finding' not in html
    assert not Registration.objects.exists()


def test_discard_keeps_the_forms_texts(agent):
    shown = agent.post(COMPOSE, {**VALID, **CHOICES}).content.decode()
    html = agent.post(ADD, {**hidden(shown), **areas(shown), "_back": "1"}).content.decode()
    assert areas(html)["description"] == VALID["description"]
    assert 'name="brand_name" value="Ann Lee Nails"' in html


def test_a_saved_registration_stays_as_it_is(agent):
    registration = make_draft()
    before = state(registration)
    url = f"/admin/registrations/registration/{registration.pk}/"
    shown = agent.post(url + "compose/", {**VALID, "revision": "1", "base": "{}", **CHOICES}).content.decode()
    html = agent.post(url + "change/", {**hidden(shown), **areas(shown), "_use_texts": "1"}).content.decode()
    assert "Tío Beto" in areas(html)["message_flow"]
    assert hidden(html)["base"] == "{}", "two people's edits are compared with what was first shown"
    assert state(registration) == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"composer-page": "http://tiobeto.example.com"}, "must start with https://"),
        ({"composer-brand": ""}, "This field is required"),
        ({"composer-keyword": "STOP"}, "not a STOP or HELP keyword"),
        ({"composer-business": "bank"}, "not one of the available choices"),
    ],
)
def test_errors_are_shown_beside_the_choices(agent, changes, error):
    answer = agent.post(COMPOSE, {**VALID, **CHOICES, **changes})
    assert answer.status_code == 422
    assert error in answer.content.decode()
    assert "Use these texts" not in answer.content.decode()


def test_composing_needs_permission(viewer, agent):
    assert viewer.post(COMPOSE, VALID).status_code == 403
    assert agent.get(COMPOSE).status_code == 302, "a page that carries typed values is opened by POST only"


def test_the_composed_texts_are_checked_while_typing(agent):
    shown = agent.post(COMPOSE, {**VALID, **CHOICES}).content.decode()
    typed = {**hidden(shown), **areas(shown), "new-message_sample_1": "Hello, see you on [date]."}
    html = agent.post("/admin/registrations/registration/preflight/", typed).content.decode()
    assert "how to opt out" in html
    assert "preflight-last_name" not in html, "only the slots that the page has are sent"

"""Two people edit one registration at the same time: nothing is lost, no matter who saves second."""

import json
from typing import Any

import pytest
from django.test import Client

from registrations.admin.registration import merging
from registrations.intake.form import data_of
from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.operations import actions, assignment
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
RIGHTS = ("view_registration", "change_registration")


def url(registration, page="change") -> str:
    return f"/admin/registrations/registration/{registration.pk}/{page}/"


def opened(registration: Registration) -> dict[str, str]:
    """The form as a browser that has just opened it would post it."""
    registration = Registration.objects.get(pk=registration.pk)
    data = {key: str(value) for key, value in data_of(registration).items() if value not in (False, None)}
    return data | {"base": merging.base_of(registration), "_save": "1"}


def conflicts(response) -> dict[str, tuple]:
    merge = response.context["merge"]
    return {c.label: (c.mine, c.theirs, c.original) for c in merge.conflicts}


@pytest.fixture
def registration(db) -> Registration:
    return make_registration(Stage.DRAFT)


@pytest.fixture
def ann(db) -> Client:
    return browser(person("ann", *RIGHTS))


def now(registration) -> dict[str, Any]:
    return data_of(Registration.objects.get(pk=registration.pk))


def save(client, registration, page, **typed):
    return client.post(url(registration), page | typed)


def test_different_inputs_are_merged_with_a_message(ann, registration):
    page = opened(registration)
    actions.edit(
        registration, {"profile": {"city": "Lowell"}, "campaign": {"subscriber_opt_in": False}}, actor="bob"
    )
    answer = ann.post(url(registration), page | {"last_name": "Poe"}, follow=True)
    assert "In the meantime, bob changed City" in answer.content.decode()
    assert (now(registration)["city"], now(registration)["last_name"]) == ("Lowell", "Poe")
    newest = registration.events.filter(tag="edited").first()
    assert (newest.actor, newest.text) == ("ann", "Edited: Last name.")


def test_label_owner_and_notes_are_merged_although_they_make_no_revision(ann, registration):
    page = opened(registration)
    bob = person("bob", *RIGHTS)
    assignment.claim(registration, user=bob)
    actions.edit(registration, {}, actor="bob", notes="Call after five.")
    assert Registration.objects.get(pk=registration.pk).revision == 1
    assert save(ann, registration, page, label="Better label").status_code == 302
    saved = Registration.objects.get(pk=registration.pk)
    assert (saved.label, saved.owner, saved.notes) == ("Better label", bob, "Call after five.")


def test_a_checkbox_changed_by_a_colleague_stays_changed(ann, registration):
    page = opened(registration)
    actions.edit(registration, {"campaign": {"has_embedded_links": True}}, actor="bob")
    assert save(ann, registration, page, city="Salem").status_code == 302
    assert now(registration)["has_embedded_links"] is True
    page = opened(registration)
    assert page["has_embedded_links"] == "True"
    actions.edit(registration, {"campaign": {"has_embedded_links": False}}, actor="bob")
    assert save(ann, registration, page | {"has_embedded_links": "on"}, city="Lynn").status_code == 302
    assert (now(registration)["has_embedded_links"], now(registration)["city"]) == (False, "Lynn")


def test_the_same_input_shows_mine_theirs_and_the_original_and_saves_nothing(ann, registration):
    page = opened(registration)
    actions.edit(registration, {"profile": {"city": "Lowell", "street": "9 New St"}}, actor="bob")
    answer = save(ann, registration, page, city="Salem", last_name="Poe")
    assert answer.status_code == 409
    assert conflicts(answer) == {"City": ("Salem", "Lowell", "Boston")}
    text = answer.content.decode()
    assert "Bob changed the same fields" in text
    assert "Street" in answer.context["merge"].note
    assert 'value="Salem"' in text
    assert 'value="Poe"' in text
    assert (now(registration)["city"], now(registration)["last_name"]) == ("Lowell", "Lee")


def again(answer, **typed) -> dict[str, str]:
    """The page of a conflict as the browser posts it, with choices."""
    form = answer.context["form"]
    data = {
        name: str(form[name].value()) for name in form.fields if form[name].value() not in (None, False, "")
    }
    merge = answer.context["merge"]
    hidden = {f"was-{c.name}": c.original_value for c in merge.conflicts if c.original_value is not None}
    return (
        data
        | hidden
        | {
            "conflict": [c.name for c in merge.conflicts],
            "base": answer.context["base"],
            "_save": "1",
        }
        | typed
    )


@pytest.mark.parametrize(("choice", "city"), [("mine", "Salem"), ("theirs", "Lowell")])
def test_the_choice_is_saved_with_everything_else(ann, registration, choice, city):
    page = opened(registration)
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    answer = save(ann, registration, page, city="Salem", last_name="Poe")
    assert ann.post(url(registration), again(answer, **{"merge-city": choice})).status_code == 302
    assert (now(registration)["city"], now(registration)["last_name"]) == (city, "Poe")


@pytest.mark.parametrize("choice", [{}, {"merge-city": "both"}])
def test_without_a_choice_nothing_is_saved_and_it_is_asked_again(ann, registration, choice):
    page = opened(registration)
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    answer = save(ann, registration, page, city="Salem")
    answer = ann.post(url(registration), again(answer, **choice))
    assert answer.status_code == 409
    assert conflicts(answer) == {"City": ("Salem", "Lowell", "Boston")}
    assert "Bob changed the same fields" in answer.content.decode()
    assert now(registration)["city"] == "Lowell"


def test_a_third_edit_while_choosing_is_asked_about_again(ann, registration):
    page = opened(registration)
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    answer = save(ann, registration, page, city="Salem")
    actions.edit(registration, {"profile": {"city": "Lynn"}}, actor="cid")
    for choice in ("mine", "theirs"):
        asked = ann.post(url(registration), again(answer, **{"merge-city": choice}))
        assert asked.status_code == 409
        assert conflicts(asked)["City"][:2] == ("Salem", "Lynn")
    assert now(registration)["city"] == "Lynn"


def test_the_same_new_value_on_both_sides_is_no_conflict(ann, registration):
    page = opened(registration)
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    assert save(ann, registration, page, city="Lowell").status_code == 302


def test_checkboxes_and_choices_are_shown_as_labels(ann, registration):
    bob = person("bob", *RIGHTS)
    page = opened(registration)
    actions.edit(registration, {"campaign": {"age_gated": True}}, actor="bob", owner=bob)
    carol = person("carol", *RIGHTS)
    answer = save(ann, registration, page, owner=str(carol.pk))
    assert conflicts(answer)["Owner"] == ("carol", "bob", "Nobody yet")


def test_line_ends_of_browsers_are_no_edit(ann, registration):
    text = "First line of what this campaign sends to its clients.\nSecond line of the same text."
    actions.edit(registration, {"campaign": {"description": text}}, actor="bob")
    page = opened(registration)
    actions.edit(registration, {"campaign": {"description": text + " And more."}}, actor="bob")
    assert save(ann, registration, page, description=text.replace("\n", "\r\n")).status_code == 302
    assert now(registration)["description"].endswith("And more.")


@pytest.mark.parametrize("base", ["", "{", "[]", '{"values": 3}', '{"values": {}, "event": "x"}', "null"])
def test_an_unreadable_base_asks_about_every_difference(ann, registration, base):
    page = opened(registration) | {"base": base}
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    answer = save(ann, registration, page, last_name="Poe")
    assert answer.status_code == 409
    assert set(conflicts(answer)) == {"City", "Last name"}
    assert {original for _, _, original in conflicts(answer).values()} == {None}
    assert (now(registration)["city"], now(registration)["last_name"]) == ("Lowell", "Lee")


def test_submitting_with_a_colleagues_changes_shows_the_plan_first(ann, registration):
    page = opened(registration) | {"_submit": "1", "fee": "100"}
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="bob")
    answer = save(ann, registration, page, last_name="Poe")
    assert answer.headers["Location"] == url(registration, "confirm/submit")
    assert not Registration.objects.get(pk=registration.pk).was_submitted


def test_the_base_is_what_the_page_shows(ann, registration):
    shown = ann.get(url(registration))
    base = json.loads(shown.context["base"])
    assert base["values"]["city"] == "Boston"
    assert base["values"]["message_sample_5"] == ""
    assert base["event"] == registration.events.first().pk
    assert ann.get("/admin/registrations/registration/add/").status_code == 403

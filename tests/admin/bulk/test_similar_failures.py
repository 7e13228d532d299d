"""The pages of similar failures: groups, one group, the preview, and what becomes a batch."""

import html
import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations.admin.bulk.similar_failures import group_url, key_of, query
from registrations.models import Batch, OpenProblem, Registration
from registrations.models.choices import ItemState
from registrations.operations import actions, bulk, similar_failures
from registrations.operations.similar_failures import Key
from registrations.workflow.runner import runner
from tests.admin.conftest import browser, page_url, person, state
from tests.operations.test_similar_failures import BETTER, FLOW, refused

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/openproblem/"


@pytest.fixture
def lead(db):
    return browser(person("lead", "view_registration", "change_registration", "bulk_registration"))


@pytest.fixture
def registrations(db) -> list[Registration]:
    return [refused(f"Registration {n}") for n in range(3)]


@pytest.fixture
def key(registrations) -> Key:
    return similar_failures.groups()[0].key


def post(client, act: str, key: Key, registrations, **data):
    values = [value if isinstance(value, str) else value.pk for value in registrations]
    return client.post(f"{LIST}{act}/?{query(key)}", {"registration": values, **data})


def text(response) -> str:
    return response.content.decode()


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def plain(page: str) -> str:
    """What a reader sees of the page's text."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_list_names_reason_count_input_and_text(viewer, registrations):
    refused("Alone", flow="Something that is quite different from what the others have written here.")
    page = plain(text(viewer.get(LIST)))
    assert "30909" in page
    assert FLOW[:60] in page
    assert "How people opt in" in page
    assert "Something that is quite" not in page
    by_reason = text(viewer.get(LIST, {"by": "reason"}))
    assert re.search(r"<strong>4</strong>.*30909", by_reason, re.S)


def test_nothing_fails(viewer):
    assert "No similar failures" in text(viewer.get(LIST))
    assert "No failures" in text(viewer.get(LIST, {"by": "reason"}))


def test_the_navigation_leads_there(viewer):
    assert f'href="{LIST}"' in text(viewer.get("/admin/registrations/registration/"))


def test_one_group(lead, viewer, registrations, key):
    page = text(lead.get(group_url(key)))
    assert FLOW in page
    assert all(registration.label in page for registration in registrations)
    assert page.count('name="registration"') == 3
    shown = text(viewer.get(group_url(key)))
    assert "Registration 1" in shown
    assert 'name="registration"' not in shown
    assert 'name="text"' not in shown


def test_a_group_that_is_fixed_leads_back(lead, key):
    OpenProblem.objects.all().delete()
    response = lead.get(group_url(key))
    assert response.headers["Location"] == LIST
    assert "No registration fails for this reason" in said(response)


@pytest.mark.parametrize(
    "values", [{}, {"code": "1"}, {"part": "x", "code": "abc"}, {"part": "x", "code": "²"}]
)
def test_an_address_that_names_no_group(lead, values):
    assert lead.get(f"{LIST}group/", values).status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        Key("campaign", 30909, "A title", "message_flow", "abc"),
        Key("campaign", 30909, "A title", "message_flow", ""),
        Key("brand", None, "Ünïcode & more", "", None),
    ],
)
def test_a_key_survives_its_address(rf, key):
    assert key_of(rf.get(group_url(key)).GET.dict()) == key


class TestPreview:
    def test_shows_each_difference_and_saves_nothing(self, lead, registrations, key):
        before = [state(registration) for registration in registrations]
        page = text(post(lead, "preview", key, registrations[:2], text=FLOW.replace("by hand", "by form")))
        assert page.count("<del>hand</del><ins>form</ins>") == 2
        assert f'value="{registrations[0].pk}:{registrations[0].revision}"' in page
        assert "Registration 2" not in page
        assert [state(registration) for registration in registrations] == before
        assert not Batch.objects.exists()

    def test_a_brand_name_for_each(self, lead):
        refused("A", brand="Ann's Nails"), refused("B", brand="Bo's Tiles")
        key = similar_failures.groups()[0].key
        page = plain(text(post(lead, "preview", key, key.registrations(), text=f"{{brand}}: {BETTER}")))
        assert "Ann ' s Nails" in page or "Ann's Nails" in page
        assert "Bo's Tiles" in page

    def test_what_the_form_refuses_stays_as_it_is(self, lead, registrations, key):
        page = text(post(lead, "preview", key, registrations, text="Too short."))
        assert "Nothing will change" in page
        assert "Will not change" in page
        assert "at least" in page

    def test_words_that_are_not_there(self, lead, registrations):
        key = similar_failures.groups(1, alike=False)[0].key
        page = text(post(lead, "preview", key, registrations, find="bananas", text="apples"))
        assert "The text does not contain these words." in page

    def test_some_words_of_different_texts(self, lead, registrations):
        other = refused(
            "Other", flow="At the desk clients join by telling us so; we write it down in a book."
        )
        key = similar_failures.groups(1, alike=False)[0].key
        page = text(
            post(lead, "preview", key, [*registrations, other], find="telling us so", text="ticking a box")
        )
        assert page.count("<ins>") >= 4
        assert "Other" in page

    def test_nothing_chosen_or_written_keeps_what_was_typed(self, lead, registrations, key):
        response = post(lead, "preview", key, [], text="What I typed")
        assert response.status_code == 422
        assert "Select at least one customer." in text(response)
        assert "What I typed" in text(response)
        assert "Enter the new text." in text(post(lead, "preview", key, registrations, text="  "))

    def test_a_reason_without_a_text_cannot_be_previewed(self, lead, registrations):
        OpenProblem.objects.update(field="has_embedded_links", input_digest="")
        key = similar_failures.groups()[0].key
        page = text(lead.get(group_url(key)))
        assert 'name="text"' not in page
        assert "Resubmit unchanged" in page
        assert post(lead, "preview", key, registrations, text="x").status_code == 404
        assert post(lead, "apply", key, registrations, text="x").status_code == 404


class TestApply:
    def test_those_left_ticked_make_a_batch(self, lead, registrations, key):
        shown = [f"{registration.pk}:{registration.revision}" for registration in registrations[:2]]
        response = post(lead, "apply", key, shown, text=BETTER)
        batch = Batch.objects.get()
        assert response.headers["Location"] == f"/admin/registrations/batch/{batch.pk}/"
        assert batch.params["revisions"] == {
            str(registration.pk): registration.revision for registration in registrations[:2]
        }
        bulk.advance(batch.pk)
        page = text(lead.get(response.headers["Location"]))
        assert "Edit and resubmit · 2 registrations · up to $30.00" in page
        lead.post(f"{response.headers['Location']}confirm/", {"fee": "30.00"})
        bulk.advance(batch.pk)
        assert set(batch.items.values_list("state", flat=True)) == {ItemState.DONE}
        assert runner.load(registrations[0].pk).campaign.message_flow == BETTER
        assert runner.load(registrations[2].pk).campaign.message_flow == FLOW

    def test_a_stranger_to_the_group_is_left_out(self, lead, registrations, key):
        other = refused("Other", code=30908)
        response = post(lead, "apply", key, [f"{other.pk}:{other.revision}"], text=BETTER)
        assert response.headers["Location"] == group_url(key)
        assert not Batch.objects.exists()

    def test_edited_meanwhile(self, lead, registrations, key):
        shown = [f"{registration.pk}:{registration.revision}" for registration in registrations]
        actions.edit(registrations[0], {"profile": {"city": "Salem"}}, actor="bo")
        post(lead, "apply", key, shown, text=BETTER)
        batch = Batch.objects.get()
        bulk.advance(batch.pk)
        assert batch.items.get(registration=registrations[0]).text == "It was edited since the preview."

    def test_resubmit_as_they_are(self, lead, registrations, key):
        post(lead, "resubmit", key, registrations[:2])
        batch = Batch.objects.get()
        assert (batch.kind, batch.total) == ("resubmit", 2)

    def test_line_breaks_as_browsers_send_them(self, lead, registrations, key):
        post(lead, "apply", key, [f"{registrations[0].pk}:1"], text=f"{BETTER}\r\nSecond line.\r\n")
        assert Batch.objects.get().params["text"] == f"{BETTER}\nSecond line."


@pytest.mark.parametrize("act", ["preview", "apply", "resubmit"])
def test_acts_are_posts_with_the_right(lead, agent, viewer, nobody, registrations, key, act):
    assert lead.get(f"{LIST}{act}/?{query(key)}").status_code == 405
    for client in (agent, viewer, nobody):
        assert post(client, act, key, registrations, text=BETTER).status_code == 403
    assert not Batch.objects.exists()


def test_reading_needs_the_right(nobody, key):
    assert nobody.get(LIST).status_code == 403
    assert nobody.get(group_url(key)).status_code == 403


def test_a_row_of_the_table_leads_to_its_registration(viewer, registrations):
    row = OpenProblem.objects.first()
    for page in ("change", "history"):
        assert viewer.get(f"{LIST}{row.pk}/{page}/").headers["Location"] == page_url(row.registration)
    assert viewer.get(f"{LIST}99999/change/").status_code == 404
    assert viewer.post(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("page", ["list", "reason", "group"])
def test_queries_do_not_grow(lead, registrations, key, page):
    url = {"list": LIST, "reason": f"{LIST}?by=reason", "group": group_url(key)}[page]
    lead.get(url)
    with CaptureQueriesContext(connection) as few:
        lead.get(url)
    for n in range(4):
        refused(f"More {n}")
    with CaptureQueriesContext(connection) as many:
        lead.get(url)
    assert len(many) == len(few) <= 14

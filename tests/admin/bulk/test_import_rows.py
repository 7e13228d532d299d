"""The rows of an import as a person meets them: those with errors first, mending, confirming, cancelling."""

import pytest

from registrations.intake.form import CSV_COLUMNS
from registrations.models import Import, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations.imports import importer
from registrations.operations.imports.validation import Outcome
from tests.admin.bulk.imports import confirm, imported, ready, said, upload, url
from tests.admin.conftest import browser
from tests.admin.conftest import person as user_with
from tests.operations.imports.test_uploads import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued_imports")]
HX = {"HX-Request": "true"}


@pytest.fixture
def adder(db):
    """May enter customers, and nothing else."""
    return browser(user_with("adder", "view_registration", "add_registration"))


# --- the preview ------------------------------------------------------------------------------------------------------
def test_bad_rows_come_first_with_messages_under_their_cells(agent):
    found = ready(agent, person(1), person(2, email="nobody", region="ZZ"))
    page = agent.get(url("page", found.pk))
    assert page.context["selected_list"] == "error"
    (row,) = page.context["rows"]
    assert [cell.name for cell in row.cells_with_errors] == ["email", "region"]
    assert 'value="nobody"' in page.text
    assert 'aria-describedby="r3-email-errors"' in page.text
    assert [(tab["label"], tab["count"]) for tab in page.context["tabs"]][:2] == [
        ("Needs fixing", 1),
        ("New", 1),
    ]
    assert "Import 1 row" in page.text


def test_the_page_costs_the_same_for_many_rows(agent, django_assert_max_num_queries):
    few = ready(agent, *map(person, range(2)))
    with django_assert_max_num_queries(40) as seen:
        agent.get(url("page", few.pk) + "?show=create")
    base = len(seen)
    many = ready(agent, *map(person, range(10, 70)))
    with django_assert_max_num_queries(base):
        page = agent.get(url("page", many.pk) + "?show=create")
    assert len(page.context["rows"]) == 50
    assert len(agent.get(url("page", many.pk) + "?show=create&p=2").context["rows"]) == 10


@pytest.mark.parametrize("query", ["?show=nonsense", "?p=x", "?show=create&p=999", "?show=same"])
def test_odd_addresses_show_the_page(agent, query):
    found = ready(agent, person(1))
    assert agent.get(url("page", found.pk) + query).status_code == 200


def test_a_duplicate_leads_to_its_registration(agent):
    imported(agent, ready(agent, person(1)))
    found = ready(agent, person(2, email="ann1@example.com"))
    page = agent.get(url("page", found.pk))
    assert Registration.objects.get().get_absolute_url() in page.text
    assert "Import anyway" in page.text
    assert "No row can be imported yet." in page.text
    assert 'id="import-confirm"' not in page.text


def test_an_update_says_what_it_changes(agent, boss):
    imported(agent, ready(agent, person(1)))
    page = agent.get(url("page", ready(agent, person(1, city="Salem", email="new@example.com")).pk))
    assert "Changes Email, City." in page.text
    page = agent.get(url("page", ready(boss, person(1), submit="on").pk))
    assert "No changes; the registration will be submitted." in page.text
    assert Registration.objects.get().get_absolute_url() in page.text


# --- mending ----------------------------------------------------------------------------------------------------------
def test_a_cell_is_fixed_without_javascript(agent):
    found = ready(agent, person(1, email="nobody"))
    answer = agent.post(
        url("row", found.pk, 2), {"action": "fix", "cell-email": "a@example.org", "show": "error", "p": "1"}
    )
    assert answer.url == url("page", found.pk) + "?show=error&p=1#row-2"
    assert found.rows.get().outcome == Outcome.CREATE


def test_with_htmx_the_row_and_the_counts_come_back(agent):
    found = ready(agent, person(1, email="nobody", region="ZZ"))
    answer = agent.post(url("row", found.pk, 2), {"action": "fix", "cell-email": "a@example.org"}, headers=HX)
    assert "Enter a US state" in answer.text
    assert answer.text.lstrip().startswith('<li class="import-row" id="row-2">')
    answer = agent.post(url("row", found.pk, 2), {"action": "fix", "cell-region": "MA"}, headers=HX)
    assert 'id="live-head" hx-swap-oob' in answer.text
    assert "Import 1 row" in answer.text


def test_the_page_of_a_row_shows_every_cell_and_keeps_what_is_typed(agent):
    found = ready(agent, person(1, email="nobody"))
    page = agent.get(url("row", found.pk, 2) + "?show=error&p=1")
    assert page.text.count('name="cell-') == len(CSV_COLUMNS)
    answer = agent.post(
        url("row", found.pk, 2),
        {"action": "fix", "whole": "1", "cell-email": "still no", "cell-city": "Salem"},
    )
    assert answer.status_code == 422
    assert 'value="still no"' in answer.text
    assert 'value="Salem"' in answer.text


def test_rows_are_left_out_and_taken_back(agent):
    found = ready(agent, person(1))
    agent.post(url("row", found.pk, 2), {"action": "exclude"})
    assert found.rows.get().state == ItemState.SKIPPED
    agent.post(url("row", found.pk, 2), {"action": "include"})
    assert found.rows.get().state == ItemState.WILL


def test_a_row_that_is_under_way_is_not_changed(agent):
    found = ready(agent, person(1))
    Import.objects.update(state=JobState.RUNNING)
    answer = agent.post(url("row", found.pk, 2), {"action": "exclude"})
    assert "no longer waiting for you" in said(answer)
    assert found.rows.get().state == ItemState.WILL
    assert agent.post(url("row", found.pk, 77), {"action": "exclude"}).status_code == 404


def test_what_is_typed_is_shown_as_text(agent):
    found = ready(agent, person(1, email="<script>x</script>", brand_name="<b>Ann</b>"))
    text = agent.get(url("page", found.pk)).text
    assert "<script>x" not in text
    assert "<b>Ann" not in text


# --- confirm ----------------------------------------------------------------------------------------------------------
def test_the_good_rows_are_imported_once_confirmed(agent, enqueued_imports):
    found = ready(agent, person(1), person(2, email="x"))
    enqueued_imports.clear()
    assert confirm(agent, found).url == url("page", found.pk)
    confirm(agent, found)
    assert enqueued_imports == [found.pk]
    importer.advance(found.pk)
    page = agent.get(url("page", found.pk) + "?show=created")
    registration = Registration.objects.get()
    assert registration.get_absolute_url() in page.text
    assert "ann1@example.com" not in page.text


def test_a_confirm_of_something_else_than_was_seen_is_refused(agent):
    found = ready(agent, person(1), person(2))
    agent.post(url("row", found.pk, 2), {"action": "exclude"})
    answer = agent.post(url("confirm", found.pk), {"good": "2", "fee": "0.00"})
    assert "have changed" in said(answer)
    found.refresh_from_db()
    assert found.state == JobState.READY


def test_with_nothing_good_there_is_nothing_to_confirm(agent):
    found = ready(agent, person(1, email="x"))
    assert "No row can be imported yet" in said(
        agent.post(url("confirm", found.pk), {"good": "0", "fee": "0.00"})
    )


def test_submitting_shows_the_price_of_all(boss):
    found = ready(boss, person(1), person(2), person(3, email="x"), submit="on")
    page = boss.get(url("page", found.pk))
    assert f"{page.context['fee']:.2f}" == "39.00"
    assert "Import and submit 2 rows · up to $39.00" in page.text
    assert "have changed" in said(boss.post(url("confirm", found.pk), {"good": "2", "fee": "0.00"}))
    imported(boss, found)
    assert [registration.is_submitted for registration in Registration.objects.all()] == [True, True]


def test_who_may_not_act_on_many_cannot_submit_them(adder, boss):
    assert 'name="submit"' not in adder.get(url("add")).text
    assert ready(adder, person(1), submit="on").submit is False
    found = ready(boss, person(2), submit="on")
    assert adder.post(url("confirm", found.pk)).status_code == 403
    assert "someone else must confirm" in adder.get(url("page", found.pk)).text


def test_cancel_and_go_on(agent):
    upload(agent, person(1))
    found = Import.objects.get()
    agent.post(url("cancel", found.pk))
    page = agent.get(url("page", found.pk))
    assert "cancelled by agent" in page.text
    assert "Continue" in page.text
    agent.post(url("restart", found.pk))
    importer.advance(found.pk)
    found.refresh_from_db()
    assert found.state == JobState.READY


def test_somebody_elses_table_is_deleted_by_a_supervisor_alone(agent, boss):
    found = ready(boss, person(1))
    assert "Delete this import" not in agent.get(url("page", found.pk)).text
    assert agent.post(url("delete", found.pk)).status_code == 403
    assert Import.objects.exists()
    assert "Delete this import" in boss.get(url("page", found.pk)).text


def test_deleting(agent):
    found = ready(agent, person(1))
    assert agent.post(url("delete", found.pk)).url == url("changelist")
    assert not Import.objects.exists()
    upload(agent, person(1))
    assert "Cancel it first" in said(agent.post(url("delete", Import.objects.get().pk)))

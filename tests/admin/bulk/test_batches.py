"""Bulk acts in the lists and the page of a batch: who may, what it shows, what it takes to start it."""

import csv
import io

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from registrations.models import Batch, BatchItem, Registration
from registrations.models.choices import ItemState, JobState, Stage
from registrations.operations import actions, bulk
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
BATCHES = "/admin/registrations/batch/"


@pytest.fixture
def lead(db):
    """May act on many."""
    return browser(person("lead", "view_registration", "change_registration", "bulk_registration"))


def act(client, slug: str, registrations, where: str = LIST, all_of_them: bool = False, **more):
    chosen = {
        "_selected_action": [registration.pk for registration in registrations],
        "select_across": "1" if all_of_them else "0",
    }
    return client.post(where, {"action": f"bulk_{slug}", "index": "0", **chosen, **more})


def started(client, slug: str, registrations, **more) -> Batch:
    """A batch with its dry run done."""
    response = act(client, slug, registrations, **more)
    batch = Batch.objects.latest("pk")
    assert response.headers["Location"] == url(batch)
    bulk.advance(batch.pk)
    batch.refresh_from_db()
    return batch


def url(batch: Batch, page: str = "") -> str:
    return f"{BATCHES}{batch.pk}/{page}"


def text(response) -> str:
    return response.content.decode()


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def registrations(db) -> list[Registration]:
    return [make_registration(label=f"Registration {n}") for n in range(3)]


class TestLists:
    def test_the_menu_shows_what_this_person_may(self, lead, agent, viewer, registrations):
        page = text(lead.get(LIST))
        for row in bulk.ACTIONS.values():
            assert (f'value="bulk_{row.slug}"' in page) == row.in_lists
        for client in (agent, viewer):
            page = text(client.get(LIST))
            assert 'value="bulk_' not in page
            assert 'value="export_csv"' in page

    def test_the_chosen_make_a_batch(self, lead, registrations):
        batch = started(lead, "hold", registrations[:2])
        assert {item.registration for item in batch.items.all()} == set(registrations[:2])
        assert (batch.kind, batch.actor, batch.state) == ("hold", "lead", JobState.READY)

    def test_all_that_match_without_a_script_and_without_a_row(self, lead, registrations):
        """The box stands behind Django's hidden "0"."""
        live = make_registration(Stage.LIVE, label="Live")
        page = text(lead.get(f"{LIST}?stage__exact=draft"))
        assert 'name="select_across" value="1"> All 3 that match' in page
        posted = {"action": "bulk_hold", "index": "0", "select_across": ["0", "1"]}
        lead.post(f"{LIST}?stage__exact=draft", posted)
        batch = Batch.objects.get()
        bulk.advance(batch.pk)
        assert {item.registration for item in batch.items.all()} == set(registrations)
        assert live not in registrations
        response = lead.post(LIST, {**posted, "select_across": "0"})
        assert "Items must be selected" in said(response)

    def test_all_that_match_the_filter_and_nothing_else(self, lead, registrations):
        live = [make_registration(Stage.LIVE, label=f"Live {n}") for n in range(2)]
        batch = started(lead, "refresh", live[:1], where=f"{LIST}?stage__exact=live", all_of_them=True)
        assert {item.registration for item in batch.items.all()} == set(live)
        assert batch.query == ""  # a search may be a name or a number, and a batch is kept

    def test_all_that_match_a_search(self, lead, registrations):
        make_registration(label="Someone else")
        batch = started(lead, "hold", registrations[:1], where=f"{LIST}?q=Registration", all_of_them=True)
        assert {item.registration for item in batch.items.all()} == set(registrations)

    @pytest.mark.parametrize("name", ["brand", "campaign", "phonenumber"])
    def test_lists_of_what_is_at_twilio(self, boss, name):
        live = [make_registration(Stage.LIVE, label=f"Live {n}") for n in range(2)]
        resource = getattr(live[1], {"phonenumber": "phone_number"}.get(name, name))
        batch = started(boss, "refresh", [resource], where=f"/admin/registrations/{name}/")
        assert [item.registration for item in batch.items.all()] == [live[1]]

    def test_nothing_chosen(self, lead, registrations):
        act(lead, "hold", [])
        assert not Batch.objects.exists()

    def test_not_without_the_right(self, agent, viewer, registrations):
        for client in (agent, viewer):
            act(client, "hold", registrations)
        assert not Batch.objects.exists()

    def test_too_many_are_said(self, lead, registrations, monkeypatch):
        monkeypatch.setattr("registrations.operations.bulk.runner.MAX_REGISTRATIONS", 2)
        response = act(lead, "hold", registrations)
        assert "At most 2 registrations at once" in said(response)

    def test_the_chosen_as_a_file(self, viewer, registrations):
        live = make_registration(Stage.LIVE, label="Live")
        chosen = {
            "_selected_action": [registrations[0].pk, registrations[2].pk],
            "index": "0",
            "select_across": "0",
        }
        body = b"".join(viewer.post(LIST, {"action": "export_csv", **chosen}).streaming_content).decode(
            "utf-8-sig"
        )
        rows = list(csv.DictReader(io.StringIO(body, newline="")))
        assert [row["label"] for row in rows] == ["Registration 2", "Registration 0"]
        brands = browser(person("brands", "view_registration", "view_brand"))
        response = brands.post(
            "/admin/registrations/brand/",
            {
                "action": "export_xlsx",
                "_selected_action": [live.brand.pk],
                "index": "0",
                "select_across": "0",
            },
        )
        sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
        assert (sheet.max_row, sheet["C2"].value) == (2, "Live")

    def test_a_workbook_has_its_limit(self, viewer, registrations, monkeypatch):
        monkeypatch.setattr("registrations.admin.changelist.exports.MAX_XLSX_ROWS", 2)
        chosen = {
            "_selected_action": [registration.pk for registration in registrations],
            "index": "0",
            "select_across": "0",
        }
        assert "up to 2 rows" in said(viewer.post(LIST, {"action": "export_xlsx", **chosen}))

    def test_not_by_get(self, lead, registrations):
        lead.get(LIST, {"action": "bulk_hold", "_selected_action": registrations[0].pk, "index": "0"})
        assert not Batch.objects.exists()


class TestPage:
    def test_while_it_is_prepared(self, lead, registrations):
        act(lead, "submit", registrations)
        batch = Batch.objects.get()
        page = text(lead.get(url(batch)))
        assert "Submit: 3 registrations" in page
        assert "0 of 3 checked" in page
        assert 'id="batch-confirm"' not in page
        assert 'id="batch-cancel"' in page

    def test_the_dry_run_names_fee_pace_and_reasons(self, lead, registrations):
        actions.hold(registrations[0], reason="x", actor="ann")
        batch = started(lead, "submit", registrations)
        page = text(lead.get(url(batch)))
        assert "Submit · 2 registrations · up to $39.00" in page
        assert "May cost in total" in page
        assert page.count('data-label="May cost"') == 3, "each row has its fee, or a dash"
        assert "It is on hold. Release it first." in page
        assert "one brand or campaign registration per second" in page
        assert "Registration 2" in page
        assert not Registration.objects.filter(submitted_revision__gt=0).exists()

    def test_confirm_needs_the_fee_that_was_shown(self, lead, registrations):
        batch = started(lead, "submit", registrations)
        for fee in ("", "0.00", "nonsense"):
            response = lead.post(url(batch, "confirm/"), {"fee": fee})
            assert "The cost has changed" in said(response)
        assert lead.post(url(batch, "confirm/"), {"fee": "58.50"}).headers["Location"] == url(batch)
        batch.refresh_from_db()
        assert batch.state == JobState.RUNNING
        bulk.advance(batch.pk)
        page = text(lead.get(url(batch)))
        assert "3 of 3 finished" in page
        assert "Current stages" in page
        assert "Charged so far" in page

    def test_hold_asks_for_a_reason(self, lead, registrations):
        batch = started(lead, "hold", registrations)
        response = lead.post(url(batch, "confirm/"), {"fee": "0.00", "reason": "  "})
        assert response.status_code == 422
        assert "This field is required" in text(response)
        lead.post(url(batch, "confirm/"), {"fee": "0.00", "reason": "Waits for the logo."})
        bulk.advance(batch.pk)
        registrations[0].refresh_from_db()
        assert registrations[0].hold_reason == "Waits for the logo."

    def test_assign_offers_staff_alone(self, lead, registrations, django_user_model):
        colleague = person("colleague")
        outsider = django_user_model.objects.create_user("outsider", is_staff=False)
        batch = started(lead, "assign", registrations)
        assert "colleague" in text(lead.get(url(batch)))
        for owner in (outsider.pk, ""):
            assert lead.post(url(batch, "confirm/"), {"fee": "0.00", "owner": owner}).status_code == 422
        lead.post(url(batch, "confirm/"), {"fee": "0.00", "owner": colleague.pk})
        bulk.advance(batch.pk)
        assert set(Registration.objects.values_list("owner", flat=True)) == {colleague.pk}
        batch = started(lead, "assign", registrations)
        lead.post(url(batch, "confirm/"), {"fee": "0.00", "owner": "nobody"})
        bulk.advance(batch.pk)
        assert set(Registration.objects.values_list("owner", flat=True)) == {None}

    def test_nothing_to_do_has_no_confirm(self, lead):
        batch = started(lead, "submit", [make_registration(Stage.LIVE)])
        page = text(lead.get(url(batch)))
        assert "Nothing to run" in page
        assert 'id="batch-confirm"' not in page

    def test_cancel_and_start_again(self, lead, registrations):
        batch = started(lead, "hold", registrations)
        lead.post(url(batch, "cancel/"))
        page = text(lead.get(url(batch)))
        assert "cancelled by lead" in page
        assert 'id="batch-restart"' in page
        assert "cancelled now" in said(lead.post(url(batch, "confirm/"), {"fee": "0.00", "reason": "x"}))
        lead.post(url(batch, "restart/"))
        batch.refresh_from_db()
        assert batch.state == JobState.PREPARING

    @pytest.mark.parametrize("page", ["confirm/", "cancel/", "restart/"])
    def test_writes_are_posts_with_the_right(self, lead, agent, viewer, nobody, registrations, page):
        batch = started(lead, "hold", registrations)
        assert lead.get(url(batch, page)).status_code == 405
        for client in (agent, viewer, nobody):
            assert client.post(url(batch, page), {"reason": "x", "fee": "0.00"}).status_code == 403
        batch.refresh_from_db()
        assert batch.state == JobState.READY

    @pytest.mark.parametrize("page", ["", "refresh/", "report.csv", "report.xlsx"])
    def test_reading_needs_the_right(self, lead, viewer, registrations, page):
        batch = started(lead, "hold", registrations)
        assert lead.get(url(batch, page)).status_code == 200
        assert viewer.get(url(batch, page)).status_code == 403
        assert lead.get(f"{BATCHES}9999/{page}").status_code == 404

    @pytest.mark.parametrize("page", ["", "refresh/", "report.csv", "report.xlsx"])
    def test_who_may_look_looks_and_does_nothing(self, lead, registrations, page):
        looker = browser(person("looker", "view_registration", "view_batch"))
        batch = started(lead, "hold", registrations)
        assert looker.get(BATCHES).status_code == 200
        assert looker.get(url(batch, page)).status_code == 200
        assert 'id="batch-confirm"' not in text(looker.get(url(batch)))
        for verb in ("confirm/", "cancel/", "restart/"):
            assert looker.post(url(batch, verb), {"reason": "x", "fee": "0.00"}).status_code == 403
        assert Batch.objects.get().state == JobState.READY

    def test_one_who_may_act_on_many_but_not_change(self, lead, registrations):
        reader = browser(person("reader", "view_registration", "bulk_registration"))
        batch = started(lead, "hold", registrations)
        assert 'id="batch-confirm"' not in text(reader.get(url(batch)))
        assert reader.post(url(batch, "confirm/"), {"fee": "0.00", "reason": "x"}).status_code == 403
        assert 'value="bulk_' not in text(reader.get(LIST))

    def test_live_sends_only_what_changed(self, lead, registrations):
        batch = started(lead, "hold", registrations)
        page = lead.get(url(batch))
        versions = {region.name: region.version for region in page.context["regions"]}
        assert lead.get(url(batch, "refresh/"), versions).status_code == 204
        bulk.cancel(batch, user=lead_user())
        changed = text(lead.get(url(batch, "refresh/"), versions))
        assert 'id="live-head"' in changed
        assert 'id="live-rows"' not in changed
        assert f'hx-get="{url(batch, "refresh/")}?p=1"' in changed

    def test_rows_by_outcome(self, lead, registrations):
        actions.hold(registrations[0], reason="x", actor="ann")
        batch = started(lead, "submit", registrations)
        rows = text(lead.get(url(batch), {"show": "skipped"})).split('id="rows"')[1]
        assert "Registration 0" in rows
        assert "Registration 1" not in rows
        assert "Registration 1" in text(lead.get(url(batch), {"show": "nonsense"})).split('id="rows"')[1]

    def test_queries_do_not_grow_with_the_rows(self, lead, registrations):
        few = started(lead, "submit", registrations[:1])
        many = started(
            lead, "submit", [*registrations, *(make_registration(label=f"More {n}") for n in range(9))]
        )
        lead.get(url(few))
        with CaptureQueriesContext(connection) as first:
            lead.get(url(few))
        with CaptureQueriesContext(connection) as second:
            lead.get(url(many))
        assert len(second) == len(first) <= 16


def lead_user():
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(username="lead")


class TestReport:
    @pytest.fixture
    def batch(self, lead, registrations):
        Registration.objects.filter(pk=registrations[0].pk).update(label="=1+1", external_id="crm-1")
        actions.hold(registrations[1], reason="x", actor="ann")
        batch = started(lead, "submit", registrations)
        lead.post(url(batch, "confirm/"), {"fee": "39.00"})
        bulk.advance(batch.pk)
        return batch

    def test_csv(self, lead, batch):
        response = lead.get(url(batch, "report.csv"))
        assert response.headers["Content-Disposition"] == f'attachment; filename="bulk-{batch.pk}-submit.csv"'
        body = b"".join(response.streaming_content).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(body, newline="")))
        assert [(row["label"], row["outcome"], row["what"], row["fee_usd"]) for row in rows] == [
            ("'=1+1", "Done", "Submitted.", "19.50"),
            ("Registration 1", "Skipped", "It is on hold. Release it first.", ""),
            ("Registration 2", "Done", "Submitted.", "19.50"),
        ]
        assert rows[0]["external_id"] == "crm-1"
        assert rows[0]["stage"] == "Profile"
        assert rows[0]["at"].endswith("+00:00")

    def test_xlsx(self, lead, batch):
        response = lead.get(url(batch, "report.xlsx"))
        sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
        assert sheet.max_row == 4
        assert sheet["D2"].value == "Done"

    def test_a_workbook_has_its_limit(self, lead, batch, monkeypatch):
        monkeypatch.setattr("registrations.admin.changelist.exports.MAX_XLSX_ROWS", 2)
        response = lead.get(url(batch, "report.xlsx"))
        assert response.headers["Location"] == url(batch)
        assert "Use CSV" in said(response)

    def test_no_other_form(self, lead, batch):
        assert lead.get(url(batch, "report.pdf")).status_code == 404


class TestList:
    def test_shows_what_was_done(self, lead, viewer, registrations):
        batch = started(lead, "hold", registrations)
        page = text(lead.get(BATCHES))
        assert f'href="{url(batch)}"' in page
        assert "Ready to confirm" in page
        assert 'href="/admin/registrations/batch/"' in page
        assert viewer.get(BATCHES).status_code == 403
        assert lead.get(f"{BATCHES}{batch.pk}/change/").headers["Location"] == url(batch)
        assert lead.get(f"{BATCHES}{batch.pk}/history/").headers["Location"] == url(batch)

    def test_an_act_of_another_release_is_still_shown(self, lead, registrations):
        batch = Batch.objects.create(kind="gone", actor="ann", state=JobState.DONE, total=1)
        BatchItem.objects.create(
            batch=batch, registration=registrations[0], state=ItemState.DONE, text="Done."
        )
        assert "gone" in text(lead.get(BATCHES))
        assert "Registration 0" in text(lead.get(url(batch)))
        assert lead.post(url(batch, "restart/")).status_code == 403

    def test_queries_do_not_grow(self, lead, registrations):
        started(lead, "hold", registrations)
        lead.get(BATCHES)
        with CaptureQueriesContext(connection) as few:
            lead.get(BATCHES)
        for _ in range(4):
            started(lead, "hold", registrations)
        with CaptureQueriesContext(connection) as many:
            lead.get(BATCHES)
        assert len(many) == len(few) <= 10

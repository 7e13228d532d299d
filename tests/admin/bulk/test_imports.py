"""Imports as a person meets them: who may, upload, the page while a worker reads, files, the list."""

import csv
import io

import openpyxl
import pytest

from registrations.models import Import
from registrations.models.choices import JobState
from registrations.operations.imports import importer, reader
from registrations.operations.imports.validation import Outcome
from tests.admin.bulk.imports import imported, ready, upload, url
from tests.operations.imports.files import csv_bytes
from tests.operations.imports.test_uploads import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued_imports")]


# --- who may --------------------------------------------------------------------------------------------------------
PAGES = ("changelist", "add", "page", "refresh", "row", "file", "template", "change")


def address(name: str, found: Import) -> str:
    args = {
        "page": (found.pk,),
        "refresh": (found.pk,),
        "row": (found.pk, 2),
        "file": (found.pk, "needs-fixing", "csv"),
        "template": ("csv",),
        "change": (found.pk,),
    }
    return url(name, *args.get(name, ()))


@pytest.mark.parametrize("name", PAGES)
def test_imports_are_for_people_who_may_add(name, agent, viewer, nobody):
    found = ready(agent, person(1))
    assert agent.get(address(name, found)).status_code in (200, 302)
    for other in (viewer, nobody):
        assert other.get(address(name, found)).status_code == 403


@pytest.mark.parametrize("act", ["confirm", "cancel", "restart", "delete"])
def test_acts_are_posts_by_people_who_may(act, agent, viewer):
    found = ready(agent, person(1))
    assert agent.get(url(act, found.pk)).status_code == 405
    assert viewer.post(url(act, found.pk)).status_code == 403
    found.refresh_from_db()
    assert found.state == JobState.READY


def test_only_who_may_add_sees_them_in_the_navigation(agent, viewer):
    assert url("changelist") in agent.get("/admin/registrations/registration/").text
    assert url("changelist") not in viewer.get("/admin/registrations/registration/").text


@pytest.mark.parametrize("name", ["page", "refresh", "row", "file"])
def test_an_import_that_is_none_is_not_found(name, agent):
    assert agent.get(address(name, Import(pk=99))).status_code == 404


# --- upload -----------------------------------------------------------------------------------------------------------
def test_an_upload_is_checked_by_a_worker(agent, enqueued_imports):
    answer = upload(agent, person(1), person(2))
    found = Import.objects.get()
    assert answer.url == url("page", found.pk)
    assert (enqueued_imports, found.actor, found.submit) == ([found.pk], "agent", False)
    page = agent.get(answer.url)
    assert "Reading the file" in page.text
    assert "Cancel" in page.text
    importer._read(found)
    live = agent.get(url("refresh", found.pk), {"state": found.state})
    assert "0 of 2 rows checked" in live.text


def test_a_file_that_turns_out_unreadable_is_reported_and_stops_the_import(agent, monkeypatch):
    monkeypatch.setattr(importer, "MAX_ROWS", 1)
    upload(agent, person(1), person(2))
    found = Import.objects.get()
    importer.advance(found.pk)
    page = agent.get(url("page", found.pk))
    assert "There are more than 1 rows." in page.text
    for unfit in ("import-restart", "deleted after 30 days", "import-figures", "Reading"):
        assert unfit not in page.text
    assert agent.get(url("changelist")).status_code == 200


def test_an_import_that_was_cancelled_unread_can_be_gone_on_with(agent):
    upload(agent, person(1))
    found = Import.objects.get()
    agent.post(url("cancel", found.pk))
    assert "import-restart" in agent.get(url("page", found.pk)).text
    agent.post(url("restart", found.pk))
    importer.advance(found.pk)
    assert "Import 1 row" in agent.get(url("page", found.pk)).text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "The file is empty."),
        (b"name;town\nAnn;Boston\n", "Row 1 must have the names of the columns"),
        (csv_bytes(columns=["first_name", "lastnam"]), "did you mean last_name?"),
        (csv_bytes(), "There is no row below the header."),
        (b"PK\x03\x04broken", "cannot be read"),
        (b"\xd0\xcf\x11\xe0 old", "old or protected"),
    ],
)
def test_what_is_wrong_with_the_file_is_shown_at_the_input(agent, content, text):
    answer = upload(agent, content=content)
    assert answer.status_code == 422
    assert text in str(answer.context["form"].errors["file"])
    assert not Import.objects.exists()


def test_no_file_and_too_large_a_file(agent, monkeypatch):
    assert agent.post(url("add")).context["form"].errors["file"] == ["Choose a file."]
    monkeypatch.setattr(reader, "MAX_BYTES", 1 << 20)
    answer = upload(agent, content=b"x" * (3 << 20))
    assert "The file has 3 MB. The limit is 1 MB" in str(answer.context["form"].errors["file"])


def test_a_workbook_is_taken_too(agent):
    book = openpyxl.Workbook()
    for line in csv.reader(io.StringIO(csv_bytes(person(1)).decode())):
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    found = ready(agent, content=file.getvalue(), name="customers.xlsx")
    assert found.rows.get().outcome == Outcome.CREATE


def test_the_name_of_the_file_cannot_carry_markup(agent):
    found = ready(agent, person(1), name="<img src=x>.csv")
    for page in (url("page", found.pk), url("changelist")):
        text = agent.get(page).text
        assert "<img src=x>" not in text
        assert "&lt;img src=x&gt;" in text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_templates(agent, kind):
    answer = agent.get(url("template", kind))
    content = b"".join(answer.streaming_content)
    assert f"customers.{kind}" in answer["Content-Disposition"]
    if kind == "csv":
        assert content.decode("utf-8-sig").startswith("first_name,last_name,email")
        assert content.count(b"\n") == 1
    else:
        assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames == ["Customers", "Help"]
    assert agent.get(url("template", "pdf")).status_code == 404


# --- live ---------------------------------------------------------------------------------------------------
def test_live_sends_what_changed_and_reloads_in_another_state(agent):
    upload(agent, person(1))
    found = Import.objects.get()
    page = agent.get(url("page", found.pk))
    known = {region.name: region.version for region in page.context["regions"]}
    live = url("refresh", found.pk)
    assert agent.get(live, {"state": "preparing", **known}).status_code == 204
    assert 'id="live-head"' in agent.get(live, {"state": "preparing", **known, "head": "old"}).text
    importer.advance(found.pk)
    assert agent.get(live, {"state": "preparing", **known})["HX-Refresh"] == "true"


# --- files --------------------------------------------------------------------------------------------------
def test_the_bad_rows_come_back_as_a_file_that_can_be_uploaded_again(agent):
    found = imported(agent, ready(agent, person(1), person(2, email="x", street="=HYPERLINK(1)")))
    answer = agent.get(url("file", found.pk, "needs-fixing", "csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["errors"].startswith("email: ")
    assert line["street"] == "'=HYPERLINK(1)"
    assert f"import-{found.pk}-needs-fixing.csv" in answer["Content-Disposition"]
    again = ready(agent, content=text.encode())
    assert again.rows.get().cells["street"] == "=HYPERLINK(1)"
    assert set(again.rows.get().errors) == {"email", "street"}


def test_the_same_as_a_workbook(agent):
    found = ready(agent, person(1), person(2, email="x"))
    answer = agent.get(url("file", found.pk, "needs-fixing", "xlsx"))
    content = b"".join(answer.streaming_content)
    again = ready(agent, content=content)
    assert again.rows.get().cells["mobile_phone_number"] == "+14155552002"


@pytest.mark.parametrize(("which", "kind"), [("all", "csv"), ("needs-fixing", "pdf")])
def test_other_files_are_not_found(agent, which, kind):
    found = ready(agent, person(1))
    assert agent.get(url("file", found.pk, which, kind)).status_code == 404


def test_the_list(agent):
    ready(agent, person(1), person(2))
    text = agent.get(url("changelist")).text
    for part in ("customers.csv", "Ready to confirm", "agent", "Import customers"):
        assert part in text


def test_the_list_says_of_a_table_without_a_good_row_what_its_page_says(agent):
    found = ready(agent, person(1) | {"email": "no-address"})
    for page in (url("changelist"), url("page", found.pk)):
        text = agent.get(page).text
        assert "Needs fixing" in text
        assert "Ready to confirm</span>" not in text

"""A table of 500 customers in the browser: what is bad stands at its cells, one is mended, the rest comes back."""

import csv
import re

import pytest
from playwright.sync_api import expect

from registrations.admin.changelist import live_regions
from registrations.models import Import, Registration
from registrations.models.choices import JobState
from registrations.operations.imports import importer
from tests.operations.imports.files import csv_bytes
from tests.operations.imports.test_uploads import person

pytestmark = pytest.mark.browser
PATIENCE = 90_000
ROWS, BAD = 500, 20


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(live_regions, "POLL_BUSY_SECONDS", 1)
    monkeypatch.setattr(live_regions, "POLL_IDLE_SECONDS", 1)


def customers(folder):
    rows = [person(n) for n in range(ROWS)]
    for n in range(0, ROWS, ROWS // BAD):
        rows[n] |= {"email": f"nobody{n}"} if n % 2 else {"region": "ZZ", "email": f"nobody{n}"}
    path = folder / "customers.csv"
    path.write_bytes(csv_bytes(*rows))
    return path


def test_five_hundred_rows_with_twenty_bad_ones(app, quick, worker, tmp_path):
    page = app.page
    page.goto("/admin/registrations/import/")
    app.link("Import customers").click()
    app.field("File").set_input_files(customers(tmp_path))
    app.button("Upload and check").dblclick()

    # Checked while one looks on: the page comes to the outcome by itself.
    expect(page.get_by_role("heading", level=1)).to_have_text("customers.csv")
    confirm = page.locator("#import-confirm")
    expect(confirm).to_have_text(f"Import {ROWS - BAD} rows", timeout=PATIENCE)
    assert not Registration.objects.exists()
    rows = page.locator(".import-row")
    expect(rows).to_have_count(BAD)
    for row in rows.all():
        said = row.get_by_role("textbox", name="Email")
        expect(said).to_have_accessible_description(re.compile("^This is not an email address"))

    # One cell mended in place; the document is never loaded again.
    page.evaluate("window.sameDocument = true")
    first = page.locator("#row-2")
    first.get_by_role("textbox", name="Email").fill("ann0@example.com")
    first.get_by_role("button", name="Save and check").click()
    expect(first.get_by_role("textbox", name="Email")).to_have_count(0)
    expect(first.get_by_role("textbox", name="State or province")).to_have_value("ZZ")
    first.get_by_role("textbox", name="State or province").fill("MA")
    first.get_by_role("button", name="Save and check").click()
    expect(first.locator(".chip")).to_have_text("New")
    expect(confirm).to_have_text(f"Import {ROWS - BAD + 1} rows")
    assert page.evaluate("window.sameDocument")

    confirm.dblclick()
    expect(page.locator("#live-head .chips")).to_contain_text("Done", timeout=PATIENCE)
    expect(page.locator("#live-head .figures")).to_contain_text(f"Created{ROWS - BAD + 1}")
    expect(page.locator("#live-head .figures")).to_contain_text(f"Needs fixing{BAD - 1}")

    with page.expect_download() as download:
        app.link("Rows to fix (CSV)").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        back = list(csv.DictReader(file))
    assert len(back) == BAD - 1
    assert all(line["errors"].startswith("email: ") for line in back)

    upload = Import.objects.get()
    assert upload.state == JobState.DONE
    assert Registration.objects.count() == ROWS - BAD + 1
    app.link(f"Created {ROWS - BAD + 1}").click()
    expect(rows).to_have_count(50)
    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann 0 Nails")


def test_without_scripts_a_cell_is_fixed_all_the_same(signed_in, tmp_path):
    app = signed_in(java_script_enabled=False)
    page = app.page
    page.goto("/admin/registrations/import/add/")
    path = tmp_path / "one.csv"
    path.write_bytes(csv_bytes(person(1, email="nobody"), person(2)))
    app.field("File").set_input_files(path)
    app.button("Upload and check").click()
    importer.advance(Import.objects.get().pk)
    page.reload()
    page.get_by_role("textbox", name="Email").fill("ann1@example.com")
    app.button("Save and check").click()
    expect(app.button("Import 2 rows")).to_be_visible()
    app.link("New 2").click()
    app.button("Leave out").first.click()
    app.button("Import 1 row").click()
    importer.advance(Import.objects.get().pk)
    page.reload()
    expect(page.locator("#live-head .chips")).to_contain_text("Done")
    assert Registration.objects.get().external_id == "C-2"

"""Lists as CSV and XLSX: what is in them, and that no cell is run as a formula."""

import csv
import io

import pytest
from openpyxl import load_workbook

from registrations.admin.changelist import display, exports
from registrations.models.choices import Stage
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
FAILED = {
    "campaign_status": "FAILED",
    "campaign_id": "C7LM2XY",
    "errors": [{"error_code": 30909, "description": "No."}],
}


def read_csv(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def read_xlsx(response) -> list[dict]:
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    header, *lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return [dict(zip(header, line, strict=True)) for line in lines]


@pytest.fixture
def live(db):
    return make_registration(Stage.LIVE, label="Corner Bakery", external_id="crm-77")


def test_csv_holds_the_list_as_it_is_filtered(boss, live, settings):
    settings.PUBLIC_BASE_URL = "https://desk.example.com"
    make_registration(label="A draft")
    response = boss.get(f"{LIST}export/csv/?stage__exact=live")
    assert response["Content-Disposition"].startswith('attachment; filename="registrations-')
    (row,) = read_csv(response)
    assert row["label"] == "Corner Bakery"
    assert row["external_id"] == "crm-77"
    assert row["stage"] == "Live"
    assert row["brand_sid"] == live.brand.sid
    assert row["brand_console"].startswith("https://console.twilio.com/")
    assert live.brand.sid in row["brand_console"]
    assert row["tcr_campaign_id"] == "C7LM2XY"
    assert row["page"] == f"https://desk.example.com/admin/registrations/registration/{live.pk}/detail/"


def test_the_reasons_are_listed(boss):
    make_registration(Stage.CAMPAIGN, answer=FAILED)
    (row,) = read_csv(boss.get(f"{LIST}export/csv/"))
    assert row["codes"] == "30909"
    assert row["problems"]


def test_search_narrows_the_file_too(boss, live):
    make_registration(label="Another")
    assert [row["label"] for row in read_csv(boss.get(f"{LIST}export/csv/?q=crm-77"))] == ["Corner Bakery"]


@pytest.mark.parametrize("name", ["brand", "campaign", "phonenumber"])
def test_lists_of_objects_export_their_registrations(boss, live, name):
    make_registration(label="A draft")
    assert [row["id"] for row in read_csv(boss.get(f"/admin/registrations/{name}/export/csv/"))] == [
        str(live.pk)
    ]


def test_xlsx_has_the_same_cells_and_real_links(boss, live):
    (row,) = read_xlsx(boss.get(f"{LIST}export/xlsx/"))
    assert row["label"] == "Corner Bakery"
    assert row["brand_console"] == f'=HYPERLINK("{display.console_url(live.brand.sid)}")'
    assert row["mobile"] == "+14155552672"


@pytest.mark.parametrize(
    "evil", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']
)
def test_no_cell_is_a_formula(boss, evil):
    make_registration(label=f"Label {evil}"[:20], external_id=evil)
    (row,) = read_csv(boss.get(f"{LIST}export/csv/"))
    assert row["external_id"] == f"'{evil}"
    book = load_workbook(io.BytesIO(b"".join(boss.get(f"{LIST}export/xlsx/").streaming_content)))
    formulas = [cell.value for line in book.active.iter_rows() for cell in line if cell.data_type == "f"]
    assert all(value.startswith('=HYPERLINK("https://console.twilio.com') for value in formulas)


def test_control_characters_do_not_break_the_workbook(boss):
    make_registration(label="Bell\x07 and break\x0b")
    (row,) = read_xlsx(boss.get(f"{LIST}export/xlsx/"))
    assert row["label"] == "Bell and break"


def test_too_many_for_a_workbook_is_said(boss, live, monkeypatch):
    monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 0)
    page = boss.get(f"{LIST}export/xlsx/", follow=True).content.decode()
    assert "A workbook can have up to 0 rows" in page


def test_queries_do_not_grow_with_the_registrations(boss, django_assert_max_num_queries):
    for _ in range(6):
        make_registration(Stage.CAMPAIGN, answer=FAILED)
    with django_assert_max_num_queries(16):
        assert len(read_csv(boss.get(f"{LIST}export/csv/"))) == 6


def test_only_for_who_may_see_the_list(nobody, viewer, live):
    assert nobody.get(f"{LIST}export/csv/").status_code == 403
    assert len(read_csv(viewer.get(f"{LIST}export/csv/"))) == 1


def test_a_wrong_filter_leads_back_to_the_list(boss):
    response = boss.get(f"{LIST}export/csv/?stage__exact__x=1")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{LIST}?e=1"

"""Tables for people: nothing is lost, and nothing becomes a formula."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from registrations.core.spreadsheets import Link, csv_lines, unguarded, workbook

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ROWS = [
    ("name", "phone", "n", "fee", "at", "none"),
    ('Ann "A" Lee, Zoë', "+14155552671", 3, Decimal("4.50"), AT, None),
    ("=HYPERLINK(1)", "@x", -1, Decimal("-1"), AT, None),
    ("-1+1", "\tx", 0, Decimal(0), AT, None),
]


def read_csv(rows) -> list[list[str]]:
    text = "".join(csv_lines(rows))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_csv():
    assert read_csv(ROWS) == [
        ["name", "phone", "n", "fee", "at", "none"],
        ['Ann "A" Lee, Zoë', "'+14155552671", "3", "4.50", "2026-03-04T05:06:07+00:00", ""],
        ["'=HYPERLINK(1)", "'@x", "-1", "-1", "2026-03-04T05:06:07+00:00", ""],
        ["'-1+1", "'\tx", "0", "0", "2026-03-04T05:06:07+00:00", ""],
    ]


def test_workbook():
    with workbook(ROWS, "A title that is longer than a sheet's name may be") as file:
        sheet = load_workbook(file).active
    assert sheet.freeze_panes == "A2"
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[1] == ['Ann "A" Lee, Zoë', "+14155552671", 3, 4.5, AT.replace(tzinfo=None), None]
    assert rows[2][:2] == ["'=HYPERLINK(1)", "'@x"]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "plain", "'quoted"])
def test_import_removes_the_guard(text):
    assert unguarded(read_csv([(text,)])[0][0]) == text


def test_characters_a_workbook_cannot_hold_are_removed():
    with workbook([("a\x00b\x0bc", "x" * 40_000)], "t") as file:
        cells = [cell.value for cell in next(load_workbook(file).active.iter_rows())]
    assert cells[0] == "abc"
    assert len(cells[1]) == 32_767


def test_only_our_own_addresses_are_links():
    ours, theirs = Link("https://a2p.example.com/1"), "https://evil.example.com"
    with workbook([(ours, theirs, Link(""), Link("/admin/"), Link('https://x/")&cmd("'))], "t") as file:
        cells = [cell.value for cell in next(load_workbook(file).active.iter_rows())]
    assert cells == [
        '=HYPERLINK("https://a2p.example.com/1")',
        theirs,
        None,
        "/admin/",
        'https://x/")&cmd("',
    ]
    assert read_csv([(ours, theirs)]) == [[ours, theirs]]

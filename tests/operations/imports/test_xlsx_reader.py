"""XLSX files: cells as a person would type them, and harmful archives refused."""

import io
import re
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.xml.constants import SHEET_MAIN_NS

from registrations.intake.form import CSV_COLUMNS, RegistrationForm
from registrations.operations.imports import FileProblem, read_rows, template, xlsx_archive, xlsx_reader
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_file


def book_of(
    *rows: dict[str, object], columns=CSV_COLUMNS, formats: dict[str, str] | None = None
) -> io.BytesIO:
    """A workbook with one line per row; each row is VALID with the given changes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(columns))
    for row in rows:
        values = {**VALID, **row}
        sheet.append([values.get(name) or None for name in columns])
        for name, shown in (formats or {}).items():
            sheet.cell(sheet.max_row, columns.index(name) + 1).number_format = shown
    return saved(book)


def saved(book: openpyxl.Workbook) -> io.BytesIO:
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def read(file: io.BytesIO) -> list[dict[str, str]]:
    return [row.cells for row in read_rows(file)]


def test_a_workbook_reads_as_the_same_table_in_csv_does():
    rows = (
        {},
        {"city": "Montréal", "message_flow": "One line.\nAnother line, with https://annlee.example.com"},
    )
    assert read(book_of(*rows)) == read(csv_file(*rows))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("mobile_phone_number", 14155550124, "14155550124"),
        ("mobile_phone_number", 4155550124.0, "4155550124"),
        ("postal_code", 2139, "02139"),
        ("postal_code", 2139.0, "02139"),
        ("postal_code", 21391234, "021391234"),
        ("postal_code", "K1A 0B1", "K1A 0B1"),
        ("area_code", 415, "415"),
        ("age_gated", True, "yes"),
        ("external_id", 42, "42"),
        ("external_id", 4.5, "4.5"),
        ("external_id", date(2026, 1, 31), "2026-01-31"),
        ("external_id", datetime(2026, 1, 31, 12, 30), "2026-01-31"),
        ("sender_number", "'+14155550199", "+14155550199"),
    ],
)
def test_values_converted_by_a_spreadsheet_are_restored(column, value, text):
    (cells,) = read(book_of({column: value}))
    assert cells[column] == text


def test_a_number_shown_with_leading_zeros_keeps_them():
    (cells,) = read(book_of({"external_id": 42}, formats={"external_id": "00000"}))
    assert cells["external_id"] == "00042"


def test_row_numbers_are_the_spreadsheets_and_empty_rows_are_skipped():
    book = openpyxl.load_workbook(book_of({}, {}))
    book.active.insert_rows(3, amount=2)
    assert [row.number for row in read_rows(saved(book))] == [2, 5]


def test_only_the_first_visible_sheet_is_read():
    book = openpyxl.load_workbook(book_of({}))
    hidden = book.create_sheet("Old", 0)
    hidden.sheet_state = "hidden"
    hidden.append(["nothing", "of", "ours"])
    book.create_sheet("More").append(["first_name"])
    assert len(read(saved(book))) == 1


def test_a_cell_next_to_the_table_is_reported_at_its_row():
    book = openpyxl.load_workbook(book_of({}, {}))
    book.active.cell(3, len(CSV_COLUMNS) + 1).value = "call first"
    good, odd = read_rows(saved(book))
    assert not good.problem
    assert "right of the last named column" in odd.problem


def test_the_header_is_checked_as_in_csv():
    with pytest.raises(FileProblem, match="missing column email"):
        read_rows(book_of({}, columns=[name for name in CSV_COLUMNS if name != "email"]))


def test_our_own_errors_column_is_ignored():
    (cells,) = read(book_of({"errors": "email: odd"}, columns=[*CSV_COLUMNS, "errors"]))
    assert "errors" not in cells


@pytest.mark.parametrize("content", [b"PK\x03\x04 and so on", b"PK\x05\x06" + b"\0" * 18])
def test_files_that_are_not_workbooks_are_refused(content):
    with pytest.raises(FileProblem, match="workbook"):
        read_rows(io.BytesIO(content))


def repacked(file: io.BytesIO, **parts: bytes) -> io.BytesIO:
    """The same archive with parts replaced or added; a key's __ stands for a slash."""
    new = io.BytesIO()
    named = {name.replace("__", "/"): content for name, content in parts.items()}
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in old.infolist():
            if part.filename.removesuffix(".xml") not in named:
                archive.writestr(part.filename, old.read(part))
        for name, content in named.items():
            archive.writestr(f"{name}.xml", content)
    new.seek(0)
    return new


def test_an_archive_that_unpacks_to_too_much_is_not_read(monkeypatch):
    bomb = repacked(book_of({}), xl__worksheets__sheet9=b"0" * (4 << 20))
    assert len(bomb.getvalue()) < 40_000
    monkeypatch.setattr(xlsx_archive, "MAX_UNPACKED", 3 << 20)
    with pytest.raises(FileProblem, match="too large"):
        read_rows(bomb)


def test_small_parts_have_a_limit_of_their_own():
    bomb = repacked(book_of({}), xl__styles=b" " * (xlsx_archive.MAX_OTHER_PART + 1))
    with pytest.raises(FileProblem, match="too large"):
        read_rows(bomb)


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/hostname">',
    ],
)
@pytest.mark.parametrize("part", ["xl__workbook", "xl__styles", "xl__worksheets__sheet1"])
def test_entities_are_refused(entity, part):
    book = book_of({})
    path = part.replace("__", "/") + ".xml"
    with zipfile.ZipFile(book) as archive:
        content = archive.read(path).decode()
    book.seek(0)
    start = content.index("?>") + 2 if content.startswith("<?xml") else 0
    declared = f"{content[:start]}<!DOCTYPE x [{entity}]>{content[start:]}"
    declared = declared.replace("Ann Lee Nails", "&b;")
    with pytest.raises(FileProblem, match="cannot be read"):
        read_rows(repacked(book, **{part: declared.encode()}))


def test_reading_ends_after_many_empty_rows(monkeypatch):
    monkeypatch.setattr(xlsx_reader, "MAX_EMPTY_ROWS", 5)
    book = openpyxl.load_workbook(book_of({}))
    book.active.cell(500, 1).value = "far below"
    assert [row.number for row in read_rows(saved(book))] == [2]


@pytest.mark.parametrize("size", ["", '<dimension ref="A1"/>'])
def test_a_sheet_without_or_with_a_wrong_size_is_read_whole(size):
    file = book_of({}, {})
    with zipfile.ZipFile(file) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    changed = re.sub("<dimension [^>]*/>", size, text)
    assert changed != text
    file.seek(0)
    assert len(read(repacked(file, xl__worksheets__sheet1=changed.encode()))) == 2


def with_sheet(rows: str, texts: str | None = None) -> io.BytesIO:
    """The workbook of one row with other XML in its sheet below the header."""
    file = book_of({})
    with zipfile.ZipFile(file) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    file.seek(0)
    parts = {"xl__worksheets__sheet1": sheet.replace("</sheetData>", f"{rows}</sheetData>").encode()}
    if texts is not None:
        parts["xl__sharedStrings"] = f'<sst xmlns="{SHEET_MAIN_NS}">{texts}</sst>'.encode()
    return repacked(file, **parts)


def shared(*items: str) -> io.BytesIO:
    """A second row whose first cells are these shared texts."""
    cells = "".join(f'<c r="{chr(65 + n)}3" t="s"><v>{n}</v></c>' for n in range(len(items)))
    return with_sheet(f'<row r="3">{cells}</row>', "".join(items))


def test_shared_texts_are_read_as_a_person_sees_them():
    def item(text: str) -> str:
        return f"<si><t>{text}</t></si>"

    formatted = (
        "<si><r><t xml:space='preserve'>Ann </t></r><r><rPr><b/></rPr><t>Lee</t></r>"
        "<rPh sb='0' eb='1'><t>x</t></rPh></si>"
    )
    items = (formatted, *map(item, ("two", "", "a_x005F_b")), "<si/>", item("1_x000D_\n2 _x005F_x000D_"))
    cells = read(shared(*items))[1]
    found = [cells[name] for name in CSV_COLUMNS[: len(items)]]
    assert found == ["Ann Lee", "two", "", "a_b", "", "1\r\n2 _x000D_"]
    with pytest.raises(FileProblem, match="cannot be read"):
        read_rows(shared(item("one"), "<broken>"))
    with pytest.raises(FileProblem, match="cannot be read"):
        read_rows(with_sheet('<row r="3"><c r="A3" t="s"><v>1</v></c></row>', item("one")))


def test_a_shared_text_longer_than_a_cell_can_be_is_refused():
    text = "x" * xlsx_archive.MAX_SHARED_TEXT
    with pytest.raises(FileProblem, match="more text than"):
        read_rows(shared(f"<si><t>{text}</t></si>"))


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#SPILL!"])
def test_error_values_are_kept_as_text_for_the_form_to_refuse(error):
    file = with_sheet(f'<row r="3"><c r="A3" t="e"><v>{error}</v></c></row>')
    assert read(file)[1][CSV_COLUMNS[0]] == error


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "row 1048576 and out to column XFD"),
        ("<row r='1048576'><c r = 'AA1048576'><v>1</v></c></row>", "row 1048576 and out to column A"),
        ('<row r="3">' + "<c><v>1</v></c>" * 1001 + "</row>", "row 3 and out to column ALM"),
        ('<row r="4"><c r="AMA4" a=">"><v>1</v></c></row>', "row 4 and out to column AMA"),
    ],
)
def test_cells_far_from_the_table_are_refused_before_they_take_memory(rows, place):
    with pytest.raises(FileProblem, match=place):
        read_rows(with_sheet(rows))


def test_cells_far_from_the_table_that_are_only_formatted_do_not_count():
    far = '<row r="1048575" s="1"/><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert len(read(with_sheet(far))) == 1


def test_the_size_declared_in_the_archive_is_all_that_is_read():
    """An archive that declares less than it unpacks to is damaged, however the reader counts."""
    content = bytearray(book_of({}).getvalue())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    size = part.file_size.to_bytes(4, "little")
    assert content.count(size) >= 1
    with pytest.raises(FileProblem, match="cannot be read"):
        read_rows(io.BytesIO(bytes(content).replace(size, (100).to_bytes(4, "little"))))


def test_the_template_can_be_filled_in_and_read():
    book = openpyxl.load_workbook(io.BytesIO(template.workbook().read()))
    assert book.sheetnames == ["Customers", "Help"]
    sheet = book["Customers"]
    assert tuple(cell.value for cell in sheet[1]) == CSV_COLUMNS
    sheet.append([VALID.get(name) for name in CSV_COLUMNS])
    (cells,) = read(saved(book))
    assert {name: cells[name] for name in VALID} == VALID


def test_the_help_sheet_describes_every_column():
    book = openpyxl.load_workbook(io.BytesIO(template.workbook().read()))
    columns = {line[0]: line for line in book["Help"].iter_rows(min_row=2, values_only=True)}
    assert tuple(columns) == CSV_COLUMNS
    assert columns["email"][2] == "yes"
    assert columns["vertical"][2] == "no"
    assert "RETAIL" in columns["vertical"][4]
    assert columns["description"][5] == "40 to 4096 characters"
    assert columns["sender_number"][6] == "+14155550199"


@pytest.mark.parametrize("column", template.columns(), ids=lambda column: column.name)
def test_the_examples_of_the_template_are_good_inputs(column):
    field = RegistrationForm.base_fields[column.name]
    assert not column.required or column.example
    if column.example:
        field.clean(column.example)

"""CSV files as spreadsheets write them."""

import io

import pytest

from registrations.intake.form import CSV_COLUMNS, REQUIRED_COLUMNS
from registrations.operations.imports import FileProblem, read_rows, reader
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_bytes, csv_file


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_delimiters(delimiter, encoding):
    rows = list(
        read_rows(csv_file({"city": "Montréal"}, {"city": "Boston"}, delimiter=delimiter, encoding=encoding))
    )
    assert [(row.number, row.cells["city"]) for row in rows] == [(2, "Montréal"), (3, "Boston")]
    assert set(rows[0].cells) == set(CSV_COLUMNS)


def test_row_numbers_are_the_spreadsheets():
    text = (
        csv_bytes({"message_flow": "line one\nline two\n\nline four"}, {}).decode().splitlines(keepends=True)
    )
    text.insert(1, "\r\n")  # an empty line is a row too
    text.append("," * (len(CSV_COLUMNS) - 1) + "\r\n")  # and so is one of empty cells
    text.append(text[-2])
    rows = list(read_rows(io.BytesIO("".join(text).encode())))
    assert [row.number for row in rows] == [3, 4, 6]
    assert rows[0].cells["message_flow"] == "line one\nline two\n\nline four"


def _with_hyphens(name: str) -> str:
    return {"email": "E-Mail"}.get(name, name.replace("_", "-"))


def test_header_is_checked_as_a_whole_before_any_row():
    columns = [name for name in CSV_COLUMNS if name not in ("email", "city")]
    content = csv_bytes({}, columns=[*columns, "phone", "first_name"])
    with pytest.raises(FileProblem) as problem:
        read_rows(io.BytesIO(content))
    message = str(problem.value)
    for part in (
        "missing column email",
        "missing column city",
        "unknown column phone",
        "first_name appears twice",
    ):
        assert part in message


@pytest.mark.parametrize(
    "write", [str.upper, lambda name: f" {name.replace('_', ' ').title()} ", _with_hyphens]
)
def test_however_the_header_is_written(write):
    header, line = csv_bytes({}).decode().splitlines()
    header = ",".join(map(write, header.split(",")))
    rows = list(read_rows(io.BytesIO(f"{header},,\r\n{line},,\r\n".encode())))
    assert rows[0].cells == VALID | {"area_code": ""}


@pytest.mark.parametrize(("above", "number"), [("\r\n", 3), ("sep=;\r\n", 3), (";;;\r\n\r\n", 4)])
def test_empty_lines_above_the_header_are_skipped(above, number):
    rows = list(read_rows(io.BytesIO(above.encode() + csv_bytes({}, delimiter=";"))))
    assert [(row.number, row.cells["first_name"]) for row in rows] == [(number, "Ann")]


def test_required_columns_are_those_of_the_form():
    assert {"first_name", "privacy_policy_url", "message_sample_2", "iso_country"} <= set(REQUIRED_COLUMNS)
    assert not {"vertical", "external_id", "message_sample_3", "has_embedded_links"} & set(REQUIRED_COLUMNS)
    rows = list(read_rows(csv_file({}, columns=REQUIRED_COLUMNS)))
    assert rows[0].cells == {name: VALID[name] for name in REQUIRED_COLUMNS}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0rest", "old or protected"),
        (b"first_name\0,last_name", "neither a text file"),
        (b"a;b;c\n1;2;3\n", "names of the columns"),
        (b"\n \n;;\n", "names of the columns"),
    ],
)
def test_files_that_are_not_tables_are_refused(content, message):
    with pytest.raises(FileProblem, match=message):
        read_rows(io.BytesIO(content))


def test_rows_of_the_wrong_width_are_named_and_the_rest_is_read():
    header, line = csv_bytes({}).decode().splitlines()
    rows = list(read_rows(io.BytesIO(f"{header}\n{line},more\n{line[:40]}\n{line}\n".encode())))
    assert [bool(row.problem) for row in rows] == [True, True, False]
    assert "Has 36 cells" in rows[0].problem or str(len(CSV_COLUMNS) + 1) in rows[0].problem


def test_an_open_quote_is_reported_at_its_row():
    header, line = csv_bytes({}).decode().splitlines()
    rows = list(read_rows(io.BytesIO(f'{header}\n{line}\n"{line}\n{line}\n'.encode())))
    assert [(row.number, bool(row.problem)) for row in rows] == [(2, False), (3, True)]


def test_bytes_of_no_known_encoding_are_refused_before_any_row():
    with pytest.raises(FileProblem, match="neither UTF-8 nor Windows-1252"):
        read_rows(io.BytesIO(csv_bytes(*[{}] * 200) + b"\x81\x8d\xff"))


@pytest.mark.parametrize("name", ["MUÑOZ", "Björk Ångström", "Nails®", "O’Brien", "José Peña"])
def test_windows_1252_is_not_mistaken_for_mac_roman(name):
    rows = list(read_rows(csv_file({"last_name": name}, encoding="cp1252")))
    assert rows[0].cells["last_name"] == name


def test_mac_roman_is_detected_by_names_that_would_look_wrong():
    row = {"first_name": "José", "last_name": "O’Brien", "brand_name": "José O’Brien Nails"}
    (row,) = read_rows(csv_file(row, encoding="mac_roman"))
    assert (row.cells["first_name"], row.cells["last_name"]) == ("José", "O’Brien")


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(reader, "MAX_BYTES", 1 << 20)
    with pytest.raises(FileProblem, match="the limit is 1 MB"):
        read_rows(csv_file(*[{}] * 2000))


def test_the_callers_file_stays_open():
    file = csv_file({})
    list(read_rows(file))
    assert not file.closed
    wrong = io.BytesIO(b"first_name,nonsense\n")
    with pytest.raises(FileProblem):
        read_rows(wrong)
    assert not wrong.closed

"""An XLSX workbook -> rows, cell by cell as text. Workbooks are archives from outside: sizes are checked first."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

from .tables import FileProblem, Row, check_header, row_of, tidy_header
from .xlsx_sheet import first_sheet

# Of the unpacked archive. 10,000 customers with long texts come to about 40 MB.
MAX_UNPACKED = 160 << 20
MAX_OTHER_PART = 8 << 20  # styles, relations and the like, which are read as a whole
MAX_PARTS = 500
MAX_COLUMNS = 100
# A sheet may claim a million rows that hold nothing.
MAX_EMPTY_ROWS = 2000
_LARGE = ("xl/worksheets/", "xl/sharedStrings", "xl/media/")
NOT_A_WORKBOOK = "This workbook cannot be read. Save it as .xlsx, or as “CSV UTF-8”, and try again."


def read_rows(file: BinaryIO) -> Iterator[Row]:
    """The first sheet's header is checked at once, its rows come lazily (see `reading.read_rows`).

    Numbers become text without a decimal point, dates 2025-01-31, true and false yes and no. A ZIP code that
    the spreadsheet took for a number gets its leading zeros back.
    """
    _check_archive(file)
    try:
        sheet = first_sheet(file)
        first = next(sheet.iter_rows(max_row=1, max_col=MAX_COLUMNS), ())
    except Exception as error:  # openpyxl raises whatever a damaged file leads it to
        raise FileProblem(NOT_A_WORKBOOK) from error
    header = tidy_header([_text(cell.value) for cell in first])
    check_header(header)
    # One column more, to notice what stands beside the table.
    return _records(sheet.iter_rows(min_row=2, max_col=len(header) + 1), header)


def _records(lines: Iterator[Any], header: list[str]) -> Iterator[Row]:
    number, empty = 1, 0
    while True:
        try:
            line = next(lines, None)
        except Exception as error:
            yield Row(
                number + 1, problem=f"Cannot be read ({type(error).__name__}); nothing after it was read."
            )
            return
        if line is None:
            return
        number += 1
        cells = [cell_text(cell, name) for cell, name in zip(line, [*header, ""], strict=False)]
        if any(cell.strip() for cell in cells):
            empty = 0
            yield _row(number, header, cells)
            continue
        empty += 1
        if empty > MAX_EMPTY_ROWS:
            return


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    if any(cell.strip() for cell in cells[len(header) :]):
        problem = "Has a cell to the right of the last named column. Name it, or empty it."
        return row_of(number, header, cells, problem)
    return row_of(number, header, cells + [""] * (len(header) - len(cells)))


def cell_text(cell: Any, column: str) -> str:
    """A cell of openpyxl as a person would type it into this column."""
    value = cell.value
    if type(value) is str:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _digits(_text(value), column, getattr(cell, "number_format", "") or "")
    return _text(value)


def _digits(text: str, column: str, number_format: str) -> str:
    """A number of a spreadsheet has lost its leading zeros; its format, or the column, tells how many."""
    if not text.isdigit():
        return text
    if re.fullmatch(r"0+", number_format):
        return text.zfill(len(number_format))
    if column == "postal_code":
        return text.zfill(5 if len(text) <= 5 else 9)
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return str(value)


def _check_archive(file: BinaryIO) -> None:
    """Refuse what unpacks to more than a table of customers can. Python reads no more than a part declares."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileProblem(NOT_A_WORKBOOK) from error
    finally:
        file.seek(0)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise FileProblem(
            "This is an archive, but no .xlsx workbook. Save the table as .xlsx or “CSV UTF-8”."
        )
    other = [part.file_size for part in parts if not part.filename.startswith(_LARGE)]
    if (
        len(parts) > MAX_PARTS
        or sum(part.file_size for part in parts) > MAX_UNPACKED
        or max(other, default=0) > MAX_OTHER_PART
    ):
        raise FileProblem(
            "This workbook is too large once unpacked. Leave only the sheet with the customers."
        )

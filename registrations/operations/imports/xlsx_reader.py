"""An .xlsx workbook -> rows, cell by cell as text."""

from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

from python_calamine import CalamineWorkbook

from .tables import FileProblem, Row, check_header, normalize_header, row_of
from .xlsx_archive import MAX_UNPACKED, NOT_A_WORKBOOK, checked_copy

# A sheet may have a million rows that are only formatted.
MAX_EMPTY_ROWS = 2000


def read_xlsx(file: BinaryIO) -> Iterator[Row]:
    """The header of the first visible sheet is checked at once, its rows come lazily.

    Numbers become text without a decimal point, dates 2025-01-31, true and false yes and no. A ZIP code that the
    spreadsheet took for a number gets its leading zeros back. Raises FileProblem.
    """
    copy, sheet = checked_copy(file)
    try:
        lines = CalamineWorkbook.from_filelike(copy).get_sheet_by_name(sheet).iter_rows()
    except Exception as error:  # a damaged file can lead to other errors than CalamineError
        raise FileProblem(NOT_A_WORKBOOK) from error
    header = normalize_header([cell_text(value) for value in next(lines, [])])
    check_header(header)
    return _records(lines, header)


def _records(lines: Iterator[list[Any]], header: list[str]) -> Iterator[Row]:
    empty = size = 0
    for number, line in enumerate(lines, start=2):
        # One column more, to notice what is next to the table.
        cells = [cell_text(value, name) for value, name in zip(line, [*header, ""], strict=False)]
        if not any(cell.strip() for cell in cells):
            empty += 1
            if empty > MAX_EMPTY_ROWS:
                return
            continue
        empty = 0
        size += sum(map(len, cells))
        if size > MAX_UNPACKED:
            raise FileProblem("This workbook is too large when unpacked. Split the table into several files.")
        yield _row(number, header, cells)


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    if any(cell.strip() for cell in cells[len(header) :]):
        problem = "Has a cell to the right of the last named column. Name that column, or empty the cell."
        return row_of(number, header, cells, problem)
    return row_of(number, header, cells + [""] * (len(header) - len(cells)))


def cell_text(value: Any, column: str = "") -> str:
    """A value of calamine as a person would type it into this column."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and column == "postal_code":
        return str(value).zfill(5 if value < 100_000 else 9)
    return str(value)

"""Tables for people: CSV and workbooks, written row by row, so that they can have any length.

A cell that a spreadsheet would run as a formula gets an apostrophe in front, which our import removes again.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Rows = Iterable[Sequence[Any]]
# Most characters of a workbook's cell, and of a text within a formula.
MAX_TEXT, MAX_LINK = 32_767, 255
_ADDRESS = re.compile(r"https?://[^\s\"]+")
# In a workbook a text cell stays text, so a plain number needs no guard there.
_NUMBER = re.compile(r"[+-]?\d+")


class Link(str):
    """The address of a page of our own, clickable in a workbook."""

    __slots__ = ()


class _Echo:
    """A file for csv.writer that returns each line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Rows) -> Iterator[str]:
    """One line a row, after a byte order mark, which tells spreadsheets that this is UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([_text(value) for value in row])


def workbook(rows: Rows, title: str) -> IO[bytes]:
    """An XLSX file, open for reading, with the first row frozen as the header; times are in UTC."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_cell(value) for value in row])
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    book.save(file)
    file.seek(0)
    return file


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return str(value) if isinstance(value, int | float | Decimal) else guarded(str(value))


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)  # a workbook has no time zones
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = str(value)
    if isinstance(value, Link) and len(text) <= MAX_LINK and _ADDRESS.fullmatch(text):
        return f'=HYPERLINK("{text}")'
    return ILLEGAL_CHARACTERS_RE.sub("", text if _NUMBER.fullmatch(text) else guarded(text))[:MAX_TEXT]


# A cell that begins like this is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """The text as a CSV cell that a spreadsheet shows and does not run.

    >>> guarded("=1+1"), guarded("+14155550123"), guarded("Ann")
    ("'=1+1", "'+14155550123", 'Ann')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def unguarded(text: str) -> str:
    """The reverse of `guarded`.

    >>> unguarded("'+14155550123"), unguarded("'t Hooft")
    ('+14155550123', "'t Hooft")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text

"""CSV text as spreadsheets write it -> rows."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import charset_normalizer

from registrations.intake.form import CSV_COLUMNS

from .tables import FileProblem, Row, check_header, normalize_header, row_of

DELIMITERS = ",;\t|"
_EMPTY = DELIMITERS + " \r\n"
_SEPARATOR = re.compile(r'"?sep=.?"?\s*$', re.IGNORECASE)
# "JosŽ": how a Mac's "José" looks in Windows-1252, an accented capital after a small letter.
_CAPITAL_INSIDE = re.compile(r"[a-z][À-ÖØ-ÞŠŒŽŸ]")


def read_csv(file: BinaryIO) -> Iterator[Row]:
    """The header is checked at once, the rows come lazily. Raises FileProblem.

    Text is UTF-8, UTF-16 with a byte order mark, Windows-1252, or Mac Roman; columns are separated by comma,
    semicolon, tab, or bar; quoted cells may contain line breaks. Empty lines above the header are skipped, and
    so is Excel's own line "sep=;".
    """
    # "replace": the rest is known to decode; only damaged UTF-16 still shows its marks.
    text = io.TextIOWrapper(file, encoding=_encoding(file), errors="replace", newline="")
    try:
        above, first = _first_line(text)
        delimiter = max(DELIMITERS, key=lambda mark: len(set(_split(first, mark)) & set(CSV_COLUMNS)))
        header = _split(first, delimiter)
        check_header(header)
        text.seek(0)
    except BaseException as error:
        text.detach()  # or the caller's file would be closed with the wrapper
        if isinstance(error, csv.Error):
            raise FileProblem(f"Row 1 cannot be read ({error}).") from error
        raise
    return _records(text, header, delimiter, above + 1)


def _first_line(text: io.TextIOWrapper) -> tuple[int, str]:
    """The number of empty lines above the header, and the header's line."""
    above = 0
    while (line := text.readline()) and (not line.strip(_EMPTY) or _SEPARATOR.match(line)):
        above += 1
    return above, line


def _records(text: io.TextIOWrapper, header: list[str], delimiter: str, header_at: int) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > header_at and any(cell.strip() for cell in cells):
                yield _row(number, header, cells)
    except csv.Error as error:
        problem = f"Cannot be read ({error}); nothing after it was read. Check its quotes."
        yield Row(number + 1, problem=problem)
    finally:
        text.detach()  # the file belongs to the caller


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    if extra or len(cells) < len(header):
        return row_of(
            number,
            header,
            cells,
            f"Has {len(cells)} cells, but the header has {len(header)}. "
            "Put text that contains the separator in quotes.",
        )
    return row_of(number, header, cells)


def _split(line: str, delimiter: str) -> list[str]:
    return normalize_header(next(csv.reader([line], delimiter=delimiter), []))


def _encoding(file: BinaryIO) -> str:
    """Decided on the whole file, so that no row fails to decode halfway through an import.

    UTF-8 proves itself. Windows-1252 and Mac Roman decode almost anything, and charset-normalizer alone confuses
    them in one of three files with a single accented name (docs/dependencies.md), so that Mac Roman also needs a
    name that would look wrong in Windows-1252.
    """
    content = file.read()
    file.seek(0)
    if not content:
        raise FileProblem("The file is empty.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in content:
        raise FileProblem("This is neither a text file nor an .xlsx workbook. Save the table as “CSV UTF-8”.")
    try:
        content.decode("utf-8")
        return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise FileProblem(
            f"This is neither UTF-8 nor Windows-1252 text (line {row}). Save the table as “CSV UTF-8”."
        ) from error
    if _CAPITAL_INSIDE.search(text):
        best = charset_normalizer.from_bytes(content, cp_isolation=["cp1252", "mac_roman"]).best()
        return best.encoding if best else "cp1252"
    return "cp1252"

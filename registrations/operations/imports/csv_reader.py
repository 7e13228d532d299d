"""A table as spreadsheets write it -> rows with spreadsheet row numbers. Streams; knows no model."""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from registrations.intake.form import CSV_COLUMNS

from . import xlsx_reader
from .tables import FileProblem, Row, check_header, row_of, tidy_header

DELIMITERS = ",;\t|"
_CHUNK = 1 << 16
_EMPTY = DELIMITERS + " \r\n"
_SEPARATOR = re.compile(r'"?sep=.?"?\s*$', re.IGNORECASE)
# How the files of old and of protected workbooks begin.
_OLE = b"\xd0\xcf\x11\xe0"


def read_rows(file: BinaryIO) -> Iterator[Row]:
    """Check the header at once (`FileProblem` names every wrong column), then yield the rows lazily.

    `file` is opened in binary mode and seekable: a workbook (.xlsx), or text. Text is UTF-8 with or without
    BOM, UTF-16 with BOM, else Windows-1252; columns apart by comma, semicolon, tab or bar; quoted cells may
    hold line breaks. Empty lines above the header are passed over, and Excel's own line "sep=;".
    """
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"PK"):
        return xlsx_reader.read_rows(file)
    if start == _OLE:
        raise FileProblem("This is an old or a protected workbook. Save it as .xlsx without a password.")
    return _read_text(file)


def _read_text(file: BinaryIO) -> Iterator[Row]:
    # "replace": _encoding has decoded it all before; only damaged UTF-16 is left to show its marks.
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
    """The header's line, and how many lines are above it that say nothing."""
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
    except (csv.Error, UnicodeDecodeError) as error:
        said = str(error) if isinstance(error, csv.Error) else "it is neither UTF-8 nor Windows-1252 text"
        yield Row(
            number + 1, problem=f"Cannot be read ({said}); nothing after it was read. Check its quotes."
        )
    finally:
        text.detach()  # the file belongs to the caller


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    if extra or len(cells) < len(header):
        return row_of(
            number,
            header,
            cells,
            f"Has {len(cells)} cells, the header has {len(header)}. "
            "A text with the separator in it must stand in quotes.",
        )
    return row_of(number, header, cells)


def _split(line: str, delimiter: str) -> list[str]:
    return tidy_header(next(csv.reader([line], delimiter=delimiter), []))


def _encoding(file: BinaryIO) -> str:
    """Decided over the whole file, so that no row fails to decode half way through an import."""
    start = file.read(4)
    file.seek(0)
    if not start:
        raise FileProblem("The file is empty.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    possible = {"utf-8-sig": True, "cp1252": True}
    decoders = {name: codecs.getincrementaldecoder(name)() for name in possible}
    for chunk in itertools.chain(_chunks(file), [b""]):
        if b"\0" in chunk:
            raise FileProblem(
                "This is not a text file, and no workbook (.xlsx). Save the table as “CSV UTF-8”."
            )
        for name, decoder in decoders.items():
            try:
                decoder.decode(chunk, not chunk)
            except UnicodeDecodeError:
                possible[name] = False
    file.seek(0)
    if not any(possible.values()):
        raise FileProblem("This is neither UTF-8 nor Windows-1252 text. Save the table as “CSV UTF-8”.")
    return "utf-8-sig" if possible["utf-8-sig"] else "cp1252"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk

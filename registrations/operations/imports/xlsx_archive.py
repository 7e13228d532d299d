"""An uploaded .xlsx archive, checked and reduced to the sheet that is imported, before a reader opens it.

The reader (calamine) allocates every cell up to the last one used, so two cells far apart would take gigabytes.
It reads the copy made here, whose parts have a known size, so it can't see anything that was not checked.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from openpyxl.utils import column_index_from_string, get_column_letter

from .tables import FileProblem

# Bytes of the unpacked archive. 10,000 customers with long texts take about 40 MB.
MAX_UNPACKED = 160 << 20
MAX_OTHER_PART = 8 << 20  # bytes of a part that is parsed as a whole: styles, relationships, and the like
MAX_PARTS = 500
# Rows times columns, up to the last cell used; calamine takes about 30 bytes for each.
MAX_CELLS = 5_000_000
MAX_COLUMNS = 1000
MAX_SHARED_TEXT = 256 << 10  # bytes of XML; a cell of Excel holds 32,767 characters
NOT_A_WORKBOOK = "This workbook cannot be read. Save it as .xlsx, or as “CSV UTF-8”, and try again."

_WORKBOOK, _RELATIONSHIPS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_SHARED_TEXTS = "xl/sharedStrings.xml"
_PARTS = ("_rels/.rels", _WORKBOOK, _RELATIONSHIPS, _STYLES, _SHARED_TEXTS)
_LARGE = ("xl/worksheets/", "xl/sharedstrings", "xl/media/")
# Any attribute that gives the position of a cell (B7) or row (7), whatever element it is in.
_POSITION = re.compile(rb"""r(?<=\sr)\s*=\s*["']\s*([A-Za-z]*)(\d+)""")
_ROW, _CELL, _SHARED_TEXT = (
    re.compile(rb"%b(?<=[<:]%b)[\s/>]" % (tag, tag)) for tag in (b"row", b"c", b"si")
)
_NO_CONTENT = re.compile(rb"<c\b[^<>]*/>"), re.compile(rb"<row\b[^<>]*(?:/>|>\s*</row>)")
_ERROR_TYPE = re.compile(rb"""(<(?:\w+:)?c\b[^<>]*\bt=["'])e(["'])""")
_STYLED_NUMBER = re.compile(rb"""<c\b(?![^<>]*\bt=["'][^n])([^<>]*\bs=["'](\d+)["'][^<>]*)><v>(\d+)</v>""")


def checked_copy(file: BinaryIO) -> tuple[BinaryIO, str]:
    """An archive with only the first visible sheet of `file`, and that sheet's name.

    What the reader would lose becomes text: error values (#N/A), and the zeros that a number format such as 00000
    puts in front. Raises FileProblem when the file is no workbook or too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            known = {part.filename.lower(): part for part in archive.infolist()}
            _check_sizes(archive.infolist())
            parts = {name: _read(archive, known[name.lower()]) for name in _PARTS if name.lower() in known}
            name, path = _first_sheet(parts[_WORKBOOK], parts[_RELATIONSHIPS])
            sheet = _read(archive, known[path.lower()])
        _check_shared_texts(parts.get(_SHARED_TEXTS, b""))
        parts[path] = _within_limits(_as_shown(sheet, _zero_formats(parts.get(_STYLES))))
    except FileProblem:
        raise
    except Exception as error:  # zipfile and XML raise many kinds for a damaged file
        raise FileProblem(NOT_A_WORKBOOK) from error
    finally:
        file.seek(0)
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    copy.seek(0)
    return copy, name


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """By what the archive declares; `_read` reads no more than that."""
    if not any(part.filename.lower() == _WORKBOOK for part in parts):
        raise FileProblem(
            "This is an archive but not an .xlsx workbook. Save the table as .xlsx or “CSV UTF-8”."
        )
    others = [part.file_size for part in parts if not part.filename.lower().startswith(_LARGE)]
    if (
        len(parts) > MAX_PARTS
        or sum(part.file_size for part in parts) > MAX_UNPACKED
        or max(others) > MAX_OTHER_PART
    ):
        raise FileProblem("This workbook is too large when unpacked. Keep only the sheet with the customers.")


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """Python reads no more than the declared size. Document types are refused: they can define entities."""
    content = archive.read(part)
    if b"<!DOCTYPE" in content or b"\0" in content:  # NUL: UTF-16, which could hide the other
        raise ValueError("a document type")
    return content


def _check_shared_texts(content: bytes) -> None:
    """Many cells can show one text, and each of them becomes a text of its own."""
    if max(map(len, _SHARED_TEXT.split(content))) > MAX_SHARED_TEXT:
        raise FileProblem("A cell of this workbook has more text than a spreadsheet allows. Shorten it.")


def _elements(content: bytes, *names: str) -> Iterator[Element]:
    """The elements with these names, in any namespace: Excel has two for the same format."""
    for element in fromstring(content, forbid_dtd=True).iter():
        if element.tag.rpartition("}")[2] in names:
            yield element


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), "")


def _first_sheet(workbook: bytes, relationships: bytes) -> tuple[str, str]:
    """Name and path of the first visible worksheet."""
    paths = {
        _attribute(found, "Id"): posixpath.normpath(posixpath.join("/xl", _attribute(found, "Target")))[1:]
        for found in _elements(relationships, "Relationship")
        if _attribute(found, "Type").endswith("/worksheet")
    }
    for sheet in _elements(workbook, "sheet"):
        path = paths.get(_attribute(sheet, "id"))
        if path and _attribute(sheet, "state") in ("", "visible"):
            return _attribute(sheet, "name"), path
    raise KeyError("no visible sheet")


def _zero_formats(styles: bytes | None) -> dict[int, int]:
    """{index of a cell style: digits} of the number formats that are nothing but zeros, such as 00000."""
    if styles is None:
        return {}
    digits = {
        _attribute(found, "numFmtId"): len(_attribute(found, "formatCode"))
        for found in _elements(styles, "numFmt")
        if re.fullmatch(r"0+", _attribute(found, "formatCode"))
    }
    cell_styles = next(_elements(styles, "cellXfs"), ())
    used = (digits.get(_attribute(style, "numFmtId")) for style in cell_styles)
    return {index: count for index, count in enumerate(used) if count}


def _as_shown(sheet: bytes, zero_formats: dict[int, int]) -> bytes:
    def padded(found: re.Match[bytes]) -> bytes:
        attributes, style, number = found.groups()
        text = number.zfill(zero_formats.get(int(style), 0))
        return (
            found[0]
            if text == number
            else b'<c%b t="str"><v>%b</v>' % (attributes.replace(b't="n"', b""), text)
        )

    if zero_formats:
        sheet = _STYLED_NUMBER.sub(padded, sheet)
    return _ERROR_TYPE.sub(rb"\1str\2", sheet)


def _within_limits(sheet: bytes) -> bytes:
    """The sheet, if need be without cells that are only formatted: some sheets have a million rows of them."""
    if _fits(*_size(sheet)):
        return sheet
    for pattern in _NO_CONTENT:
        sheet = pattern.sub(b"", sheet)
    rows, columns = _size(sheet)
    if not _fits(rows, columns):
        raise FileProblem(
            f"This sheet has cells down to row {rows} and out to column {get_column_letter(columns)}. "
            "Delete the rows and columns outside the table."
        )
    return sheet


def _fits(rows: int, columns: int) -> bool:
    return columns <= MAX_COLUMNS and rows * columns <= MAX_CELLS


def _size(sheet: bytes) -> tuple[int, int]:
    """Rows and columns up to the last cell, by the positions in the XML, or by counting where they are left out."""
    positions = _POSITION.findall(sheet)
    rows = _ROW.split(sheet)
    last_row = max((int(number) for _, number in positions), default=1)
    names = {name.decode() for name, _ in positions} - {""}
    last_column = max(map(column_index_from_string, names), default=1)  # ValueError past column ZZZ
    return max(last_row, len(rows) - 1), max(last_column, *(len(_CELL.findall(row)) for row in rows))

"""The first visible sheet of a workbook, opened without reading any of its rows.

openpyxl reads all texts of the workbook, and, when a sheet does not state its size, the whole sheet, before the
first row comes. A request that only wants to see the header must not wait for that.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from zipfile import ZipFile

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

_ITEM = f"{{{SHEET_MAIN_NS}}}si"
_PLAIN = f"{{{SHEET_MAIN_NS}}}t"


def first_sheet(file: BinaryIO) -> Any:
    """A `Sheet`. Raises whatever a damaged file leads openpyxl to; StopIteration when no sheet is visible."""
    reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    part = reader.package.find(SHARED_STRINGS)
    texts: Any = Texts(reader.archive, part.PartName[1:]) if part is not None else []
    return next(
        Sheet(reader.wb, sheet.name, rel.target, texts)
        for sheet, rel in reader.parser.find_sheets()
        if sheet.state == "visible" and rel.target in reader.valid_files and "chartsheet" not in rel.Type
    )


class Sheet(ReadOnlyWorksheet):
    """Takes every row that is there. The size that a sheet states may be wrong: some programs write A1."""

    def _get_size(self) -> None:
        pass


class Texts:
    """The texts that the cells of a workbook share, read as far as they are asked for."""

    def __init__(self, archive: ZipFile, part: str) -> None:
        self._known: list[str] = []
        self._more = self._read(archive, part)

    def __getitem__(self, index: int) -> str:
        while len(self._known) <= index:
            text = next(self._more, None)
            if text is None:
                raise IndexError(index)
            self._known.append(text)
        return self._known[index]

    @staticmethod
    def _read(archive: ZipFile, part: str) -> Iterator[str]:
        with archive.open(part) as source:
            for _, node in iterparse(source):
                if node.tag == _ITEM:
                    yield unescape(_text(node))  # "_x000D_": how Excel writes a pasted CR
                    node.clear()


def _text(node: Any) -> str:
    """Formatted texts come in pieces; phonetic hints beside a text are no part of it."""
    if len(node) == 1 and node[0].tag == _PLAIN:
        return node[0].text or ""
    return str(Text.from_tree(node).content)  # type: ignore[union-attr]

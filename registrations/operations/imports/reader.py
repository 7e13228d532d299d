"""An uploaded table, CSV or workbook -> rows with the row numbers a spreadsheet shows. Knows no model."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from .csv_reader import read_csv
from .tables import FileProblem, Row
from .xlsx_reader import read_xlsx

MAX_BYTES = 40 << 20  # 10,000 customers with long texts take about 30 MB
_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"  # how .xlsx begins, and how .xls and protected workbooks do


def read_rows(file: BinaryIO) -> Iterator[Row]:
    """Check the header at once (`FileProblem` names every wrong column), then yield the rows lazily.

    `file` is opened in binary mode and seekable; it stays open.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MAX_BYTES:
        raise FileProblem(f"The file has {size >> 20} MB; the limit is {MAX_BYTES >> 20} MB. Split it.")
    start = file.read(4)
    file.seek(0)
    if start == _OLE:
        raise FileProblem("This workbook is old or protected. Save it as .xlsx without a password.")
    return (read_xlsx if start.startswith(_ZIP) else read_csv)(file)

"""CSV files in memory, from the rows of the form tests."""

import csv
import io

from registrations.intake.form import CSV_COLUMNS
from tests.intake.form.rows import VALID


def csv_bytes(*rows: dict[str, str], columns=CSV_COLUMNS, delimiter=",", encoding="utf-8") -> bytes:
    """A file with one line per row; each row is VALID with the given changes."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore", delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(VALID | row for row in rows)
    return out.getvalue().encode(encoding)


def csv_file(*rows: dict[str, str], **options) -> io.BytesIO:
    return io.BytesIO(csv_bytes(*rows, **options))

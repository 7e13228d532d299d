"""What CSV files and workbooks have in common: a row, a header to check, cells without formula guards."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from registrations.core.spreadsheets import unguarded
from registrations.intake.form import CSV_COLUMNS, REQUIRED_COLUMNS

# Written next to the rows that were not imported; ignored when a corrected file is imported again.
ERRORS_COLUMN = "errors"
_BY_LETTERS = {name.replace("_", ""): name for name in (*CSV_COLUMNS, ERRORS_COLUMN)}


class FileProblem(Exception):
    """The file as a whole cannot be read; the message is for the person who uploaded it."""


@dataclass(frozen=True)
class Row:
    """One record. `number`: as a spreadsheet shows it (the header is row 1). `problem`: why it is unreadable."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def normalize_header(cells: Sequence[str]) -> list[str]:
    """The names of the columns, without the empty ones that spreadsheets leave on the right.

    >>> normalize_header(["First Name", "Email", "Shoe size", ""])
    ['first_name', 'email', 'shoe size']
    """
    header = [_BY_LETTERS.get(_letters(cell), cell.strip().lower()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    return header


def _letters(name: str) -> str:
    """The same for "First Name", "first-name", and "FirstName"."""
    return re.sub(r"[\W_]+", "", name).lower()


def check_header(header: list[str]) -> None:
    """Raise a FileProblem that names every wrong column at once."""
    problems: list[str] = []
    if not set(header) & set(CSV_COLUMNS):
        raise FileProblem(
            "Row 1 must have the names of the columns, such as first_name, last_name, email. None was found."
        )
    for name in header:
        if not name:
            problems.append("a column has no name")
        elif name not in CSV_COLUMNS and name != ERRORS_COLUMN:
            close = difflib.get_close_matches(name, CSV_COLUMNS, n=1)
            problems.append(f"unknown column {name}" + (f" (did you mean {close[0]}?)" if close else ""))
    problems += [f"column {name} appears twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    problems += [f"missing column {name}" for name in REQUIRED_COLUMNS if name not in header]
    if problems:
        raise FileProblem("The header is wrong: " + "; ".join(problems) + ".")


def row_of(number: int, header: list[str], cells: Sequence[str], problem: str = "") -> Row:
    """The cells by column, without the errors column of an earlier import."""
    named = zip(header, cells, strict=False)
    return Row(number, {name: unguarded(cell) for name, cell in named if name != ERRORS_COLUMN}, problem)


def errors_text(errors: Mapping[str, Sequence[str]]) -> str:
    """Why a row was not imported, in one cell: "email: …; city: …". Key "": the row as a whole."""
    return "; ".join(
        f"{column}: {text}" if column else text for column, texts in errors.items() for text in texts
    )

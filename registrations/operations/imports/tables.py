"""What CSV files and workbooks have in common: a row, a header to check, cells that no spreadsheet runs."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from registrations.core.spreadsheets import unguarded
from registrations.intake.form import CSV_COLUMNS, REQUIRED_COLUMNS

# We write it beside the rows that we give back; a mended file may come in with it.
ERRORS_COLUMN = "errors"


_BY_LETTERS = {name.replace("_", ""): name for name in (*CSV_COLUMNS, ERRORS_COLUMN)}


class FileProblem(Exception):
    """The file as a whole cannot be read; the message is for the person who sent it."""


@dataclass(frozen=True)
class Row:
    """One record; `number` is what a spreadsheet shows (the header is row 1). `problem` when unreadable."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def tidy_header(cells: Sequence[str]) -> list[str]:
    """The names of the columns, without the empty ones that spreadsheets leave at the right.

    >>> tidy_header(["First Name", "Email", "Shoe size", ""])
    ['first_name', 'email', 'shoe size']
    """
    header = [_BY_LETTERS.get(_letters(cell), cell.strip().lower()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    return header


def _letters(name: str) -> str:
    """How people write a name does not matter: "First Name", "first-name" and "FirstName" are first_name."""
    return re.sub(r"[\W_]+", "", name).lower()


def check_header(header: list[str]) -> None:
    """Raise a FileProblem that names every wrong column at once."""
    problems: list[str] = []
    if not set(header) & set(CSV_COLUMNS):
        raise FileProblem(
            "Row 1 must hold the names of the columns, such as first_name, last_name, email. None was found."
        )
    for name in header:
        if not name:
            problems.append("a column has no name")
        elif name not in CSV_COLUMNS and name != ERRORS_COLUMN:
            close = difflib.get_close_matches(name, CSV_COLUMNS, n=1)
            problems.append(f"unknown column {name}" + (f" (did you mean {close[0]}?)" if close else ""))
    problems += [f"column {name} stands twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    problems += [f"missing column {name}" for name in REQUIRED_COLUMNS if name not in header]
    if problems:
        raise FileProblem("The header does not fit: " + "; ".join(problems) + ".")


def row_of(number: int, header: list[str], cells: Sequence[str], problem: str = "") -> Row:
    """The cells by column; our own notes of an earlier import are left out."""
    named = zip(header, cells, strict=False)
    return Row(number, {name: unguarded(cell) for name, cell in named if name != ERRORS_COLUMN}, problem)


def errors_text(errors: Mapping[str, Sequence[str]]) -> str:
    """Why a row was not imported, in one cell: "email: …; city: …"; "" is the row as a whole."""
    return "; ".join(
        f"{column}: {text}" if column else text for column, texts in errors.items() for text in texts
    )

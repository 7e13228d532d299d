"""A table imported in one pass, row by row: what the command does. The page stores its rows first: importer.py."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from registrations.models import ImportRow

from .duplicates import SeenRows, replaces
from .reader import read_rows
from .saving import RowResult, RowSaver, expected
from .tables import Row
from .validation import Checker

logger = logging.getLogger("registrations.operations.imports")


def import_file(
    file: BinaryIO,
    *,
    actor: str,
    dry_run: bool = False,
    submit: bool = False,
    hold_back: bool = False,
    buy_numbers: bool = False,
    skip_duplicates: bool = False,
) -> Iterator[tuple[Row, RowResult]]:
    """Import a table (see `reader.read_rows`); yields each row with its result as soon as it is done.

    A row with the external_id of a saved registration updates it: its columns replace that registration's inputs,
    an empty cell empties an input, a column the file lacks changes nothing. Rows without external_id are created,
    unless a registration with the same mobile, brand name, and email exists. `submit` submits every registration of
    the file whose present inputs are not submitted yet; see RowSaver for `hold_back` and `buy_numbers`.
    New rows like a saved registration or an earlier row (mobile, email, name and address) get a warning, or with
    `skip_duplicates` are skipped. With `dry_run` nothing is written.
    Raises FileProblem before the first row when the file or its header is wrong.
    """
    checker = Checker(submit=submit, seen=SeenRows(), skip_duplicates=skip_duplicates, skip_same_person=True)
    saver = RowSaver(checker, actor=actor, submit=submit, hold_back=hold_back, buy_numbers=buy_numbers)
    return _import_rows(read_rows(file), checker, None if dry_run else saver)


def _import_rows(
    rows: Iterator[Row], checker: Checker, saver: RowSaver | None
) -> Iterator[tuple[Row, RowResult]]:
    outcomes: Counter[str] = Counter()
    earlier: dict[str, tuple[int, int]] = {}
    for row in rows:
        result = _import_row(row, checker, saver, earlier)
        outcomes[result.outcome] += 1
        yield row, result
    logger.info("import %s: %s", "done" if saver else "(dry run)", dict(outcomes))


def _import_row(
    row: Row, checker: Checker, saver: RowSaver | None, earlier: dict[str, tuple[int, int]]
) -> RowResult:
    """`earlier`: {external_id: (row number, hash of the inputs)} of the rows before."""
    if row.problem:
        return RowResult(row.number, "error", errors={"": [row.problem]})
    checked = ImportRow(number=row.number, cells=row.cells)
    form = checker.check([checked])[row.number]
    result = expected(checked, form)
    if not result.is_saved:
        return result
    inputs = hash(repr(form.parts()))
    before = earlier.get(result.external_id)
    if saver:
        result = saver.save(checked, form)
    elif before:
        result.outcome = "unchanged" if before[1] == inputs else "updated"
    elif form.instance:
        result.outcome = "updated" if form.changed_inputs() else "unchanged"
    if result.external_id:
        earlier[result.external_id] = row.number, inputs
        if before:
            result.warnings["external_id"] = [replaces(before[0])]
    return result

"""An uploaded table: stored, read and checked by a job, fixed and confirmed by a person, imported by a job.

The rows are personal data: a row's cells are emptied in the transaction that creates its registration; rows that
were not imported are deleted with the upload, by hand or after a month (worker/jobs.prune).
"""

import io
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError, transaction
from django.db.models import Count

from registrations.intake.form import CSV_COLUMNS
from registrations.models import Import, ImportFile, ImportRow, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations.bulk import background_job, notices
from registrations.operations.bulk.background_job import Refused
from registrations.workflow import timeline

from .duplicates import SeenRows
from .reader import read_rows
from .saving import RowResult, RowSaver
from .tables import ERRORS_COLUMN, FileProblem, Row, errors_text
from .validation import Checker, Outcome, RowForm, skip_new_duplicates

MAX_ROWS = 10_000
# The queue kills a job after 90 s and then runs it again, forever.
READ_SECONDS = 60.0
STORED_AT_ONCE = 500
CHECKED_AT_ONCE = 200
IMPORTED_AT_ONCE = 25
# Fewer commits are faster, but on SQLite other writers wait for each one.
COMMIT_SECONDS = 0.2
_CHECKED = ("state", "outcome", "errors", "warnings", "registration", "changes", "revision")
_SAVED = {"created": Outcome.CREATED, "updated": Outcome.UPDATED, "unchanged": Outcome.UNCHANGED}


# --- storing ------------------------------------------------------------------------------------------------------
def store(file: BinaryIO, name: str, *, user: Any, submit: bool) -> Import:
    """Store the file for a worker to read and check. Raises FileProblem, and then nothing is stored.

    `file` as for `reader.read_rows`; only its header and first row are checked here. The rows are imported with
    the permissions of `user`.
    """
    if next(read_rows(file), None) is None:
        raise FileProblem("There is no row below the header.")
    file.seek(0)
    content = file.read()
    with transaction.atomic():
        upload = Import.objects.create(name=_plain_name(name), user=user, actor=_name(user), submit=submit)
        ImportFile.objects.create(upload=upload, content=content)
        background_job.start(upload)
    upload.refresh_from_db()
    return upload


def _read(upload: Import) -> None:
    """Replace the file with its rows, in one transaction; an unreadable file ends the import.

    Does nothing when another worker was faster, or the import was cancelled in the meantime.
    """
    stored_file = ImportFile.objects.filter(upload=upload)
    unread_import = Import.objects.filter(pk=upload.pk, state=JobState.PREPARING, total=0)
    content = stored_file.values_list("content", flat=True).first()
    try:
        if content is None:
            raise FileProblem("The file is no longer stored. Upload the table again.")
        # All rows before the transaction: on SQLite it keeps all other writers waiting.
        rows = _all_rows(bytes(content))
    except FileProblem as problem:
        with transaction.atomic():
            if unread_import.select_for_update().first():
                stored_file.delete()
                background_job.failed(upload, str(problem))
                upload.refresh_from_db()
                notices.notify_import_unread(upload)
        return
    names = {name for row in rows for name in row.cells}
    header = [column for column in CSV_COLUMNS if column in names]
    with transaction.atomic():
        if unread_import.update(total=len(rows), header=header):
            ImportRow.objects.bulk_create([_stored(upload, row) for row in rows], batch_size=STORED_AT_ONCE)
            stored_file.delete()


def _all_rows(content: bytes) -> list[Row]:
    """Raises FileProblem when there are too many, or reading them takes too long for a job."""
    rows: list[Row] = []
    until = time.monotonic() + READ_SECONDS
    for row in read_rows(io.BytesIO(content)):
        if len(rows) == MAX_ROWS:
            raise FileProblem(f"There are more than {MAX_ROWS:,} rows. Split the file.")
        if time.monotonic() > until:
            raise FileProblem("This table takes too long to read. Save it as “CSV UTF-8” and try again.")
        rows.append(row)
    return rows


def _stored(upload: Import, row: Row) -> ImportRow:
    stored = ImportRow(upload=upload, number=row.number, cells=_storable(row.cells))
    if row.problem:
        stored.state, stored.outcome, stored.errors = ItemState.FAILED, Outcome.ERROR, {"": [row.problem]}
    return stored


def _storable(cells: Mapping[str, str]) -> dict[str, str]:
    """Without NUL, which PostgreSQL cannot store."""
    return {name: text.replace("\0", "") for name, text in cells.items()}


def _plain_name(name: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:255] or "table"


def _name(user: AbstractBaseUser) -> str:
    return user.get_username()[:150]


# --- the job --------------------------------------------------------------------------------------------------------
def advance(pk: int) -> None:
    """The job: read, check, or import some rows; see background_job.advance."""
    background_job.advance(Import, pk, _Job().run_portion)


class _Job:
    """One job's portions, with what it remembers between them."""

    def __init__(self) -> None:
        self.checker: Checker | None = None

    def run_portion(self, upload: Import) -> bool:
        """Whether there is more to do."""
        if upload.state != JobState.PREPARING:
            return self._import(upload)
        if upload.total:
            return self._check(upload)
        _read(upload)
        return True

    def _check(self, upload: Import) -> bool:
        rows = list(upload.rows.filter(state=ItemState.NEW).order_by("number")[:CHECKED_AT_ONCE])
        if not rows:
            background_job.prepared(upload, upload.total)
            return False
        self.checker = self.checker or Checker.for_upload(upload, SeenRows.of(upload))
        self.checker.check(rows)
        _save_checked(rows)
        return True

    def _import(self, upload: Import) -> bool:
        rows = list(upload.rows.filter(state=ItemState.WILL).order_by("number")[:IMPORTED_AT_ONCE])
        if not rows:
            background_job.finished(upload)
            upload.refresh_from_db()
            if upload.state == JobState.DONE:
                notices.notify_import_done(upload)
            return False
        # Checked again: someone may have created the same customer since. Duplicates in the file are decided.
        checker = Checker.for_upload(upload, seen=None)
        forms = checker.check(rows)
        _save_checked([row for row in rows if row.state != ItemState.WILL])
        saver = RowSaver(checker, actor=upload.actor, submit=upload.submit)
        left = [row for row in rows if row.state == ItemState.WILL]
        try:
            while left:
                left = _import_some(saver, left, forms)
        except OperationalError:
            # Another writer of the same registrations was in the way, and the whole transaction is undone.
            for row in left:
                _import_some(saver, [row], forms)
        return True


def _save_checked(rows: Sequence[ImportRow]) -> None:
    """In one statement: bulk_update takes as long to build its own as the check itself."""
    ImportRow.objects.bulk_create(
        rows, update_conflicts=True, update_fields=_CHECKED, unique_fields=("id",), batch_size=CHECKED_AT_ONCE
    )


def _import_some(saver: RowSaver, rows: list[ImportRow], forms: Mapping[int, RowForm]) -> list[ImportRow]:
    """Import the first rows in one transaction, as many as COMMIT_SECONDS allow; returns those that are left.

    Each has its own savepoint. None is left when the import was cancelled; background_job finds that out.
    """
    until = time.monotonic() + COMMIT_SECONDS
    with transaction.atomic():
        _lock_other_imports()
        if late := skip_new_duplicates(rows, forms):
            _save_checked(late)
            rows = [row for row in rows if row.state == ItemState.WILL]
        for done, row in enumerate(rows, start=1):
            try:
                saver.save(row, forms[row.number], partial(_record_result, row, saver.actor))
            except _NotPending:
                return []
            if time.monotonic() > until:
                return rows[done:]
    return []


def _lock_other_imports() -> None:
    """Until this transaction ends, so that the same table uploaded twice is imported once."""
    running = Import.objects.select_for_update().filter(state=JobState.RUNNING)
    list(running.order_by("pk").values_list("pk", flat=True))


class _NotPending(Exception):
    """The row must not be imported now: the import was cancelled, or the row is done."""


def _record_result(row: ImportRow, actor: str, result: RowResult) -> None:
    """In the transaction that saves the registration: its row is done, once, and has no personal data anymore."""
    pending = ImportRow.objects.filter(pk=row.pk, state=ItemState.WILL, upload__state=JobState.RUNNING)
    if not result.is_saved:
        pending.update(
            state=row.state,
            outcome=row.outcome,
            errors=row.errors,
            warnings=row.warnings,
            registration=row.registration_id,
        )
        return
    done = pending.update(
        state=ItemState.DONE,
        outcome=_SAVED[result.outcome],
        registration=result.registration_id,
        errors=result.errors,
        warnings={},
        cells={},
    )
    if not done:
        raise _NotPending
    if row.outcome == Outcome.CREATE_ANYWAY and result.registration_id:
        registration = Registration.objects.get(pk=result.registration_id)
        timeline.record(registration, "imported", "Imported as a possible duplicate.", actor=actor)


# --- a person's changes to a row --------------------------------------------------------------------------------------
def fix_row(upload: Import, number: int, cells: Mapping[str, str]) -> ImportRow:
    """Put these texts into the row's cells and check it again."""
    return _change(upload, number, cells=cells)


def exclude_row(upload: Import, number: int) -> ImportRow:
    """Do not import this row."""
    with transaction.atomic():
        row = _locked(upload, number)
        row.state, row.outcome = ItemState.SKIPPED, Outcome.EXCLUDED
        row.save(update_fields=["state", "outcome"])
    return row


def include_row(upload: Import, number: int) -> ImportRow:
    """Import a row that was excluded, or a duplicate."""
    return _change(upload, number, anyway=True)


def _change(
    upload: Import, number: int, cells: Mapping[str, str] | None = None, anyway: bool = False
) -> ImportRow:
    with transaction.atomic():
        row = _locked(upload, number)
        if anyway and row.outcome == Outcome.DUPLICATE:
            row.outcome = Outcome.CREATE_ANYWAY
        # A column the file lacks changes nothing in a registration; an empty cell would empty its input.
        typed = {name: text for name, text in (cells or {}).items() if text or name in row.cells}
        row.cells = {**row.cells, **_storable(typed)}
        Checker.for_upload(upload, SeenRows.of(upload, without=number)).check([row])
        row.save(update_fields=["cells", *_CHECKED])
        if new := [name for name in typed if name not in upload.header]:
            # A column the file lacked: downloads of its rows must have it.
            header = [name for name in CSV_COLUMNS if name in {*upload.header, *new}]
            Import.objects.filter(pk=upload.pk).update(header=header)
    return row


def _locked(upload: Import, number: int) -> ImportRow:
    """The row. Raises Refused unless the upload is waiting for a person, and ImportRow.DoesNotExist."""
    state = Import.objects.select_for_update().values_list("state", flat=True).get(pk=upload.pk)
    if state != JobState.READY:
        raise Refused("This import is no longer waiting for you, so its rows can't be changed.")
    return ImportRow.objects.select_for_update(of=("self",)).get(upload=upload, number=number)


# --- reading an upload ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Counts:
    """{(state, outcome): rows} of an upload."""

    by: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, state: str = "", *outcomes: str) -> int:
        """Rows in this state with any of these outcomes; "" and no outcomes mean any."""
        return sum(
            count
            for (one, outcome), count in self.by.items()
            if (not state or one == state) and (not outcomes or outcome in outcomes)
        )


def counts(upload: Import) -> Counts:
    """One query."""
    rows = upload.rows.order_by().values_list("state", "outcome").annotate(n=Count("pk"))
    return Counts(Counter({(state, outcome): n for state, outcome, n in rows}))


def unread(upload: Import) -> bool:
    """Whether its file has not been read yet."""
    return not upload.total and ImportFile.objects.filter(upload=upload).exists()


def _reasons(row: ImportRow) -> dict[str, list[str]]:
    return {**row.warnings, **row.errors} if row.outcome == Outcome.DUPLICATE else row.errors


def table_of(upload: Import, outcome: str) -> tuple[list[str], Iterator[list[str]]]:
    """Header and lines of the rows with this outcome, to be fixed and uploaded again."""
    columns = upload.header or list(CSV_COLUMNS)
    rows = upload.rows.filter(outcome=outcome).order_by("number").iterator(chunk_size=STORED_AT_ONCE)
    lines = ([*(row.cells.get(name, "") for name in columns), errors_text(_reasons(row))] for row in rows)
    return [*columns, ERRORS_COLUMN], lines


def confirm(upload: Import, *, user: Any) -> None:
    """Import the good rows in the name of `user`. Confirming twice does no harm."""
    with transaction.atomic():
        ready = Import.objects.filter(pk=upload.pk, state=JobState.READY)
        ready.update(user=user, actor=_name(user))
        background_job.confirm(upload)


def delete(upload: Import) -> None:
    """Delete the upload and its rows; the registrations stay. Raises Refused while a job is working on it."""
    if not Import.objects.filter(pk=upload.pk).exclude(state__in=background_job.OPEN).delete()[0]:
        raise Refused("A worker is still processing this import. Cancel it first.")

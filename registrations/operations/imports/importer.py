"""A table from the browser: stored, read and checked by a job, mended and confirmed by a person, imported by a job.

The rows are personal data: a row's cells are emptied in the transaction that makes its registration, and what was not
imported is deleted with the upload, by hand or after a month (tasks.prune).
"""

import io
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

from .duplicates import Seen
from .reader import read_rows
from .rows import Importer, RowResult
from .tables import ERRORS_COLUMN, FileProblem, Row, errors_text
from .validation import Checker, Outcome, RowForm, duplicates_made_meanwhile

MAX_ROWS = 10_000
# A job of the queue is killed after 90 s, and would then be tried for ever.
READ_SECONDS = 60.0
STORED_AT_ONCE = 500
CHECKED_AT_ONCE = 200
IMPORTED_AT_ONCE = 25
# A commit waits for the disk; but on SQLite other writers wait for the commit.
COMMIT_SECONDS = 0.2
_JUDGED = ("state", "outcome", "errors", "warnings", "registration", "changes", "revision")
_DID = {"created": Outcome.CREATED, "updated": Outcome.UPDATED, "unchanged": Outcome.UNCHANGED}


# --- storing ------------------------------------------------------------------------------------------------------
def store(file: BinaryIO, name: str, *, user: Any, submit: bool) -> Import:
    """Keep the file and have a worker read and check its rows. Raises FileProblem, and then nothing is kept.

    `file` as for `reading.read_rows`; only its header and first row are looked at here. `user` is who may do
    what the rows say.
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
    """Replace the file by its rows, in one transaction; one that is no table ends the import.

    Whoever comes second, because a lease ran out or the import was cancelled meanwhile, changes nothing.
    """
    kept = ImportFile.objects.filter(upload=upload)
    open_still = Import.objects.filter(pk=upload.pk, state=JobState.PREPARING, total=0)
    content = kept.values_list("content", flat=True).first()
    try:
        if content is None:
            raise FileProblem("The file is not kept any more. Upload the table again.")
        # To its end before anything is written: on SQLite a transaction keeps all other writers waiting.
        rows = _all_rows(bytes(content))
    except FileProblem as problem:
        with transaction.atomic():
            if open_still.select_for_update().first():
                kept.delete()
                background_job.failed(upload, str(problem))
                upload.refresh_from_db()
                notices.notify_import_unread(upload)
        return
    there = {name for row in rows for name in row.cells}
    header = [column for column in CSV_COLUMNS if column in there]
    with transaction.atomic():
        if open_still.update(total=len(rows), header=header):
            ImportRow.objects.bulk_create([_stored(upload, row) for row in rows], batch_size=STORED_AT_ONCE)
            kept.delete()


def _all_rows(content: bytes) -> list[Row]:
    """Raises FileProblem when they are too many, or take longer than a job may."""
    rows: list[Row] = []
    until = time.monotonic() + READ_SECONDS
    for row in read_rows(io.BytesIO(content)):
        if len(rows) == MAX_ROWS:
            raise FileProblem(f"There are more than {MAX_ROWS:,} rows. Cut the file into several.")
        if time.monotonic() > until:
            raise FileProblem("This table takes too long to read. Save it as “CSV UTF-8”, and try again.")
        rows.append(row)
    return rows


def _stored(upload: Import, row: Row) -> ImportRow:
    stored = ImportRow(upload=upload, number=row.number, cells=_storable(row.cells))
    if row.problem:
        stored.state, stored.outcome, stored.errors = ItemState.FAILED, Outcome.ERROR, {"": [row.problem]}
    return stored


def _storable(cells: Mapping[str, str]) -> dict[str, str]:
    """Without NUL, which PostgreSQL cannot keep."""
    return {name: text.replace("\0", "") for name, text in cells.items()}


def _plain_name(name: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:255] or "table"


def _name(user: AbstractBaseUser) -> str:
    return user.get_username()[:150]


# --- the job --------------------------------------------------------------------------------------------------------
def advance(pk: int) -> None:
    """The job: check the rows, or import the good ones; see background.advance."""
    background_job.advance(Import, pk, _Carrier().portion)


class _Carrier:
    """What one job remembers between its portions."""

    def __init__(self) -> None:
        self.checker: Checker | None = None

    def portion(self, upload: Import) -> bool:
        if upload.state == JobState.PREPARING:
            return self._check(upload) if upload.total else self._read(upload)
        return self._import(upload)

    def _read(self, upload: Import) -> bool:
        _read(upload)
        return True  # to be checked; the engine finds out if it ended here

    def _check(self, upload: Import) -> bool:
        rows = list(upload.rows.filter(state=ItemState.NEW).order_by("number")[:CHECKED_AT_ONCE])
        if not rows:
            background_job.prepared(upload, upload.total)
            return False
        self.checker = self.checker or Checker(upload, Seen.of(upload))
        self.checker.check(rows)
        _keep_judged(rows)
        return True

    def _import(self, upload: Import) -> bool:
        rows = list(upload.rows.filter(state=ItemState.WILL).order_by("number")[:IMPORTED_AT_ONCE])
        if not rows:
            background_job.finished(upload)
            upload.refresh_from_db()
            if upload.state == JobState.DONE:
                notices.notify_import_done(upload)
            return False
        # Somebody may have made the same customer since the dry run; within the file all was said then.
        checker = Checker(upload, seen=None)
        forms = checker.check(rows)
        late = [row for row in rows if row.state != ItemState.WILL]
        _keep_judged(late)
        importer = Importer(
            upload.actor, submit=upload.submit, skip_same_person=False, may_update=checker.may_update
        )
        left = [row for row in rows if row.state == ItemState.WILL]
        try:
            while left:
                left = _import_some(importer, left, forms)
        except OperationalError:
            # Another who saves the same registrations was in the way; what had been done with it is taken back too.
            for row in left:
                _import_some(importer, [row], forms)
        return True


def _keep_judged(rows: Sequence[ImportRow]) -> None:
    """One statement for many rows; bulk_update takes as long to put its own together as the check itself."""
    ImportRow.objects.bulk_create(
        rows, update_conflicts=True, update_fields=_JUDGED, unique_fields=("id",), batch_size=CHECKED_AT_ONCE
    )


def _import_some(importer: Importer, rows: list[ImportRow], forms: Mapping[int, RowForm]) -> list[ImportRow]:
    """Import the first rows in one transaction, as many as COMMIT_SECONDS allow; returns those that are left.

    Each has a savepoint of its own. None is left when the import was cancelled; the engine finds out.
    """
    until = time.monotonic() + COMMIT_SECONDS
    with transaction.atomic():
        _one_import_at_a_time()
        if late := duplicates_made_meanwhile(rows, forms):
            _keep_judged(late)
            rows = [row for row in rows if row.state == ItemState.WILL]
        for done, row in enumerate(rows, start=1):
            if not _import_row(importer, row, forms[row.number]):
                return []
            if time.monotonic() > until:
                return rows[done:]
    return []


def _one_import_at_a_time() -> None:
    """Until this transaction ends, no other import makes registrations: the same table, uploaded twice, is imported once."""
    running = Import.objects.select_for_update().filter(state=JobState.RUNNING)
    list(running.order_by("pk").values_list("pk", flat=True))


class _Stopped(Exception):
    """The row is not to be imported now: cancelled, or done already."""


def _import_row(importer: Importer, row: ImportRow, form: RowForm) -> bool:
    try:
        importer.take(
            Row(row.number, row.cells),
            form=form,
            settle=lambda result: _settle(row, result, importer.actor),
        )
    except _Stopped:
        return False
    return True


def _settle(row: ImportRow, result: RowResult, actor: str) -> None:
    """In the transaction that saves the registration: its row is done, once, and holds no personal data any more."""
    mine = ImportRow.objects.filter(pk=row.pk, state=ItemState.WILL, upload__state=JobState.RUNNING)
    if result.outcome not in _DID:
        mine.update(state=ItemState.FAILED, outcome=Outcome.ERROR, errors=result.errors)
        return
    done = mine.update(
        state=ItemState.DONE,
        outcome=_DID[result.outcome],
        registration=result.registration_id,
        errors=result.errors,
        warnings={},
        cells={},
    )
    if not done:
        raise _Stopped
    if row.outcome == Outcome.ANYWAY and result.registration_id:
        registration = Registration.objects.get(pk=result.registration_id)
        timeline.record(registration, "imported", "Imported although another looked alike.", actor=actor)


# --- what a person does to a row --------------------------------------------------------------------------------------
def mend(upload: Import, number: int, cells: Mapping[str, str]) -> ImportRow:
    """Put these texts into the row's cells and judge it anew."""
    return _change(upload, number, cells=cells)


def leave_out(upload: Import, number: int) -> ImportRow:
    """Do not import this row."""
    with transaction.atomic():
        row = _locked(upload, number)
        row.state, row.outcome = ItemState.SKIPPED, Outcome.ASIDE
        row.save(update_fields=["state", "outcome"])
    return row


def take_in(upload: Import, number: int) -> ImportRow:
    """Take back a row that was left out; a duplicate is imported all the same."""
    return _change(upload, number, anyway=True)


def _change(
    upload: Import, number: int, cells: Mapping[str, str] | None = None, anyway: bool = False
) -> ImportRow:
    with transaction.atomic():
        row = _locked(upload, number)
        if anyway and row.outcome == Outcome.DUPLICATE:
            row.outcome = Outcome.ANYWAY
        # A column that the file lacked leaves a registration alone; an empty cell would empty its input.
        typed = {name: text for name, text in (cells or {}).items() if text or name in row.cells}
        row.cells = {**row.cells, **_storable(typed)}
        Checker(upload, Seen.of(upload, without=number)).check([row])
        row.save(update_fields=["cells", *_JUDGED])
        if new := [name for name in typed if name not in upload.header]:
            # A column that the file lacked: it belongs to what is given back.
            header = [name for name in CSV_COLUMNS if name in {*upload.header, *new}]
            Import.objects.filter(pk=upload.pk).update(header=header)
    return row


def _locked(upload: Import, number: int) -> ImportRow:
    """The row, while the upload waits for a person; raises Refused else, and ImportRow.DoesNotExist."""
    state = Import.objects.select_for_update().values_list("state", flat=True).get(pk=upload.pk)
    if state != JobState.READY:
        raise Refused("This import does not wait for you any more, so its rows stay as they are.")
    return ImportRow.objects.select_for_update(of=("self",)).get(upload=upload, number=number)


# --- what is there ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Counts:
    """Rows of an upload by state and outcome."""

    by: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, state: str = "", *outcomes: str) -> int:
        """Rows in this state with any of these outcomes; all of either when none is named."""
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
    """Whether its file is still to be read."""
    return not upload.total and ImportFile.objects.filter(upload=upload).exists()


def _said(row: ImportRow) -> dict[str, list[str]]:
    return {**row.warnings, **row.errors} if row.outcome == Outcome.DUPLICATE else row.errors


def table_of(upload: Import, outcome: str) -> tuple[list[str], Iterator[list[str]]]:
    """Header and lines of the rows with this outcome, as they could be uploaded again once mended."""
    columns = upload.header or list(CSV_COLUMNS)
    rows = upload.rows.filter(outcome=outcome).order_by("number").iterator(chunk_size=STORED_AT_ONCE)
    lines = ([*(row.cells.get(name, "") for name in columns), errors_text(_said(row))] for row in rows)
    return [*columns, ERRORS_COLUMN], lines


def confirm(upload: Import, *, user: Any) -> None:
    """Import the good rows, in the name of who says so. Pressing it twice is harmless."""
    with transaction.atomic():
        waiting = Import.objects.filter(pk=upload.pk, state=JobState.READY)
        waiting.update(user=user, actor=_name(user))
        background_job.confirm(upload)


def delete(upload: Import) -> None:
    """The upload and its rows; the registrations stay. Refused while a job is at it."""
    if not Import.objects.filter(pk=upload.pk).exclude(state__in=background_job.OPEN).delete()[0]:
        raise Refused("A worker is at this import. Cancel it first.")

"""An uploaded file from the request to its rows: problems found at once, by a worker, and after a crash."""

import io
from datetime import timedelta
from unittest import mock

import pytest
from django.db import DatabaseError

from registrations.models import Import, ImportFile, ImportRow, Notification
from registrations.models.choices import JobState
from registrations.operations.bulk import background_job
from registrations.operations.imports import FileProblem, importer
from registrations.operations.imports.validation import Outcome
from registrations.worker import jobs
from tests.operations.imports.files import csv_bytes, csv_file
from tests.operations.imports.test_uploads import enqueued, outcomes, person, stored, user, work
from tests.operations.imports.test_xlsx_reader import book_of

pytestmark = pytest.mark.django_db
__all__ = ["enqueued", "user"]


def kept() -> tuple[int, int]:
    """Files and rows."""
    return ImportFile.objects.count(), ImportRow.objects.count()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (csv_bytes(), "no row"),
        (csv_bytes({}, columns=["first_name", "lastnam"]), "did you mean last_name"),
        (b"PK\x03\x04broken", "cannot be read"),
        (csv_bytes({}) + b"\x81\x8d\xff", "neither UTF-8"),
    ],
)
def test_problems_of_the_header_are_reported_at_once(user, content, text):
    with pytest.raises(FileProblem, match=text):
        importer.store(io.BytesIO(content), "t.csv", user=user, submit=False)
    assert not Import.objects.exists()


@pytest.mark.parametrize("table", [csv_file, book_of])
def test_the_request_reads_one_row_and_no_more(user, table, monkeypatch):
    taken = []

    def read_rows(file):
        for row in uploads_read(file):
            taken.append(row.number)
            yield row

    uploads_read = importer.read_rows
    monkeypatch.setattr(importer, "read_rows", read_rows)
    upload = importer.store(table(*map(person, range(30))), "t", user=user, submit=False)
    assert taken == [2]
    assert work(upload).rows.count() == 30


def test_too_many_rows_end_the_import_with_the_reason(user, monkeypatch):
    monkeypatch.setattr(importer, "MAX_ROWS", 3)
    upload = work(stored(*map(person, range(4)), user=user))
    assert (upload.state, kept()) == (JobState.FAILED, (0, 0))
    assert "more than 3 rows" in upload.error
    assert "could not be read" in Notification.objects.get().text
    assert work(stored(*map(person, range(3)), user=user)).total == 3


def test_a_table_that_takes_too_long_to_read_ends_the_import(user, monkeypatch):
    monkeypatch.setattr(importer, "READ_SECONDS", -1.0)
    upload = work(stored(person(1), user=user))
    assert (upload.state, kept()) == (JobState.FAILED, (0, 0))
    assert "too long" in upload.error


def test_a_crash_while_the_rows_are_stored_leaves_the_file_to_be_read_again(user):
    upload = stored(*map(person, range(3)), user=user)
    with (
        mock.patch.object(ImportFile.objects, "filter", side_effect=DatabaseError),
        pytest.raises(DatabaseError),
    ):
        importer.advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, kept()) == (JobState.FAILED, (1, 0))
    background_job.restart(upload)
    assert outcomes(work(upload)) == [Outcome.CREATE] * 3


def test_a_crash_after_the_first_rows_are_stored_rolls_them_back(user, monkeypatch):
    upload = stored(*map(person, range(3)), user=user)
    monkeypatch.setattr(importer, "STORED_AT_ONCE", 1)
    with (
        mock.patch("django.db.models.query.QuerySet.delete", side_effect=DatabaseError),
        pytest.raises(DatabaseError),
    ):
        importer._read(upload)
    assert kept() == (1, 0)
    assert outcomes(work(upload)) == [Outcome.CREATE] * 3


def test_two_workers_that_read_the_same_file_store_its_rows_once(user):
    upload = stored(*map(person, range(3)), user=user)
    late = Import.objects.get(pk=upload.pk)
    all_rows = importer._all_rows

    def slow(content):
        with mock.patch.object(importer, "_all_rows", all_rows):
            importer._read(upload)
        return all_rows(content)

    with mock.patch.object(importer, "_all_rows", slow):
        importer._read(late)
    assert kept() == (0, 3)
    # A third that finds no file does not end the import.
    importer._read(late)
    late.refresh_from_db()
    assert (late.state, late.total) == (JobState.PREPARING, 3)


def test_cancelled_while_it_is_read_nothing_is_stored_and_it_can_be_read_later(user):
    upload = stored(person(1), user=user)
    all_rows = importer._all_rows

    def cancelling(content):
        background_job.cancel(upload, actor="bo")
        return all_rows(content)

    with mock.patch.object(importer, "_all_rows", cancelling):
        work(upload)
    assert (upload.state, kept()) == (JobState.CANCELLED, (1, 0))
    background_job.restart(upload)
    assert work(upload).state == JobState.READY


def test_a_file_that_was_never_read_is_deleted_after_a_month(user, time_machine):
    upload = stored(person(1), user=user)
    background_job.cancel(upload, actor="bo")
    time_machine.move_to(upload.created_at + timedelta(days=29))
    jobs.prune()
    assert kept() == (1, 0)
    time_machine.shift(timedelta(days=2))
    jobs.prune()
    assert kept() == (0, 0)
    background_job.restart(upload)
    assert "Upload the table again" in work(upload).error


def test_deleting_an_import_deletes_its_file(user):
    upload = stored(person(1), user=user)
    background_job.cancel(upload, actor="bo")
    importer.delete(upload)
    assert kept() == (0, 0)

"""An uploaded table from its rows to registrations: checked, fixed, confirmed, and imported once."""

import io
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth import get_user_model

from registrations.core import queue
from registrations.intake.form import CSV_COLUMNS
from registrations.models import Event, Import, ImportFile, ImportRow, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations import actions
from registrations.operations.bulk import background_job
from registrations.operations.imports import importer
from registrations.operations.imports.saving import RowSaver
from registrations.operations.imports.validation import PREFLIGHT, SAVED_MEANWHILE, Outcome
from registrations.worker import jobs
from tests.customers import make_draft
from tests.operations.imports.files import csv_bytes, csv_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return get_user_model().objects.create_superuser("ann")


@pytest.fixture(autouse=True)
def enqueued(monkeypatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(queue, "enqueue_import", found.append)
    return found


def person(n: int, **changes: str) -> dict[str, str]:
    """A row that differs from the others in everything that identifies a customer."""
    return {
        "last_name": f"Lee{n}",
        "email": f"ann{n}@example.com",
        "mobile_phone_number": f"+1415555{2000 + n}",
        "street": f"{n} Main St",
        "brand_name": f"Ann {n} Nails",
        "external_id": f"C-{n}",
    } | changes


def stored(*rows: dict[str, str], user, submit: bool = False) -> Import:
    return importer.store(csv_file(*rows), "table.csv", user=user, submit=submit)


def work(upload: Import) -> Import:
    """What the worker does with an enqueued import."""
    importer.advance(upload.pk)
    upload.refresh_from_db()
    return upload


def checked(*rows: dict[str, str], user, submit: bool = False) -> Import:
    return work(stored(*rows, user=user, submit=submit))


def imported(upload: Import, user) -> Import:
    importer.confirm(upload, user=user)
    return work(upload)


def outcomes(upload: Import) -> list[str]:
    return list(upload.rows.order_by("number").values_list("outcome", flat=True))


def row(upload: Import, number: int) -> ImportRow:
    return upload.rows.get(number=number)


# --- storing ------------------------------------------------------------------------------------------------------
def test_a_file_is_kept_until_a_worker_has_read_it(user, enqueued):
    upload = stored(person(1), person(2, city="Montréal"), user=user)
    assert (upload.state, upload.total, enqueued) == (JobState.PREPARING, 0, [upload.pk])
    assert importer.unread(upload)
    work(upload)
    assert (upload.total, importer.unread(upload), ImportFile.objects.count()) == (2, False, 0)
    assert row(upload, 3).cells["city"] == "Montréal"
    assert "external_id" in upload.header
    assert not Registration.objects.exists()


def test_a_nul_in_a_cell_is_removed(user):
    content = csv_bytes(person(1, city="Bos\0ton"), encoding="utf-16")
    upload = work(importer.store(io.BytesIO(content), "t.csv", user=user, submit=False))
    assert row(upload, 2).cells["city"] == "Boston"
    assert importer.fix_row(upload, 2, {"city": "Sa\0lem"}).cells["city"] == "Salem"


def test_the_name_of_the_file_is_kept_short_and_printable(user):
    upload = importer.store(csv_file(person(1)), "a\x00\n" + "b" * 400, user=user, submit=False)
    assert upload.name == "a" + "b" * 254


# --- the check ----------------------------------------------------------------------------------------------------
def test_bad_rows_have_the_errors_at_their_cells(user):
    upload = checked(person(1), person(2, email="nobody", region="ZZ"), user=user)
    assert (upload.state, outcomes(upload)) == (JobState.READY, [Outcome.CREATE, Outcome.ERROR])
    assert set(row(upload, 3).errors) == {"email", "region"}
    assert not Registration.objects.exists()


def test_rows_that_cannot_be_read_are_bad_rows(user):
    content = csv_bytes(person(1)).decode() + "only,three,cells\r\n"
    upload = work(importer.store(io.BytesIO(content.encode()), "t.csv", user=user, submit=False))
    assert outcomes(upload) == [Outcome.CREATE, Outcome.ERROR]
    assert "cells" in row(upload, 3).errors[""][0]
    assert row(upload, 3).cells["first_name"] == "only"


def test_a_known_external_id_is_an_update_and_the_same_again_no_change(user):
    imported(checked(person(1), person(2), user=user), user)
    upload = checked(person(1), person(2, city="Salem"), person(3), user=user)
    assert outcomes(upload) == [Outcome.SAME, Outcome.UPDATE, Outcome.CREATE]
    imported(upload, user)
    assert outcomes(upload) == [Outcome.SAME, Outcome.UPDATED, Outcome.CREATED]
    assert Registration.objects.count() == 3
    assert Registration.objects.get(external_id="C-2").profile.city == "Salem"


def test_an_unchanged_registration_that_is_not_submitted_yet_is_not_skipped(user):
    imported(checked(person(1), user=user), user)
    upload = imported(checked(person(1), user=user, submit=True), user)
    assert outcomes(upload) == [Outcome.UNCHANGED]
    assert Registration.objects.get().is_submitted


def test_who_may_not_change_registrations_cannot_update_by_import(user, django_user_model):
    imported(checked(person(1), user=user), user)
    adder = django_user_model.objects.create_user("adder")
    upload = checked(person(1, city="Salem"), person(2), user=adder)
    assert outcomes(upload) == [Outcome.ERROR, Outcome.CREATE]
    assert "don't have permission to change" in row(upload, 2).errors[""][0]


def test_the_same_id_twice_in_a_file_ends_with_the_later_row(user):
    upload = checked(person(1), person(1, city="Salem"), user=user)
    assert outcomes(upload) == [Outcome.CREATE, Outcome.UPDATE]
    assert "Row 2 has the same ID" in row(upload, 3).warnings["external_id"][0]
    imported(upload, user)
    assert outcomes(upload) == [Outcome.CREATED, Outcome.UPDATED]
    assert Registration.objects.get().profile.city == "Salem"


def test_the_check_costs_as_many_queries_for_many_rows_as_for_few(user, django_assert_max_num_queries):
    few = stored(*map(person, range(2)), user=user)
    with django_assert_max_num_queries(60) as seen:
        work(few)
    base = len(seen)
    many = stored(*map(person, range(100, 190)), user=user)
    with django_assert_max_num_queries(base):
        work(many)
    assert many.rows.filter(state=ItemState.WILL).count() == 90


# --- fixing ---------------------------------------------------------------------------------------------------------
def test_a_fixed_cell_makes_the_row_good(user):
    upload = checked(person(1, email="nobody"), user=user)
    fixed = importer.fix_row(upload, 2, {"email": "ann@example.org"})
    assert (fixed.state, fixed.errors) == (ItemState.WILL, {})
    imported(upload, user)
    assert Registration.objects.get().profile.email == "ann@example.org"


def test_a_cell_of_a_column_the_file_lacked_is_in_the_download(user):
    content = csv_bytes(person(1, email="x"), columns=[c for c in CSV_COLUMNS if c != "vertical"])
    upload = work(importer.store(io.BytesIO(content), "t.csv", user=user, submit=False))
    assert "vertical" not in upload.header
    importer.fix_row(upload, 2, {"vertical": "RETAIL"})
    upload.refresh_from_db()
    header, lines = importer.table_of(upload, Outcome.ERROR)
    (line,) = lines
    assert dict(zip(header, line, strict=True))["vertical"] == "RETAIL"


def test_empty_cells_of_columns_the_file_lacks_change_nothing(user):
    imported(checked(person(1, vertical="RETAIL"), user=user), user)
    content = csv_bytes(person(1, city="Salem"), columns=[c for c in CSV_COLUMNS if c != "vertical"])
    upload = work(importer.store(io.BytesIO(content), "t.csv", user=user, submit=False))
    importer.fix_row(upload, 2, {"vertical": "", "city": "Lynn", "street_secondary": ""})
    imported(upload, user)
    registration = Registration.objects.get()
    assert (registration.trust_bundle.vertical, registration.profile.city) == ("RETAIL", "Lynn")


def test_a_row_that_is_edited_to_match_another_is_a_duplicate(user):
    upload = checked(person(1), person(2, email="x"), user=user)
    changed = importer.fix_row(upload, 3, {"email": "ANN1@example.com"})
    assert changed.outcome == Outcome.DUPLICATE
    assert "row 2" in changed.warnings["email"][0]


def test_rows_are_excluded_and_included_again(user):
    upload = checked(person(1), person(2), user=user)
    importer.exclude_row(upload, 2)
    importer.exclude_row(upload, 3)
    importer.include_row(upload, 3)
    imported(upload, user)
    assert outcomes(upload) == [Outcome.EXCLUDED, Outcome.CREATED]
    assert Registration.objects.get().external_id == "C-2"


@pytest.mark.parametrize("state", [JobState.PREPARING, JobState.RUNNING, JobState.DONE, JobState.CANCELLED])
def test_rows_are_changed_only_while_the_import_waits_for_a_person(user, state):
    upload = checked(person(1), user=user)
    Import.objects.filter(pk=upload.pk).update(state=state)
    for act in (importer.exclude_row, importer.include_row):
        with pytest.raises(background_job.Refused):
            act(upload, 2)
    with pytest.raises(background_job.Refused):
        importer.fix_row(upload, 2, {"city": "Salem"})
    assert row(upload, 2).cells["city"] == "Boston"


# --- importing ------------------------------------------------------------------------------------------------------
def test_good_rows_are_imported_and_their_cells_emptied(user):
    upload = imported(checked(person(1), person(2, email="x"), person(3), user=user), user)
    assert upload.state == JobState.DONE
    assert outcomes(upload) == [Outcome.CREATED, Outcome.ERROR, Outcome.CREATED]
    done = row(upload, 2)
    assert (done.cells, done.warnings, done.registration.external_id) == ({}, {}, "C-1")
    assert row(upload, 3).cells["external_id"] == "C-2"
    assert Event.objects.filter(actor="ann", tag="created").count() == 2
    assert not any(registration.is_submitted for registration in Registration.objects.all())


def test_registrations_are_submitted_when_asked_for(user):
    imported(checked(person(1), user=user, submit=True), user)
    registration = Registration.objects.get()
    assert registration.is_submitted
    assert registration.submitted_by == "ann"


def test_a_refused_submit_keeps_the_registration_and_says_why(user):
    imported(checked(person(1), user=user), user)
    actions.hold(Registration.objects.get(), reason="", actor="x")
    upload = imported(checked(person(1, city="Salem"), user=user, submit=True), user)
    done = row(upload, 2)
    assert (done.state, done.outcome) == (ItemState.DONE, Outcome.UPDATED)
    assert "not submitted" in done.errors[""][0]


def test_the_actor_is_the_user_who_confirmed_the_import(user, django_user_model):
    boss = django_user_model.objects.create_superuser("boss")
    upload = imported(checked(person(1), user=user), boss)
    assert upload.actor == "boss"
    assert Event.objects.filter(tag="created").get().actor == "boss"


def test_a_registration_created_in_the_meantime_is_not_created_again(user):
    upload = checked(person(1), person(2, external_id=""), user=user)
    make_draft(trust_bundle={"mobile_phone_number": "+14155552002"})
    imported(upload, user)
    assert outcomes(upload) == [Outcome.CREATED, Outcome.DUPLICATE]
    assert Registration.objects.count() == 2


def test_a_registration_saved_after_the_check_is_not_changed(user):
    imported(checked(person(1), person(2), user=user), user)
    rows = [person(n, email=f"new{n}@example.com") for n in (1, 2, 3)]
    upload = checked(*rows, person(2, city="Salem"), user=user)
    assert row(upload, 2).changes == ["email"]
    registration = Registration.objects.get(external_id="C-1")
    actions.edit(registration, {"profile": {"city": "Salem"}}, actor="kim")
    Registration.objects.filter(pk=make_draft().pk).update(external_id="C-3")
    imported(upload, user)
    assert outcomes(upload) == [Outcome.ERROR, Outcome.UPDATED, Outcome.ERROR, Outcome.UPDATED]
    registration.profile.refresh_from_db()
    assert (registration.profile.city, registration.profile.email) == ("Salem", person(1)["email"])
    assert row(upload, 2).errors == row(upload, 4).errors == {"": [SAVED_MEANWHILE]}
    assert row(upload, 2).cells, "it can be taken back"


def test_a_job_that_is_repeated_imports_nothing_twice(user):
    upload = imported(checked(*map(person, range(5)), user=user), user)
    Import.objects.filter(pk=upload.pk).update(state=JobState.RUNNING)
    assert work(upload).state == JobState.DONE
    assert Registration.objects.count() == 5


def test_cancel_stops_after_the_current_row_and_restart_continues(user):
    upload = checked(*map(person, range(5)), user=user)
    importer.confirm(upload, user=user)
    save = RowSaver.save

    def save_and_cancel(*args):
        result = save(*args)
        background_job.cancel(upload, actor="bo")
        return result

    with mock.patch.object(RowSaver, "save", save_and_cancel):
        work(upload)
    assert upload.state == JobState.CANCELLED
    # The second row found the cancellation in its transaction and created no registration.
    assert Registration.objects.count() == ImportRow.objects.filter(state=ItemState.DONE).count() == 1
    background_job.restart(upload)
    work(upload)
    assert (upload.state, Registration.objects.count()) == (JobState.DONE, 5)


# --- afterwards -------------------------------------------------------------------------------------------------------
def test_bad_rows_can_be_downloaded_fixed_and_imported(user):
    upload = imported(checked(person(1), person(2, email="x", street="=1+1"), user=user), user)
    header, lines = importer.table_of(upload, Outcome.ERROR)
    (line,) = lines
    cells = dict(zip(header, line, strict=True))
    assert header[-1] == "errors"
    assert cells["errors"].startswith("email: ")
    again = checked({**cells, "email": "ann2@example.com", "street": "2 Main St"}, user=user)
    assert outcomes(again) == [Outcome.CREATE]


def test_deleting_an_upload_deletes_its_rows_and_keeps_the_registrations(user):
    upload = imported(checked(person(1), person(2, email="x"), user=user), user)
    importer.delete(upload)
    assert not ImportRow.objects.exists()
    assert Registration.objects.count() == 1


def test_an_upload_is_not_deleted_while_a_worker_processes_it(user):
    upload = stored(person(1), user=user)
    with pytest.raises(background_job.Refused, match="Cancel it first"):
        importer.delete(upload)
    assert work(upload).rows.count() == 1


def test_rows_that_were_not_imported_are_deleted_after_a_month(user, time_machine):
    upload = imported(checked(person(1), person(2, email="x"), user=user), user)
    time_machine.move_to(upload.created_at + timedelta(days=29))
    jobs.prune()
    assert ImportRow.objects.count() == 2
    time_machine.shift(timedelta(days=2))
    jobs.prune()
    assert list(upload.rows.values_list("state", flat=True)) == [ItemState.DONE]
    assert Import.objects.get().total == 2


def test_nothing_personal_is_logged(user, caplog):
    caplog.set_level("DEBUG")
    imported(checked(person(1), person(2, email="broken"), user=user), user)
    for value in ("Lee1", "ann1", "555", "Main St", "broken"):
        assert value not in caplog.text


def test_what_the_pre_flight_refuses_is_flagged_before_and_stays_a_draft(user):
    shortened = "Ann 1 Nails: your bill is at https://bit.ly/3x. Reply STOP to opt out."
    upload = checked(person(1, message_sample_1=shortened), person(2), user=user, submit=True)
    assert list(upload.rows.filter(warnings__has_key=PREFLIGHT).values_list("number", flat=True)) == [2]
    imported(upload, user)
    submitted = dict(Registration.objects.values_list("external_id", "submitted_revision"))
    assert submitted == {"C-1": 0, "C-2": 1}
    assert "not submitted" in row(upload, 2).errors[""][0]

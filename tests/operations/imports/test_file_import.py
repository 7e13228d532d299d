"""Rows become registrations: created, updated, unchanged, or refused, and never twice."""

import logging
from unittest import mock

import pytest
from django.db import IntegrityError

from registrations.models import Event, Registration
from registrations.operations import actions
from registrations.operations.imports import import_file, saving, validation
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_file

pytestmark = pytest.mark.django_db


def run(*changes, columns=None, **options):
    file = csv_file(*changes, **({"columns": columns} if columns else {}))
    return [result for _, result in import_file(file, actor="importer", **options)]


def outcomes(results):
    return [result.outcome for result in results]


def test_rows_are_created_with_all_their_inputs():
    (result,) = run({"external_id": "C-1", "region": "massachusetts", "age_gated": "TRUE"})
    assert (result.row, result.outcome, result.errors) == (2, "created", {})
    registration = Registration.objects.get(pk=result.registration_id)
    assert (registration.external_id, registration.label, registration.stage) == (
        "C-1",
        VALID["brand_name"],
        "draft",
    )
    assert (registration.profile.region, registration.campaign.age_gated) == ("MA", True)
    assert str(registration.trust_bundle.mobile_phone_number) == "+14155550124"
    assert registration.campaign.message_samples == [VALID["message_sample_1"], VALID["message_sample_2"]]
    assert Event.objects.filter(registration=registration, actor="importer").exists()


def test_the_same_external_id_updates_and_never_duplicates():
    row = {"external_id": "C-1"}
    assert outcomes(run(row)) == ["created"]
    assert outcomes(run(row)) == ["unchanged"]
    assert outcomes(run(row | {"city": "Salem"})) == ["updated"]
    registration = Registration.objects.get()
    assert (registration.profile.city, registration.revision) == ("Salem", 2)


def test_twice_within_one_file_the_later_row_wins_and_says_so():
    results = run({"external_id": "C-1"}, {"external_id": "C-1", "city": "Salem"})
    assert outcomes(results) == ["created", "updated"]
    assert "Row 2 has the same ID" in results[1].warnings["external_id"][0]
    assert Registration.objects.get().profile.city == "Salem"


def test_missing_columns_change_nothing_and_empty_cells_empty_inputs():
    run({"external_id": "C-1", "street_secondary": "Apt 2", "vertical": "RETAIL"})
    registration = Registration.objects.get()
    Registration.objects.filter(pk=registration.pk).update(label="Ann (VIP)", notes="call first")
    from registrations.intake.form import CSV_COLUMNS

    without = [name for name in CSV_COLUMNS if name != "vertical"]
    assert outcomes(run({"external_id": "C-1"}, columns=without)) == ["updated"]
    registration = Registration.objects.get()
    assert (registration.profile.street_secondary, registration.trust_bundle.vertical) == ("", "RETAIL")
    assert (registration.label, registration.notes) == ("Ann (VIP)", "call first")


def test_errors_are_by_row_and_column_and_good_rows_are_imported():
    results = run(
        {"external_id": "1"}, {"external_id": "2", "email": "x", "region": "ON"}, {"external_id": "3"}
    )
    assert outcomes(results) == ["created", "error", "created"]
    assert results[1].row == 3
    assert set(results[1].errors) == {"email", "region"}
    assert set(Registration.objects.values_list("external_id", flat=True)) == {"1", "3"}


def test_a_bad_update_changes_nothing():
    run({"external_id": "C-1"})
    (result,) = run({"external_id": "C-1", "city": "Salem", "description": "short"})
    assert result.outcome == "error"
    assert Registration.objects.get().profile.city == "Boston"


def test_without_external_id_the_same_person_is_skipped():
    assert outcomes(run({})) == ["created"]
    results = run({"city": "Salem"}, {"email": "other@example.com"}, {"email": "OTHER@example.com"})
    assert outcomes(results)[:2] == ["skipped", "created"]
    assert f"registration {Registration.objects.earliest('pk').pk}" in results[0].warnings[""][0]
    assert not results[0].failed
    assert outcomes(run({}, {}, {"external_id": "C-9"})) == ["skipped", "skipped", "created"]


@pytest.mark.parametrize("file", [[{"external_id": "1"}, {"external_id": "1"}], [{}, {}], [{"email": "x"}]])
def test_a_dry_run_predicts_the_outcomes_and_writes_nothing(file):
    predicted = run(*file, dry_run=True, submit=True)
    assert not Registration.objects.exists()
    done = run(*file)
    assert outcomes(predicted) == outcomes(done)
    assert [r.errors for r in predicted] == [r.errors for r in done]


def test_a_dry_run_over_saved_registrations():
    run({"external_id": "1"}, {"external_id": "2"})
    file = ({"external_id": "1"}, {"external_id": "2", "city": "Salem"}, {"external_id": "1", "city": "Lynn"})
    predicted = run(*file, dry_run=True)
    assert outcomes(predicted) == ["unchanged", "updated", "updated"]
    assert outcomes(run(*file)) == outcomes(predicted)


def test_created_changed_and_unsubmitted_rows_are_submitted_once():
    assert [r.submitted for r in run({"external_id": "1"})] == [False]
    assert [r.submitted for r in run({"external_id": "1"}, {"external_id": "2"}, submit=True)] == [True, True]
    assert [r.submitted for r in run({"external_id": "1"}, submit=True)] == [False]
    assert [r.submitted for r in run({"external_id": "1", "city": "Salem"}, submit=True)] == [True]
    registration = Registration.objects.get(external_id="1")
    assert registration.submitted_revision == registration.revision == 2
    assert registration.next_run_at is not None


def test_expected_rejections_are_warnings_and_submitted_unless_held_back():
    nameless = {"message_sample_1": "See you on [date]. Reply STOP to opt out."}
    nameless |= {"message_sample_2": "Your booking of [date] is confirmed."}
    (held,) = run({"external_id": "1", **nameless}, submit=True, hold_back=True)
    assert (held.outcome, held.submitted) == ("created", False)
    assert "pre-flight" in held.errors[""][0]
    (sent,) = run({"external_id": "1", **nameless}, submit=True)
    assert (sent.submitted, sent.errors) == (True, {})
    assert any("No sample names" in text for texts in sent.warnings.values() for text in texts)


def test_a_refused_submit_keeps_the_saved_row_and_fails_it():
    run({"external_id": "1"})
    actions.hold(Registration.objects.get(), reason="", actor="x")
    (result,) = run({"external_id": "1", "city": "Salem"}, submit=True)
    assert (result.outcome, result.failed, result.submitted) == ("updated", True, False)
    assert "on hold" in result.errors[""][0]
    assert Registration.objects.get().profile.city == "Salem"


def test_an_id_that_another_import_creates_meanwhile_becomes_an_update():
    """The other import commits between our lookup and our insert: the unique constraint makes us look again."""
    create, looks = actions.create, []

    def raced(parts, *, actor, **fields):
        if not looks:
            looks.append(1)
            raise IntegrityError("UNIQUE constraint failed: registrations_registration.external_id")
        return create(parts, actor=actor, **fields)

    def look(rows, found=validation._registrations):
        if looks and not Registration.objects.exists():
            run_other()
        return found(rows)

    def run_other():
        with (
            mock.patch.object(validation, "_registrations", real_registrations),
            mock.patch.object(actions, "create", create),
        ):
            run({"external_id": "C-1"})

    real_registrations = validation._registrations
    with mock.patch.object(actions, "create", raced), mock.patch.object(validation, "_registrations", look):
        (result,) = run({"external_id": "C-1", "city": "Salem"})
    assert result.outcome == "updated"
    assert Registration.objects.get().profile.city == "Salem"


def test_an_id_that_appears_between_the_lookup_and_the_form_becomes_an_update():
    run({"external_id": "C-1"})
    real_registrations, looks = validation._registrations, []

    def late(rows):
        looks.append(rows)
        return {} if len(looks) == 1 else real_registrations(rows)

    with mock.patch.object(validation, "_registrations", late):
        (result,) = run({"external_id": "C-1", "city": "Salem"})
    assert (result.outcome, result.errors, len(looks)) == ("updated", {}, 2)


def test_a_concurrent_edit_is_retried_then_reported():
    run({"external_id": "1"})
    with mock.patch.object(actions, "edit", side_effect=actions.Refused("Somebody else changed it.")) as edit:
        (result,) = run({"external_id": "1", "city": "Salem"})
    assert edit.call_count == saving.ATTEMPTS
    assert result.errors == {"": ["Somebody else changed it."]}


def test_nothing_personal_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    run({"external_id": "1"}, {"email": "broken"}, {"external_id": "1", "city": "Salem"}, submit=True)
    for value in ("Lee", "ann.lee", "555", "Main St", "Salem", "broken"):
        assert value not in caplog.text


def test_queries_per_row_do_not_grow_with_the_file(django_assert_max_num_queries):
    run(*({"external_id": str(n)} for n in range(3)))
    with django_assert_max_num_queries(200) as few:
        run(*({"external_id": str(n)} for n in range(3)))
    first = len(few)
    run(*({"external_id": str(n)} for n in range(3, 9)))
    with django_assert_max_num_queries(first * 3):
        run(*({"external_id": str(n)} for n in range(9)))

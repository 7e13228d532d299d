"""Rows imported in one transaction: each is imported once, and no row affects another."""

from unittest import mock

import pytest
from django.db import OperationalError
from django.db.models import Count

from registrations.intake.form import RegistrationForm
from registrations.models import Event, ImportRow, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations import actions
from registrations.operations.bulk import background_job
from registrations.operations.imports import importer
from registrations.operations.imports.validation import Checker, Outcome
from registrations.workflow.runner.runner import load
from tests.intake.form.rows import VALID
from tests.operations.imports.test_uploads import (
    checked,
    enqueued,
    imported,
    outcomes,
    person,
    row,
    user,
    work,
)

pytestmark = pytest.mark.django_db
__all__ = ["enqueued", "user"]
ROWS = 6


def third_time(error: Exception):
    """`actions.create` that raises this instead of making the third registration, once."""
    create, calls = actions.create, []

    def creating(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise error
        return create(*args, **kwargs)

    return mock.patch.object(actions, "create", creating)


def each_once() -> bool:
    """Whether every row became one registration of its own."""
    made = Event.objects.filter(tag="created").values("registration").annotate(n=Count("pk"))
    ids = sorted(Registration.objects.values_list("external_id", flat=True))
    named = ImportRow.objects.filter(state=ItemState.DONE).values("registration").distinct().count()
    return (
        [one["n"] for one in made] == [1] * ROWS and ids == [f"C-{n}" for n in range(ROWS)] and named == ROWS
    )


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_each_row_is_imported_once_for_any_number_of_rows_a_transaction(user, monkeypatch, seconds):
    monkeypatch.setattr(importer, "COMMIT_SECONDS", seconds)
    assert imported(checked(*map(person, range(ROWS)), user=user), user).state == JobState.DONE
    assert each_once()


def test_a_refused_row_does_not_affect_the_others(user):
    with (
        third_time(actions.Refused("Not this one.")),
        mock.patch("registrations.operations.imports.saving.ATTEMPTS", 1),
    ):
        upload = imported(checked(*map(person, range(ROWS)), user=user), user)
    assert outcomes(upload) == [*[Outcome.CREATED] * 2, Outcome.ERROR, *[Outcome.CREATED] * 3]
    assert row(upload, 4).errors == {"": ["Not this one."]}
    assert Registration.objects.count() == ROWS - 1


def test_rows_in_conflict_with_another_writer_are_imported_one_by_one(user):
    with third_time(OperationalError("deadlock detected")):
        upload = imported(checked(*map(person, range(ROWS)), user=user), user)
    assert upload.state == JobState.DONE
    assert each_once()


def test_the_same_table_uploaded_twice_and_confirmed_at_once_is_imported_once(user, monkeypatch):
    rows = [person(n, external_id="") for n in range(ROWS)]
    first, second = checked(*rows, user=user), checked(*rows, user=user)
    importer.confirm(first, user=user)
    importer.confirm(second, user=user)
    check = Checker.check

    def check_then_first(self, rows):
        forms = check(self, rows)
        if rows[0].upload_id == second.pk:
            work(first)
        return forms

    monkeypatch.setattr(Checker, "check", check_then_first)
    work(second)
    assert Registration.objects.count() == ROWS
    assert outcomes(first) == [Outcome.CREATED] * ROWS
    assert outcomes(second) == [Outcome.DUPLICATE] * ROWS
    assert "Same mobile as" in row(second, 2).warnings["mobile_phone_number"][0]


def test_a_crash_rolls_back_uncommitted_rows_and_a_restart_imports_them(user):
    upload = checked(*map(person, range(ROWS)), user=user)
    importer.confirm(upload, user=user)
    with third_time(ZeroDivisionError()), pytest.raises(ZeroDivisionError):
        importer.advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == JobState.FAILED
    done = upload.rows.filter(state=ItemState.DONE).count()
    assert Registration.objects.count() == done < 3
    background_job.restart(upload)
    assert work(upload).state == JobState.DONE
    assert each_once()


def test_an_update_does_not_change_the_owner(user, django_assert_max_num_queries):
    imported(checked(*map(person, range(ROWS)), user=user), user)
    Registration.objects.update(owner=user)
    with django_assert_max_num_queries(60):
        upload = checked(*(person(n, city="Salem") for n in range(1, ROWS)), person(0), user=user)
    assert outcomes(upload) == [*[Outcome.UPDATE] * (ROWS - 1), Outcome.SAME]
    imported(upload, user)
    assert set(Registration.objects.values_list("owner", "profile__city")) == {
        (user.pk, "Salem"),
        (user.pk, "Boston"),
    }


def test_create_returns_the_registration_as_it_is_stored(user):
    form = RegistrationForm(VALID | {"external_id": "C-1", "notes": "By phone.", "owner": str(user.pk)})
    assert form.is_valid()
    made = actions.create(form.parts(), actor="ann", **form.registration_fields())
    stored = load(made.pk)
    for mine, theirs in [
        (made, stored),
        *((getattr(made, m), getattr(stored, m)) for m in Registration.PARTS),
    ]:
        for field in mine._meta.concrete_fields:
            values = [getattr(one, field.attname) for one in (mine, theirs)]
            assert values[0] == values[1], field
            assert type(values[0]) is type(values[1]) or field.choices, field

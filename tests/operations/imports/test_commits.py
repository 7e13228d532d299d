"""Rows that are imported in one transaction: each is done once, and what happens to one takes no other with it."""

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
from tests.operations.imports.test_uploads import checked, imported, outcomes, person, row, rung, user, work

pytestmark = pytest.mark.django_db
__all__ = ["rung", "user"]
STEPS = 6


def third_time(error: Exception):
    """`verbs.create` that raises this instead of making the third registration, once."""
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
        [one["n"] for one in made] == [1] * STEPS
        and ids == [f"C-{n}" for n in range(STEPS)]
        and named == STEPS
    )


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_however_many_rows_a_transaction_takes_each_is_done_once(user, monkeypatch, seconds):
    monkeypatch.setattr(importer, "COMMIT_SECONDS", seconds)
    assert imported(checked(*map(person, range(STEPS)), user=user), user).state == JobState.DONE
    assert each_once()


def test_a_refused_row_takes_no_other_with_it(user):
    with (
        third_time(actions.Refused("Not this one.")),
        mock.patch("registrations.operations.imports.saving.ATTEMPTS", 1),
    ):
        upload = imported(checked(*map(person, range(STEPS)), user=user), user)
    assert outcomes(upload) == [*[Outcome.CREATED] * 2, Outcome.ERROR, *[Outcome.CREATED] * 3]
    assert row(upload, 4).errors == {"": ["Not this one."]}
    assert Registration.objects.count() == STEPS - 1


def test_rows_that_met_another_writer_are_done_one_by_one(user):
    with third_time(OperationalError("deadlock detected")):
        upload = imported(checked(*map(person, range(STEPS)), user=user), user)
    assert upload.state == JobState.DONE
    assert each_once()


def test_the_same_table_uploaded_twice_and_confirmed_at_once_is_imported_once(user, monkeypatch):
    rows = [person(n, external_id="") for n in range(STEPS)]
    first, second = checked(*rows, user=user), checked(*rows, user=user)
    importer.confirm(first, user=user)
    importer.confirm(second, user=user)
    check = Checker.check

    def check_then_first(self, judged):
        forms = check(self, judged)
        if judged[0].upload_id == second.pk:
            work(first)
        return forms

    monkeypatch.setattr(Checker, "check", check_then_first)
    work(second)
    assert Registration.objects.count() == STEPS
    assert outcomes(first) == [Outcome.CREATED] * STEPS
    assert outcomes(second) == [Outcome.DUPLICATE] * STEPS
    assert "Same mobile as" in row(second, 2).warnings["mobile_phone_number"][0]


def test_a_crash_takes_back_what_was_not_committed_and_it_is_done_again(user):
    upload = checked(*map(person, range(STEPS)), user=user)
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


def test_an_update_leaves_the_owner_alone(user, django_assert_max_num_queries):
    imported(checked(*map(person, range(STEPS)), user=user), user)
    Registration.objects.update(owner=user)
    with django_assert_max_num_queries(60):
        upload = checked(*(person(n, city="Salem") for n in range(1, STEPS)), person(0), user=user)
    assert outcomes(upload) == [*[Outcome.UPDATE] * (STEPS - 1), Outcome.SAME]
    imported(upload, user)
    assert set(Registration.objects.values_list("owner", "profile__city")) == {
        (user.pk, "Salem"),
        (user.pk, "Boston"),
    }


def test_a_new_registration_is_given_back_as_it_is_stored(user):
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

"""Rows that are imported in one transaction: each is done once, and what happens to one takes no other with it."""

from unittest import mock

import pytest
from django.db import OperationalError
from django.db.models import Count

from registrations import background, tasks, verbs
from registrations.forms import RegistrationForm
from registrations.importing import uploads
from registrations.importing.checking import Checker, Outcome
from registrations.models import Event, ImportRow, Registration
from registrations.pipeline import MIRRORS, load
from registrations.states import ItemState, WorkState
from tests.forms.rows import VALID

from .test_uploads import checked, imported, outcomes, person, row, rung, user, work

pytestmark = pytest.mark.django_db
__all__ = ["rung", "user"]
ROWS = 6


def third_time(error: Exception):
    """`verbs.create` that raises this instead of making the third case, once."""
    create, calls = verbs.create, []

    def creating(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise error
        return create(*args, **kwargs)

    return mock.patch.object(verbs, "create", creating)


def each_once() -> bool:
    """Whether every row became one case of its own."""
    made = Event.objects.filter(tag="created").values("registration").annotate(n=Count("pk"))
    ids = sorted(Registration.objects.values_list("external_id", flat=True))
    named = ImportRow.objects.filter(state=ItemState.DONE).values("registration").distinct().count()
    return (
        [one["n"] for one in made] == [1] * ROWS and ids == [f"C-{n}" for n in range(ROWS)] and named == ROWS
    )


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_however_many_rows_a_transaction_takes_each_is_done_once(user, monkeypatch, seconds):
    monkeypatch.setattr(uploads, "COMMIT_SECONDS", seconds)
    assert imported(checked(*map(person, range(ROWS)), user=user), user).state == WorkState.DONE
    assert each_once()


def test_a_refused_row_takes_no_other_with_it(user):
    with third_time(verbs.Refused("Not this one.")), mock.patch("registrations.importing.rows.ATTEMPTS", 1):
        upload = imported(checked(*map(person, range(ROWS)), user=user), user)
    assert outcomes(upload) == [*[Outcome.CREATED] * 2, Outcome.ERROR, *[Outcome.CREATED] * 3]
    assert row(upload, 4).errors == {"": ["Not this one."]}
    assert Registration.objects.count() == ROWS - 1


def test_rows_that_met_another_writer_are_done_one_by_one(user):
    with third_time(OperationalError("deadlock detected")):
        upload = imported(checked(*map(person, range(ROWS)), user=user), user)
    assert upload.state == WorkState.DONE
    assert each_once()


def test_the_same_table_uploaded_twice_and_confirmed_at_once_is_imported_once(user, monkeypatch):
    rows = [person(n, external_id="") for n in range(ROWS)]
    first, second = checked(*rows, user=user), checked(*rows, user=user)
    uploads.confirm(first, user=user)
    uploads.confirm(second, user=user)
    check = Checker.check

    def check_then_first(self, judged):
        forms = check(self, judged)
        if judged[0].upload_id == second.pk:
            work(first)
        return forms

    monkeypatch.setattr(Checker, "check", check_then_first)
    work(second)
    assert Registration.objects.count() == ROWS
    assert outcomes(first) == [Outcome.CREATED] * ROWS
    assert outcomes(second) == [Outcome.DUPLICATE] * ROWS
    assert "Same mobile as" in row(second, 2).warnings["mobile_phone_number"][0]


def test_a_crash_takes_back_what_was_not_committed_and_it_is_done_again(user):
    upload = checked(*map(person, range(ROWS)), user=user)
    uploads.confirm(upload, user=user)
    with third_time(ZeroDivisionError()), pytest.raises(ZeroDivisionError):
        uploads.advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == WorkState.FAILED
    done = upload.rows.filter(state=ItemState.DONE).count()
    assert Registration.objects.count() == done < 3
    background.restart(upload, tasks.ring_import)
    assert work(upload).state == WorkState.DONE
    assert each_once()


def test_an_update_leaves_the_owner_alone(user, django_assert_max_num_queries):
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


def test_a_new_case_is_given_back_as_it_is_stored(user):
    form = RegistrationForm(VALID | {"external_id": "C-1", "notes": "By phone.", "owner": str(user.pk)})
    assert form.is_valid()
    made = verbs.create(form.parts(), actor="ann", **form.registration_fields())
    stored = load(made.pk)
    for mine, theirs in [(made, stored), *((getattr(made, m), getattr(stored, m)) for m in MIRRORS)]:
        for field in mine._meta.concrete_fields:
            values = [getattr(one, field.attname) for one in (mine, theirs)]
            assert values[0] == values[1], field
            assert type(values[0]) is type(values[1]) or field.choices, field

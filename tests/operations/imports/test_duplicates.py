"""Rows that look like an existing customer, or like another row."""

import pytest
from django.contrib.auth import get_user_model

from registrations.models import Event, Registration
from registrations.models.choices import ItemState, Stage
from registrations.operations.imports import importer
from registrations.operations.imports.duplicates import Identity, find_matches
from registrations.operations.imports.validation import Outcome
from tests.customers import PARTS, make_draft
from tests.factories import make_registration
from tests.operations.imports.test_uploads import checked, imported, person, row, stored

pytestmark = pytest.mark.django_db

SAVED = PARTS["profile"] | PARTS["trust_bundle"]


@pytest.fixture
def user():
    return get_user_model().objects.create_superuser("ann")


@pytest.mark.parametrize(
    ("like", "column", "word"),
    [
        ({"mobile_phone_number": "(415) 555-2672"}, "mobile_phone_number", "mobile"),
        ({"email": SAVED["email"].upper()}, "email", "email"),
        (
            {"first_name": "ANN", "last_name": "lee", "street": "1  Main Street", "postal_code": "021391234"},
            "street",
            "name and address",
        ),
    ],
)
def test_a_row_like_a_registration_is_skipped_and_names_the_registration(user, like, column, word):
    registration = make_draft()
    upload = checked(person(7, **like), user=user)
    found = row(upload, 2)
    assert (found.state, found.outcome, found.registration_id) == (
        ItemState.SKIPPED,
        Outcome.DUPLICATE,
        registration.pk,
    )
    assert f"Same {word}" in found.warnings[column][0]
    assert f"{registration.label}, registration {registration.pk}" in found.warnings[column][0]
    imported(upload, user)
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "unlike",
    [
        {"first_name": "Bob", "last_name": "Lee", "street": "1 Main St", "postal_code": "02139"},
        {"first_name": "Ann", "last_name": "Lee", "street": "2 Main St", "postal_code": "02139"},
        {"first_name": "Ann", "last_name": "Lee", "street": "1 Main St", "postal_code": "02140"},
        {"phone_number": SAVED["phone_number"]},
    ],
)
def test_relatives_namesakes_and_shared_phones_are_not_duplicates(user, unlike):
    make_draft()
    assert row(checked(person(7, **unlike), user=user), 2).outcome == Outcome.CREATE


def test_the_second_of_two_similar_rows_is_skipped(user):
    upload = checked(
        person(1),
        person(2, mobile_phone_number="415 555-2001"),
        person(3, email=" ANN1@EXAMPLE.COM "),
        person(4, last_name="LEE1", street="1 main street"),
        person(5),
        user=user,
    )
    outcomes = list(upload.rows.order_by("number").values_list("outcome", flat=True))
    assert outcomes == [Outcome.CREATE, *[Outcome.DUPLICATE] * 3, Outcome.CREATE]
    assert all("row 2 of this file" in str(row(upload, number).warnings) for number in (3, 4, 5))


def test_duplicates_within_the_file_are_found_across_portions(user, monkeypatch):
    monkeypatch.setattr(importer, "CHECKED_AT_ONCE", 1)
    upload = checked(person(1), person(2), person(3, email="ann1@example.com"), user=user)
    assert row(upload, 4).outcome == Outcome.DUPLICATE


def test_a_new_job_knows_the_rows_that_an_earlier_one_checked(user, monkeypatch):
    monkeypatch.setattr(importer, "CHECKED_AT_ONCE", 1)
    upload = stored(person(1), person(2, email="ann1@example.com"), user=user)
    for _ in range(3):
        assert importer._Job().run_portion(upload)
        upload.refresh_from_db()
    assert row(upload, 3).outcome == Outcome.DUPLICATE


def test_a_bad_row_makes_no_other_row_a_duplicate(user):
    upload = checked(person(1, region="ZZ"), person(2, email="ann1@example.com"), user=user)
    assert row(upload, 3).outcome == Outcome.CREATE


def test_an_update_is_not_a_duplicate_of_its_own_registration(user):
    imported(checked(person(1), user=user), user)
    assert row(checked(person(1, city="Salem"), user=user), 2).outcome == Outcome.UPDATE


def test_a_duplicate_is_imported_when_a_person_confirms_it(user):
    make_draft()
    upload = checked(person(7, email=SAVED["email"]), user=user)
    taken = importer.include_row(upload, 2)
    assert (taken.state, taken.outcome) == (ItemState.WILL, Outcome.CREATE_ANYWAY)
    importer.fix_row(upload, 2, {"city": "Salem"})  # the decision survives a change of the row
    imported(upload, user)
    assert row(upload, 2).outcome == Outcome.CREATED
    registration = Registration.objects.get(external_id="C-7")
    assert Event.objects.filter(registration=registration, tag="imported", actor="ann").count() == 1


def test_a_removed_registration_does_not_count(user):
    registration = make_registration(Stage.REMOVED)
    assert registration.stage == Stage.REMOVED
    assert row(checked(person(7, email=SAVED["email"]), user=user), 2).outcome == Outcome.CREATE


def test_many_rows_cost_four_queries_and_the_oldest_registration_is_named(django_assert_num_queries):
    first = make_draft("First")
    make_draft("Second")
    who = Identity.of(PARTS)
    with django_assert_num_queries(4):
        found = find_matches(dict.fromkeys(range(50), who))
    assert {match.registration_id for match in found[49]} == {first.pk}
    assert {match.kind for match in found[49]} == {"mobile", "email", "place"}


def test_a_used_up_limit_is_an_error_at_its_cell(user):
    for n in range(3):
        registration = make_draft(f"Registration {n}")
        Registration.objects.filter(pk=registration.pk).update(submitted_revision=1)
    found = row(checked(person(7, mobile_phone_number=SAVED["mobile_phone_number"]), user=user), 2)
    assert found.outcome == Outcome.ERROR
    assert "30750" in found.errors["mobile_phone_number"][0]

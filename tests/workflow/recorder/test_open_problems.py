"""Open problems are written with the registration's status, and only if they changed."""

import pytest

from registrations.models import Campaign, OpenProblem, Registration
from registrations.operations import actions
from registrations.workflow.planner.problems import problems
from registrations.workflow.recorder import read_models
from registrations.workflow.runner import runner
from tests.customers import PARTS, make_draft
from tests.factories import make_registration

OPT_IN = {
    "campaign_status": "FAILED",
    "campaign_id": "C7LM2XY",
    "errors": [
        {
            "error_code": 30909,
            "error_description": "The call to action is not clear.",
            "fields": ["MESSAGE_FLOW"],
        }
    ],
}


def rows(registration) -> list[OpenProblem]:
    return list(OpenProblem.objects.filter(registration=registration))


@pytest.fixture
def failed(db):
    return make_registration("campaign", answer=OPT_IN)


def test_a_failed_registration_has_one_row_for_each_problem(failed):
    found = rows(failed)
    assert [(row.part, row.code, row.field, row.title) for row in found] == [
        (problem.part, problem.code, problem.field, problem.title) for problem in problems(failed)
    ]
    assert found[0].code == 30909
    assert found[0].field == "message_flow"
    assert found[0].input_digest == read_models.input_digest(PARTS["campaign"]["message_flow"])
    assert found[0].message_digest


def test_registrations_with_the_same_text_share_the_keys_and_others_do_not(failed):
    shouted = {"campaign": {"message_flow": PARTS["campaign"]["message_flow"].upper() + "  "}}
    twin = make_registration("campaign", answer=OPT_IN, parts=shouted)
    other = make_registration(
        "campaign",
        answer=OPT_IN,
        parts={"campaign": {"message_flow": "They sign a paper form in the salon."}},
    )
    keys = {
        (row.code, row.field, row.input_digest)
        for registration in (failed, twin)
        for row in rows(registration)
    }
    assert len(keys) == 1
    assert rows(other)[0].input_digest not in {key[2] for key in keys}


def test_nothing_is_written_while_nothing_changes(failed, django_assert_num_queries):
    before = rows(failed)
    runner.refresh_status(failed.pk)
    assert [(row.pk, row.since) for row in rows(failed)] == [(row.pk, row.since) for row in before]
    held = problems(failed)
    with django_assert_num_queries(1):
        read_models.update_open_problems(failed, held, failed.created_at)


def test_an_edit_of_the_input_moves_the_key_and_keeps_the_age(failed):
    before = rows(failed)[0]
    actions.edit(
        failed, {"campaign": {"message_flow": "They text START to our number after signing up."}}, actor="ann"
    )
    after = rows(failed)[0]
    assert (after.pk, after.since) == (before.pk, before.since)
    assert after.input_digest != before.input_digest


def test_problems_that_are_over_go_away(failed):
    Campaign.objects.filter(registration=failed).update(status="IN_PROGRESS", errors=[])
    runner.refresh_status(failed.pk)
    assert rows(failed) == []


def test_a_removed_registration_has_no_open_problems(failed):
    Registration.objects.filter(pk=failed.pk).update(stage="removed")
    registration = runner.load(failed.pk)
    snapshot = read_models.RegistrationSnapshot(registration, problems(registration))
    read_models.refresh_read_models(snapshot, "removed", registration.created_at)
    assert rows(failed) == []


def test_the_worker_writes_them_when_it_releases_the_registration(harness):
    registration = make_draft()
    harness.fault(
        method="POST", path="CustomerProfiles$", action="error", status=400, code=60228, message="No."
    )
    actions.submit(registration, actor="ann")
    harness.advance(registration.pk)
    found = rows(registration)
    assert [(row.part, row.code) for row in found] == [("profile", 60228)]
    actions.submit(registration, actor="ann")
    assert rows(registration) == []


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("first_name", "Ann"),
        ("phone_number", "+14155552671"),
        ("message_sample_2", PARTS["campaign"]["message_samples"][1]),
        ("message_sample_5", ""),
        ("sender_number", PARTS["phone_number"]["sender_number"]),
        ("has_embedded_links", "False"),
        ("", ""),
        ("no_such_field", ""),
    ],
)
def test_the_text_of_an_input(db, field, text):
    assert read_models.input_text(make_registration(), field) == text

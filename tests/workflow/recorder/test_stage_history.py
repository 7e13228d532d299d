"""How long a registration stood in each stage."""

import itertools

from registrations.models import Registration, StageInterval
from registrations.operations import actions
from registrations.workflow.runner import runner
from tests.customers import make_draft


def stage_intervals(registration) -> list[StageInterval]:
    return list(StageInterval.objects.filter(registration=registration).order_by("id"))


def test_the_intervals_of_a_walk_follow_one_another_without_a_gap(harness):
    registration = make_draft()
    assert stage_intervals(registration) == []
    actions.submit(registration, actor="ann")
    at_otp = harness.run(registration.pk, until=lambda now: now.stage == "otp")
    found = stage_intervals(registration)
    assert found[0].stage == "draft"
    assert found[0].entered_at == registration.stage_since
    assert found[-1].stage == "otp"
    assert found[-1].left_at is None
    assert found[-1].entered_at == at_otp.stage_since
    assert [one.left_at for one in found[:-1]] == [one.entered_at for one in found[1:]]
    assert all(one.stage != after.stage for one, after in itertools.pairwise(found))


def test_a_registration_without_intervals_gets_one_for_where_it_stood(db):
    registration = make_draft()
    Registration.objects.filter(pk=registration.pk).update(stage="brand")
    runner.refresh_status(registration.pk)  # it is actually a draft
    assert [(one.stage, one.left_at is None) for one in stage_intervals(registration)] == [
        ("brand", False),
        ("draft", True),
    ]

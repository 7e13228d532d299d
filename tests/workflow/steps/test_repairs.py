"""Fixing means planning and applying: the right calls, no more, in the right order."""

import pytest

from registrations.models import RetiredResource, Submission
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from registrations.operations import otp as one_time_texts
from registrations.workflow.planner import manual_tasks
from registrations.workflow.recorder import registry_limits
from tests.customers import make_draft

pytestmark = pytest.mark.django_db


def stopped(registration) -> bool:
    return registration.waiting_for == WaitingFor.US


def otp(registration) -> bool:
    return registration.stage == Stage.OTP


def paths_after(harness, seen: int) -> list[str]:
    return [f"{entry['method']} {entry['path']}" for entry in harness.writes()[seen:]]


def to_live(harness, **changes):
    registration = make_draft(**changes)
    actions.submit(registration, actor="ann")
    harness.run(registration.pk, until=otp)
    harness.answer_yes()
    return harness.run(registration.pk)


def test_a_registration_is_removed_in_order_and_the_brand_becomes_a_task(harness):
    live = to_live(harness)
    assert live.stage == Stage.LIVE
    brand, seen = live.brand.sid, len(harness.writes())
    actions.remove(live, actor="ann")
    removed = harness.run(live.pk)
    assert (removed.stage, removed.waiting_for) == (Stage.REMOVED, WaitingFor.NOBODY), removed.reason
    calls = paths_after(harness, seen)
    assert [call.split("/")[-2] for call in calls[:3]] == ["PhoneNumbers", "Usa2p", "Services"]
    assert all(call.startswith("DELETE") for call in calls)
    assert not removed.brand.sid
    left = set(RetiredResource.objects.filter(registration=live).values_list("kind", "sid"))
    assert ("brand", brand) in left
    assert [task.key for task in manual_tasks.manual_tasks(removed)] == [f"delete_brand_{brand}"]
    with pytest.raises(actions.Refused):
        actions.submit(removed, actor="ann")


def test_each_submission_is_kept_with_what_it_got(harness):
    live = to_live(harness)
    kept = Submission.objects.filter(registration=live).order_by("id")
    assert [(s.part, s.number) for s in kept] == [
        ("profile", 1),
        ("trust_bundle", 1),
        ("brand", 1),
        ("campaign", 1),
    ]
    assert kept[3].accepted_params["description"] == live.campaign.description
    assert kept[3].status == "VERIFIED"
    assert all(submission.actor == "ann" for submission in kept)


def test_the_fourth_use_of_a_mobile_is_refused_before_the_fee(harness):
    for number in range(3):
        actions.submit(make_draft(profile={"email": f"a{number}@harborcrafts.com"}), actor="ann")
    fourth = make_draft(profile={"email": "a4@harborcrafts.com"})
    use = next(use for use in registry_limits.uses_of(fourth) if use.field == "mobile_phone_number")
    assert (use.used, use.exhausted) == (3, True)
    with pytest.raises(actions.Refused, match="30750"):
        actions.submit(fourth, actor="ann")
    actions.override_limits(fourth, reason="Ported back", actor="boss")
    actions.submit(fourth, actor="ann")


def test_a_changed_mobile_is_sent_and_texted(harness):
    registration = make_draft()
    actions.submit(registration, actor="ann")
    registration = harness.run(registration.pk, until=otp)
    seen = len(harness.writes())
    one_time_texts.change_mobile(registration, mobile="+14155552699", actor="ann")
    registration = harness.run(registration.pk, until=lambda c: c.brand.otp_sends == 2)
    assert [call.split("/")[-1].split("BU")[0] for call in paths_after(harness, seen)][1:] == [
        "Evaluations",
        "",
        "SmsOtp",
    ]
    harness.answer_yes()
    assert harness.run(registration.pk).stage == Stage.LIVE

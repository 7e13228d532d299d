"""How a batch goes: chosen quickly, confirmed once, cancelled, started again, never done twice."""

import pytest
from django.db import DatabaseError

from registrations.models import Batch, Registration
from registrations.models.choices import ItemState, JobState, Stage
from registrations.operations import actions, bulk
from registrations.operations.bulk import background_job, progress, runner
from tests.factories import make_registration
from tests.operations.bulk.conftest import done, outcomes, prepared, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def registrations(db) -> list[Registration]:
    return [make_registration(label=f"Registration {n}") for n in range(4)]


def test_starting_makes_no_rows_and_takes_each_registration_once(ann, registrations):
    pks = [registration.pk for registration in registrations]
    batch = bulk.start("hold", [*pks, *pks, 999_999], user=ann, query="stage__exact=draft")
    assert (batch.total, batch.items.count(), batch.query) == (5, 0, "stage__exact=draft")
    work(batch)
    assert sorted(batch.items.values_list("registration_id", flat=True)) == pks
    assert batch.total == 4, "what does not exist is left out"
    assert batch.params["chosen"] == []


def test_too_many_are_refused(ann):
    with pytest.raises(bulk.TooMany, match="At most 100,000"):
        bulk.start("hold", range(bulk.MAX_REGISTRATIONS + 1), user=ann)
    assert not Batch.objects.exists()


def test_an_unknown_act_is_refused(ann):
    with pytest.raises(KeyError):
        bulk.start("delete-all", [1], user=ann)


def test_rows_are_added_and_previewed_in_portions(ann, registrations, monkeypatch):
    monkeypatch.setattr(runner, "ADD_AT_ONCE", 3)
    monkeypatch.setattr(runner, "PREVIEW_AT_ONCE", 3)
    monkeypatch.setattr(runner, "RUN_AT_ONCE", 1)
    batch = done("hold", registrations, ann, {"reason": "x"})
    assert progress.progress(batch).done == 4


def test_nothing_happens_before_it_is_confirmed(ann, registrations):
    batch = prepared("hold", registrations, ann)
    bulk.advance(batch.pk)
    assert not Registration.objects.filter(hold=True).exists()
    assert progress.progress(batch).will == 4


def test_who_confirms_is_who_did_it(ann, registrations, django_user_model):
    batch = prepared("hold", registrations, ann)
    bo = django_user_model.objects.create_user("bo")
    bulk.confirm(batch, user=bo, inputs={"reason": "x"})
    work(batch)
    assert batch.actor == "bo"
    assert registrations[0].events.first().actor == "bo"


def test_confirm_twice_is_one_confirm(ann, registrations):
    batch = prepared("hold", registrations, ann)
    bulk.confirm(batch, user=ann, inputs={"reason": "first"})
    bulk.confirm(batch, user=ann, inputs={"reason": "second"})
    work(batch)
    registrations[0].refresh_from_db()
    assert registrations[0].hold_reason == "first"
    assert registrations[0].events.filter(tag="hold").count() == 1


def test_cancel_stops_after_the_row_that_is_being_done(ann, registrations, monkeypatch):
    batch = prepared("hold", registrations, ann)
    bulk.confirm(batch, user=ann, inputs={"reason": "x"})
    once = actions.hold

    def hold(registration, **more):
        once(registration, **more)
        bulk.cancel(batch, user=ann)

    monkeypatch.setattr(actions, "hold", hold)
    bulk.advance(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.cancelled_by) == (JobState.CANCELLED, "ann")
    assert progress.progress(batch).done == 1
    with pytest.raises(background_job.Refused):
        bulk.confirm(batch, user=ann)
    monkeypatch.setattr(actions, "hold", once)
    bulk.restart(batch)
    work(batch)
    assert batch.state == JobState.DONE
    assert [registration.events.filter(tag="hold").count() for registration in registrations] == [1, 1, 1, 1]


def test_a_cancelled_dry_run_is_made_again(ann, registrations):
    batch = prepared("submit", registrations[:1], ann)
    bulk.cancel(batch, user=ann)
    actions.hold(registrations[0], reason="Meanwhile.", actor="bo")
    batch.refresh_from_db()
    bulk.restart(batch)
    work(batch)
    assert batch.state == JobState.READY
    assert outcomes(batch)["Registration 0"] == (ItemState.SKIPPED, "It is on hold. Release it first.")
    assert batch.params["rate_limited_calls"] == {}


def test_a_row_that_fails_by_our_error_stops_nobody_else(ann, registrations, monkeypatch, caplog):
    once = actions.hold

    def hold(registration, **more):
        once(registration, **more)
        if registration.label == "Registration 1":
            raise ValueError("+14155552671")

    monkeypatch.setattr(actions, "hold", hold)
    batch = done("hold", registrations, ann, {"reason": "x"})
    rows = outcomes(batch)
    assert batch.state == JobState.DONE
    assert rows["Registration 1"] == (
        ItemState.FAILED,
        "Internal error (ValueError). The log has the details.",
    )
    assert [rows[f"Registration {n}"][0] for n in (0, 2, 3)] == [ItemState.DONE] * 3
    registrations[1].refresh_from_db()
    assert not registrations[1].hold, "what a failed row began is undone"
    assert "ValueError" in caplog.text
    assert "5552671" not in caplog.text


def test_a_preview_that_fails_skips_the_row(ann, registrations, monkeypatch):
    def broken(candidate, params):
        raise ZeroDivisionError

    act = runner.ACTIONS["hold"]
    monkeypatch.setitem(runner.ACTIONS, "hold", type(act)(**{**vars(act), "preview": broken}))
    batch = prepared("hold", registrations, ann)
    assert batch.state == JobState.READY
    assert "ZeroDivisionError" in outcomes(batch)["Registration 0"][1]


def test_trouble_with_the_database_stops_the_work_and_loses_nothing(ann, registrations, monkeypatch):
    batch = prepared("hold", registrations, ann)
    bulk.confirm(batch, user=ann, inputs={"reason": "x"})
    once = actions.hold

    def hold(registration, **more):
        once(registration, **more)
        if registration.label == "Registration 2":
            raise DatabaseError("gone")

    monkeypatch.setattr(actions, "hold", hold)
    with pytest.raises(DatabaseError):
        bulk.advance(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, progress.progress(batch).done) == (JobState.FAILED, 2)
    monkeypatch.setattr(actions, "hold", once)
    bulk.restart(batch)
    work(batch)
    assert [registration.events.filter(tag="hold").count() for registration in registrations] == [1, 1, 1, 1]


def test_what_changed_since_the_dry_run_is_previewed_again(ann, registrations):
    batch = prepared("submit", registrations[:2], ann)
    actions.hold(registrations[0], reason="Meanwhile.", actor="bo")
    bulk.confirm(batch, user=ann)
    work(batch)
    rows = outcomes(batch)
    assert rows["Registration 0"] == (ItemState.SKIPPED, "It is on hold. Release it first.")
    assert rows["Registration 1"][0] == ItemState.DONE
    assert batch.items.get(registration=registrations[0]).fee is None


@pytest.mark.parametrize("kind", ["submit", "hold"])
def test_what_was_edited_since_the_dry_run_is_not_sent(ann, registrations, kind):
    """Nobody agreed to the new inputs, and their author may not be done; other acts do not mind."""
    batch = prepared(kind, registrations[:2], ann)
    actions.edit(registrations[0], {"profile": {"first_name": "Half"}}, actor="bo")
    bulk.confirm(batch, user=ann, inputs={"reason": "x"})
    work(batch)
    rows = outcomes(batch)
    if kind == "hold":
        assert {state for state, _ in rows.values()} == {ItemState.DONE}
        return
    assert rows["Registration 0"] == (ItemState.SKIPPED, runner.EDITED)
    assert rows["Registration 1"][0] == ItemState.DONE
    registrations[0].refresh_from_db()
    assert not registrations[0].was_submitted
    # A dry run that is made anew is about the inputs of now.
    again = done("submit", registrations[:1], ann)
    assert outcomes(again)["Registration 0"][0] == ItemState.DONE


def test_registrations_that_are_deleted_meanwhile_are_counted_and_not_waited_for(ann, registrations):
    batch = bulk.start("hold", [registration.pk for registration in registrations], user=ann)
    registrations[0].delete()
    assert (progress.progress(batch).total, progress.progress(batch).settled) == (4, 0)
    work(batch)
    registrations[1].delete()
    seen = progress.progress(batch)
    assert (seen.total, seen.will, seen.deleted) == (2, 2, 1)
    bulk.confirm(batch, user=ann, inputs={"reason": "x"})
    registrations[2].delete()
    work(batch)
    seen = progress.progress(batch)
    assert batch.state == JobState.DONE
    assert (seen.total, seen.settled, seen.deleted) == (1, 1, 2)


def test_a_refusal_of_the_action_is_the_rows_reason(ann, registrations, monkeypatch):
    def hold(registration, **more):
        raise actions.Refused("Not today.")

    batch = prepared("hold", registrations[:1], ann)
    monkeypatch.setattr(actions, "hold", hold)
    bulk.confirm(batch, user=ann)
    work(batch)
    assert outcomes(batch)["Registration 0"] == (ItemState.SKIPPED, "Not today.")


def test_progress_tells_fee_pace_reasons_and_stages(ann, registrations):
    actions.hold(registrations[0], reason="x", actor="bo")
    live = make_registration(Stage.LIVE, label="Live")
    batch = prepared("submit", [*registrations[:3], live], ann)
    seen = progress.progress(batch)
    assert (seen.total, seen.will, seen.skipped, seen.settled) == (4, 2, 2, 4)
    assert seen.fee == 39
    assert seen.pace.total_seconds() == pytest.approx(4 * 1.05)
    assert dict(progress.reasons(batch, ItemState.SKIPPED)) == {
        "It is on hold. Release it first.": 1,
        "Already submitted, and not edited since.": 1,
    }
    bulk.confirm(batch, user=ann)
    work(batch)
    assert progress.stages(batch) == [("profile", 2)]
    assert progress.spent(batch) == 0

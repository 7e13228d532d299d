"""The bulk action of a group of similar failures: changes one text of the selected registrations and resubmits them."""

from registrations.models import Batch, Registration
from registrations.operations import actions, similar_failures
from registrations.workflow.planner import plan
from registrations.workflow.planner.problems import problems
from registrations.workflow.recorder.read_models import input_text
from registrations.workflow.runner.runner import load

from .action import BulkAction, Candidate, Params, Preview, skip, will_run
from .actions import preview_plan, submit, why_closed

EDITED = "It was edited since the preview."


def change_of(params: Params) -> similar_failures.Change:
    return similar_failures.Change(params["field"], params["text"], params.get("find", ""))


def _preview(candidate: Candidate, params: Params) -> Preview:
    registration, change = candidate.registration, change_of(params)
    if why := why_closed(registration):
        return skip(why)
    if params["revisions"].get(str(registration.pk)) != registration.revision:
        return skip(EDITED)
    if change.applied(registration) == input_text(registration, change.field):
        return skip("It already has this text.")
    changed = Candidate(_changed(registration, change), candidate.attempts, candidate.limit_uses)
    preview = preview_plan(changed, "The text will be changed and submitted.")
    if not preview.will_run:
        return preview
    fixed = {change.field, "message_samples"} if change.field in similar_failures.SAMPLES else {change.field}
    others = [
        problem.title for problem in problems(registration, candidate.attempts) if problem.field not in fixed
    ]
    also = f" This does not fix: {'; '.join(dict.fromkeys(others))}." if others else ""
    return will_run(f"{preview.text}{also}", preview.fee, preview.rate_limited_calls)


def _changed(registration: Registration, change: similar_failures.Change) -> Registration:
    """The registration as it would be; nothing is saved."""
    twin = plan.editable_copy(registration)
    for name, value in change.parts(registration)["campaign"].items():
        setattr(twin.campaign, name, value)
    return twin


def _run(registration: Registration, batch: Batch) -> str:
    expected = batch.params["revisions"][str(registration.pk)]
    parts = change_of(batch.params).parts(registration)
    actions.edit(registration, parts, actor=batch.actor, expected_revision=expected)
    submit(load(registration.pk), batch)
    return "Edited and submitted."


GROUP_EDIT = BulkAction(
    slug="group_edit",
    label="Edit and resubmit",
    help="Changes one text of these registrations as previewed, and submits each of them.",
    preview=_preview,
    run=_run,
    submits=True,
    in_lists=False,
)

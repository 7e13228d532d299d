"""The bulk act of a group of similar failures: one changed text for the chosen registrations, sent again together."""

from registrations.models import Batch, Registration
from registrations.operations import actions, similar_failures
from registrations.workflow.planner import plan
from registrations.workflow.planner.problems import problems
from registrations.workflow.recorder.read_models import input_text
from registrations.workflow.runner.runner import load

from .action import BulkAct, Params, Sight, Verdict, skip, will
from .actions import closed, paid, submit

CHANGED = "Somebody has edited it since the preview."


def change_of(params: Params) -> similar_failures.Change:
    return similar_failures.Change(params["field"], params["text"], params.get("find", ""))


def _judge(sight: Sight, params: Params) -> Verdict:
    registration, change = sight.registration, change_of(params)
    if why := closed(registration):
        return skip(why)
    if params["revisions"].get(str(registration.pk)) != registration.revision:
        return skip(CHANGED)
    if change.applied(registration) == input_text(registration, change.field):
        return skip("The text is like that already.")
    verdict = paid(
        Sight(_changed(registration, change), sight.attempts, sight.uses), "The text is changed and sent."
    )
    if not verdict.will:
        return verdict
    mended = {change.field, "message_samples"} if change.field in similar_failures.SAMPLES else {change.field}
    others = [
        problem.title for problem in problems(registration, sight.attempts) if problem.field not in mended
    ]
    also = f" Not mended by this: {'; '.join(dict.fromkeys(others))}." if others else ""
    return will(f"{verdict.text}{also}", verdict.fee, verdict.paced)


def _changed(registration: Registration, change: similar_failures.Change) -> Registration:
    """The registration as it would be; nothing is saved."""
    twin = plan.editable_copy(registration)
    for name, value in change.parts(registration)["campaign"].items():
        setattr(twin.campaign, name, value)
    return twin


def _do(registration: Registration, batch: Batch) -> str:
    seen = batch.params["revisions"][str(registration.pk)]
    actions.edit(
        registration, change_of(batch.params).parts(registration), actor=batch.actor, expected_revision=seen
    )
    submit(load(registration.pk), batch)
    return "Edited and submitted."


GROUP_EDIT = BulkAct(
    slug="group_edit",
    label="Edit and resubmit",
    help="Changes one text of these registrations as you have previewed it, and submits each of them.",
    judge=_judge,
    do=_do,
    goes_on=True,
    in_lists=False,
)

"""The bulk act of a group of similar failures: one changed text for the chosen cases, sent again together."""

from registrations import groups, plans, verbs
from registrations.models import Batch, Registration
from registrations.open_problems import input_text
from registrations.pipeline import load
from registrations.problems import problems

from .acts import closed, paid, submit
from .table import BulkAct, Params, Sight, Verdict, skip, will

CHANGED = "Somebody has edited it since the preview."


def change_of(params: Params) -> groups.Change:
    return groups.Change(params["field"], params["text"], params.get("find", ""))


def _judge(sight: Sight, params: Params) -> Verdict:
    case, change = sight.case, change_of(params)
    if why := closed(case):
        return skip(why)
    if params["revisions"].get(str(case.pk)) != case.revision:
        return skip(CHANGED)
    if change.applied(case) == input_text(case, change.field):
        return skip("The text is like that already.")
    verdict = paid(Sight(_changed(case, change), sight.runs, sight.uses), "The text is changed and sent.")
    if not verdict.will:
        return verdict
    mended = {change.field, "message_samples"} if change.field in groups.SAMPLES else {change.field}
    others = [problem.title for problem in problems(case, sight.runs) if problem.field not in mended]
    also = f" Not mended by this: {'; '.join(dict.fromkeys(others))}." if others else ""
    return will(f"{verdict.text}{also}", verdict.fee, verdict.paced)


def _changed(case: Registration, change: groups.Change) -> Registration:
    """The case as it would be; nothing is saved."""
    twin = plans.twin_of(case)
    for name, value in change.parts(case)["campaign"].items():
        setattr(twin.campaign, name, value)
    return twin


def _do(case: Registration, batch: Batch) -> str:
    seen = batch.params["revisions"][str(case.pk)]
    verbs.edit(case, change_of(batch.params).parts(case), actor=batch.actor, expected_revision=seen)
    submit(load(case.pk), batch)
    return "Edited and submitted."


GROUP_EDIT = BulkAct(
    slug="group_edit",
    label="Edit and resubmit",
    help="Changes one text of these cases as you have previewed it, and submits each of them.",
    judge=_judge,
    do=_do,
    goes_on=True,
    in_lists=False,
)

"""The table of bulk acts: one row each, in the order of the lists' menus."""

import contextlib
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model

from registrations.intake.preflight import gate
from registrations.models import Batch, Registration
from registrations.models.choices import ItemState, Stage, WaitingFor
from registrations.operations import actions, assignment, otp
from registrations.workflow import notices
from registrations.workflow.planner import plan as plans
from registrations.workflow.planner.problems import problems
from registrations.workflow.steps import BY_SLUG, WATCHED_PARTS, Write, watch_of

from .action import BulkAct, Params, Sight, Verdict, skip, will

# Agreed to for each registration on a page of its own, so no bulk act pays for it.
PURCHASE = "number.buy"
SUPERVISOR = "A supervisor can let it pass, with a reason, on the registration's page."


def closed(registration: Registration) -> str:
    """Why nothing is sent for this registration whatever was asked, or ""."""
    if registration.removing or registration.stage == Stage.REMOVED:
        return "It is being removed from Twilio, or was."
    return "It is on hold. Release it first." if registration.hold else ""


def paid(sight: Sight, text: str) -> Verdict:
    """What Submit comes to: its price, its calls in a paced lane, and what one should know before."""
    if sight.spent:
        return skip(" ".join([*sight.spent, SUPERVISOR]))
    plan = plans.plan(sight.registration)
    if plan.dead_end and not plan.calls:
        return skip(" ".join(plan.blockers) or "Nothing can be sent before somebody else has acted.")
    if found := gate.blocking_errors(sight.registration, plan):
        titles = "; ".join(dict.fromkeys(finding.rule.title for finding in found))
        return skip(f"The pre-flight stops it: {titles}. {actions.PREFLIGHT_ADVICE}")
    fee = sum((call.fee for call in plan.calls if call.fee and call.slug != PURCHASE), Decimal(0))
    paced: dict[str, int] = {}
    for call in plan.calls:
        row = BY_SLUG.get(call.slug)
        if isinstance(row, Write) and row.rate_limit:
            paced[row.rate_limit] = paced.get(row.rate_limit, 0) + 1
    stops = [f"It will stop for you: {blocker}" for blocker in plan.blockers[:1]]
    return will(" ".join([text, *plan.notes, *stops]), fee, paced)


# --- sending --------------------------------------------------------------------------------------------------
def _judge_submit(sight: Sight, params: Params) -> Verdict:
    registration = sight.registration
    if why := closed(registration):
        return skip(why)
    if registration.is_submitted:
        return skip("It is submitted already, and nothing was edited since.")
    return paid(
        sight, "The edits are sent." if registration.was_submitted else "Submitted for the first time."
    )


def _judge_resume(sight: Sight, params: Params) -> Verdict:
    """What stopped for another reason than Twilio's no is tried again; what waits is looked at now."""
    registration = sight.registration
    if why := closed(registration):
        return skip(why)
    if not registration.is_submitted:
        return skip("It has inputs that were never submitted. Use Submit.")
    if registration.waiting_for == WaitingFor.NOBODY:
        return skip("Nothing is left to do.")
    if registration.waiting_for != WaitingFor.US:
        return will("Looked at once more, at once.")
    if problems(registration, sight.attempts):
        return skip("Twilio has refused something. Mend it, then use Resubmit.")
    return paid(sight, "It has stopped: tried again.")


def _judge_resubmit(sight: Sight, params: Params) -> Verdict:
    registration = sight.registration
    if why := closed(registration):
        return skip(why)
    if not registration.was_submitted:
        return skip("It was never submitted. Use Submit.")
    if not registration.is_submitted:
        return paid(sight, "The edits are sent.")
    if registration.waiting_for != WaitingFor.US or not problems(registration, sight.attempts):
        return skip("Twilio has refused nothing here that waits for you.")
    return paid(sight, "Asked again with unchanged inputs.")


def submit(registration: Registration, batch: Batch) -> str:
    actions.submit(registration, actor=batch.actor, batch=batch)
    return "Submitted."


def _resume(registration: Registration, batch: Batch) -> str:
    if registration.waiting_for == WaitingFor.US:
        return submit(registration, batch)
    actions.refresh(registration, actor=batch.actor)
    return "Being looked at."


# --- watching, texting ------------------------------------------------------------------------------------------
def _judge_refresh(sight: Sight, params: Params) -> Verdict:
    if sight.registration.hold:
        return skip("It is on hold. Release it first.")
    if not any(watch_of(sight.registration, part) for part in WATCHED_PARTS):
        return skip("Nothing of it is at Twilio that could have changed.")
    return will("Twilio is asked now.")


def _refresh(registration: Registration, batch: Batch) -> str:
    actions.refresh(registration, actor=batch.actor)
    return "Asked for."


def _judge_otp(sight: Sight, params: Params) -> Verdict:
    if why := otp.state(sight.registration, sight.attempts).why_not:
        return skip(why)
    if not sight.registration.is_submitted:
        return skip("There are edits that Twilio has not got yet. Submit them first.")
    return will("Texted again.", paced={"otp": 1})


def _resend_otp(registration: Registration, batch: Batch) -> str:
    otp.resend(registration, actor=batch.actor)
    return "The text is on its way."


# --- our own columns ----------------------------------------------------------------------------------------------
def _judge_assign(sight: Sight, params: Params) -> Verdict:
    if "owner" in params and sight.registration.owner_id == params["owner"]:
        return skip("This person owns it already." if params["owner"] else "It has no owner anyway.")
    owner = sight.registration.owner
    return will(f"It belongs to {owner.get_username() if owner else 'nobody'} now.")


def _owner(batch: Batch) -> Any:
    pk: Any = batch.params.get("owner")
    owner = get_user_model()._default_manager.filter(pk=pk, is_active=True).first() if pk else None
    if pk and owner is None:
        raise actions.Refused("The person has no active account any more.")
    return owner


def _assign(registration: Registration, batch: Batch) -> str:
    owner = _owner(batch)
    assignment.assign(registration, to=owner, shown=registration.owner_id, actor=batch.actor, told=False)
    return f"Owned by {owner.get_username()}." if owner else "Owned by nobody."


def _tell_owner(batch: Batch) -> None:
    """Once for all registrations; a thousand notifications would be none."""
    count = batch.items.filter(state=ItemState.DONE).count()
    with contextlib.suppress(actions.Refused):
        owner = _owner(batch)
        if count and owner and owner != batch.user:
            registrations = f"{count:,} registration{'' if count == 1 else 's'}"
            key = f"{notices.ASSIGNED}:batch:{batch.pk}"
            notices.notify(owner, notices.ASSIGNED, key, f"{batch.actor} gave you {registrations}.")


def _judge_hold(sight: Sight, params: Params) -> Verdict:
    if sight.registration.hold:
        return skip("It is on hold already.")
    if sight.registration.stage == Stage.REMOVED:
        return skip("It was taken down.")
    return will("Put on hold: nothing is sent to Twilio until it is released.")


def _hold(registration: Registration, batch: Batch) -> str:
    actions.hold(registration, reason=str(batch.params.get("reason", "")), actor=batch.actor)
    return "On hold."


def _judge_release(sight: Sight, params: Params) -> Verdict:
    return will("Released, and carried on.") if sight.registration.hold else skip("It is not on hold.")


def _release(registration: Registration, batch: Batch) -> str:
    actions.release(registration, actor=batch.actor)
    return "Released."


TABLE = (
    BulkAct(
        slug="submit",
        label="Submit",
        help="Sends drafts and edits to Twilio. The worker makes the calls one after the other.",
        judge=_judge_submit,
        do=submit,
        goes_on=True,
    ),
    BulkAct(
        slug="resume",
        label="Try again",
        help="Tries again what stopped without a refusal by Twilio, and looks now at what waits.",
        judge=_judge_resume,
        do=_resume,
        goes_on=True,
    ),
    BulkAct(
        slug="resubmit",
        label="Resubmit",
        help="Asks Twilio again where it refused: with the edits made since, or unchanged.",
        judge=_judge_resubmit,
        do=submit,
        goes_on=True,
    ),
    BulkAct(
        slug="refresh",
        label="Check Twilio now",
        help="Looks at each registration's objects at Twilio instead of at the next planned time. Free of charge.",
        judge=_judge_refresh,
        do=_refresh,
    ),
    BulkAct(
        slug="otp",
        label="Resend OTP text",
        help="Twilio texts these customers again, at most ten a second. Free of charge.",
        judge=_judge_otp,
        do=_resend_otp,
    ),
    BulkAct(
        slug="assign",
        label="Assign",
        help="Gives these registrations an owner. Nothing is sent to Twilio.",
        judge=_judge_assign,
        do=_assign,
        as_told=True,
        inputs=("owner",),
        ended=_tell_owner,
    ),
    BulkAct(
        slug="hold",
        label="Put on hold",
        help="Stops all work on these registrations until they are released; a call under way still ends.",
        judge=_judge_hold,
        do=_hold,
        inputs=("reason",),
    ),
    BulkAct(
        slug="release",
        label="Release",
        help="Lets these registrations go on. What was submitted before is carried on at once.",
        judge=_judge_release,
        do=_release,
    ),
)

"""The bulk actions, in the order of the lists' menus."""

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

from .action import BulkAction, Candidate, Params, Preview, skip, will_run

# Agreed to for each registration on its own page, so no bulk action pays for it.
PURCHASE = "number.buy"
SUPERVISOR = "A supervisor can allow it, with a reason, on the registration's page."


def why_closed(registration: Registration) -> str:
    """Why nothing is sent for this registration, whatever the action, or ""."""
    if registration.removing or registration.stage == Stage.REMOVED:
        return "It is being removed from Twilio, or already was."
    return "It is on hold. Release it first." if registration.hold else ""


def preview_plan(candidate: Candidate, text: str) -> Preview:
    """What Submit would do: its price, its rate-limited calls, and what to know first."""
    if candidate.limits_reached:
        return skip(" ".join([*candidate.limits_reached, SUPERVISOR]))
    plan = plans.plan(candidate.registration)
    if plan.dead_end and not plan.calls:
        return skip(" ".join(plan.blockers) or "Nothing can be sent until somebody else acts.")
    if found := gate.blocking_errors(candidate.registration, plan):
        titles = "; ".join(dict.fromkeys(finding.rule.title for finding in found))
        return skip(f"Blocked by pre-flight: {titles}. {actions.PREFLIGHT_ADVICE}")
    fee = sum((call.fee for call in plan.calls if call.fee and call.slug != PURCHASE), Decimal(0))
    rate_limited: dict[str, int] = {}
    for call in plan.calls:
        step = BY_SLUG.get(call.slug)
        if isinstance(step, Write) and step.rate_limit:
            rate_limited[step.rate_limit] = rate_limited.get(step.rate_limit, 0) + 1
    needs_you = [f"Needs you: {blocker}" for blocker in plan.blockers[:1]]
    return will_run(" ".join([text, *plan.notes, *needs_you]), fee, rate_limited)


# --- submitting ---------------------------------------------------------------------------------------------------
def _preview_submit(candidate: Candidate, params: Params) -> Preview:
    registration = candidate.registration
    if why := why_closed(registration):
        return skip(why)
    if registration.is_submitted:
        return skip("Already submitted, and not edited since.")
    first = not registration.was_submitted
    return preview_plan(
        candidate, "Will be submitted for the first time." if first else "The edits will be sent."
    )


def _preview_resume(candidate: Candidate, params: Params) -> Preview:
    """Retries what stopped for another reason than a rejection; checks now what is waiting."""
    registration = candidate.registration
    if why := why_closed(registration):
        return skip(why)
    if not registration.is_submitted:
        return skip("It has edits that were not submitted. Use Submit.")
    if registration.waiting_for == WaitingFor.NOBODY:
        return skip("Nothing is left to do.")
    if registration.waiting_for != WaitingFor.US:
        return will_run("Will be checked now.")
    if problems(registration, candidate.attempts):
        return skip("Twilio rejected something. Fix it, then use Resubmit.")
    return preview_plan(candidate, "It has stopped and will be tried again.")


def _preview_resubmit(candidate: Candidate, params: Params) -> Preview:
    registration = candidate.registration
    if why := why_closed(registration):
        return skip(why)
    if not registration.was_submitted:
        return skip("It was never submitted. Use Submit.")
    if not registration.is_submitted:
        return preview_plan(candidate, "The edits will be sent.")
    if registration.waiting_for != WaitingFor.US or not problems(registration, candidate.attempts):
        return skip("It has no rejection that needs you.")
    return preview_plan(candidate, "Will be resubmitted unchanged.")


def submit(registration: Registration, batch: Batch) -> str:
    actions.submit(registration, actor=batch.actor, batch=batch)
    return "Submitted."


def _resume(registration: Registration, batch: Batch) -> str:
    if registration.waiting_for == WaitingFor.US:
        return submit(registration, batch)
    actions.refresh(registration, actor=batch.actor)
    return "Check requested."


# --- checking, texting --------------------------------------------------------------------------------------------
def _preview_refresh(candidate: Candidate, params: Params) -> Preview:
    if candidate.registration.hold:
        return skip("It is on hold. Release it first.")
    if not any(watch_of(candidate.registration, part) for part in WATCHED_PARTS):
        return skip("It has nothing at Twilio that could have changed.")
    return will_run("Will be checked at Twilio now.")


def _refresh(registration: Registration, batch: Batch) -> str:
    actions.refresh(registration, actor=batch.actor)
    return "Check requested."


def _preview_otp(candidate: Candidate, params: Params) -> Preview:
    if why := otp.state(candidate.registration, candidate.attempts).why_not:
        return skip(why)
    if not candidate.registration.is_submitted:
        return skip(otp.UNSUBMITTED_EDITS)
    return will_run("Will be texted again.", rate_limited_calls={"otp": 1})


def _resend_otp(registration: Registration, batch: Batch) -> str:
    otp.resend(registration, actor=batch.actor)
    return "OTP text requested."


# --- our own columns ----------------------------------------------------------------------------------------------
def _preview_assign(candidate: Candidate, params: Params) -> Preview:
    registration = candidate.registration
    if "owner" in params and registration.owner_id == params["owner"]:
        return skip("Already assigned to this person." if params["owner"] else "Already unassigned.")
    owner = registration.owner
    return will_run(f"Currently assigned to {owner.get_username()}." if owner else "Currently unassigned.")


def _new_owner(batch: Batch) -> Any:
    pk: Any = batch.params.get("owner")
    owner = get_user_model()._default_manager.filter(pk=pk, is_active=True).first() if pk else None
    if pk and owner is None:
        raise actions.Refused("This person no longer has an active account.")
    return owner


def _assign(registration: Registration, batch: Batch) -> str:
    owner = _new_owner(batch)
    assignment.assign(registration, to=owner, shown=registration.owner_id, actor=batch.actor, notify=False)
    return f"Assigned to {owner.get_username()}." if owner else "Unassigned."


def _notify_owner(batch: Batch) -> None:
    """One notification for all registrations."""
    count = batch.items.filter(state=ItemState.DONE).count()
    with contextlib.suppress(actions.Refused):
        owner = _new_owner(batch)
        if count and owner and owner != batch.user:
            registrations = f"{count:,} registration{'' if count == 1 else 's'}"
            key = f"{notices.ASSIGNED}:batch:{batch.pk}"
            notices.notify(owner, notices.ASSIGNED, key, f"{batch.actor} assigned {registrations} to you.")


def _preview_hold(candidate: Candidate, params: Params) -> Preview:
    if candidate.registration.hold:
        return skip("It is on hold already.")
    if candidate.registration.stage == Stage.REMOVED:
        return skip("It was removed from Twilio.")
    return will_run("Nothing will be sent to Twilio until it is released.")


def _hold(registration: Registration, batch: Batch) -> str:
    actions.hold(registration, reason=str(batch.params.get("reason", "")), actor=batch.actor)
    return "On hold."


def _preview_release(candidate: Candidate, params: Params) -> Preview:
    if candidate.registration.hold:
        return will_run("Will be released and continue.")
    return skip("It is not on hold.")


def _release(registration: Registration, batch: Batch) -> str:
    actions.release(registration, actor=batch.actor)
    return "Released."


LISTED_ACTIONS = (
    BulkAction(
        slug="submit",
        label="Submit",
        help="Sends drafts and edits to Twilio.",
        preview=_preview_submit,
        run=submit,
        submits=True,
    ),
    BulkAction(
        slug="resume",
        label="Try again",
        help="Retries what stopped without a rejection, and checks now what is waiting.",
        preview=_preview_resume,
        run=_resume,
        submits=True,
    ),
    BulkAction(
        slug="resubmit",
        label="Resubmit",
        help="Submits again what Twilio rejected, with the edits made since or unchanged.",
        preview=_preview_resubmit,
        run=submit,
        submits=True,
    ),
    BulkAction(
        slug="refresh",
        label="Check Twilio now",
        help="Checks each registration at Twilio now instead of at the next scheduled time. No charge.",
        preview=_preview_refresh,
        run=_refresh,
    ),
    BulkAction(
        slug="otp",
        label="Resend OTP text",
        help="Twilio texts these customers again, at most ten per second. No charge.",
        preview=_preview_otp,
        run=_resend_otp,
    ),
    BulkAction(
        slug="assign",
        label="Assign",
        help="Assigns these registrations to a colleague. Nothing is sent to Twilio.",
        preview=_preview_assign,
        run=_assign,
        must_match_preview=True,
        inputs=("owner",),
        on_finished=_notify_owner,
    ),
    BulkAction(
        slug="hold",
        label="Put on hold",
        help="Stops all work on these registrations until they are released. A call in progress still finishes.",
        preview=_preview_hold,
        run=_hold,
        inputs=("reason",),
    ),
    BulkAction(
        slug="release",
        label="Release",
        help="Releases these registrations. Anything submitted before continues at once.",
        preview=_preview_release,
        run=_release,
    ),
)

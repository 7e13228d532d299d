"""Compares what should be true with Twilio's state: what comes next, and why a registration is waiting.

Only reads. `decide` tells the worker what to do now; `current_state` and `summarize` tell the pages where a
registration stands.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from registrations.models import ApiCall, Registration
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.twilio.rejections import lookup
from registrations.twilio.statuses import NUMBER, status_label
from registrations.workflow.steps import (
    BY_SLUG,
    STEPS,
    WATCHED_PARTS,
    Read,
    Step,
    Watch,
    Write,
    steps_of,
    watch_of,
)

from .attempts import Attempts
from .plan import Plan, PlannedCall, needed_writes, plan
from .problems import Problem, problems

__all__ = [
    "Attempts",
    "Call",
    "Decision",
    "Learn",
    "Look",
    "Plan",
    "PlannedCall",
    "Problem",
    "Reconcile",
    "Stop",
    "Summary",
    "Wait",
    "current_state",
    "decide",
    "needed_writes",
    "plan",
    "problems",
    "refusal_text",
    "summarize",
    "watch_of",
]

UNSENT = "Edited here, not sent to Twilio yet. Press Submit to send the changes."
REMOVED = "Removed from Twilio. Anything left there is listed on this page."
UNREPORTED = "Complete. Twilio has not reported yet whether the carriers registered the number."
NOT_SUBMITTED = "Not submitted yet. Press Submit when the inputs are ready."


# --- what the worker does next ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Call:
    """Make this write now (once its rate limit allows it)."""

    step: Write


@dataclass(frozen=True)
class Learn:
    """Make this read now."""

    step: Read


@dataclass(frozen=True)
class Reconcile:
    """The last attempt's outcome is unknown: look it up at Twilio before anything else."""

    step: Write
    api_call: ApiCall


@dataclass(frozen=True)
class Look:
    """Poll for a decision."""

    step: Watch


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime
    stage: Stage
    waiting_for: WaitingFor
    reason: str


@dataclass(frozen=True)
class Stop:
    """A person must act, or everything is done. `until`: when to poll Twilio meanwhile, if at all."""

    stage: Stage
    waiting_for: WaitingFor
    reason: str
    until: datetime | None = None


Decision = Call | Learn | Reconcile | Look | Wait | Stop


def decide(registration: Registration, now: datetime, attempts: Attempts | None = None) -> Decision:
    """What the worker does next, or why it does nothing."""
    attempts = attempts or Attempts.of(registration)
    if halted := _halted(registration, attempts, now):
        # On hold nothing is sent or polled, except what a webhook or a person asks for.
        ends = attempts.open or registration.removing or registration.stage == Stage.REMOVED
        return (_due_poll(registration, None) if registration.hold and not ends else None) or halted
    if registration.removing:
        decision = _next_step(registration, attempts, now)
        stopped = isinstance(decision, Stop) and decision.waiting_for == WaitingFor.US
        return (_due_poll(registration, now) if stopped else None) or decision
    return _due_poll(registration, now) or _until_next_poll(
        registration, _next_step(registration, attempts, now)
    )


def current_state(registration: Registration, now: datetime, attempts: Attempts | None = None) -> Decision:
    """Where the registration stands, for pages: like `decide`, but without backstop polls of what is settled."""
    attempts = attempts or Attempts.of(registration)
    return _halted(registration, attempts, now) or _next_step(registration, attempts, now)


def _halted(registration: Registration, attempts: Attempts, now: datetime) -> Decision | None:
    if registration.stage == Stage.REMOVED and not needed_writes(registration):
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    if attempts.open:
        return _reconcile(registration, attempts.open, now)
    if registration.hold:
        reason = f"On hold: {registration.hold_reason}" if registration.hold_reason else "On hold."
        return Stop(_stage_now(registration), WaitingFor.US, reason)
    if not registration.was_submitted and not registration.removing:
        return Stop(Stage.DRAFT, WaitingFor.US, NOT_SUBMITTED)
    return None


def _next_step(registration: Registration, attempts: Attempts, now: datetime) -> Decision:
    if not registration.is_submitted and not registration.removing:
        return _stop_but_watch(registration, _stage_now(registration), UNSENT, now)
    return _first_unfinished(registration, attempts, now)


def _due_poll(registration: Registration, now: datetime | None) -> Look | None:
    """A poll that a webhook or a person asked for, or that is due (not if `now` is None).

    This includes watches that passed, because Twilio may reverse a decision.
    """
    for part in WATCHED_PARTS:
        step = watch_of(registration, part)
        if step is None:
            continue
        resource = step.resource(registration)
        if resource.refresh_requested_at or (now and resource.next_poll_at and resource.next_poll_at <= now):
            return Look(step)
    return None


def _until_next_poll(registration: Registration, decision: Decision) -> Decision:
    """No wait is longer than the time until the next scheduled poll of any of the registration's objects."""
    if not isinstance(decision, Wait | Stop):
        return decision
    watches = (watch_of(registration, part) for part in WATCHED_PARTS)
    planned = [at for step in watches if step and (at := step.resource(registration).next_poll_at)]
    if decision.until:
        planned.append(decision.until)
    return replace(decision, until=min(planned)) if planned else decision


def _first_unfinished(registration: Registration, attempts: Attempts, now: datetime) -> Decision:
    for step in steps_of(registration):
        if isinstance(step, Watch):
            if not step.exists(registration) or step.passed(registration):
                continue
            return _watch(registration, step, now)
        if not step.is_needed(registration):
            continue
        if blocked := step.blocked(registration):
            return _stop_but_watch(registration, step.stage, blocked, now)
        if refused := attempts.refusal(step, registration):
            return _stop_but_watch(registration, step.stage, refusal_text(step, refused), now)
        if isinstance(step, Read):
            return Learn(step)
        if (early := step.not_before(registration)) and early > now:
            return Wait(
                early, step.stage, WaitingFor.TWILIO, f"{step.label}: waiting briefly, as Twilio requires."
            )
        return Call(step)
    if registration.removing:
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    return _live(registration)


def _live(registration: Registration) -> Stop:
    """Everything is done. Only events report the carriers' registration of the number (docs/twilio.md section 3)."""
    status = registration.phone_number.a2p_status
    if not status or status == "registered":
        return Stop(Stage.LIVE, WaitingFor.NOBODY, "Ready to send." if status else UNREPORTED)
    reading = status_label(NUMBER, status)
    if reading.severity == "bad":
        return Stop(Stage.NUMBER, WaitingFor.US, "The carriers did not register the number. See below.")
    if status in ("unregistered", "pending_deregistration"):
        return Stop(Stage.NUMBER, WaitingFor.US, f"The number cannot send: {reading.label.lower()}.")
    return Stop(Stage.LIVE, WaitingFor.TWILIO, f"The number is attached. Carriers: {reading.label.lower()}.")


def _watch(registration: Registration, step: Watch, now: datetime) -> Look | Wait | Stop:
    due, failed = step.resource(registration).next_poll_at, step.failed(registration)
    if failed and (due is None or due > now):
        # A rejection may be reversed, so it is polled again, but nobody waits for that.
        return Stop(step.stage, WaitingFor.US, failed, until=due)
    if due is None or due <= now:
        return Look(step)
    return Wait(due, step.stage, *step.waiting_status(registration))


def _stop_but_watch(registration: Registration, stage: Stage, reason: str, now: datetime) -> Decision:
    """A person must act, and nothing is sent, but pending decisions at Twilio are still polled."""
    for step in STEPS:
        if isinstance(step, Watch) and step.exists(registration) and not step.passed(registration):
            watched = _watch(registration, step, now)
            return watched if isinstance(watched, Look) else Stop(stage, WaitingFor.US, reason, watched.until)
    return Stop(stage, WaitingFor.US, reason)


def _reconcile(registration: Registration, api_call: ApiCall, now: datetime) -> Decision:
    step = BY_SLUG.get(api_call.step)
    if not isinstance(step, Write):
        return Stop(
            _stage_now(registration),
            WaitingFor.US,
            f"Unknown step {api_call.step} is open. Tell an engineer.",
        )
    due = api_call.lookup_at
    if due and due > now:
        return Wait(
            due,
            step.stage,
            WaitingFor.WORKER,
            f"{step.label}: {_unknown_because(api_call)}. Checking Twilio before continuing.",
        )
    return Reconcile(step, api_call)


def _unknown_because(api_call: ApiCall) -> str:
    """Why the attempt's outcome is unknown."""
    if not api_call.error_code:
        return "no answer came"
    return f"{lookup(api_call.error_code).title} ({api_call.error_code}). {api_call.error_message}".rstrip(
        ". "
    )


def _stage_now(registration: Registration) -> Stage:
    """Where the registration stands by Twilio's state alone, regardless of the current inputs."""
    for step in STEPS:
        if isinstance(step, Watch):
            if step.exists(registration) and not step.passed(registration):
                return step.stage
        elif (
            isinstance(step, Write)
            and step.sid_field
            and not getattr(step.resource(registration), step.sid_field)
        ):
            return step.stage if registration.was_submitted else Stage.DRAFT
    return Stage.LIVE if registration.phone_number.confirmed_at else Stage.NUMBER


def refusal_text(step: Step, attempt: ApiCall) -> str:
    """Why the step stopped, as one or two sentences."""
    if attempt.state == CallState.ERRORED:
        return f"{step.label}: an internal error stopped this step. Details are in the API calls."
    code = f" ({attempt.error_code})" if attempt.error_code else ""
    return f"{step.label}: Twilio rejected it{code}. {attempt.error_message}".strip()


# --- what the agent sees ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Summary:
    """Where a registration stands; stored on it for lists."""

    stage: Stage
    waiting_for: WaitingFor
    reason: str


def summarize(registration: Registration, now: datetime, attempts: Attempts | None = None) -> Summary:
    decision = current_state(registration, now, attempts)
    if isinstance(decision, Wait | Stop):
        return Summary(decision.stage, decision.waiting_for, decision.reason)
    step = decision.step
    if isinstance(decision, Look):
        if failed := decision.step.failed(registration):
            return Summary(step.stage, WaitingFor.US, failed)
        return Summary(step.stage, *decision.step.waiting_status(registration))
    return Summary(step.stage, WaitingFor.WORKER, f"Next: {step.label}.")

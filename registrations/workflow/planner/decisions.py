"""From what should be true and what Twilio holds: what comes next, what is left to do, and why it waits.

Pure reading; no call to Twilio and no write. `decide` answers the worker ("what now?"), `plan` the agent
("what would Submit do, and cost?"), `board` and `summarize` the pages.
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
from .plan import Plan, PlannedCall, plan, wanted_writes
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
    "plan",
    "problems",
    "refusal_text",
    "summarize",
    "wanted_writes",
    "watch_of",
]

UNSENT = "Edited here, not yet at Twilio. Press Submit to send the changes."
REMOVED = "Taken down at Twilio. What is left there is listed on this page."
UNREPORTED = "All is done. Twilio has not reported yet whether the carriers have registered the number."
NOT_SUBMITTED = "Not submitted yet. Press Submit when the inputs are right."


# --- what the worker does next --------------------------------------------------------------------------
@dataclass(frozen=True)
class Call:
    """Make this write now (once its lane is free)."""

    step: Write


@dataclass(frozen=True)
class Learn:
    """Make this read now."""

    step: Read


@dataclass(frozen=True)
class Reconcile:
    """The last attempt's outcome is unknown: look at Twilio before anything else."""

    step: Write
    run: ApiCall


@dataclass(frozen=True)
class Look:
    """Look whether somebody has decided."""

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
    """A person must act, or all is done. `until`: when to look at Twilio meanwhile, if at all."""

    stage: Stage
    waiting_for: WaitingFor
    reason: str
    until: datetime | None = None


Decision = Call | Learn | Reconcile | Look | Wait | Stop


def decide(registration: Registration, now: datetime, attempts: Attempts | None = None) -> Decision:
    """The next act of the worker, or why there is none."""
    attempts = attempts or Attempts.of(registration)
    if halted := _halted(registration, attempts, now):
        # On hold nothing is sent and nothing polled, but what a delivery or a person asks for is looked at.
        ends = attempts.open or registration.removing or registration.stage == Stage.REMOVED
        return (_look_due(registration, None) if registration.hold and not ends else None) or halted
    if registration.removing:
        decision = _go_on(registration, attempts, now)
        stopped = isinstance(decision, Stop) and decision.waiting_for == WaitingFor.US
        return (_look_due(registration, now) if stopped else None) or decision
    return _look_due(registration, now) or _until_next_look(registration, _go_on(registration, attempts, now))


def current_state(registration: Registration, now: datetime, attempts: Attempts | None = None) -> Decision:
    """Where the registration stands, for pages: like `decide`, but a look at what is settled already is no news."""
    attempts = attempts or Attempts.of(registration)
    return _halted(registration, attempts, now) or _go_on(registration, attempts, now)


def _halted(registration: Registration, attempts: Attempts, now: datetime) -> Decision | None:
    if registration.stage == Stage.REMOVED and not wanted_writes(registration):
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    if attempts.open:
        return _reconcile(registration, attempts.open, now)
    if registration.hold:
        reason = f"On hold: {registration.hold_reason}" if registration.hold_reason else "On hold."
        return Stop(_stage_now(registration), WaitingFor.US, reason)
    if not registration.was_submitted and not registration.removing:
        return Stop(Stage.DRAFT, WaitingFor.US, NOT_SUBMITTED)
    return None


def _go_on(registration: Registration, attempts: Attempts, now: datetime) -> Decision:
    if not registration.is_submitted and not registration.removing:
        return _stop_but_watch(registration, _stage_now(registration), UNSENT, now)
    return _walk(registration, attempts, now)


def _look_due(registration: Registration, now: datetime | None) -> Look | None:
    """A look that a delivery or a person asked for, or whose planned time has come (`now` None: not these); also
    at what has passed: Twilio may take back what it granted."""
    for part in WATCHED_PARTS:
        step = watch_of(registration, part)
        if step is None:
            continue
        resource = step.resource(registration)
        if resource.look_requested_at or (now and resource.next_poll_at and resource.next_poll_at <= now):
            return Look(step)
    return None


def _until_next_look(registration: Registration, decision: Decision) -> Decision:
    """No wait is longer than the time to the next planned look at any of the registration's objects."""
    if not isinstance(decision, Wait | Stop):
        return decision
    rows = (watch_of(registration, part) for part in WATCHED_PARTS)
    planned = [at for step in rows if step and (at := step.resource(registration).next_poll_at)]
    if decision.until:
        planned.append(decision.until)
    return replace(decision, until=min(planned)) if planned else decision


def _walk(registration: Registration, attempts: Attempts, now: datetime) -> Decision:
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
                early, step.stage, WaitingFor.TWILIO, f"{step.label}: Twilio needs a short pause first."
            )
        return Call(step)
    if registration.removing:
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    return _live(registration)


def _live(registration: Registration) -> Stop:
    """All is done; events alone tell what the carriers make of the number (docs/twilio.md section 3)."""
    said = registration.phone_number.a2p_status
    if not said or said == "registered":
        return Stop(Stage.LIVE, WaitingFor.NOBODY, "The number may send." if said else UNREPORTED)
    reading = status_label(NUMBER, said)
    if reading.severity == "bad":
        return Stop(Stage.NUMBER, WaitingFor.US, "The carriers did not register the number. See below.")
    if said in ("unregistered", "pending_deregistration"):
        return Stop(Stage.NUMBER, WaitingFor.US, f"The number may not send: {reading.label.lower()}.")
    return Stop(Stage.LIVE, WaitingFor.TWILIO, f"The number is attached. Carriers: {reading.label.lower()}.")


def _watch(registration: Registration, step: Watch, now: datetime) -> Look | Wait | Stop:
    due, failed = step.resource(registration).next_poll_at, step.failed(registration)
    if failed and (due is None or due > now):
        # Their no is not always the last word: it may be looked at again, but that keeps nobody waiting.
        return Stop(step.stage, WaitingFor.US, failed, until=due)
    if due is None or due <= now:
        return Look(step)
    return Wait(due, step.stage, *step.waits(registration))


def _stop_but_watch(registration: Registration, stage: Stage, reason: str, now: datetime) -> Decision:
    """A person must act, and nothing is written; but what is under way at Twilio is still watched."""
    for step in STEPS:
        if isinstance(step, Watch) and step.exists(registration) and not step.passed(registration):
            watched = _watch(registration, step, now)
            return watched if isinstance(watched, Look) else Stop(stage, WaitingFor.US, reason, watched.until)
    return Stop(stage, WaitingFor.US, reason)


def _reconcile(registration: Registration, run: ApiCall, now: datetime) -> Decision:
    step = BY_SLUG.get(run.step)
    if not isinstance(step, Write):
        return Stop(
            _stage_now(registration), WaitingFor.US, f"Unknown step {run.step} is open; tell an engineer."
        )
    due = run.lookup_at
    if due and due > now:
        return Wait(
            due,
            step.stage,
            WaitingFor.WORKER,
            f"{step.label}: {_unclear(run)}; looking at Twilio before going on.",
        )
    return Reconcile(step, run)


def _unclear(run: ApiCall) -> str:
    """Why nobody knows what became of the attempt."""
    if not run.error_code:
        return "no answer came"
    return f"{lookup(run.error_code).title} ({run.error_code}). {run.error_message}".rstrip(". ")


def _stage_now(registration: Registration) -> Stage:
    """Where the registration stands by its mirrors alone, whatever the inputs say now."""
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


def refusal_text(step: Step, run: ApiCall) -> str:
    if run.state == CallState.ERRORED:
        return (
            f"{step.label}: an error of ours stopped this step. An engineer finds the details in the ledger."
        )
    code = f" ({run.error_code})" if run.error_code else ""
    return f"{step.label}: Twilio refused{code}. {run.error_message}".strip()


# --- what the agent sees -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Summary:
    """Where a registration stands; stored on the registration for lists."""

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
        return Summary(step.stage, *decision.step.waits(registration))
    return Summary(step.stage, WaitingFor.WORKER, f"Next: {step.label}.")

"""From what should be true and what Twilio holds: what comes next, what is left to do, and why it waits.

Pure reading; no call to Twilio and no write. `decide` answers the worker ("what now?"), `plan` the agent
("what would Submit do, and cost?"), `board` and `summarize` the pages.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from registrations.failures import lookup
from registrations.models import Registration, StepRun
from registrations.plans import Plan, PlannedCall, plan, wanted_writes
from registrations.problems import Problem, problems
from registrations.runs import Runs
from registrations.states import NUMBER, RunState, Stage, WaitingFor, word
from registrations.steps import (
    BY_SLUG,
    ROWS,
    WATCHED_PARTS,
    Read,
    Row,
    Watch,
    Write,
    rows_of,
    watch_of,
)

__all__ = [
    "Call",
    "Decision",
    "Learn",
    "Look",
    "Plan",
    "PlannedCall",
    "Problem",
    "Reconcile",
    "Runs",
    "Stop",
    "Summary",
    "Wait",
    "decide",
    "plan",
    "problems",
    "refusal_text",
    "stand",
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

    row: Write


@dataclass(frozen=True)
class Learn:
    """Make this read now."""

    row: Read


@dataclass(frozen=True)
class Reconcile:
    """The last attempt's outcome is unknown: look at Twilio before anything else."""

    row: Write
    run: StepRun


@dataclass(frozen=True)
class Look:
    """Look whether somebody has decided."""

    row: Watch


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


def decide(registration: Registration, now: datetime, runs: Runs | None = None) -> Decision:
    """The next act of the worker, or why there is none."""
    runs = runs or Runs.of(registration)
    if halted := _halted(registration, runs, now):
        # On hold nothing is sent and nothing polled, but what a delivery or a person asks for is looked at.
        ends = runs.open or registration.removing or registration.stage == Stage.REMOVED
        return (_look_due(registration, None) if registration.hold and not ends else None) or halted
    if registration.removing:
        decision = _go_on(registration, runs, now)
        stopped = isinstance(decision, Stop) and decision.waiting_for == WaitingFor.US
        return (_look_due(registration, now) if stopped else None) or decision
    return _look_due(registration, now) or _until_next_look(registration, _go_on(registration, runs, now))


def stand(registration: Registration, now: datetime, runs: Runs | None = None) -> Decision:
    """Where the case stands, for pages: like `decide`, but a look at what is settled already is no news."""
    runs = runs or Runs.of(registration)
    return _halted(registration, runs, now) or _go_on(registration, runs, now)


def _halted(registration: Registration, runs: Runs, now: datetime) -> Decision | None:
    if registration.stage == Stage.REMOVED and not wanted_writes(registration):
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    if runs.open:
        return _reconcile(registration, runs.open, now)
    if registration.hold:
        reason = f"On hold: {registration.hold_reason}" if registration.hold_reason else "On hold."
        return Stop(_stage_now(registration), WaitingFor.US, reason)
    if not registration.was_submitted and not registration.removing:
        return Stop(Stage.DRAFT, WaitingFor.US, NOT_SUBMITTED)
    return None


def _go_on(registration: Registration, runs: Runs, now: datetime) -> Decision:
    if not registration.is_submitted and not registration.removing:
        return _stop_but_watch(registration, _stage_now(registration), UNSENT, now)
    return _walk(registration, runs, now)


def _look_due(registration: Registration, now: datetime | None) -> Look | None:
    """A look that a delivery or a person asked for, or whose planned time has come (`now` None: not these); also
    at what has passed: Twilio may take back what it granted."""
    for part in WATCHED_PARTS:
        row = watch_of(registration, part)
        if row is None:
            continue
        mirror = row.mirror(registration)
        if mirror.look_requested_at or (now and mirror.next_poll_at and mirror.next_poll_at <= now):
            return Look(row)
    return None


def _until_next_look(registration: Registration, decision: Decision) -> Decision:
    """No wait is longer than the time to the next planned look at any of the case's objects."""
    if not isinstance(decision, Wait | Stop):
        return decision
    rows = (watch_of(registration, part) for part in WATCHED_PARTS)
    planned = [at for row in rows if row and (at := row.mirror(registration).next_poll_at)]
    if decision.until:
        planned.append(decision.until)
    return replace(decision, until=min(planned)) if planned else decision


def _walk(registration: Registration, runs: Runs, now: datetime) -> Decision:
    for row in rows_of(registration):
        if isinstance(row, Watch):
            if not row.exists(registration) or row.passed(registration):
                continue
            return _watch(registration, row, now)
        if not row.wanted(registration):
            continue
        if blocked := row.blocked(registration):
            return _stop_but_watch(registration, row.stage, blocked, now)
        if refused := runs.refusal(row, registration):
            return _stop_but_watch(registration, row.stage, refusal_text(row, refused), now)
        if isinstance(row, Read):
            return Learn(row)
        if (early := row.not_before(registration)) and early > now:
            return Wait(
                early, row.stage, WaitingFor.TWILIO, f"{row.label}: Twilio needs a short pause first."
            )
        return Call(row)
    if registration.removing:
        return Stop(Stage.REMOVED, WaitingFor.NOBODY, REMOVED)
    return _live(registration)


def _live(registration: Registration) -> Stop:
    """All is done; events alone tell what the carriers make of the number (facts section 3)."""
    said = registration.phone_number.a2p_status
    if not said or said == "registered":
        return Stop(Stage.LIVE, WaitingFor.NOBODY, "The number may send." if said else UNREPORTED)
    reading = word(NUMBER, said)
    if reading.mood == "bad":
        return Stop(Stage.NUMBER, WaitingFor.US, "The carriers did not register the number. See below.")
    if said in ("unregistered", "pending_deregistration"):
        return Stop(Stage.NUMBER, WaitingFor.US, f"The number may not send: {reading.label.lower()}.")
    return Stop(Stage.LIVE, WaitingFor.TWILIO, f"The number is attached. Carriers: {reading.label.lower()}.")


def _watch(registration: Registration, row: Watch, now: datetime) -> Look | Wait | Stop:
    due, failed = row.mirror(registration).next_poll_at, row.failed(registration)
    if failed and (due is None or due > now):
        # Their no is not always the last word: it may be looked at again, but that keeps nobody waiting.
        return Stop(row.stage, WaitingFor.US, failed, until=due)
    if due is None or due <= now:
        return Look(row)
    return Wait(due, row.stage, *row.waits(registration))


def _stop_but_watch(registration: Registration, stage: Stage, reason: str, now: datetime) -> Decision:
    """A person must act, and nothing is written; but what is under way at Twilio is still watched."""
    for row in ROWS:
        if isinstance(row, Watch) and row.exists(registration) and not row.passed(registration):
            watched = _watch(registration, row, now)
            return watched if isinstance(watched, Look) else Stop(stage, WaitingFor.US, reason, watched.until)
    return Stop(stage, WaitingFor.US, reason)


def _reconcile(registration: Registration, run: StepRun, now: datetime) -> Decision:
    row = BY_SLUG.get(run.step)
    if not isinstance(row, Write):
        return Stop(
            _stage_now(registration), WaitingFor.US, f"Unknown step {run.step} is open; tell an engineer."
        )
    due = run.look_at
    if due and due > now:
        return Wait(
            due,
            row.stage,
            WaitingFor.WORKER,
            f"{row.label}: {_unclear(run)}; looking at Twilio before going on.",
        )
    return Reconcile(row, run)


def _unclear(run: StepRun) -> str:
    """Why nobody knows what became of the attempt."""
    if not run.error_code:
        return "no answer came"
    return f"{lookup(run.error_code).title} ({run.error_code}). {run.error_message}".rstrip(". ")


def _stage_now(registration: Registration) -> Stage:
    """Where the case stands by its mirrors alone, whatever the inputs say now."""
    for row in ROWS:
        if isinstance(row, Watch):
            if row.exists(registration) and not row.passed(registration):
                return row.stage
        elif (
            isinstance(row, Write) and row.sid_field and not getattr(row.mirror(registration), row.sid_field)
        ):
            return row.stage if registration.was_submitted else Stage.DRAFT
    return Stage.LIVE if registration.phone_number.confirmed_at else Stage.NUMBER


def refusal_text(row: Row, run: StepRun) -> str:
    if run.state == RunState.ERRORED:
        return (
            f"{row.label}: an error of ours stopped this step. An engineer finds the details in the ledger."
        )
    code = f" ({run.error_code})" if run.error_code else ""
    return f"{row.label}: Twilio refused{code}. {run.error_message}".strip()


# --- what the agent sees -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Summary:
    """Where a case stands; stored on the registration for lists."""

    stage: Stage
    waiting_for: WaitingFor
    reason: str


def summarize(registration: Registration, now: datetime, runs: Runs | None = None) -> Summary:
    decision = stand(registration, now, runs)
    if isinstance(decision, Wait | Stop):
        return Summary(decision.stage, decision.waiting_for, decision.reason)
    row = decision.row
    if isinstance(decision, Look):
        if failed := decision.row.failed(registration):
            return Summary(row.stage, WaitingFor.US, failed)
        return Summary(row.stage, *decision.row.waits(registration))
    return Summary(row.stage, WaitingFor.WORKER, f"Next: {row.label}.")

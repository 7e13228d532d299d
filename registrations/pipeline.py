"""HOW a case is carried on: lease, decide, intent, call, classify, record, wake.

One job owns one registration by a lease (a conditional UPDATE) and runs on through consecutive steps until it
must wait. It never sleeps: a wait is `wake_at`, and the job ends. No transaction spans a call to Twilio.

Crash safety: the intent (StepRun, running) is committed before the call, its result right after it. A worker
that dies in between leaves an open run, which the next owner looks up at Twilio before doing anything else.
"""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from registrations import clock, derived, pacing, spells, sync, timeline, trouble
from registrations.derived import Seen
from registrations.gateway import Gateway, errors, get_gateway
from registrations.gateway.redact import redact, redact_text, redact_trace
from registrations.lease import LeaseLost, Moved, claim, claim_due, hold, hold_as_read, renew
from registrations.models import Registration, StepRun
from registrations.planning import (
    Call,
    Decision,
    Learn,
    Look,
    Reconcile,
    Runs,
    Stop,
    Wait,
    decide,
    summarize,
)
from registrations.states import RunState, Stage, WaitingFor
from registrations.steps import Watch, Write

log = logging.getLogger(__name__)

__all__ = ["LeaseLost", "advance", "claim_due", "load", "restate"]

Ring = Callable[[int, datetime], None]
Tell = Callable[[Registration], None]

MIRRORS = ("profile", "trust_bundle", "brand", "campaign", "phone_number")
MAX_STEPS_PER_JOB = 40  # far above a whole walkthrough: a defect must not spin for ever
NOT_FOUND_RETRIES = 4  # facts section 8.1: a 404 on a sub-resource right after a create is retried briefly
# A lost call must have had the time to land, and lists the time to show it, whatever A2P_TIME_SCALE says: networks
# do not scale. With the second look, twice as long after the first, that makes 9 and 15 seconds.
MIN_QUIET_SECONDS, MIN_PAID_QUIET_SECONDS = 3.0, 5.0


def load(pk: int) -> Registration:
    return Registration.objects.select_related(*MIRRORS).get(pk=pk)


def advance(pk: int, *, ring: Ring, tell: Tell | None = None) -> None:
    """Carry one case on as far as it goes now; a no-op when it is not due or another worker owns it.

    `ring(pk, at)` must enqueue the next job; it is called inside the transaction that stores `wake_at`.
    `tell(registration)` is called there, too, when from now on a person must act.
    """
    token = claim(pk)
    if token is None:
        return
    try:
        outcome, seen = _run(pk, token)
    except LeaseLost:
        log.warning("registration %s: lease lost, leaving it to its new owner", pk)
        return
    except Exception as error:
        # Ours, not Twilio's: kept with its traceback, tried again later, never parked for ever.
        log.error("registration %s: %s in the pipeline", pk, type(error).__name__)
        trouble.note_defect(pk, error)
        outcome, seen = None, None
    _release(pk, token, outcome, seen, ring, tell)


def _release(
    pk: int, token: str, outcome: Wait | Stop | None, seen: Seen | None, ring: Ring, tell: Tell | None
) -> None:
    """Store where the case stands, plan the next run and let go, in one transaction."""
    now = clock.now()
    with transaction.atomic():
        row = Registration.objects.select_for_update().filter(pk=pk, lease_token=token).first()
        if row is None:
            return
        before = row.waiting_for
        asked = row.wake_at  # somebody pressed a button while we worked
        if outcome is None:
            wake_at: datetime | None = now + clock.scaled(trouble.ERRORED_SECONDS)
            reason = (
                "An error of ours stopped this case; it is tried again. Engineers find it in the timeline."
            )
            summary = Stop(Stage(row.stage), WaitingFor.US, reason)
        else:
            wake_at, summary = outcome.until, outcome  # type: ignore[assignment]
        if asked and (wake_at is None or asked < wake_at):
            wake_at = asked
        _store(row, summary, now)
        if seen:
            if (seen.registration.revision, seen.registration.search_text) != (row.revision, row.search_text):
                # Edited while the worker looked elsewhere.
                current = load(pk)
                seen = Seen.of(current, Runs.of(current))
            row.search_text = derived.keep(seen, row.stage, now)
        row.wake_at, row.lease_until, row.lease_token = wake_at, None, ""
        row.save(
            update_fields=[
                "wake_at",
                "lease_until",
                "lease_token",
                "stage",
                "stage_since",
                "waiting_for",
                "reason",
                "search_text",
                "attempts",
                "updated_at",
            ]
        )
        if wake_at:
            ring(pk, wake_at)
        if tell and row.waiting_for == WaitingFor.US and before != WaitingFor.US:
            tell(row)


def _store(row: Registration, summary: Wait | Stop, now: datetime) -> None:
    if row.stage != summary.stage:
        timeline.record(row, "stage", f"{Stage(row.stage).label} → {Stage(summary.stage).label}")
        spells.moved(row, summary.stage, now)
        row.stage_since = now
    row.stage, row.waiting_for, row.reason = summary.stage, summary.waiting_for, summary.reason


def restate(pk: int, case: Registration | None = None) -> Registration:
    """Recompute and store stage, who must act, and why; for acts of people, outside the worker.

    `case`: as it is stored now, with its parts, for who has it in hand. Returns the case as it is then.
    """
    registration, now = case or load(pk), clock.now()
    runs = Runs.of(registration)
    summary = summarize(registration, now, runs)
    changes: dict[str, Any] = {
        "waiting_for": summary.waiting_for,
        "reason": summary.reason,
        "stage": summary.stage,
    }
    if summary.stage != registration.stage:
        spells.moved(registration, summary.stage, now)
        changes["stage_since"] = now
    changes["search_text"] = derived.keep(Seen.of(registration, runs), summary.stage, now)
    Registration.objects.filter(pk=pk).update(**changes)
    for name, value in changes.items():
        setattr(registration, name, value)
    return registration


# --- the run ---------------------------------------------------------------------------------------------------
def _run(pk: int, token: str) -> tuple[Wait | Stop, Seen]:
    gateway: Gateway | None = None
    for _ in range(MAX_STEPS_PER_JOB):
        renew(pk, token)
        registration = load(pk)
        runs = Runs.of(registration)
        decision = decide(registration, clock.now(), runs)
        if isinstance(decision, Wait | Stop):
            return decision, Seen.of(registration, runs)
        gateway = gateway or get_gateway()
        waits = _do(gateway, registration, token, decision)
        if waits:
            return waits, Seen.of(registration, runs)
    going_on = Wait(clock.now(), Stage(registration.stage), WaitingFor.WORKER, "Going on.")
    return going_on, Seen.of(registration, runs)


def _do(gateway: Gateway, registration: Registration, token: str, decision: Decision) -> Wait | Stop | None:
    """Carry out one decision; a Wait or Stop ends the job, None goes on with the next decision."""
    try:
        if isinstance(decision, Call):
            return _call(gateway, registration, token, decision.row)
        if isinstance(decision, Reconcile):
            return _reconcile(gateway, registration, token, decision.row, decision.run)
        if isinstance(decision, Look):
            return _look(gateway, registration, token, decision.row)
        assert isinstance(decision, Learn)
        sync.learn(registration, decision.row, decision.row.learn(gateway, registration))
        trouble.reset_attempts(registration)
    except errors.Unavailable as error:
        return trouble.back_off(registration, decision, error)
    except errors.Misconfigured as error:
        return trouble.misconfigured(registration, decision, error)
    except errors.Rejected as error:
        return trouble.refused_read(registration, decision, error)
    return None


def _look(gateway: Gateway, registration: Registration, token: str, row: Watch) -> Wait | Stop | None:
    payload = None
    try:
        payload = row.fetch(gateway, registration)
    except errors.Rejected as error:
        if not error.not_found:
            raise
        if not row.mirror(registration).gone_at and registration.attempts < NOT_FOUND_RETRIES:
            # What is young is not found everywhere at once; what is gone for good waits for a person.
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
    with transaction.atomic():
        # A worker that lost its lease holds an old answer, which must not overwrite a newer one.
        hold(registration.pk, token)
        if payload is None:
            sync.gone(registration, row)
        else:
            sync.refresh(registration, row, payload)
    trouble.reset_attempts(registration)
    return None


def _call(gateway: Gateway, registration: Registration, token: str, row: Write) -> Wait | Stop | None:
    """One write: pace, intent, call, record."""
    if row.lane:
        slot = pacing.take(row.lane, registration)
        if not slot.now:
            return Wait(
                slot.at, row.stage, WaitingFor.WORKER, f"{row.label}: in the queue for Twilio's pace."
            )
    try:
        run = _intend(registration, row)
    except Moved:
        return None  # decided anew, on what is true now
    if run is None:
        return Wait(
            clock.now() + timedelta(seconds=1), row.stage, WaitingFor.WORKER, "Another attempt is open."
        )
    try:
        payload = _act(gateway, registration, row, run)
    except errors.AlreadyDone as error:
        _succeed(registration, token, row, run, {}, RunState.OK, note=str(error))
    except errors.OutcomeUnknown as error:
        _unknown(registration, token, row, run, error)
    except errors.Unavailable as error:
        _close(registration, token, run, RunState.UNAVAILABLE, error)
        if row.lane and error.status == 429:
            pacing.pause(row.lane, error.retry_after or 1.0)
        raise
    except errors.Misconfigured as error:
        _close(registration, token, run, RunState.MISCONFIGURED, error)
        raise
    except errors.Rejected as error:
        if error.may_pass and registration.attempts < NOT_FOUND_RETRIES:
            _close(registration, token, run, RunState.UNAVAILABLE, error)
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
        basis = run.basis
        _close(registration, token, run, RunState.REJECTED, error)
        if answered := row.refusals.get(error.code or 0):
            sync.refused(registration, row, answered)
        elif row.gives_up:
            sync.give_up(registration, row, f"{row.label}: refused by Twilio")
        elif row.moot(registration):
            sync.passed_over(registration, row, basis)
        else:
            sync.look_soon(registration, row)
        timeline.record(registration, f"{row.slug}:rejected", redact_text(str(error)), actor="Twilio")
        trouble.reset_attempts(registration)
    except Exception as error:
        # The call may have been made before our code failed: look first, like after a lost reply.
        run.traceback = redact_trace(traceback.format_exc())
        _unknown(registration, token, row, run, errors.OutcomeUnknown(type(error).__name__))
        raise
    else:
        _succeed(registration, token, row, run, payload, RunState.OK)
    return None


def _act(gateway: Gateway, registration: Registration, row: Write, run: StepRun) -> dict:
    if not row.lane:
        return row.act(gateway, registration, run.basis)
    departed = pacing.depart(row.lane)
    try:
        return row.act(gateway, registration, run.basis)
    finally:
        pacing.arrived(row.lane, departed)


def _reconcile(
    gateway: Gateway, registration: Registration, token: str, row: Write, run: StepRun
) -> Wait | Stop | None:
    """The reply was lost: find what the call made, or make sure that it made nothing."""
    if run.state == RunState.RUNNING:
        # Its worker died. Its call may still be on the way, so the quiet time starts at the intent.
        run.state, run.look_at = RunState.UNKNOWN, run.started_at + _quiet(row)
        run.save(update_fields=["state", "look_at"])
        if run.look_at > clock.now():
            return None
    if row.find is None:
        # Twilio offers no way to look. Sending twice would be worse than counting one too many.
        _succeed(
            registration, token, row, run, {}, RunState.LOST, note="No answer came; it may have been sent."
        )
        return None
    payload = row.find(gateway, registration, run.basis)
    if payload is not None:
        _succeed(registration, token, row, run, payload, RunState.FOUND)
        return None
    renew(registration.pk, token)  # looking took its time
    run.looks += 1
    if run.looks < row.looks:
        # Lists may lag behind for seconds: each further look waits longer.
        run.look_at = clock.now() + _quiet(row) * 2**run.looks
        run.save(update_fields=["looks", "look_at"])
        return None
    run.state, run.finished_at, run.basis = RunState.LOST, clock.now(), {}
    run.save(update_fields=["state", "finished_at", "looks", "basis"])
    timeline.record(registration, f"{row.slug}:lost", "The call never arrived at Twilio; it is made again.")
    return None


# --- the ledger --------------------------------------------------------------------------------------------------
def _intend(registration: Registration, row: Write) -> StepRun | None:
    """Commit the intent; None when the database already holds an open attempt.

    Raises Moved, and LeaseLost for a worker that slept between its last look and the call: the new owner may
    have made it already.
    """
    basis = row.basis(registration)
    try:
        with transaction.atomic():
            hold_as_read(registration)
            return StepRun.objects.create(
                registration=registration,
                step=row.slug,
                actor=registration.submitted_by,
                batch_id=registration.submitted_batch_id,
                basis=basis,
                request=redact(basis),
                fee=row.fee() if row.fee else None,
                started_at=clock.now(),
            )
    except IntegrityError:
        return None


def _succeed(
    registration: Registration,
    token: str,
    row: Write,
    run: StepRun,
    payload: dict,
    state: RunState,
    note: str = "",
) -> None:
    """Outcome, SID, mirror and timeline in one short transaction, and only for the owner of the lease."""
    with transaction.atomic():
        hold(registration.pk, token)
        sync.record(registration, row, payload, run.basis)
        run.state, run.finished_at, run.basis = state, clock.now(), {}
        run.sid = str(payload.get("sid") or "")[:34]
        run.response = redact(payload)
        run.error_message = note
        run.save()
        text = (
            f"{row.label}: done" if state == RunState.OK else f"{row.label}: {RunState(state).label.lower()}"
        )
        timeline.record(registration, row.slug, text, sid=run.sid)
        Registration.objects.filter(pk=registration.pk).update(attempts=0)


def _unknown(
    registration: Registration, token: str, row: Write, run: StepRun, error: errors.GatewayError
) -> None:
    run.state = RunState.UNKNOWN
    run.look_at = clock.now() + _quiet(row)
    _describe(run, error)
    with transaction.atomic():
        hold(registration.pk, token)
        run.save()
    timeline.record(registration, f"{row.slug}:unknown", "No usable answer came; looking before going on.")


def _close(
    registration: Registration, token: str, run: StepRun, state: RunState, error: errors.GatewayError
) -> None:
    run.state, run.finished_at, run.basis = state, clock.now(), {}
    _describe(run, error)
    with transaction.atomic():
        hold(registration.pk, token)
        run.save()


def _describe(run: StepRun, error: errors.GatewayError) -> None:
    run.http_status, run.error_code, run.error_message = error.status, error.code, error.message
    run.error_details = redact(error.details or {})


def _quiet(row: Write) -> timedelta:
    floor = MIN_PAID_QUIET_SECONDS if row.fee else MIN_QUIET_SECONDS
    return max(clock.scaled(row.quiet), timedelta(seconds=floor))

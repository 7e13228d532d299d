"""HOW a registration is carried on: lease, decide, intent, call, classify, record, wake.

One job owns one registration by a lease (a conditional UPDATE) and runs on through consecutive steps until it
must wait. It never sleeps: a wait is `next_run_at`, and the job ends. No transaction spans a call to Twilio.

Crash safety: the intent (ApiCall, running) is committed before the call, its result right after it. A worker
that dies in between leaves an open run, which the next owner looks up at Twilio before doing anything else.
"""

import logging
import traceback
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from registrations.core import clock, queue
from registrations.models import ApiCall, Registration
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.twilio.client import TwilioClient, errors, get_client
from registrations.twilio.client.redaction import redact, redact_text, redact_trace
from registrations.workflow import notices, timeline
from registrations.workflow.planner.decisions import (
    Attempts,
    Call,
    Decision,
    Learn,
    Look,
    Reconcile,
    Stop,
    Wait,
    decide,
    summarize,
)
from registrations.workflow.recorder import read_models, recorder, stage_history
from registrations.workflow.recorder.read_models import RegistrationSnapshot
from registrations.workflow.steps import Watch, Write

from . import rate_limit, retries
from .lease import LeaseLost, Moved, claim, claim_due, hold, hold_as_read, renew

log = logging.getLogger(__name__)

__all__ = ["LeaseLost", "advance", "claim_due", "load", "refresh_status"]


MAX_STEPS_PER_JOB = 40  # far above a whole walkthrough: a defect must not spin for ever
NOT_FOUND_RETRIES = (
    4  # docs/twilio.md section 8.1: a 404 on a sub-resource right after a create is retried briefly
)
# A lost call must have had the time to land, and lists the time to show it, whatever A2P_TIME_SCALE says: networks
# do not scale. With the second look, twice as long after the first, that makes 9 and 15 seconds.
MIN_QUIET_SECONDS, MIN_PAID_QUIET_SECONDS = 3.0, 5.0


def load(pk: int) -> Registration:
    return Registration.objects.select_related(*Registration.PARTS).get(pk=pk)


def advance(pk: int) -> None:
    """Carry one registration on as far as it goes now; a no-op when it is not due or another worker owns it.

    The next job is enqueued, and its owner notified when from now on a person must act, in the transaction that
    stores `next_run_at`.
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
        retries.note_defect(pk, error)
        outcome, seen = None, None
    _release(pk, token, outcome, seen)


def _release(pk: int, token: str, outcome: Wait | Stop | None, seen: RegistrationSnapshot | None) -> None:
    """Store where the registration stands, plan the next run and let go, in one transaction."""
    now = clock.now()
    with transaction.atomic():
        current = Registration.objects.select_for_update().filter(pk=pk, lease_token=token).first()
        if current is None:
            return
        before = current.waiting_for
        asked = current.next_run_at  # somebody pressed a button while we worked
        if outcome is None:
            next_run_at: datetime | None = now + clock.scaled(retries.ERRORED_SECONDS)
            reason = "An error of ours stopped this registration; it is tried again. Engineers find it in the timeline."
            summary = Stop(Stage(current.stage), WaitingFor.US, reason)
        else:
            next_run_at, summary = outcome.until, outcome  # type: ignore[assignment]
        if asked and (next_run_at is None or asked < next_run_at):
            next_run_at = asked
        _store(current, summary, now)
        if seen:
            if (seen.registration.revision, seen.registration.search_text) != (
                current.revision,
                current.search_text,
            ):
                # Edited while the worker looked elsewhere.
                edited = load(pk)
                seen = RegistrationSnapshot.of(edited, Attempts.of(edited))
            current.search_text = read_models.keep(seen, current.stage, now)
        current.next_run_at, current.lease_until, current.lease_token = next_run_at, None, ""
        current.save(
            update_fields=[
                "next_run_at",
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
        if next_run_at:
            queue.enqueue(pk, next_run_at)
        if current.waiting_for == WaitingFor.US and before != WaitingFor.US:
            notices.notify_stopped(current)


def _store(current: Registration, summary: Wait | Stop, now: datetime) -> None:
    if current.stage != summary.stage:
        timeline.record(current, "stage", f"{Stage(current.stage).label} → {Stage(summary.stage).label}")
        stage_history.moved(current, summary.stage, now)
        current.stage_since = now
    current.stage, current.waiting_for, current.reason = summary.stage, summary.waiting_for, summary.reason


def refresh_status(pk: int, loaded: Registration | None = None) -> Registration:
    """Recompute and store stage, who must act, and why; for acts of people, outside the worker.

    `loaded`: as it is stored now, with its parts, for who has it in hand. Returns the registration as it is then.
    """
    registration, now = loaded or load(pk), clock.now()
    attempts = Attempts.of(registration)
    summary = summarize(registration, now, attempts)
    changes: dict[str, Any] = {
        "waiting_for": summary.waiting_for,
        "reason": summary.reason,
        "stage": summary.stage,
    }
    if summary.stage != registration.stage:
        stage_history.moved(registration, summary.stage, now)
        changes["stage_since"] = now
    changes["search_text"] = read_models.keep(
        RegistrationSnapshot.of(registration, attempts), summary.stage, now
    )
    Registration.objects.filter(pk=pk).update(**changes)
    for name, value in changes.items():
        setattr(registration, name, value)
    return registration


# --- the run ---------------------------------------------------------------------------------------------------
def _run(pk: int, token: str) -> tuple[Wait | Stop, RegistrationSnapshot]:
    client: TwilioClient | None = None
    for _ in range(MAX_STEPS_PER_JOB):
        renew(pk, token)
        registration = load(pk)
        attempts = Attempts.of(registration)
        decision = decide(registration, clock.now(), attempts)
        if isinstance(decision, Wait | Stop):
            return decision, RegistrationSnapshot.of(registration, attempts)
        client = client or get_client()
        waits = _do(client, registration, token, decision)
        if waits:
            return waits, RegistrationSnapshot.of(registration, attempts)
    going_on = Wait(clock.now(), Stage(registration.stage), WaitingFor.WORKER, "Going on.")
    return going_on, RegistrationSnapshot.of(registration, attempts)


def _do(
    client: TwilioClient, registration: Registration, token: str, decision: Decision
) -> Wait | Stop | None:
    """Carry out one decision; a Wait or Stop ends the job, None goes on with the next decision."""
    try:
        if isinstance(decision, Call):
            return _call(client, registration, token, decision.step)
        if isinstance(decision, Reconcile):
            return _reconcile(client, registration, token, decision.step, decision.run)
        if isinstance(decision, Look):
            return _look(client, registration, token, decision.step)
        assert isinstance(decision, Learn)
        recorder.learn(registration, decision.step, decision.step.learn(client, registration))
        retries.reset_attempts(registration)
    except errors.Unavailable as error:
        return retries.back_off(registration, decision, error)
    except errors.Misconfigured as error:
        return retries.misconfigured(registration, decision, error)
    except errors.Rejected as error:
        return retries.refused_read(registration, decision, error)
    return None


def _look(client: TwilioClient, registration: Registration, token: str, step: Watch) -> Wait | Stop | None:
    payload = None
    try:
        payload = step.fetch(client, registration)
    except errors.Rejected as error:
        if not error.not_found:
            raise
        if not step.resource(registration).missing_since and registration.attempts < NOT_FOUND_RETRIES:
            # What is young is not found everywhere at once; what is gone for good waits for a person.
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
    with transaction.atomic():
        # A worker that lost its lease holds an old answer, which must not overwrite a newer one.
        hold(registration.pk, token)
        if payload is None:
            recorder.gone(registration, step)
        else:
            recorder.refresh(registration, step, payload)
    retries.reset_attempts(registration)
    return None


def _call(client: TwilioClient, registration: Registration, token: str, step: Write) -> Wait | Stop | None:
    """One write: pace, intent, call, record."""
    if step.rate_limit:
        slot = rate_limit.take(step.rate_limit, registration)
        if not slot.now:
            return Wait(
                slot.at, step.stage, WaitingFor.WORKER, f"{step.label}: in the queue for Twilio's pace."
            )
    try:
        run = _intend(registration, step)
    except Moved:
        return None  # decided anew, on what is true now
    if run is None:
        return Wait(
            clock.now() + timedelta(seconds=1), step.stage, WaitingFor.WORKER, "Another attempt is open."
        )
    try:
        payload = _act(client, registration, step, run)
    except errors.AlreadyDone as error:
        _succeed(registration, token, step, run, {}, CallState.OK, note=str(error))
    except errors.OutcomeUnknown as error:
        _unknown(registration, token, step, run, error)
    except errors.Unavailable as error:
        _close(registration, token, run, CallState.UNAVAILABLE, error)
        if step.rate_limit and error.status == 429:
            rate_limit.pause(step.rate_limit, error.retry_after or 1.0)
        raise
    except errors.Misconfigured as error:
        _close(registration, token, run, CallState.MISCONFIGURED, error)
        raise
    except errors.Rejected as error:
        if error.may_be_propagating and registration.attempts < NOT_FOUND_RETRIES:
            _close(registration, token, run, CallState.UNAVAILABLE, error)
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
        request_params = run.request_params
        _close(registration, token, run, CallState.REJECTED, error)
        if answered := step.refusals.get(error.code or 0):
            recorder.refused(registration, step, answered)
        elif step.gives_up:
            recorder.give_up(registration, step, f"{step.label}: refused by Twilio")
        elif step.already_satisfied(registration):
            recorder.passed_over(registration, step, request_params)
        else:
            recorder.look_soon(registration, step)
        timeline.record(registration, f"{step.slug}:rejected", redact_text(str(error)), actor="Twilio")
        retries.reset_attempts(registration)
    except Exception as error:
        # The call may have been made before our code failed: look first, like after a lost reply.
        run.traceback = redact_trace(traceback.format_exc())
        _unknown(registration, token, step, run, errors.OutcomeUnknown(type(error).__name__))
        raise
    else:
        _succeed(registration, token, step, run, payload, CallState.OK)
    return None


def _act(client: TwilioClient, registration: Registration, step: Write, run: ApiCall) -> dict:
    if not step.rate_limit:
        return step.execute(client, registration, run.request_params)
    departed = rate_limit.depart(step.rate_limit)
    try:
        return step.execute(client, registration, run.request_params)
    finally:
        rate_limit.arrived(step.rate_limit, departed)


def _reconcile(
    client: TwilioClient, registration: Registration, token: str, step: Write, run: ApiCall
) -> Wait | Stop | None:
    """The reply was lost: find what the call made, or make sure that it made nothing."""
    if run.state == CallState.RUNNING:
        # Its worker died. Its call may still be on the way, so the quiet time starts at the intent.
        run.state, run.lookup_at = CallState.UNKNOWN, run.started_at + _quiet(step)
        run.save(update_fields=["state", "lookup_at"])
        if run.lookup_at > clock.now():
            return None
    if step.find is None:
        # Twilio offers no way to look. Sending twice would be worse than counting one too many.
        _succeed(
            registration, token, step, run, {}, CallState.LOST, note="No answer came; it may have been sent."
        )
        return None
    payload = step.find(client, registration, run.request_params)
    if payload is not None:
        _succeed(registration, token, step, run, payload, CallState.FOUND)
        return None
    renew(registration.pk, token)  # looking took its time
    run.lookup_attempts += 1
    if run.lookup_attempts < step.lookup_attempts:
        # Lists may lag behind for seconds: each further look waits longer.
        run.lookup_at = clock.now() + _quiet(step) * 2**run.lookup_attempts
        run.save(update_fields=["lookup_attempts", "lookup_at"])
        return None
    run.state, run.finished_at, run.request_params = CallState.LOST, clock.now(), {}
    run.save(update_fields=["state", "finished_at", "lookup_attempts", "request_params"])
    timeline.record(registration, f"{step.slug}:lost", "The call never arrived at Twilio; it is made again.")
    return None


# --- the ledger --------------------------------------------------------------------------------------------------
def _intend(registration: Registration, step: Write) -> ApiCall | None:
    """Commit the intent; None when the database already holds an open attempt.

    Raises Moved, and LeaseLost for a worker that slept between its last look and the call: the new owner may
    have made it already.
    """
    request_params = step.request_params(registration)
    try:
        with transaction.atomic():
            hold_as_read(registration)
            return ApiCall.objects.create(
                registration=registration,
                step=step.slug,
                actor=registration.submitted_by,
                batch_id=registration.submitted_batch_id,
                request_params=request_params,
                request=redact(request_params),
                fee=step.fee() if step.fee else None,
                started_at=clock.now(),
            )
    except IntegrityError:
        return None


def _succeed(
    registration: Registration,
    token: str,
    step: Write,
    run: ApiCall,
    payload: dict,
    state: CallState,
    note: str = "",
) -> None:
    """Outcome, SID, mirror and timeline in one short transaction, and only for the owner of the lease."""
    with transaction.atomic():
        hold(registration.pk, token)
        recorder.record(registration, step, payload, run.request_params)
        run.state, run.finished_at, run.request_params = state, clock.now(), {}
        run.sid = str(payload.get("sid") or "")[:34]
        run.response = redact(payload)
        run.error_message = note
        run.save()
        text = (
            f"{step.label}: done"
            if state == CallState.OK
            else f"{step.label}: {CallState(state).label.lower()}"
        )
        timeline.record(registration, step.slug, text, sid=run.sid)
        Registration.objects.filter(pk=registration.pk).update(attempts=0)


def _unknown(
    registration: Registration, token: str, step: Write, run: ApiCall, error: errors.TwilioError
) -> None:
    run.state = CallState.UNKNOWN
    run.lookup_at = clock.now() + _quiet(step)
    _describe(run, error)
    with transaction.atomic():
        hold(registration.pk, token)
        run.save()
    timeline.record(registration, f"{step.slug}:unknown", "No usable answer came; looking before going on.")


def _close(
    registration: Registration, token: str, run: ApiCall, state: CallState, error: errors.TwilioError
) -> None:
    run.state, run.finished_at, run.request_params = state, clock.now(), {}
    _describe(run, error)
    with transaction.atomic():
        hold(registration.pk, token)
        run.save()


def _describe(run: ApiCall, error: errors.TwilioError) -> None:
    run.http_status, run.error_code, run.error_message = error.status, error.code, error.message
    run.error_details = redact(error.details or {})


def _quiet(step: Write) -> timedelta:
    floor = MIN_PAID_QUIET_SECONDS if step.fee else MIN_QUIET_SECONDS
    return max(clock.scaled(step.settle_seconds), timedelta(seconds=floor))

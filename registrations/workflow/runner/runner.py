"""HOW a registration advances: lease, decide, intent, call, classify, record, schedule.

A job owns one registration through a lease (a conditional UPDATE) and runs consecutive steps until it must wait. It
never sleeps: it stores `next_run_at` and ends. No transaction spans a call to Twilio.

Crash safety: the intent (ApiCall, running) is committed before the call, its result right after it. A worker
that dies in between leaves an open ApiCall, which the next owner looks up at Twilio before doing anything else.
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
from registrations.workflow.recorder import recorder
from registrations.workflow.recorder.read_models import (
    RegistrationSnapshot,
    record_stage_change,
    refresh_read_models,
)
from registrations.workflow.steps import Watch, Write

from . import rate_limit, retries
from .lease import LeaseLost, Moved, claim, claim_due, hold, hold_as_read, renew

log = logging.getLogger(__name__)

__all__ = ["LeaseLost", "advance", "claim_due", "load", "refresh_status"]


MAX_STEPS_PER_JOB = 40  # far more than a whole walkthrough, so that a bug cannot loop forever
NOT_FOUND_RETRIES = 4  # docs/twilio.md section 8.1: retry a 404 on a sub-resource right after its creation
# The least time for a lost call to land and to appear in lists. Networks do not scale with A2P_TIME_SCALE. The second
# lookup follows after twice that time, so the total is 9 or 15 seconds.
MIN_SETTLE_SECONDS, MIN_PAID_SETTLE_SECONDS = 3.0, 5.0


def load(pk: int) -> Registration:
    """The registration with its five parts. Raises Registration.DoesNotExist."""
    return Registration.objects.select_related(*Registration.PARTS).get(pk=pk)


def advance(pk: int) -> None:
    """Advance one registration as far as possible now; does nothing if it is not due or another worker owns it.

    The transaction that stores `next_run_at` also enqueues the next job, and notifies the owner if a person must act
    from now on.
    """
    token = claim(pk)
    if token is None:
        return
    try:
        outcome, snapshot = _run(pk, token)
    except LeaseLost:
        log.warning("registration %s: lease lost to another worker", pk)
        return
    except Exception as error:
        # Our bug, not Twilio's: stored with its traceback and retried later, so no registration is stuck forever.
        log.error("registration %s: %s in the runner", pk, type(error).__name__)
        retries.record_internal_error(pk, error)
        outcome, snapshot = None, None
    _release(pk, token, outcome, snapshot)


def _release(pk: int, token: str, outcome: Wait | Stop | None, snapshot: RegistrationSnapshot | None) -> None:
    """Store the registration's status, schedule the next run, and release the lease, in one transaction."""
    now = clock.now()
    with transaction.atomic():
        current = Registration.objects.select_for_update().filter(pk=pk, lease_token=token).first()
        if current is None:
            return
        before = current.waiting_for
        requested = current.next_run_at  # somebody pressed a button meanwhile
        if outcome is None:
            next_run_at: datetime | None = now + clock.scaled(retries.ERRORED_SECONDS)
            reason = "An internal error stopped this registration. It will be retried. Details are in the timeline."
            summary = Stop(Stage(current.stage), WaitingFor.US, reason)
        else:
            next_run_at, summary = outcome.until, outcome  # type: ignore[assignment]
        if requested and (next_run_at is None or requested < next_run_at):
            next_run_at = requested
        _store_status(current, summary, now)
        if snapshot:
            if (snapshot.registration.revision, snapshot.registration.search_text) != (
                current.revision,
                current.search_text,
            ):
                # Edited meanwhile.
                edited = load(pk)
                snapshot = RegistrationSnapshot.of(edited, Attempts.of(edited))
            current.search_text = refresh_read_models(snapshot, current.stage, now)
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


def _store_status(current: Registration, summary: Wait | Stop, now: datetime) -> None:
    if current.stage != summary.stage:
        timeline.record(current, "stage", f"{Stage(current.stage).label} → {Stage(summary.stage).label}")
        record_stage_change(current, summary.stage, now)
        current.stage_since = now
    current.stage, current.waiting_for, current.reason = summary.stage, summary.waiting_for, summary.reason


def refresh_status(pk: int, loaded: Registration | None = None) -> Registration:
    """Recompute and store the stage, who must act, and why. For people's actions, outside the worker.

    `loaded`: the registration as stored now, with its parts, if the caller has it. Returns it updated.
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
        record_stage_change(registration, summary.stage, now)
        changes["stage_since"] = now
    changes["search_text"] = refresh_read_models(
        RegistrationSnapshot.of(registration, attempts), summary.stage, now
    )
    Registration.objects.filter(pk=pk).update(**changes)
    for name, value in changes.items():
        setattr(registration, name, value)
    return registration


# --- the steps of one job -----------------------------------------------------------------------------------
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
        outcome = _carry_out(client, registration, token, decision)
        if outcome:
            return outcome, RegistrationSnapshot.of(registration, attempts)
    unfinished = Wait(clock.now(), Stage(registration.stage), WaitingFor.WORKER, "Continuing.")
    return unfinished, RegistrationSnapshot.of(registration, attempts)


def _carry_out(
    client: TwilioClient, registration: Registration, token: str, decision: Decision
) -> Wait | Stop | None:
    """Carry out one decision. A Wait or Stop ends the job; None continues with the next decision."""
    try:
        if isinstance(decision, Call):
            return _call(client, registration, token, decision.step)
        if isinstance(decision, Reconcile):
            return _reconcile(client, registration, token, decision.step, decision.api_call)
        if isinstance(decision, Look):
            return _poll(client, registration, token, decision.step)
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


def _poll(client: TwilioClient, registration: Registration, token: str, step: Watch) -> Wait | Stop | None:
    payload = None
    try:
        payload = step.fetch(client, registration)
    except errors.Rejected as error:
        if not error.not_found:
            raise
        if not step.resource(registration).missing_since and registration.attempts < NOT_FOUND_RETRIES:
            # A new object is not found everywhere at once. One that stays missing needs a person.
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
    with transaction.atomic():
        # A worker that lost its lease has an old answer, which must not overwrite a newer one.
        hold(registration.pk, token)
        if payload is None:
            recorder.record_missing(registration, step)
        else:
            recorder.refresh(registration, step, payload)
    retries.reset_attempts(registration)
    return None


def _call(client: TwilioClient, registration: Registration, token: str, step: Write) -> Wait | Stop | None:
    """One write: rate limit, intent, call, record."""
    if step.rate_limit:
        slot = rate_limit.take(step.rate_limit, registration)
        if not slot.now:
            return Wait(slot.at, step.stage, WaitingFor.WORKER, f"{step.label}: queued (Twilio rate limit).")
    try:
        api_call = _record_intent(registration, step)
    except Moved:
        return None  # decide again, on the current state
    if api_call is None:
        return Wait(
            clock.now() + timedelta(seconds=1),
            step.stage,
            WaitingFor.WORKER,
            "Another attempt is in progress.",
        )
    try:
        payload = _execute(client, registration, step, api_call)
    except errors.AlreadyDone as error:
        _record_success(registration, token, step, api_call, {}, CallState.OK, note=str(error))
    except errors.OutcomeUnknown as error:
        _record_unknown(registration, token, step, api_call, error)
    except errors.Unavailable as error:
        _record_failure(registration, token, api_call, CallState.UNAVAILABLE, error)
        if step.rate_limit and error.status == 429:
            rate_limit.pause(step.rate_limit, error.retry_after or 1.0)
        raise
    except errors.Misconfigured as error:
        _record_failure(registration, token, api_call, CallState.MISCONFIGURED, error)
        raise
    except errors.Rejected as error:
        if error.may_be_propagating and registration.attempts < NOT_FOUND_RETRIES:
            _record_failure(registration, token, api_call, CallState.UNAVAILABLE, error)
            raise errors.Unavailable(error.twilio_message, status=error.status, code=error.code) from error
        request_params = api_call.request_params
        _record_failure(registration, token, api_call, CallState.REJECTED, error)
        if columns := step.refusals.get(error.code or 0):
            recorder.record_refusal(registration, step, columns)
        elif step.retire_on_refusal:
            recorder.retire_refused(registration, step, f"{step.label}: rejected by Twilio")
        elif step.already_satisfied(registration):
            recorder.record_already_satisfied(registration, step, request_params)
        else:
            recorder.poll_soon(registration, step)
        timeline.record(registration, f"{step.slug}:rejected", redact_text(str(error)), actor="Twilio")
        retries.reset_attempts(registration)
    except Exception as error:
        # The call may have been made before our code failed: look it up first, as after a lost reply.
        api_call.traceback = redact_trace(traceback.format_exc())
        _record_unknown(registration, token, step, api_call, errors.OutcomeUnknown(type(error).__name__))
        raise
    else:
        _record_success(registration, token, step, api_call, payload, CallState.OK)
    return None


def _execute(client: TwilioClient, registration: Registration, step: Write, api_call: ApiCall) -> dict:
    if not step.rate_limit:
        return step.execute(client, registration, api_call.request_params)
    departed = rate_limit.depart(step.rate_limit)
    try:
        return step.execute(client, registration, api_call.request_params)
    finally:
        rate_limit.arrived(step.rate_limit, departed)


def _reconcile(
    client: TwilioClient, registration: Registration, token: str, step: Write, api_call: ApiCall
) -> Wait | Stop | None:
    """The reply was lost: find what the call created, or make sure that it created nothing."""
    if api_call.state == CallState.RUNNING:
        # Its worker died. Its call may still be on the way, so the settle time starts at the intent.
        api_call.state, api_call.lookup_at = CallState.UNKNOWN, api_call.started_at + _settle_time(step)
        api_call.save(update_fields=["state", "lookup_at"])
        if api_call.lookup_at > clock.now():
            return None
    if step.find is None:
        # Twilio offers no way to look it up. Sending twice would be worse than counting one too many.
        _record_success(
            registration,
            token,
            step,
            api_call,
            {},
            CallState.LOST,
            note="No answer came. It may have been sent.",
        )
        return None
    payload = step.find(client, registration, api_call.request_params)
    if payload is not None:
        _record_success(registration, token, step, api_call, payload, CallState.FOUND)
        return None
    renew(registration.pk, token)  # the lookup took time
    api_call.lookup_attempts += 1
    if api_call.lookup_attempts < step.lookup_attempts:
        # Lists may lag by seconds: each further lookup waits longer.
        api_call.lookup_at = clock.now() + _settle_time(step) * 2**api_call.lookup_attempts
        api_call.save(update_fields=["lookup_attempts", "lookup_at"])
        return None
    api_call.state, api_call.finished_at, api_call.request_params = CallState.LOST, clock.now(), {}
    api_call.save(update_fields=["state", "finished_at", "lookup_attempts", "request_params"])
    timeline.record(registration, f"{step.slug}:lost", "The call never reached Twilio. It is sent again.")
    return None


# --- recording API calls ------------------------------------------------------------------------------------
def _record_intent(registration: Registration, step: Write) -> ApiCall | None:
    """Commit the intent; None if the database already holds an open attempt.

    Raises Moved if the registration was changed meanwhile, and LeaseLost if another worker took over, which may have
    made the call already.
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


def _record_success(
    registration: Registration,
    token: str,
    step: Write,
    api_call: ApiCall,
    payload: dict,
    state: CallState,
    note: str = "",
) -> None:
    """Store outcome, SID, resource, and timeline in one short transaction, and only for the lease's owner."""
    with transaction.atomic():
        hold(registration.pk, token)
        recorder.record(registration, step, payload, api_call.request_params)
        api_call.state, api_call.finished_at, api_call.request_params = state, clock.now(), {}
        api_call.sid = str(payload.get("sid") or "")[:34]
        api_call.response = redact(payload)
        api_call.error_message = note
        api_call.save()
        text = (
            f"{step.label}: done"
            if state == CallState.OK
            else f"{step.label}: {CallState(state).label.lower()}"
        )
        timeline.record(registration, step.slug, text, sid=api_call.sid)
        Registration.objects.filter(pk=registration.pk).update(attempts=0)


def _record_unknown(
    registration: Registration, token: str, step: Write, api_call: ApiCall, error: errors.TwilioError
) -> None:
    api_call.state = CallState.UNKNOWN
    api_call.lookup_at = clock.now() + _settle_time(step)
    _describe(api_call, error)
    with transaction.atomic():
        hold(registration.pk, token)
        api_call.save()
    timeline.record(
        registration, f"{step.slug}:unknown", "No usable answer came. Checking Twilio before continuing."
    )


def _record_failure(
    registration: Registration, token: str, api_call: ApiCall, state: CallState, error: errors.TwilioError
) -> None:
    api_call.state, api_call.finished_at, api_call.request_params = state, clock.now(), {}
    _describe(api_call, error)
    with transaction.atomic():
        hold(registration.pk, token)
        api_call.save()


def _describe(api_call: ApiCall, error: errors.TwilioError) -> None:
    api_call.http_status = error.status
    api_call.error_code = error.code
    api_call.error_message = error.message
    api_call.error_details = redact(error.details or {})


def _settle_time(step: Write) -> timedelta:
    floor = MIN_PAID_SETTLE_SECONDS if step.fee else MIN_SETTLE_SECONDS
    return max(clock.scaled(step.settle_seconds), timedelta(seconds=floor))

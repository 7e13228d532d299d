"""What the runner does if a call or a fetch fails: wait, ask for a person, retry.

Every function returns when to run again, so no registration is stuck forever.
"""

import random
import traceback
from datetime import timedelta

from registrations.core import clock
from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.twilio.client import errors
from registrations.twilio.client.redaction import redact_trace
from registrations.twilio.rejections import lookup
from registrations.workflow import timeline
from registrations.workflow.planner.decisions import Decision, Stop, Wait
from registrations.workflow.steps import AnyStep, Watch

BACKOFF_SECONDS, BACKOFF_CAP_SECONDS = 2.0, 300.0
# A new object may take seconds to be found everywhere; this does not scale with A2P_TIME_SCALE.
NOT_FOUND_SECONDS = 0.5
MISCONFIGURED_SECONDS = 900.0  # once an operator fixes the credentials, the registration continues by itself
ERRORED_SECONDS = 600.0
CREDENTIALS_REJECTED = "Twilio rejected our credentials"


def reset_attempts(registration: Registration) -> None:
    if registration.attempts:
        Registration.objects.filter(pk=registration.pk).update(attempts=0)


def back_off(registration: Registration, decision: Decision, error: errors.Unavailable) -> Wait:
    """Exponential with jitter, or Twilio's Retry-After, which is not scaled."""
    attempts = registration.attempts + 1
    Registration.objects.filter(pk=registration.pk).update(attempts=attempts)
    seconds = min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2 ** min(attempts - 1, 10)) * random.uniform(
        0.5, 1.5
    )
    least = error.retry_after or (
        NOT_FOUND_SECONDS * 2 ** min(attempts - 1, 10) if error.may_be_propagating else 0.2
    )
    delay = max(clock.scaled(seconds), timedelta(seconds=least * random.uniform(1.0, 1.3)))
    step = decision.step  # type: ignore[union-attr]
    return Wait(
        clock.now() + delay,
        _stage(registration, step),
        WaitingFor.TWILIO,
        f"{step.label}: {_title(error) or 'Twilio is busy'}. Retrying. {error}",
    )


def _title(error: errors.TwilioError) -> str:
    """The catalogue's title for the error; "" if it is unknown."""
    known = lookup(error.code) if error.code else None
    return known.title if known and not known.is_unknown else ""


def _sentence(text: str) -> str:
    return f"{text}. " if text else ""


def _stage(registration: Registration, step: AnyStep) -> Stage:
    """The stage to show. A failed poll of a watch that already passed does not change it."""
    settled = isinstance(step, Watch) and step.passed(registration)
    return Stage(registration.stage) if settled else step.stage


def misconfigured(registration: Registration, decision: Decision, error: errors.Misconfigured) -> Stop:
    step = decision.step  # type: ignore[union-attr]
    return Stop(
        _stage(registration, step),
        WaitingFor.US,
        f"{CREDENTIALS_REJECTED} or settings ({error}). {_sentence(_title(error))}Ask your administrator. "
        "It will be retried automatically.",
        until=clock.now() + clock.scaled(MISCONFIGURED_SECONDS),
    )


def refused_read(registration: Registration, decision: Decision, error: errors.Rejected) -> Stop:
    """Twilio rejected a fetch for another reason than 404: shown, and retried."""
    step = decision.step  # type: ignore[union-attr]
    return Stop(
        _stage(registration, step),
        WaitingFor.US,
        f"{step.label}: Twilio rejected the request ({error}).",
        until=clock.now() + clock.scaled(ERRORED_SECONDS),
    )


def record_internal_error(pk: int, error: Exception) -> None:
    """Store the redacted traceback in the timeline."""
    trace = redact_trace("".join(traceback.format_exception(error)))
    registration = Registration.objects.filter(pk=pk).first()
    if registration:
        timeline.record(registration, "error", f"{type(error).__name__} in the runner", traceback=trace)

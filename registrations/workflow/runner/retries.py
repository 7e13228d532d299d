"""What the pipeline does when a call or a look meets trouble: wait, tell somebody, try again.

None of it parks a registration for ever: each returns when to look again.
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
# What is young may take seconds until it is found everywhere, whatever A2P_TIME_SCALE says.
NOT_FOUND_SECONDS = 0.5
MISCONFIGURED_SECONDS = 900.0  # an operator mends credentials; the registration then goes on by itself
ERRORED_SECONDS = 600.0
CREDENTIALS_REFUSED = "Twilio refused our credentials"


def reset_attempts(registration: Registration) -> None:
    if registration.attempts:
        Registration.objects.filter(pk=registration.pk).update(attempts=0)


def back_off(registration: Registration, decision: Decision, error: errors.Unavailable) -> Wait:
    """Exponential with jitter, or what Twilio asks for; their Retry-After is not scaled."""
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
        f"{step.label}: {_title(error) or 'Twilio is busy'}; trying again. {error}",
    )


def _title(error: errors.TwilioError) -> str:
    """What the catalogue calls it; "" for what it does not know."""
    known = lookup(error.code) if error.code else None
    return known.title if known and not known.is_unknown else ""


def _sentence(text: str) -> str:
    return f"{text}. " if text else ""


def _stage(registration: Registration, step: AnyStep) -> Stage:
    """Trouble with a look at what has passed moves the registration nowhere."""
    settled = isinstance(step, Watch) and step.passed(registration)
    return Stage(registration.stage) if settled else step.stage


def misconfigured(registration: Registration, decision: Decision, error: errors.Misconfigured) -> Stop:
    step = decision.step  # type: ignore[union-attr]
    return Stop(
        _stage(registration, step),
        WaitingFor.US,
        f"{CREDENTIALS_REFUSED} or settings ({error}). {_sentence(_title(error))}Ask your administrator; it is "
        "tried again by itself.",
        until=clock.now() + clock.scaled(MISCONFIGURED_SECONDS),
    )


def refused_read(registration: Registration, decision: Decision, error: errors.Rejected) -> Stop:
    """A look that Twilio refuses for another reason than 404: shown, and tried again."""
    step = decision.step  # type: ignore[union-attr]
    return Stop(
        _stage(registration, step),
        WaitingFor.US,
        f"{step.label}: Twilio refused to show it ({error}).",
        until=clock.now() + clock.scaled(ERRORED_SECONDS),
    )


def note_defect(pk: int, error: Exception) -> None:
    trace = redact_trace("".join(traceback.format_exception(error)))
    registration = Registration.objects.filter(pk=pk).first()
    if registration:
        timeline.record(registration, "error", f"{type(error).__name__} in the pipeline", traceback=trace)

"""What a person can do while a customer has not answered YES to the OTP text: resend it, or send it to another mobile.

Built on actions.py. Source: docs/twilio.md section 8.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registrations.core import clock
from registrations.models import Brand, Registration
from registrations.workflow import timeline
from registrations.workflow.planner import plan
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.recorder import registry_limits
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG
from registrations.workflow.steps.brand import mobile_was_changed, waits_for_yes

from . import actions

COOLDOWN_SECONDS = 300.0
UNSUBMITTED_EDITS = "There are edits that were not submitted. Submit them first."


@dataclass(frozen=True)
class State:
    """Where the OTP text stands. owed: the customer has not answered. sends: how often it was sent, including the
    first one. note: a caveat to show, or "".
    """

    owed: bool
    can_resend: bool
    why_not: str
    cooldown_until: datetime | None
    sends: int
    sent_at: datetime | None
    expires_at: datetime | None
    deadline_at: datetime | None
    note: str = ""


def state(registration: Registration, attempts: Attempts | None = None) -> State:
    brand, now = registration.brand, clock.now()
    owed = waits_for_yes(registration)
    cooldown = brand.otp_sent_at + clock.scaled(COOLDOWN_SECONDS) if brand.otp_sent_at else None
    why_not = ""
    if not owed:
        why_not = "The brand is not waiting for a YES."
    elif registration.removing:
        why_not = "This registration is being removed from Twilio."
    elif brand.otp_requested_at and not _refused(registration, attempts):
        why_not = "An OTP text is already being sent."
    elif cooldown and cooldown > now:
        why_not = "An OTP text was just sent. Give it a few minutes to arrive."
    elif registration.hold:
        why_not = "This registration is on hold."
    return State(
        owed=owed,
        can_resend=not why_not,
        why_not=why_not,
        cooldown_until=cooldown if cooldown and cooldown > now else None,
        sends=brand.otp_sends,
        sent_at=brand.otp_sent_at,
        expires_at=brand.otp_expires_at,
        deadline_at=brand.otp_deadline_at,
        note=plan.MOBILE_MAY_NOT_FOLLOW if mobile_was_changed(registration) else "",
    )


def _refused(registration: Registration, attempts: Attempts | None) -> bool:
    """Whether Twilio refused the OTP text that was requested last."""
    return (attempts or Attempts.of(registration)).refusal(
        BY_SLUG["brand.send_otp"], registration
    ) is not None


def resend(registration: Registration, *, actor: str) -> None:
    """Have Twilio text the customer again. Refused unless the brand waits for a YES, and within the cooldown."""
    with transaction.atomic():
        Registration.objects.select_for_update().get(pk=registration.pk)
        full = runner.load(registration.pk)
        if why_not := state(full).why_not:
            raise actions.Refused(why_not)
        if not full.is_submitted:
            raise actions.Refused(UNSUBMITTED_EDITS)
        Brand.objects.filter(registration=full).update(
            otp_requested_at=clock.now(), otp_requested_by=actor[:150]
        )
        timeline.record(full, "brand:otp_requested", "Another OTP text was requested.", actor=actor)
        actions.wake(full.pk)


def change_mobile(registration: Registration, *, mobile: str, actor: str, limit_reason: str = "") -> None:
    """Correct the mobile, submit that, and then have the OTP text sent there.

    `mobile` is E.164. One that reached the registry's limit is refused unless a supervisor gives a reason (the caller
    checks the permission). The bundle is evaluated and submitted with the new number first (docs/twilio.md section
    6.7). An approved brand cannot be updated, and whether its OTP texts go to the new mobile is not documented: the
    page says what to do if they do not (State.note).
    """
    with transaction.atomic():
        actions.edit(registration, {"trust_bundle": {"mobile_phone_number": mobile}}, actor=actor)
        full = runner.load(registration.pk)
        registry_limits.lock_limits()
        spent = [use.text for use in registry_limits.uses(mobile=mobile, without=full) if use.exhausted]
        if spent and not limit_reason:
            raise actions.Refused(" ".join(spent))
        if spent:
            actions.override_limits(full, reason=limit_reason, actor=actor)
            full = runner.load(registration.pk)
        if not waits_for_yes(full):
            raise actions.Refused("The mobile can be changed here only while the brand waits for a YES.")
        Brand.objects.filter(registration=full).update(
            otp_requested_at=clock.now(), otp_requested_by=actor[:150]
        )
        # Only the mobile is new; everything else was submitted before.
        actions.submit(full, actor=actor, despite=None)

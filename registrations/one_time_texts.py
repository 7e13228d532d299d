"""What a person can do about the one-time text that a customer owes a YES: resend it, or send it elsewhere.

Like verbs.py, on which it builds. Source: Twilio facts, section 8.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registrations import clock, limits, pipeline, plans, timeline, verbs
from registrations.models import Brand, Registration
from registrations.runs import Runs
from registrations.steps import BY_SLUG
from registrations.steps.brand import mobile_was_changed, waits_for_yes

COOLDOWN_SECONDS = 300.0


@dataclass(frozen=True)
class State:
    """The one-time text's clock. sends: how often it went out, Twilio's own first one included. note: a doubt
    that a person should know, or "".
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


def state(registration: Registration, runs: Runs | None = None) -> State:
    brand, now = registration.brand, clock.now()
    owed = waits_for_yes(registration)
    cooldown = brand.otp_sent_at + clock.scaled(COOLDOWN_SECONDS) if brand.otp_sent_at else None
    why_not = ""
    if not owed:
        why_not = "No answer is owed: the brand is not waiting for a YES."
    elif registration.removing:
        why_not = "This registration is being taken down."
    elif brand.otp_requested_at and not _refused(registration, runs):
        why_not = "A text is being sent already."
    elif cooldown and cooldown > now:
        why_not = "A text went out a moment ago. Give it a few minutes to arrive."
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
        note=plans.MOBILE_MAY_NOT_FOLLOW if mobile_was_changed(registration) else "",
    )


def _refused(registration: Registration, runs: Runs | None) -> bool:
    """Whether Twilio said no to the text that was asked for last."""
    return (runs or Runs.of(registration)).refusal(BY_SLUG["brand.send_otp"], registration) is not None


def resend(registration: Registration, *, actor: str) -> None:
    """Have Twilio text the customer again. Refused while no YES is owed and within the cool-down."""
    with transaction.atomic():
        Registration.objects.select_for_update().get(pk=registration.pk)
        full = pipeline.load(registration.pk)
        if why_not := state(full).why_not:
            raise verbs.Refused(why_not)
        if not full.is_submitted:
            raise verbs.Refused("There are edits that Twilio has not got yet. Submit them first.")
        Brand.objects.filter(registration=full).update(
            otp_requested_at=clock.now(), otp_requested_by=actor[:150]
        )
        timeline.record(full, "brand:otp_requested", "Another one-time text was asked for.", actor=actor)
        verbs.wake(full.pk)


def change_mobile(registration: Registration, *, mobile: str, actor: str, limit_reason: str = "") -> None:
    """Correct the mobile and have the text sent there, after the plan that this takes has run.

    `mobile` is E.164. One that is used up is refused unless a supervisor gives a reason (the caller checks the
    permission). The bundle is evaluated and submitted with the new number first (facts section 6.7). An
    approved brand itself cannot be updated, so whether its texts follow is Twilio's secret: the page says what
    to do when they do not (State.note).
    """
    with transaction.atomic():
        verbs.edit(registration, {"trust_bundle": {"mobile_phone_number": mobile}}, actor=actor)
        full = pipeline.load(registration.pk)
        limits.take_turn()
        spent = [use.text for use in limits.uses(mobile=mobile, without=full) if use.spent]
        if spent and not limit_reason:
            raise verbs.Refused(" ".join(spent))
        if spent:
            verbs.override_limits(full, reason=limit_reason, actor=actor)
            full = pipeline.load(registration.pk)
        if not waits_for_yes(full):
            raise verbs.Refused("The mobile can be changed here only while the customer owes a YES.")
        Brand.objects.filter(registration=full).update(
            otp_requested_at=clock.now(), otp_requested_by=actor[:150]
        )
        # The texts were submitted before; only the mobile is new.
        verbs.submit(full, actor=actor, despite=None)

"""How long each stage takes, when a case is overdue, and what to do then. Pure reading.

Source of the times: Twilio facts, sections 6.1 and 8 (profile up to 24 h by hand, brand minutes to days, the
one-time text 24 h, campaign 10 to 15 days, number registration up to two weeks).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from registrations.clock import scaled
from registrations.models import Registration
from registrations.states import Stage, WaitingFor

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Expected:
    """seconds: how long the stage may take before somebody should look. advice: what to do then."""

    seconds: float
    advice: str


EXPECTED: dict[tuple[str, str], Expected] = {
    (Stage.PROFILE, WaitingFor.TWILIO): Expected(
        DAY,
        "A profile is checked within a day. Check Twilio now; if nothing moved, write to Twilio's support.",
    ),
    (Stage.TRUST_BUNDLE, WaitingFor.TWILIO): Expected(
        DAY,
        "A trust bundle is checked within a day. Check Twilio now; if nothing moved, write to Twilio's support.",
    ),
    (Stage.BRAND, WaitingFor.TWILIO): Expected(
        3 * DAY,
        "A brand takes minutes to days. If nothing moved, write to Twilio's support with the text below.",
    ),
    (Stage.OTP, WaitingFor.CUSTOMER): Expected(
        DAY, "The text is no longer valid after 24 hours. Call the customer, then send it again."
    ),
    (Stage.CAMPAIGN, WaitingFor.TWILIO): Expected(
        15 * DAY, "Campaigns take 10 to 15 days. Write to Twilio's support with the text below."
    ),
    (Stage.NUMBER, WaitingFor.TWILIO): Expected(
        HOUR, "A number is listed at once. Check Twilio now; if it is still missing, submit again."
    ),
}
FOR_US = Expected(
    2 * DAY, "This case waits for your team. Do what it asks for, or put it on hold with a reason."
)
FOR_WORKER = Expected(
    0.25 * HOUR, "The worker should have done this by now. Ask your administrator whether it runs."
)
NUMBER_REGISTRATION = Expected(
    14 * DAY, "Registering a number takes up to two weeks. Write to Twilio's support with the text below."
)


@dataclass(frozen=True)
class Stuck:
    """since: when the stage began. overdue: by how much it is late. advice: the next thing to do."""

    since: datetime
    overdue: timedelta
    advice: str


def expected(registration: Registration) -> Expected | None:
    """What is usual for where the case stands; None when nothing is awaited."""
    if registration.hold or registration.stage in (Stage.DRAFT, Stage.REMOVED):
        return None
    if registration.stage == Stage.LIVE:
        return NUMBER_REGISTRATION if registration.phone_number.a2p_status == "pending_registration" else None
    if registration.waiting_for == WaitingFor.US:
        return FOR_US
    if registration.waiting_for == WaitingFor.WORKER:
        return FOR_WORKER
    return EXPECTED.get((registration.stage, registration.waiting_for))


def deadline(registration: Registration) -> datetime | None:
    """When the case counts as stuck if nothing happens."""
    usual = expected(registration)
    return _since(registration) + scaled(usual.seconds) if usual else None


def stuck(registration: Registration, now: datetime) -> Stuck | None:
    """How a case is overdue, or None."""
    usual, due = expected(registration), deadline(registration)
    if usual is None or due is None or due >= now:
        return None
    return Stuck(_since(registration), now - due, usual.advice)


def _since(registration: Registration) -> datetime:
    if registration.stage == Stage.OTP and registration.brand.otp_sent_at:
        return registration.brand.otp_sent_at
    if registration.stage == Stage.LIVE and registration.phone_number.a2p_status_at:
        return registration.phone_number.a2p_status_at
    return registration.stage_since

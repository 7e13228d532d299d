"""How long each stage takes, when a registration is overdue, and what to do then. Only reads.

`overdue` is the rule for one registration in memory, `filter_overdue` the same rule as a database condition.

Source of the times: docs/twilio.md section 6.1 and 8 (profile up to 24 h if reviewed by a person, brand minutes to
days, OTP text 24 h, campaign 10 to 15 days, number registration up to two weeks).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from registrations.core.clock import scaled
from registrations.models import Brand, PhoneNumber, Registration
from registrations.models.choices import Stage, WaitingFor

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Expected:
    """seconds: how long a stage may take before somebody should check. advice: what to do then."""

    seconds: float
    advice: str


EXPECTED: dict[tuple[str, str], Expected] = {
    (Stage.PROFILE, WaitingFor.TWILIO): Expected(
        DAY,
        "Profiles are checked within a day. Check Twilio now. If nothing changed, contact Twilio Support.",
    ),
    (Stage.TRUST_BUNDLE, WaitingFor.TWILIO): Expected(
        DAY,
        "Trust bundles are checked within a day. Check Twilio now. If nothing changed, contact Twilio Support.",
    ),
    (Stage.BRAND, WaitingFor.TWILIO): Expected(
        3 * DAY,
        "Brands take minutes to days. If nothing changed, send Twilio Support the prepared message.",
    ),
    (Stage.OTP, WaitingFor.CUSTOMER): Expected(
        DAY, "The text expires after 24 hours. Call the customer, then resend it."
    ),
    (Stage.CAMPAIGN, WaitingFor.TWILIO): Expected(
        15 * DAY, "Campaigns take 10 to 15 days. Send Twilio Support the prepared message."
    ),
    (Stage.NUMBER, WaitingFor.TWILIO): Expected(
        HOUR, "Numbers are listed immediately. Check Twilio now. If it is still missing, submit again."
    ),
}
FOR_US = Expected(
    2 * DAY, "This registration is waiting for your team. Complete its task, or put it on hold with a reason."
)
FOR_WORKER = Expected(
    0.25 * HOUR,
    "The worker should have done this by now. Check on the home page that a worker is running.",
)
NUMBER_REGISTRATION = Expected(
    14 * DAY, "Registering a number takes up to two weeks. Send Twilio Support the prepared message."
)


@dataclass(frozen=True)
class Overdue:
    """since: when the stage began. overdue: by how much it is late. advice: what to do next."""

    since: datetime
    overdue: timedelta
    advice: str


def expected(registration: Registration) -> Expected | None:
    """What to expect in the registration's current stage; None if nothing is expected."""
    if registration.hold or registration.stage == Stage.DRAFT:
        return None
    if registration.stage == Stage.LIVE:
        return NUMBER_REGISTRATION if registration.phone_number.a2p_status == "pending_registration" else None
    if registration.waiting_for == WaitingFor.US:
        return FOR_US
    if registration.waiting_for == WaitingFor.WORKER:
        return FOR_WORKER
    return EXPECTED.get((registration.stage, registration.waiting_for))


def deadline(registration: Registration) -> datetime | None:
    """When the registration becomes overdue if nothing happens."""
    usual = expected(registration)
    return _since(registration) + _time(usual) if usual else None


def _time(usual: Expected) -> timedelta:
    """A demo shortens only Twilio's and people's times, not the worker's."""
    return timedelta(seconds=usual.seconds) if usual is FOR_WORKER else scaled(usual.seconds)


def overdue(registration: Registration, now: datetime) -> Overdue | None:
    """By how much a registration is overdue, or None."""
    usual, due = expected(registration), deadline(registration)
    if usual is None or due is None or due >= now:
        return None
    return Overdue(_since(registration), now - due, usual.advice)


def _since(registration: Registration) -> datetime:
    if registration.stage == Stage.OTP and registration.brand.otp_sent_at:
        return registration.brand.otp_sent_at
    if registration.stage == Stage.LIVE and registration.phone_number.a2p_status_at:
        return registration.phone_number.a2p_status_at
    rate_limited = registration.waiting_for == WaitingFor.WORKER and registration.stage != Stage.OTP
    if rate_limited and registration.slot_at:
        # Its slot in the rate limit's queue: a thousand brands take a quarter of an hour.
        return max(registration.slot_at, registration.stage_since)
    return registration.stage_since


def filter_overdue(registrations: QuerySet[Registration], moment: datetime) -> QuerySet[Registration]:
    """Those of `registrations` for which overdue() is not None at `moment`.

    A union of three small sets. Most waits begin with the stage: each is a range of the index on (waiting_for,
    stage, stage_since). The other two are read from their own tables. One condition over a join of all three would
    read every row.
    """
    plain, texts = Q(pk__in=[]), Q(pk__in=[])
    for (stage, waiting_for), usual in _waits():
        began = moment - _time(usual)
        if stage == Stage.OTP:
            texts |= Q(registration__waiting_for=waiting_for) & _since_own("otp_sent_at", began)
        else:
            place = Q(slot_at=None) | Q(slot_at__lt=began) if usual is FOR_WORKER else Q()
            plain |= Q(place, waiting_for=waiting_for, stage=stage, stage_since__lt=began)
    registering = _since_own("a2p_status_at", moment - scaled(NUMBER_REGISTRATION.seconds))
    late = Registration.objects.order_by().filter(plain).values("pk")
    of_texts = Brand.objects.order_by().filter(texts, registration__stage=Stage.OTP)
    of_numbers = PhoneNumber.objects.order_by().filter(
        registering, a2p_status="pending_registration", registration__stage=Stage.LIVE
    )
    found = late.union(of_texts.values("registration_id"), of_numbers.values("registration_id"))
    return registrations.filter(pk__in=found, hold=False)


def _waits() -> Iterator[tuple[tuple[str, str], Expected]]:
    """Every (stage, waiting_for) that can be overdue, and what to expect there. LIVE has a rule of its own."""
    yield from EXPECTED.items()
    for stage in Stage:
        if stage not in (Stage.DRAFT, Stage.LIVE):
            yield (stage, WaitingFor.US), FOR_US
            yield (stage, WaitingFor.WORKER), FOR_WORKER


def _since_own(column: str, began: datetime) -> Q:
    """The part's own time is before `began`; without one, the stage's is."""
    return Q(**{f"{column}__lt": began}) | Q(
        **{f"{column}__isnull": True, "registration__stage_since__lt": began}
    )

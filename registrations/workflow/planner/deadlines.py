"""How long each stage takes, when a registration is overdue, and what to do then. Pure reading.

`stuck` is the rule for one registration in memory, `overdue` the same rule as a condition for the database.

Source of the times: docs/twilio.md section 6.1 and 8 (profile up to 24 h by hand, brand minutes to days, the
OTP text 24 h, campaign 10 to 15 days, number registration up to two weeks).
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
        "A brand takes minutes to days. If nothing moved, write to Twilio's support with the prepared text.",
    ),
    (Stage.OTP, WaitingFor.CUSTOMER): Expected(
        DAY, "The text is no longer valid after 24 hours. Call the customer, then send it again."
    ),
    (Stage.CAMPAIGN, WaitingFor.TWILIO): Expected(
        15 * DAY, "Campaigns take 10 to 15 days. Write to Twilio's support with the prepared text."
    ),
    (Stage.NUMBER, WaitingFor.TWILIO): Expected(
        HOUR, "A number is listed at once. Check Twilio now; if it is still missing, submit again."
    ),
}
FOR_US = Expected(
    2 * DAY, "This registration waits for your team. Do what it asks for, or put it on hold with a reason."
)
FOR_WORKER = Expected(
    0.25 * HOUR,
    "The worker should have done this by now. See on the home page whether one runs; while it does, its turn comes.",
)
NUMBER_REGISTRATION = Expected(
    14 * DAY, "Registering a number takes up to two weeks. Write to Twilio's support with the prepared text."
)


@dataclass(frozen=True)
class Stuck:
    """since: when the stage began. overdue: by how much it is late. advice: the next thing to do."""

    since: datetime
    overdue: timedelta
    advice: str


def expected(registration: Registration) -> Expected | None:
    """What is usual for where the registration stands; None when nothing is awaited."""
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
    """When the registration counts as stuck if nothing happens."""
    usual = expected(registration)
    return _since(registration) + _time(usual) if usual else None


def _time(usual: Expected) -> timedelta:
    """The worker's own pace is real: only Twilio's and people's times are shortened in a demo."""
    return timedelta(seconds=usual.seconds) if usual is FOR_WORKER else scaled(usual.seconds)


def stuck(registration: Registration, now: datetime) -> Stuck | None:
    """How a registration is overdue, or None."""
    usual, due = expected(registration), deadline(registration)
    if usual is None or due is None or due >= now:
        return None
    return Stuck(_since(registration), now - due, usual.advice)


def _since(registration: Registration) -> datetime:
    if registration.stage == Stage.OTP and registration.brand.otp_sent_at:
        return registration.brand.otp_sent_at
    if registration.stage == Stage.LIVE and registration.phone_number.a2p_status_at:
        return registration.phone_number.a2p_status_at
    at_pace = registration.waiting_for == WaitingFor.WORKER and registration.stage != Stage.OTP
    if at_pace and registration.slot_at:
        # Its place in the queue that keeps Twilio's pace: a thousand brands take a quarter of an hour.
        return max(registration.slot_at, registration.stage_since)
    return registration.stage_since


def overdue(registrations: QuerySet[Registration], moment: datetime) -> QuerySet[Registration]:
    """Those of `registrations` that stuck() flags at `moment`.

    A union of three small sets. Most waits begin with the stage: each is a range of the index on (waiting_for,
    stage, stage_since). The two that do not are read from their own tables. One condition over a join of all
    three would read every row of them.
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
    """Every (stage, waiting_for) that can be late, and what is usual there; LIVE has a rule of its own."""
    yield from EXPECTED.items()
    for stage in Stage:
        if stage not in (Stage.DRAFT, Stage.LIVE):
            yield (stage, WaitingFor.US), FOR_US
            yield (stage, WaitingFor.WORKER), FOR_WORKER


def _since_own(column: str, began: datetime) -> Q:
    """The part's own moment lies before `began`; without one, the stage's does."""
    return Q(**{f"{column}__lt": began}) | Q(
        **{f"{column}__isnull": True, "registration__stage_since__lt": began}
    )

"""Part 6: the one phone number (docs/twilio.md section 1.1, call 6, and section 8)."""

import random
from decimal import Decimal
from typing import Any

from registrations.models import ApiCall, Registration
from registrations.models.choices import FeeKind, Stage
from registrations.twilio.client import TwilioClient, errors
from registrations.twilio.rejections import of_state, parse_error_items
from registrations.workflow.prices import price

from . import finders
from .base import AnyStep, Payload, Read, RequestParams, Watch, Write
from .number_lookup import learn_number, number_problem

# What events said about one number does not apply to the next one.
NO_A2P_STATUS: dict[str, Any] = {"a2p_status": "", "a2p_status_at": None, "errors": []}

NO_LONGER_AVAILABLE = 21422


def fee() -> Decimal:
    return price(FeeKind.NUMBER_MONTHLY)


def _resolve_needed(registration: Registration) -> bool:
    number = registration.phone_number
    return bool(number.accepted_params.get("sender", "") != number.sender_number)


RESOLVE = Read(
    slug="number.resolve",
    applies=lambda registration: bool(registration.phone_number.sender_number),
    label="Find the sender among your numbers",
    part="phone_number",
    stage=Stage.BRAND,
    is_needed=_resolve_needed,
    learn=learn_number,
    help="Looked up before anything is charged.",
)


def purchase_needed(registration: Registration) -> bool:
    number = registration.phone_number
    # A sender that was entered and then removed keeps its SID until RESOLVE has run.
    held = bool(number.sid) and not number.accepted_params.get("sender")
    return not held and not number.sender_number and bool(number.area_code)


def _buy_blocked(registration: Registration) -> str:
    if registration.phone_number.purchase_confirmed_at:
        return ""
    return f"Confirm the purchase of a number in area code {registration.phone_number.area_code}."


def _buy(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    country = registration.profile.iso_country
    offers = client.search_numbers(country, area_code=request_params["area_code"], sms_enabled=True, limit=20)
    if not offers:
        raise errors.Rejected(
            f"Twilio has no SMS number in area code {request_params['area_code']}. Choose another area code."
        )
    # A random one, because other registrations may search the same area code at the same time.
    offer = random.choice(offers)["phone_number"]
    try:
        return client.buy_number(phone_number=offer, friendly_name=request_params["friendly_name"])
    except errors.Rejected as error:
        if error.code == NO_LONGER_AVAILABLE:
            raise errors.Unavailable("Somebody else bought the number.", code=error.code) from error
        raise


def _find_bought(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    """By name, except for numbers that this registration bought earlier."""
    attempts = ApiCall.objects.filter(registration=registration, step="number.buy").exclude(sid="")
    known = set(attempts.values_list("sid", flat=True))
    bought = client.iter_numbers(friendly_name=request_params["friendly_name"])
    return finders.named(
        (item for item in bought if item.get("sid") not in known), request_params["friendly_name"]
    )


def _attach_needed(registration: Registration) -> bool:
    """It is in no service, or in a service that was replaced."""
    number, service = registration.phone_number, registration.campaign.service_sid
    held = number.accepted_params.get("attached", {}).get("service_sid", service)
    return not number.attached_at or bool(service and held != service)


def _attach_blocked(registration: Registration) -> str:
    number = registration.phone_number
    # Looking up or buying the sender are steps of their own before this one.
    if number.sid or ((number.sender_number or number.area_code) and not number_problem(registration)):
        return ""
    return (
        number_problem(registration) or "Choose the sender: a number you own, or an area code to buy one in."
    )


def _attach(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.attach_number(request_params["service_sid"], request_params["phone_number_sid"])


def _fetch_attached(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_attached_number(registration.campaign.service_sid, registration.phone_number.sid)


def _find_attached(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.when_found(lambda: _fetch_attached(client, registration))


def reattaching_helps(registration: Registration) -> bool:
    """The carriers did not register the number, or deregistered it, and attaching it again fixes that."""
    number = registration.phone_number
    state = of_state("number", number.a2p_status)
    reasons = [item.failure for item in parse_error_items(number.errors)] or ([state] if state else [])
    return bool(state and number.attached_at) and any("number" in reason.redo for reason in reasons)


def _detach_needed(registration: Registration) -> bool:
    number = registration.phone_number
    attached = number.accepted_params.get("attached", {}).get("phone_number_sid")
    held = bool(number.attached_at and number.sid and attached)
    again = number.resubmit_requested and reattaching_helps(registration)
    return held and (attached != number.sid or again)


def detach(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.detach_number(request_params["service_sid"], request_params["phone_number_sid"])


def find_detached(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    attached = finders.when_found(
        lambda: client.fetch_attached_number(
            request_params["service_sid"], request_params["phone_number_sid"]
        )
    )
    return {} if attached is None else None


def _confirm_failed(registration: Registration) -> str:
    number = registration.phone_number
    if number.missing_since and number.poll_count >= 10:
        return "Twilio accepted the number but does not list it in the messaging service. Submit again to attach it."
    return ""


STEPS: tuple[AnyStep, ...] = (
    Write(
        slug="number.buy",
        applies=lambda registration: (
            bool(registration.phone_number.area_code) and not registration.phone_number.sender_number
        ),
        label="Buy a number",
        part="phone_number",
        stage=Stage.NUMBER,
        is_needed=purchase_needed,
        blocked=_buy_blocked,
        request_params=lambda registration: {
            "area_code": registration.phone_number.area_code,
            "friendly_name": registration.friendly_name("number"),
        },
        execute=_buy,
        find=_find_bought,
        key="bought",
        kind="number",
        sid_field="sid",
        settle_seconds=60,
        fee=fee,
        help="Charged monthly. A person confirms the price first.",
    ),
    Write(
        slug="number.detach",
        label="Detach the old number",
        part="phone_number",
        stage=Stage.NUMBER,
        is_needed=_detach_needed,
        request_params=lambda registration: dict(
            registration.phone_number.accepted_params.get("attached", {})
        ),
        execute=detach,
        find=find_detached,
        key="detached",
        kind="detached",
        resets={"attached_at": None, "confirmed_at": None, "resubmit_requested": False, **NO_A2P_STATUS},
        repair=True,
        implies=("number.attach",),
        help="Another number replaces it, or it is attached again to register it again.",
    ),
    Write(
        slug="number.attach",
        label="Attach the number",
        part="phone_number",
        stage=Stage.NUMBER,
        is_needed=_attach_needed,
        blocked=_attach_blocked,
        request_params=lambda registration: {
            "service_sid": registration.campaign.service_sid,
            "phone_number_sid": registration.phone_number.sid,
        },
        execute=_attach,
        find=_find_attached,
        key="attached",
        kind="attached",
        timestamps=("attached_at",),
        resets={"confirmed_at": None, "missing_since": None, "poll_count": 0},
        poll_after=0,
    ),
    Watch(
        slug="number.confirm",
        label="The number is in the service",
        part="phone_number",
        stage=Stage.NUMBER,
        exists=lambda registration: bool(registration.phone_number.attached_at),
        passed=lambda registration: bool(registration.phone_number.confirmed_at),
        failed=_confirm_failed,
        fetch=_fetch_attached,
        kind="confirmed",
        intervals=(2, 3, 5, 10, 20, 30, 60),
        reason="Checking that Twilio lists the number in the messaging service.",
    ),
)

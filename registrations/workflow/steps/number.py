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

# What events told about one number says nothing about the next.
NO_A2P_STATUS: dict[str, Any] = {"a2p_status": "", "a2p_status_at": None, "errors": []}

SOLD_MEANWHILE = 21422  # the number is not available (any more)


def fee() -> Decimal:
    return price(FeeKind.NUMBER_MONTHLY)


def _resolve_wanted(registration: Registration) -> bool:
    number = registration.phone_number
    return bool(number.accepted_params.get("sender", "") != number.sender_number)


RESOLVE = Read(
    slug="number.resolve",
    applies=lambda registration: bool(registration.phone_number.sender_number),
    label="Find the sender among your numbers",
    part="phone_number",
    stage=Stage.BRAND,
    is_needed=_resolve_wanted,
    learn=learn_number,
    help="Looked up before anything is paid for.",
)


def buy_wanted(registration: Registration) -> bool:
    number = registration.phone_number
    # A sender that was named before and then taken away leaves its SID until RESOLVE has run.
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
            f"Twilio has no number with SMS in area code {request_params['area_code']}. Choose another area code."
        )
    # Not the first one: other registrations search the same area at the same time.
    offer = random.choice(offers)["phone_number"]
    try:
        return client.buy_number(phone_number=offer, friendly_name=request_params["friendly_name"])
    except errors.Rejected as error:
        if error.code == SOLD_MEANWHILE:
            raise errors.Unavailable("Somebody else took the number.", code=error.code) from error
        raise


def _find_bought(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    """By name, but not a number that this registration bought before."""
    attempts = ApiCall.objects.filter(registration=registration, step="number.buy").exclude(sid="")
    known = set(attempts.values_list("sid", flat=True))
    bought = client.iter_numbers(friendly_name=request_params["friendly_name"])
    return finders.named(
        (item for item in bought if item.get("sid") not in known), request_params["friendly_name"]
    )


def _attach_wanted(registration: Registration) -> bool:
    """It is in no service, or in one that has been replaced."""
    number, service = registration.phone_number, registration.campaign.service_sid
    held = number.accepted_params.get("attached", {}).get("service_sid", service)
    return not number.attached_at or bool(service and held != service)


def _attach_blocked(registration: Registration) -> str:
    number = registration.phone_number
    # A sender that is not looked up yet, or not bought yet, has rows of its own before this one.
    if number.sid or ((number.sender_number or number.area_code) and not number_problem(registration)):
        return ""
    return number_problem(registration) or "Choose the number that will send: one you own, or an area code."


def _attach(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.attach_number(request_params["service_sid"], request_params["phone_number_sid"])


def _fetch_attached(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_attached_number(registration.campaign.service_sid, registration.phone_number.sid)


def _find_attached(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.when_found(lambda: _fetch_attached(client, registration))


def reattaching_helps(registration: Registration) -> bool:
    """The carriers did not register the number, or let it go, and putting it in again is what mends that."""
    number = registration.phone_number
    state = of_state("number", number.a2p_status)
    reasons = [item.failure for item in parse_error_items(number.errors)] or ([state] if state else [])
    return bool(state and number.attached_at) and any("number" in reason.redo for reason in reasons)


def _detach_wanted(registration: Registration) -> bool:
    number = registration.phone_number
    attached = number.accepted_params.get("attached", {}).get("phone_number_sid")
    held = bool(number.attached_at and number.sid and attached)
    again = number.resubmit_requested and reattaching_helps(registration)
    return held and (attached != number.sid or again)


def _detach(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.detach_number(request_params["service_sid"], request_params["phone_number_sid"])


def _find_detached(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    still = finders.when_found(
        lambda: client.fetch_attached_number(
            request_params["service_sid"], request_params["phone_number_sid"]
        )
    )
    return {} if still is None else None


def _confirm_failed(registration: Registration) -> str:
    number = registration.phone_number
    if number.missing_since and number.poll_count >= 10:
        return (
            "Twilio took the number but does not list it in the messaging service. Submit again to attach it."
        )
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
        is_needed=buy_wanted,
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
        help="A monthly price; a person confirms it first.",
    ),
    Write(
        slug="number.detach",
        label="Take the former number out",
        part="phone_number",
        stage=Stage.NUMBER,
        is_needed=_detach_wanted,
        request_params=lambda registration: dict(
            registration.phone_number.accepted_params.get("attached", {})
        ),
        execute=_detach,
        find=_find_detached,
        key="detached",
        kind="detached",
        resets={"attached_at": None, "confirmed_at": None, "resubmit_requested": False, **NO_A2P_STATUS},
        repair=True,
        implies=("number.attach",),
        help="Another one takes its place, or it is put in again so that it is registered anew.",
    ),
    Write(
        slug="number.attach",
        label="Attach the number",
        part="phone_number",
        stage=Stage.NUMBER,
        is_needed=_attach_wanted,
        blocked=_attach_blocked,
        request_params=lambda registration: {
            "service_sid": registration.campaign.service_sid,
            "phone_number_sid": registration.phone_number.sid,
        },
        execute=_attach,
        find=_find_attached,
        key="attached",
        kind="attached",
        stamps=("attached_at",),
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
        why="Making sure that Twilio lists the number in the messaging service.",
    ),
)

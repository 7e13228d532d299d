"""Messaging services and the numbers in them.

Source: docs/twilio.md section 1.1 (4, 6), 4.3 and 8.
"""

from __future__ import annotations

from . import events, outcomes
from .state import NUMBER_REGISTRATION, World, public
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, one_of, page_v1, route, timer

BASE = "/v1/Services"
ONE = BASE + "/{Sid:MG}"
SENDERS = BASE + "/{Service:MG}/PhoneNumbers"
USECASES = ("notifications", "marketing", "verification", "discussion", "poll", "undeclared")
TEXTS = {
    "InboundRequestUrl": "inbound_request_url",
    "InboundMethod": "inbound_method",
    "FallbackUrl": "fallback_url",
    "FallbackMethod": "fallback_method",
    "StatusCallback": "status_callback",
}
FLAGS = {
    "StickySender": ("sticky_sender", True),
    "MmsConverter": ("mms_converter", True),
    "SmartEncoding": ("smart_encoding", True),
    "FallbackToLongCode": ("fallback_to_long_code", False),
    "AreaCodeGeomatch": ("area_code_geomatch", True),
    "SynchronousValidation": ("synchronous_validation", False),
    "UseInboundWebhookOnNumber": ("use_inbound_webhook_on_number", False),
}
OPTIONAL = [*TEXTS, *FLAGS, "ScanMessageContent", "ValidityPeriod", "Usecase"]


def render(world: World, service: Obj) -> Obj:
    url = f"https://messaging.twilio.com{BASE}/{service['sid']}"
    links = {
        "phone_numbers": f"{url}/PhoneNumbers",
        "short_codes": f"{url}/ShortCodes",
        "alpha_senders": f"{url}/AlphaSenders",
        "messages": "https://messaging.twilio.com/v1/Services/Messages",
        "us_app_to_person": f"{url}/Compliance/Usa2p",
        "us_app_to_person_usecases": f"{url}/Compliance/Usa2p/Usecases",
    }
    campaign = world.store.get("Usa2p", service["sid"])
    registered = campaign is not None and campaign["campaign_status"] == "VERIFIED"
    return public(service, us_app_to_person_registered=registered, url=url, links=links)


def _apply(call: Call, service: Obj) -> None:
    name = call.text("FriendlyName")
    if name is not None:
        if not 1 <= len(name) <= 64:
            raise bad_parameter("FriendlyName must be 1 to 64 characters")
        service["friendly_name"] = name
    for key, field in TEXTS.items():
        if call.has(key):
            service[field] = call.text(key) or None
    for key, (field, _) in FLAGS.items():
        if call.has(key):
            service[field] = call.flag(key)
    if call.has("ScanMessageContent"):
        value = call.need("ScanMessageContent")
        service["scan_message_content"] = one_of(
            "ScanMessageContent", value, ("inherit", "enable", "disable")
        )
    if call.has("Usecase"):
        if call.need("Usecase") not in USECASES:
            raise ApiError(400, 21713, f"Messaging service use case is not valid: {call.need('Usecase')}")
        service["usecase"] = call.need("Usecase")
    if call.has("ValidityPeriod"):
        value = call.need("ValidityPeriod")
        if not value.isdigit() or not 1 <= int(value) <= 36000:
            raise bad_parameter("ValidityPeriod must be between 1 and 36000")
        service["validity_period"] = int(value)


@route("POST", BASE, required=["FriendlyName"], optional=OPTIONAL)
def create(world: World, call: Call) -> Reply:
    service: Obj = dict.fromkeys(TEXTS.values())
    service.update(dict(FLAGS.values()))
    service.update(inbound_method="POST", fallback_method="POST", scan_message_content="inherit")
    service.update(validity_period=36000, usecase="undeclared")
    _apply(call, service)
    return Reply(201, render(world, world.create("Services", "MG", service)))


@route("GET", BASE, listing=True)
def list_all(world: World, call: Call) -> Reply:
    rows = world.newest_first("Services")
    return page_v1(call, "messaging", "services", rows, lambda row: render(world, row))


@route("GET", ONE)
def fetch(world: World, call: Call) -> Reply:
    return Reply(200, render(world, world.get_or_404("Services", call.args["Sid"], call)))


@route("POST", ONE, optional=["FriendlyName", *OPTIONAL])
def update(world: World, call: Call) -> Reply:
    service = world.get_or_404("Services", call.args["Sid"], call)
    draft = dict(service)
    _apply(call, draft)
    service.update(draft)
    return Reply(200, render(world, world.save("Services", service)))


@route("DELETE", ONE)
def delete(world: World, call: Call) -> Reply:
    """Also deletes the campaign and detaches the numbers (docs/twilio.md section 5.4)."""
    service = world.get_or_404("Services", call.args["Sid"], call)
    _refuse_suspended(world, service["sid"])
    for sender in world.store.by("ServicePhoneNumbers", "_parent", service["sid"]):
        deregister(world, sender)
        world.store.delete("ServicePhoneNumbers", sender["_key"])
    campaign = world.store.get("Usa2p", service["sid"])
    if campaign is not None:
        world.store.delete("Usa2p", service["sid"])
        events.campaign(world, "campaign-deleted", campaign)
    world.store.delete("Services", service["_key"])
    return Reply(204)


# -- numbers in a service ----------------------------------------------------------------------------------


def _refuse_suspended(world: World, service_sid: str) -> None:
    campaign = world.store.get("Usa2p", service_sid)
    if campaign is not None and campaign["campaign_status"] == "SUSPENDED":
        raise ApiError(400, 21729, "Cannot perform operation on a suspended campaign")


def _render_sender(sender: Obj) -> Obj:
    url = f"https://messaging.twilio.com{BASE}/{sender['_parent']}/PhoneNumbers/{sender['sid']}"
    return public(sender, url=url)


def _sender(world: World, call: Call) -> Obj:
    return world.get_or_404("ServicePhoneNumbers", f"{call.args['Service']}/{call.args['Sid']}", call)


@route("POST", SENDERS, required=["PhoneNumberSid"])
def attach(world: World, call: Call) -> Reply:
    service = world.get_or_404("Services", call.args["Service"], call)
    sid = call.need("PhoneNumberSid")
    number = world.store.get("IncomingPhoneNumbers", sid)
    if number is None:
        raise ApiError(404, 20404, f"The requested resource {sid} was not found")
    for present in world.store.by("ServicePhoneNumbers", "_ref", sid):
        if present["_parent"] == service["sid"]:
            raise ApiError(409, 21710, "Phone Number is already in the Messaging Service")
        raise ApiError(409, 21712, "Phone Number is associated with another Messaging Service")
    if not outcomes.number_sms(number["phone_number"]):
        raise ApiError(400, 21715, "Phone Number lacks the required capabilities")
    _refuse_suspended(world, service["sid"])
    capabilities = [name for name in ("sms", "mms", "voice") if number["capabilities"][name]]
    fields: Obj = {
        "sid": sid,
        "service_sid": service["sid"],
        "phone_number": number["phone_number"],
        "country_code": outcomes.country_of(number["phone_number"]),
        "capabilities": [name.upper() if name != "voice" else "Voice" for name in capabilities],
        "_parent": service["sid"],
        "_ref": sid,
        "_a2p": "UNREGISTERED",
        "_round": 0,
    }
    sender = world.create("ServicePhoneNumbers", "PN", fields, key=f"{service['sid']}/{sid}")
    register_one(world, service["sid"])
    return Reply(201, _render_sender(sender))


@route("GET", SENDERS, listing=True)
def list_senders(world: World, call: Call) -> Reply:
    service = world.get_or_404("Services", call.args["Service"], call)
    rows = world.store.by("ServicePhoneNumbers", "_parent", service["sid"])[::-1]
    return page_v1(call, "messaging", "phone_numbers", rows, _render_sender)


@route("GET", SENDERS + "/{Sid:PN}")
def fetch_sender(world: World, call: Call) -> Reply:
    return Reply(200, _render_sender(_sender(world, call)))


@route("DELETE", SENDERS + "/{Sid:PN}")
def detach(world: World, call: Call) -> Reply:
    sender = _sender(world, call)
    _refuse_suspended(world, sender["_parent"])
    deregister(world, sender)
    world.store.delete("ServicePhoneNumbers", sender["_key"])
    register_one(world, sender["_parent"])
    return Reply(204)


# -- a number's A2P state: reported only by events, not by any REST field ----------------------------------


def register_one(world: World, service_sid: str) -> None:
    """Once the campaign is approved, register one number of the service; the others stay UNREGISTERED."""
    campaign = world.store.get("Usa2p", service_sid)
    senders = world.store.by("ServicePhoneNumbers", "_parent", service_sid)
    taken = any(row["_a2p"] not in ("UNREGISTERED", "FAILURE") for row in senders)
    free = [row for row in senders if row["_a2p"] == "UNREGISTERED"]
    if campaign is None or campaign["campaign_status"] != "VERIFIED" or taken or not free:
        return
    set_a2p(world, free[0], "PENDING_REGISTRATION")
    world.later(NUMBER_REGISTRATION, "number.registered", free[0]["_key"], free[0]["_round"])


STATE_EVENTS = {
    "PENDING_REGISTRATION": "number-registration.pending",
    "REGISTERED": "number-registration.successful",
    "FAILURE": "number-registration.failed",
    "PENDING_DEREGISTRATION": "number-deregistration.pending",
    "UNREGISTERED": "number-deregistration.successful",
}


def set_a2p(world: World, sender: Obj, state: str) -> None:
    sender["_a2p"] = state
    sender["_round"] += 1
    world.save("ServicePhoneNumbers", sender)
    if state in STATE_EVENTS:
        events.number(world, STATE_EVENTS[state], sender)


@timer("number.registered")
def _registered(world: World, key: str, round_: int) -> None:
    sender = world.store.get("ServicePhoneNumbers", key)
    if sender is not None and sender["_round"] == round_:
        fails = outcomes.number_fails(sender["phone_number"])
        set_a2p(world, sender, "FAILURE" if fails else "REGISTERED")


def deregister(world: World, sender: Obj) -> None:
    if sender["_a2p"] in ("REGISTERED", "PENDING_REGISTRATION"):
        events.number(world, "number-deregistration.pending", sender)
        events.number(world, "number-deregistration.successful", sender)

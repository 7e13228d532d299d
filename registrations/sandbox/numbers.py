"""The account, its phone numbers, numbers for sale, and Lookup.

Source: docs/twilio.md section 1.2 and 13. A rejected purchase uses Twilio's 21421, 21422 and 21452.
"""

from __future__ import annotations

import re

from . import outcomes, services
from .state import World, public
from .store import Obj
from .wire import ApiError, Call, Reply, check_account, not_found, page_2010, route

ACCOUNT = "/2010-04-01/Accounts/{AccountSid:AC}"
OWNED = ACCOUNT + "/IncomingPhoneNumbers"
TEXTS = {
    "FriendlyName": "friendly_name",
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "SmsApplicationSid": "sms_application_sid",
    "VoiceApplicationSid": "voice_application_sid",
    "TrunkSid": "trunk_sid",
    "IdentitySid": "identity_sid",
    "AddressSid": "address_sid",
    "BundleSid": "bundle_sid",
    "EmergencyStatus": "emergency_status",
    "EmergencyAddressSid": "emergency_address_sid",
    "VoiceReceiveMode": "voice_receive_mode",
}
METHODS = ("sms_method", "sms_fallback_method", "voice_method", "voice_fallback_method")
SEARCH = [
    "AreaCode",
    "Contains",
    "SmsEnabled",
    "MmsEnabled",
    "VoiceEnabled",
    "FaxEnabled",
    "ExcludeAllAddressRequired",
    "ExcludeLocalAddressRequired",
    "ExcludeForeignAddressRequired",
    "Beta",
    "NearNumber",
    "NearLatLong",
    "Distance",
    "InPostalCode",
    "InRegion",
    "InRateCenter",
    "InLata",
    "InLocality",
]
FOR_SALE = [*(f"{line:04d}" for line in range(2000, 2030)), "0666", "0715"]


def add_owned(world: World, number: str, sid: str = "") -> Obj:
    """Give the account a number."""
    fields: Obj = dict.fromkeys(TEXTS.values())
    fields.update(dict.fromkeys(METHODS, "POST"))
    sms = outcomes.number_sms(number)
    fields.update(
        sid=sid or None,
        friendly_name=f"({number[2:5]}) {number[5:8]}-{number[8:]}",
        phone_number=number,
        capabilities={"voice": True, "sms": sms, "mms": sms, "fax": False},
        address_requirements="none",
        beta=False,
        origin="twilio",
        api_version="2010-04-01",
        voice_caller_id_lookup=False,
        status_callback_method="POST",
        emergency_status="Inactive",
        emergency_address_status="unregistered",
        voice_receive_mode="voice",
        status="in-use",
        type="local",
        _ref=number,
    )
    return world.create("IncomingPhoneNumbers", "PN", fields, rfc2822=True)


def _render(number: Obj) -> Obj:
    path = f"/2010-04-01/Accounts/{number['account_sid']}/IncomingPhoneNumbers/{number['sid']}.json"
    return public(number, uri=path)


# -- account -----------------------------------------------------------------------------------------------


@route("GET", ACCOUNT + ".json")
def fetch_account(world: World, call: Call) -> Reply:
    check_account(world, call)
    sid = world.config.account_sid
    base = f"/2010-04-01/Accounts/{sid}"
    stamp = "Mon, 06 Jan 2025 10:00:00 +0000"
    body = {
        "sid": sid,
        "auth_token": "redacted-by-the-sandbox",
        "friendly_name": "Sandbox account",
        "owner_account_sid": sid,
        "status": "active",
        "type": "Full",
        "date_created": stamp,
        "date_updated": stamp,
        "subresource_uris": {
            "addresses": f"{base}/Addresses.json",
            "incoming_phone_numbers": f"{base}/IncomingPhoneNumbers.json",
        },
        "uri": f"{base}.json",
    }
    return Reply(200, body)


# -- the account's numbers ---------------------------------------------------------------------------------


@route("GET", OWNED + ".json", optional=["Beta", "FriendlyName", "PhoneNumber", "Origin"], listing=True)
def list_owned(world: World, call: Call) -> Reply:
    check_account(world, call)
    rows = world.newest_first("IncomingPhoneNumbers")
    pattern = call.text("PhoneNumber")
    if pattern:
        digits = re.sub(r"[^0-9*]", "", pattern).replace("*", ".*")
        rows = [row for row in rows if re.search(digits, row["phone_number"])]
    if call.text("FriendlyName"):
        rows = [row for row in rows if row["friendly_name"] == call.text("FriendlyName")]
    if call.flag("Beta") is not None:
        rows = [row for row in rows if row["beta"] == call.flag("Beta")]
    if call.text("Origin"):
        rows = [row for row in rows if row["origin"] == call.text("Origin")]
    return page_2010(call, "incoming_phone_numbers", rows, _render)


def _for_sale(world: World, country: str, area: str) -> list[str]:
    numbers = [f"+1{area}555{line}" for line in FOR_SALE]
    owned = {row["phone_number"] for row in world.store.all("IncomingPhoneNumbers")}
    return [number for number in numbers if number not in owned and outcomes.country_of(number) == country]


@route(
    "POST",
    OWNED + ".json",
    optional=["PhoneNumber", "AreaCode", "ApiVersion", "VoiceCallerIdLookup", *TEXTS],
)
def buy(world: World, call: Call) -> Reply:
    check_account(world, call)
    number, area = call.text("PhoneNumber"), call.text("AreaCode")
    if number:
        if outcomes.country_of(number) is None:
            raise ApiError(400, 21421, f"{number} is not a valid number")
        if number not in _for_sale(world, str(outcomes.country_of(number)), number[2:5]):
            raise ApiError(400, 21422, f"{number} is not available")
    elif area:
        offers = _for_sale(world, "US", area) if re.fullmatch(r"[2-9]\d\d", area) else []
        if not offers:
            raise ApiError(400, 21452, f"No phone numbers found in area code {area}")
        number = offers[0]
    else:
        raise ApiError(400, 21421, "PhoneNumber or AreaCode is required")
    bought = add_owned(world, number)
    _apply(call, bought)
    world.store.next_number("numbers_bought")
    return Reply(201, _render(world.save("IncomingPhoneNumbers", bought)))


def _apply(call: Call, number: Obj) -> None:
    for name, field in TEXTS.items():
        if call.has(name):
            number[field] = call.text(name) or None


@route("GET", OWNED + "/{Sid:PN}.json")
def fetch_owned(world: World, call: Call) -> Reply:
    check_account(world, call)
    return Reply(200, _render(world.get_or_404("IncomingPhoneNumbers", call.args["Sid"], call)))


@route(
    "POST",
    OWNED + "/{Sid:PN}.json",
    optional=["AccountSid", "ApiVersion", "VoiceCallerIdLookup", *TEXTS],
)
def update_owned(world: World, call: Call) -> Reply:
    check_account(world, call)
    number = world.get_or_404("IncomingPhoneNumbers", call.args["Sid"], call)
    _apply(call, number)
    return Reply(200, _render(world.save("IncomingPhoneNumbers", number)))


@route("DELETE", OWNED + "/{Sid:PN}.json")
def release(world: World, call: Call) -> Reply:
    check_account(world, call)
    number = world.get_or_404("IncomingPhoneNumbers", call.args["Sid"], call)
    for sender in world.store.by("ServicePhoneNumbers", "_ref", number["sid"]):
        services.deregister(world, sender)
        world.store.delete("ServicePhoneNumbers", sender["_key"])
        services.register_one(world, sender["_parent"])
    world.store.delete("IncomingPhoneNumbers", number["_key"])
    return Reply(204)


# -- numbers for sale and Lookup ---------------------------------------------------------------------------


@route("GET", ACCOUNT + "/AvailablePhoneNumbers/{Country}/Local.json", optional=SEARCH, listing=True)
def search(world: World, call: Call) -> Reply:
    check_account(world, call)
    country = call.args["Country"]
    if country not in ("US", "CA"):
        raise not_found(call.path)
    area = call.text("AreaCode") or ("415" if country == "US" else "416")
    numbers = _for_sale(world, country, area) if re.fullmatch(r"[2-9]\d\d", area) else []
    if call.flag("SmsEnabled"):
        numbers = [number for number in numbers if outcomes.number_sms(number)]
    contains = re.sub(r"[^0-9]", "", call.text("Contains") or "")
    rows = [{"_key": number} for number in numbers if contains in number]

    def render(row: Obj) -> Obj:
        number = row["_key"]
        sms = outcomes.number_sms(number)
        return {
            "friendly_name": f"({number[2:5]}) {number[5:8]}-{number[8:]}",
            "phone_number": number,
            "lata": "722",
            "locality": "Sandbox",
            "rate_center": "SANDBOX",
            "latitude": 37.7,
            "longitude": -122.4,
            "region": call.text("InRegion") or ("CA" if country == "US" else "ON"),
            "postal_code": None,
            "iso_country": country,
            "address_requirements": "none",
            "beta": False,
            "capabilities": {"voice": True, "sms": sms, "mms": sms, "fax": False},
        }

    # As at Twilio, a search returns a single page.
    reply = page_2010(call, "available_phone_numbers", rows, render)
    reply.body["next_page_uri"] = None
    return reply


LOOKUP_PACKAGES = [
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_status",
    "line_type_intelligence",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "phone_number_quality_score",
    "pre_fill",
]


@route("GET", "/v2/PhoneNumbers/{Number}", optional=["Fields", "CountryCode"])
def lookup(world: World, call: Call) -> Reply:
    raw = re.sub(r"[^0-9+]", "", call.args["Number"])
    number = raw if raw.startswith("+") else f"+1{raw}"
    country = outcomes.country_of(number)
    body: Obj = {
        "calling_country_code": "1" if number.startswith("+1") else None,
        "country_code": country,
        "phone_number": number,
        "national_format": f"({number[2:5]}) {number[5:8]}-{number[8:]}" if country else number,
        "valid": country is not None,
        "validation_errors": [] if country else ["INVALID_LENGTH"],
        **dict.fromkeys(LOOKUP_PACKAGES),
        "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{number}",
    }
    if "line_type_intelligence" in (call.text("Fields") or "").split(",") and country:
        owned = bool(world.store.by("IncomingPhoneNumbers", "_ref", number))
        type_ = outcomes.line_type(number, owned)
        carrier = {"nonFixedVoip": "Twilio - SMS/MMS-SVR", "mobile": "Sandbox Wireless"}
        body["line_type_intelligence"] = {
            "type": type_,
            "carrier_name": carrier.get(type_, "Sandbox Telephone"),
            "mobile_country_code": "310" if type_ != "landline" else None,
            "mobile_network_code": "260" if type_ != "landline" else None,
            "error_code": None,
        }
    return Reply(200, body)

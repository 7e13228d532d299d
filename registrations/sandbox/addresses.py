"""Postal addresses, a resource of the 2010-04-01 API.

Source: docs/twilio.md section 1.1 (1.4), 1.2 and 6.4.
"""

from __future__ import annotations

import re

from . import outcomes
from .parts import changed
from .state import World, public
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, check_account, page_2010, route

ADDRESSES = "/2010-04-01/Accounts/{AccountSid:AC}/Addresses"
TEXTS = {
    "FriendlyName": "friendly_name",
    "CustomerName": "customer_name",
    "Street": "street",
    "StreetSecondary": "street_secondary",
    "City": "city",
    "Region": "region",
    "PostalCode": "postal_code",
}


def _linked_to_approved(world: World, address_sid: str) -> bool:
    documents = world.store.by("SupportingDocuments", "_ref", address_sid)
    return any(document["status"] == "APPROVED" for document in documents)


def _render_address(obj: Obj) -> Obj:
    path = f"/2010-04-01/Accounts/{obj['account_sid']}/Addresses/{obj['sid']}.json"
    return public(obj, uri=path)


def _apply(call: Call, fields: Obj) -> Obj:
    """Validate an address and, if ``AutoCorrectAddress`` is true (the default), correct it."""
    for name, field in TEXTS.items():
        if call.has(name):
            fields[field] = (call.text(name) or "").strip() or None
    if len(fields.get("friendly_name") or "") > 64:
        raise bad_parameter("FriendlyName must be 64 characters or less")
    for field in ("customer_name", "street", "city", "region", "postal_code"):
        if not fields.get(field):
            raise bad_parameter(f"{field} must not be empty")
    correct = call.flag("AutoCorrectAddress") is not False
    problem = outcomes.address_problem(fields)
    if problem == "unknown":
        raise ApiError(400, 21628, "Address validation error: the address could not be found")
    if problem == "misspelt" and not correct:
        fixed = outcomes.corrected_street(fields["street"])
        raise ApiError(400, 21629, f"Address validation error. Suggested address: {fixed}, {fields['city']}")
    if correct:
        fields["street"] = outcomes.corrected_street(fields["street"])
    if call.has("EmergencyEnabled"):
        fields["emergency_enabled"] = bool(call.flag("EmergencyEnabled"))
    fields.update(validated=correct, verified=correct)
    return fields


@route(
    "POST",
    ADDRESSES + ".json",
    required=["CustomerName", "Street", "City", "Region", "PostalCode", "IsoCountry"],
    optional=["FriendlyName", "EmergencyEnabled", "AutoCorrectAddress", "StreetSecondary"],
)
def create_address(world: World, call: Call) -> Reply:
    check_account(world, call)
    country = call.need("IsoCountry")
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise bad_parameter("IsoCountry must be an ISO 3166-1 alpha-2 code")
    empty = dict.fromkeys(TEXTS.values())
    fields = _apply(call, {**empty, "iso_country": country, "emergency_enabled": False})
    return Reply(201, _render_address(world.create("Addresses", "AD", fields, rfc2822=True)))


@route(
    "GET",
    ADDRESSES + ".json",
    optional=["CustomerName", "FriendlyName", "EmergencyEnabled", "IsoCountry"],
    listing=True,
)
def list_addresses(world: World, call: Call) -> Reply:
    check_account(world, call)
    rows = world.newest_first("Addresses")
    filters = {"CustomerName": "customer_name", "FriendlyName": "friendly_name", "IsoCountry": "iso_country"}
    for name, field in filters.items():
        if call.text(name):
            rows = [row for row in rows if row[field] == call.text(name)]
    emergency = call.flag("EmergencyEnabled")
    if emergency is not None:
        rows = [row for row in rows if row["emergency_enabled"] == emergency]
    return page_2010(call, "addresses", rows, _render_address)


@route("GET", ADDRESSES + "/{Sid:AD}.json")
def fetch_address(world: World, call: Call) -> Reply:
    check_account(world, call)
    return Reply(200, _render_address(world.get_or_404("Addresses", call.args["Sid"], call)))


@route("POST", ADDRESSES + "/{Sid:AD}.json", optional=[*TEXTS, "EmergencyEnabled", "AutoCorrectAddress"])
def update_address(world: World, call: Call) -> Reply:
    check_account(world, call)
    obj = world.get_or_404("Addresses", call.args["Sid"], call)
    if _linked_to_approved(world, obj["sid"]):
        raise ApiError(400, 21630, "An address that is linked to a verified document cannot be changed")
    obj.update(_apply(call, dict(obj)))
    for document in world.store.by("SupportingDocuments", "_ref", obj["sid"]):
        changed(world, document["sid"])
    return Reply(200, _render_address(world.save("Addresses", obj)))


@route("DELETE", ADDRESSES + "/{Sid:AD}.json")
def delete_address(world: World, call: Call) -> Reply:
    check_account(world, call)
    obj = world.get_or_404("Addresses", call.args["Sid"], call)
    if _linked_to_approved(world, obj["sid"]):
        raise ApiError(400, 21630, "An address that is linked to a verified document cannot be deleted")
    for document in world.store.by("SupportingDocuments", "_ref", obj["sid"]):
        changed(world, document["sid"])
    world.store.delete("Addresses", obj["_key"])
    return Reply(204)

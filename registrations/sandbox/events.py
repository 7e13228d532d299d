"""The events of brands, campaigns and numbers, in the words of their schemas.

Source: docs/twilio.md section 7.2 and 7.3. Sinks and subscriptions are in ``streams``.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from . import callbacks
from .state import World
from .store import Obj

PREFIX = "com.twilio.messaging.compliance."
SINKS, SUBSCRIPTIONS, SUBSCRIBED = "Sinks", "Subscriptions", "SubscribedEvents"

# type suffix -> (schema name, latest version)
TYPES: dict[str, tuple[str, int]] = {
    "brand-registration.brand-registered": ("A2P.BrandRegistered", 1),
    "brand-registration.brand-failure": ("A2P.BrandFailure", 3),
    "brand-registration.brand-verified": ("A2P.BrandVerified", 2),
    "brand-registration.brand-unverified": ("A2P.BrandUnverified", 2),
    "campaign-registration.campaign-submitted": ("A2P.CampaignSubmitted", 1),
    "campaign-registration.campaign-approved": ("A2P.CampaignApproved", 2),
    "campaign-registration.campaign-failure": ("A2P.CampaignFailure", 2),
    "campaign-registration.campaign-deleted": ("A2P.CampaignDeleted", 1),
    "number-registration.pending": ("A2P.NumberRegistrationPending", 2),
    "number-registration.successful": ("A2P.NumberRegistrationSuccessful", 2),
    "number-registration.failed": ("A2P.NumberRegistrationFailed", 2),
    "number-deregistration.pending": ("A2P.NumberDeregistrationPending", 2),
    "number-deregistration.successful": ("A2P.NumberDeregistrationSuccessful", 2),
    "number-deregistration.failed": ("A2P.NumberDeregistrationFailed", 2),
}
EXTERNAL = {
    "number-registration.pending": "pending_registration",
    "number-registration.successful": "registered",
    "number-registration.failed": "failure",
    "number-deregistration.pending": "pending_deregistration",
    "number-deregistration.successful": "unregistered",
}


def _emit(world: World, suffix: str, data: Obj) -> None:
    """Queue the event for every active sink that is subscribed to its type."""
    type_ = PREFIX + suffix
    schema, latest = TYPES[suffix]
    for row in world.store.by(SUBSCRIBED, "_ref", type_):
        subscription = world.store.get(SUBSCRIPTIONS, row["_parent"])
        sink = world.store.get(SINKS, subscription["sink_sid"]) if subscription else None
        if sink is None or sink["status"] != "active":
            continue
        version = min(row["schema_version"], latest)
        event = envelope(world, type_, f"{schema}/{version}", _for_version(suffix, data, version))
        callbacks.queue_event(world, sink["sink_configuration"]["destination"], [event], sink["sid"])


def envelope(world: World, type_: str, schema: str, data: Obj, id_: str = "") -> Obj:
    return {
        "specversion": "1.0",
        "type": type_,
        "source": "sandbox",
        "id": id_ or str(uuid.uuid4()),
        "dataschema": f"https://events-schemas.twilio.com/{schema}",
        "datacontenttype": "application/json",
        "time": world.iso(),
        "data": data,
    }


def _for_version(suffix: str, data: Obj, version: int) -> Obj:
    """The data as an older schema has it: fewer fields, other words."""
    data = dict(data)
    if suffix.endswith("campaign-approved"):
        data["campaignregistrationstatus"] = "success" if version == 1 else "approved"
    if version == 1:
        for name in ("brandregistrationerrors", "campaignregistrationerrors", "errorcode"):
            data.pop(name, None)
        if suffix.startswith("number-"):
            data.pop("messagingservicesid", None)
    return data


def _ms(world: World, text: str = "") -> int:
    if not text:
        return int(world.now * 1000)
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)


def _event_errors(items: list[Obj]) -> list[Obj]:
    return [
        {
            "registrationerrorcode": item.get("error_code", item.get("registrationerrorcode")),
            "registrationerrordescription": item.get("description", item.get("registrationerrordescription")),
            "registrationerrorurl": item.get("url", item.get("registrationerrorurl")),
            "registrationerrorfields": item.get("fields", item.get("registrationerrorfields")),
        }
        for item in items
    ]


def brand(world: World, name: str, obj: Obj) -> None:
    data: Obj = {
        "accountsid": obj["account_sid"],
        "brandsid": obj["sid"],
        "brandstatus": "registration_failed" if name == "brand-failure" else "registered",
        "createddate": _ms(world, obj["date_created"]),
        "updateddate": _ms(world, obj["date_updated"]),
    }
    if name != "brand-failure":
        data["externalbrandid"] = obj["tcr_id"]
    if name in ("brand-verified", "brand-unverified"):
        data["identitystatus"] = name.removeprefix("brand-")
    if name in ("brand-failure", "brand-unverified"):
        data["brandregistrationerrors"] = _event_errors(obj["errors"])
    _emit(world, f"brand-registration.{name}", data)


def campaign(world: World, name: str, obj: Obj) -> None:
    status = {"campaign-submitted": "pending", "campaign-failure": "failure"}
    data: Obj = {
        "accountsid": obj["account_sid"],
        "brandsid": obj["brand_registration_sid"],
        "campaignsid": obj["_cm"],
        "messagingservicesid": obj["messaging_service_sid"],
        "a2pusecase": obj["us_app_to_person_usecase"],
        "campaignregistrationstatus": status.get(name, "approved"),
        "createddate": _ms(world, obj["date_created"]),
        "updateddate": _ms(world, obj["date_updated"]),
        "timestamp": _ms(world),
    }
    if name == "campaign-approved":
        data["externalcampaignid"] = obj["campaign_id"]
    if name == "campaign-failure":
        data["campaignregistrationerrors"] = _event_errors(obj["errors"])
        data["errorcode"] = obj["errors"][0]["error_code"] if obj["errors"] else None
    _emit(world, f"campaign-registration.{name}", data)


def number(world: World, suffix: str, sender: Obj) -> None:
    campaign_ = world.store.get("Usa2p", sender["_parent"])
    data: Obj = {
        "id": str(uuid.uuid4()),
        "accountsid": sender["account_sid"],
        "phonenumber": sender["phone_number"],
        "phonenumbersid": sender["sid"],
        "externalstatus": EXTERNAL[suffix],
        "messagingservicesid": sender["_parent"],
        "timestamp": _ms(world),
        "updateddate": _ms(world),
    }
    if suffix != "number-deregistration.successful" and campaign_ is not None:
        data["campaignsid"] = campaign_["_cm"]
    if suffix.endswith("failed"):
        code = sender.get("_reason_code", 30126)
        data["failureReason"] = f"https://www.twilio.com/docs/api/errors/{code}" if code else None
    _emit(world, suffix, data)

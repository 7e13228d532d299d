"""Campaigns (Usa2p): create, review, edit in place, delete.

Source: docs/twilio.md section 1.1 (5), 4.3, 5, 8 and 10. Two errors have no documented code and get 20001: a second
campaign on a service, and a create within 5 s (scaled) of a delete.
"""

from __future__ import annotations

import re

from . import events, outcomes, services
from .brands import tcr_id
from .state import (
    CAMPAIGN_NO_URLS,
    CAMPAIGN_REVIEW,
    CAMPAIGN_SID,
    CAMPAIGN_SUBMITTED,
    RECREATE_GAP,
    SUSPEND_AFTER,
    World,
    public,
)
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, not_found, page_v1, route, timer

KIND = "Usa2p"
BASE = "/v1/Services/{Service:MG}/Compliance/Usa2p"
ONE = BASE + "/{Sid:QE}"
V12 = "v1.2"
URLS = {"PrivacyPolicyUrl": "privacy_policy_url", "TermsAndConditionsUrl": "terms_and_conditions_url"}
LENGTHS = {"Description": (40, 4096), "MessageFlow": (40, 2048)}
REPLIES = ("OptInMessage", "OptOutMessage", "HelpMessage")
KEYWORDS = ("OptInKeywords", "OptOutKeywords", "HelpKeywords")
EDITABLE = [
    "HasEmbeddedLinks",
    "HasEmbeddedPhone",
    "MessageSamples",
    "MessageFlow",
    "Description",
    "AgeGated",
    "DirectLending",
]

# Twilio's defaults for opt-in, opt-out and help.
DEFAULTS = {
    "opt_in_message": None,
    "opt_out_message": (
        "You have successfully been unsubscribed. You will not receive any more messages from this number. "
        "Reply START to resubscribe."
    ),
    "help_message": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "opt_in_keywords": ["START", "YES", "UNSTOP"],
    "opt_out_keywords": ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"],
    "help_keywords": ["HELP", "INFO"],
}


def render(campaign: Obj, version: str) -> Obj:
    """The API's view. The two URLs exist only in v1.2; in other versions they are absent, not null."""
    service = campaign["messaging_service_sid"]
    url = f"https://messaging.twilio.com/v1/Services/{service}/Compliance/Usa2p/{CAMPAIGN_SID}"
    body = public(campaign, url=url)
    if version != V12:
        for field in URLS.values():
            body.pop(field)
    return body


def error_item(code: int, fields: list[str]) -> Obj:
    text = (
        f"The campaign submission has been reviewed and it was rejected because of: {outcomes.title(code)}."
    )
    url = f"https://www.twilio.com/docs/api/errors/{code}"
    return {"error_code": code, "fields": fields, "url": url, "description": text}


# -- validation --------------------------------------------------------------------------------------------


def _length(name: str, value: str, low: int, high: int) -> None:
    if not low <= len(value) <= high:
        raise ApiError(400, 21728, f"Campaign registration failed: {name} must be {low} to {high} characters")


def _texts(call: Call) -> Obj:
    """The fields of both create and update, validated (21728 for lengths)."""
    for name, (low, high) in LENGTHS.items():
        _length(name, call.need(name), low, high)
    samples = call.many("MessageSamples")
    if not 2 <= len(samples) <= 5:
        raise ApiError(400, 21728, "Campaign registration failed: 2 to 5 MessageSamples are needed")
    for number, sample in enumerate(samples, 1):
        _length(f"MessageSamples[{number}]", sample, 20, 1024)
    return {
        "description": call.need("Description"),
        "message_flow": call.need("MessageFlow"),
        "message_samples": samples,
        "has_embedded_links": call.flag("HasEmbeddedLinks"),
        "has_embedded_phone": call.flag("HasEmbeddedPhone"),
        "age_gated": bool(call.flag("AgeGated")),
        "direct_lending": bool(call.flag("DirectLending")),
    }


def _urls(call: Call) -> Obj:
    """The two URLs, which exist only since API version v1.2."""
    found: Obj = {}
    for name, field in URLS.items():
        value = call.text(name)
        if call.version == V12 and value:
            if not value.startswith(("http://", "https://")):
                raise bad_parameter(f"{name} must be a URL")
            found[field] = value
    return found


def _replies(call: Call) -> Obj:
    """Opt-in, opt-out and help: as given, or Twilio's defaults."""
    fields: Obj = {}
    for name in REPLIES:
        field = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        value = call.text(name)
        if value:
            _length(name, value, 20, 320)
        fields[field] = value or DEFAULTS[field]
    for name in KEYWORDS:
        field = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        words = [word for word in call.many(name) if word]
        if any(not word.isalnum() for word in words) or len(",".join(words)) > 255:
            raise ApiError(
                400, 21728, f"Campaign registration failed: {name} must be alphanumeric, 255 at most"
            )
        fields[field] = words or DEFAULTS[field]
    return fields


def _check_order(world: World, service: Obj, brand: Obj | None) -> None:
    if brand is None:
        raise ApiError(400, 21717, "Brand SID for campaign is not registered or not valid")
    if brand["status"] == "SUSPENDED":
        raise ApiError(400, 21731, "Cannot perform operation on a suspended brand")
    ready = brand["status"] == "APPROVED" and brand["identity_status"] in ("VERIFIED", "VETTED_VERIFIED")
    if not ready or brand["mock"]:
        world.violation("order", "campaign before the brand was APPROVED and VERIFIED")
        raise ApiError(400, 21717, "Brand SID for campaign is not registered or not valid")
    if world.store.get(KIND, service["sid"]) is not None:
        world.violation("second-campaign", f"service {service['sid']} already has a campaign")
        raise bad_parameter("The Messaging Service already has a campaign")
    if world.store.by(KIND, "_ref", brand["sid"]):
        world.violation("second-campaign", f"brand {brand['sid']} already has a campaign")
        raise ApiError(400, 21732, "Campaign limit reached on the brand")
    if world.now - service.get("_campaign_deleted_at", 0.0) < world.scaled(RECREATE_GAP):
        world.violation("recreate-gap", "campaign created less than 5 s after a delete on the service")
        raise bad_parameter("The previous campaign of this Messaging Service is still being deleted")


# -- review ------------------------------------------------------------------------------------------------


def _start(world: World, campaign: Obj) -> None:
    campaign["_round"] += 1
    if not (campaign["privacy_policy_url"] and campaign["terms_and_conditions_url"]):
        world.later(CAMPAIGN_NO_URLS, "campaign.no-urls", campaign["_key"], campaign["_round"])
        return
    world.later(CAMPAIGN_SUBMITTED, "campaign.submitted", campaign["_key"], campaign["_round"])
    world.later(CAMPAIGN_REVIEW, "campaign.review", campaign["_key"], campaign["_round"])


def _current(world: World, key: str, round_: int) -> Obj | None:
    campaign = world.store.get(KIND, key)
    return campaign if campaign is not None and campaign["_round"] == round_ else None


def fail(world: World, campaign: Obj, found: list[tuple[int, list[str]]]) -> None:
    campaign["_round"] += 1
    campaign["campaign_status"] = "FAILED"
    campaign["errors"] = [error_item(code, fields) for code, fields in found]
    world.save(KIND, campaign)
    events.campaign(world, "campaign-failure", campaign)


def approve(world: World, campaign: Obj) -> None:
    campaign["_round"] += 1
    campaign.update(campaign_status="VERIFIED", errors=[])
    campaign["campaign_id"] = campaign["campaign_id"] or tcr_id("C")
    world.save(KIND, campaign)
    events.campaign(world, "campaign-approved", campaign)
    services.register_one(world, campaign["_key"])
    if outcomes.campaign_suspends(campaign):
        world.later(SUSPEND_AFTER, "campaign.suspend", campaign["_key"], campaign["_round"])


@timer("campaign.no-urls")
def _no_urls(world: World, key: str, round_: int) -> None:
    campaign = _current(world, key, round_)
    if campaign is None:
        return
    if campaign["_version"] == V12:
        codes = {"privacy_policy_url": 30933, "terms_and_conditions_url": 30934}
        missing = [(code, [name.upper()]) for name, code in codes.items() if not campaign[name]]
    else:
        missing = [(30908, ["PRIVACY_POLICY_URL"]), (30882, ["TERMS_AND_CONDITIONS_URL"])]
    fail(world, campaign, missing)


@timer("campaign.submitted")
def _submitted(world: World, key: str, round_: int) -> None:
    campaign = _current(world, key, round_)
    if campaign is not None:
        campaign["campaign_status"] = "IN_PROGRESS"
        campaign["campaign_id"] = campaign["campaign_id"] or tcr_id("C")
        world.save(KIND, campaign)


@timer("campaign.review")
def _review(world: World, key: str, round_: int) -> None:
    campaign = _current(world, key, round_)
    if campaign is None:
        return
    campaign["_reviews"] += 1
    world.store.next_number("vetting_fees")
    found = outcomes.campaign_errors(campaign, campaign["_reviews"])
    if found:
        fail(world, campaign, found)
    else:
        approve(world, campaign)


@timer("campaign.suspend")
def suspend(world: World, key: str, round_: int = 0) -> None:
    campaign = world.store.get(KIND, key)
    if campaign is not None and round_ in (0, campaign["_round"]):
        campaign.update(campaign_status="SUSPENDED", errors=[error_item(30990, [])])
        world.save(KIND, campaign)


# -- resources ---------------------------------------------------------------------------------------------


@route(
    "POST",
    BASE,
    required=[
        "BrandRegistrationSid",
        "Description",
        "MessageFlow",
        "MessageSamples",
        "UsAppToPersonUsecase",
        "HasEmbeddedLinks",
        "HasEmbeddedPhone",
    ],
    optional=[*REPLIES, *KEYWORDS, "SubscriberOptIn", "AgeGated", "DirectLending", *URLS],
    missing_code=21727,
    rate_limit="brand-campaign",
)
def create(world: World, call: Call) -> Reply:
    service = world.get_or_404("Services", call.args["Service"], call)
    brand = world.store.get("BrandRegistrations", call.need("BrandRegistrationSid"))
    fields: Obj = {"sid": CAMPAIGN_SID, "messaging_service_sid": service["sid"]}
    fields.update(_texts(call))
    fields.update(_replies(call))
    if call.need("UsAppToPersonUsecase") != "SOLE_PROPRIETOR":
        raise ApiError(400, 21720, "A2P use case is not valid for this brand")
    _check_order(world, service, brand)
    fields.update(dict.fromkeys(URLS.values()))
    fields.update(_urls(call))
    fields.update(
        brand_registration_sid=call.need("BrandRegistrationSid"),
        us_app_to_person_usecase="SOLE_PROPRIETOR",
        subscriber_opt_in=bool(call.flag("SubscriberOptIn")),
        campaign_status="PENDING",
        campaign_id=None,
        is_externally_registered=False,
        rate_limits={"att": {"mps": 0.25, "msg_class": "A"}, "tmobile": {"brand_tier": "LOW"}},
        mock=False,
        errors=[],
        _ref=call.need("BrandRegistrationSid"),
        _cm=world.new_sid("CM"),
        _version=call.version,
        _opt_in_given=bool(call.text("OptInMessage")),
        _round=0,
        _reviews=0,
    )
    campaign = world.create(KIND, "QE", fields, key=service["sid"])
    _start(world, campaign)
    events.campaign(world, "campaign-submitted", campaign)
    return Reply(201, render(world.save(KIND, campaign), call.version))


# For this list the SDK (9.13) sends the version header as a query parameter, too.
@route("GET", BASE, optional=["X-Twilio-Api-Version"], listing=True)
def list_all(world: World, call: Call) -> Reply:
    service = world.get_or_404("Services", call.args["Service"], call)
    found = world.store.get(KIND, service["sid"])
    rows = [found] if found else []
    return page_v1(call, "messaging", "compliance", rows, lambda row: render(row, call.version))


@route("GET", BASE + "/Usecases", optional=["BrandRegistrationSid"])
def usecases(world: World, call: Call) -> Reply:
    world.get_or_404("Services", call.args["Service"], call)
    sid = call.text("BrandRegistrationSid")
    if sid is not None and world.store.get("BrandRegistrations", sid) is None:
        raise ApiError(400, 21717, "Brand SID for campaign is not registered or not valid")
    row = {
        "code": "SOLE_PROPRIETOR",
        "name": "Sole Proprietor",
        "description": "Messaging by an individual without a tax id",
        "post_approval_required": False,
    }
    return Reply(200, {"us_app_to_person_usecases": [row]})


def _campaign(world: World, call: Call) -> Obj:
    world.get_or_404("Services", call.args["Service"], call)
    if call.args["Sid"] != CAMPAIGN_SID:
        raise not_found(call.path)
    return world.get_or_404(KIND, call.args["Service"], call)


@route("GET", ONE)
def fetch(world: World, call: Call) -> Reply:
    return Reply(200, render(_campaign(world, call), call.version))


@route("POST", ONE, required=EDITABLE, optional=list(URLS), missing_code=21727, rate_limit="brand-campaign")
def update(world: World, call: Call) -> Reply:
    """Edit in place: all seven fields, only while FAILED (docs/twilio.md section 5.3)."""
    campaign = _campaign(world, call)
    status = campaign["campaign_status"]
    if status == "SUSPENDED":
        raise ApiError(400, 21729, "Cannot perform operation on a suspended campaign")
    if status != "FAILED":
        state = "SUCCESS" if status == "VERIFIED" else "PENDING_DCA1_REVIEW"
        text = "Campaign update is allowed only for FAILURE state(s). It is not allowed in the current state "
        raise bad_parameter(text + state)
    fields = {**_texts(call), **_urls(call)}
    campaign.update(fields)
    campaign.update(campaign_status="IN_PROGRESS" if campaign["campaign_id"] else "PENDING", errors=[])
    campaign["_version"] = call.version
    _start(world, campaign)
    return Reply(200, render(world.save(KIND, campaign), call.version))


@route("DELETE", ONE, rate_limit="brand-campaign")
def delete(world: World, call: Call) -> Reply:
    campaign = _campaign(world, call)
    if campaign["campaign_status"] == "SUSPENDED":
        raise ApiError(400, 21729, "Cannot perform operation on a suspended campaign")
    service = world.get_or_404("Services", call.args["Service"], call)
    world.store.delete(KIND, campaign["_key"])
    service["_campaign_deleted_at"] = world.now
    world.save("Services", service, touch=False)
    for sender in world.store.by("ServicePhoneNumbers", "_parent", service["sid"]):
        services.deregister(world, sender)
        sender["_a2p"] = "UNREGISTERED"
        sender["_round"] += 1
        world.save("ServicePhoneNumbers", sender, touch=False)
    events.campaign(world, "campaign-deleted", campaign)
    return Reply(204)

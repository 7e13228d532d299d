"""Brand registrations and their OTP texts.

Source: docs/twilio.md section 1.1 (3), 3, 4 and 8. Twilio documents no code for a rejected SmsOtp; we use 20001.
"""

from __future__ import annotations

import secrets

from . import bundles, events, outcomes
from .bundles import PROFILE, SUBMITTED, TRUST
from .state import (
    AUTO_REPLY,
    BRAND_BUNDLE_CHECK,
    BRAND_REVIEW,
    OTP_DEADLINE,
    OTP_LIFE,
    SUSPEND_AFTER,
    World,
    public,
)
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, looks_like, one_of, page_v1, route, timer

BASE = "/v1/a2p/BrandRegistrations"
KIND = "BrandRegistrations"
TYPES = ("STANDARD", "STARTER", "SOLE_PROPRIETOR", "LOW_VOLUME_STANDARD")
MAX_UPDATES = 3
# How many accepted brands may share a value: (part of the submitted data, field, limit, code).
REUSE = (
    ("trust", "mobile_phone_number", 3, 30750),
    ("profile", "email", 10, 30749),
    ("address", "", 10, 30747),
)


def render(brand: Obj) -> Obj:
    url = f"https://messaging.twilio.com{BASE}/{brand['sid']}"
    links = {"brand_vettings": f"{url}/Vettings", "brand_registration_otps": f"{url}/SmsOtp"}
    return public(brand, url=url, links=links)


def error_item(brand: Obj, code: int, fields: list[str] | None = None) -> Obj:
    """One ``errors[]`` item. Twilio uses two spellings; the brand's name selects one (docs/twilio.md section 4.1)."""
    url = f"https://www.twilio.com/docs/api/errors/{code}"
    if brand.get("_event_style"):
        return {
            "registrationerrorcode": code,
            "registrationerrordescription": outcomes.title(code),
            "registrationerrorurl": url,
            "registrationerrorfields": fields or [],
        }
    return {"error_code": code, "description": outcomes.title(code), "url": url, "fields": fields or []}


def fail(world: World, brand: Obj, codes: list[int], reason: str | None = None) -> None:
    """Set a brand FAILED with these codes."""
    brand.update(status="FAILED", identity_status=None, failure_reason=reason, _otp="", _registered_use=False)
    brand["errors"] = [error_item(brand, code) for code in codes]
    if 30793 not in codes:
        brand["tcr_id"] = brand["tcr_id"] or tcr_id("B")
    brand["_round"] += 1
    world.save(KIND, brand)
    events.brand(world, "brand-failure", brand)


def tcr_id(letter: str) -> str:
    return letter + "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(6))


# -- review ------------------------------------------------------------------------------------------------


def _bundle_problem(world: World, brand: Obj) -> str | None:
    """The failure_reason of a brand whose bundles do not belong together or are not ready, or None."""
    profile = world.store.get("CustomerProfiles", brand["customer_profile_bundle_sid"])
    trust = world.store.get("TrustProducts", brand["a2p_profile_bundle_sid"])
    starter = profile is not None and profile["policy_sid"] == PROFILE.policy
    if not starter or profile is None or profile["status"] not in (*SUBMITTED, "twilio-rejected"):
        return "Unable to fetch Customer Profile Bundle details, please check the Bundle SID and status"
    if trust is None or trust["status"] not in SUBMITTED:
        return "Unable to fetch A2P Bundle Details, please check the Bundle SID and status"
    if trust["_snapshot"]["profile_sid"] != profile["sid"] or brand["brand_type"] != "SOLE_PROPRIETOR":
        return "Unable to fetch A2P Bundle Details, the bundles do not belong together"
    return None


def _read_bundles(world: World, brand: Obj, unsettled_code: int) -> None:
    """Read the bundles' submitted data into the brand and start its review."""
    brand["_round"] += 1
    problem = _bundle_problem(world, brand)
    early = False
    if problem is None:
        profile = world.store.get("CustomerProfiles", brand["customer_profile_bundle_sid"])
        trust = world.store.get("TrustProducts", brand["a2p_profile_bundle_sid"])
        assert profile is not None
        assert trust is not None
        brand["_profile"], brand["_trust"] = profile["_snapshot"], trust["_snapshot"]
        brand["_event_style"] = outcomes.brand_has(brand["_trust"]["end_user"], "event style")
        early = not (bundles.settled(world, profile) and bundles.settled(world, trust))
        if early:
            world.violation("settle", "brand call less than 30 s after a bundle's submission")
    else:
        world.violation("order", f"brand call with bundles that are not ready: {problem}")
    brand["_problem"] = problem or ("The bundles are still being processed" if early else None)
    brand["_problem_code"] = 30793 if problem else unsettled_code
    delay = BRAND_BUNDLE_CHECK if brand["_problem"] else BRAND_REVIEW
    world.later(delay, "brand.review", brand["sid"], brand["_round"])


@timer("brand.review")
def _review(world: World, sid: str, round_: int) -> None:
    brand = world.store.get(KIND, sid)
    if brand is None or brand["_round"] != round_ or brand["status"] != "PENDING":
        return
    brand["_reviews"] += 1
    if brand["_problem"]:
        fail(world, brand, [brand["_problem_code"]], brand["_problem"])
        return
    if brand["mock"]:
        approve(world, brand)
        return
    profile = world.store.get("CustomerProfiles", brand["customer_profile_bundle_sid"])
    if profile is None or profile["status"] == "twilio-rejected":
        fail(world, brand, [30701])
        return
    trust_user, user = brand["_trust"]["end_user"], brand["_profile"]["end_user"]
    owned = bool(world.store.by("IncomingPhoneNumbers", "_ref", trust_user.get("mobile_phone_number", "")))
    codes = outcomes.brand_codes(trust_user, user, brand["_reviews"], owned) or _overused_codes(world, brand)
    if codes:
        tcr = "Unable to register Brand with The Campaign Registry" if codes == [30791] else None
        fail(world, brand, codes, tcr)
    else:
        approve(world, brand)


def _reuse_key(brand: Obj, part: str, field: str) -> str:
    if part == "address":
        address = brand["_profile"]["address"] or {}
        keys = ("street", "street_secondary", "city", "region", "postal_code")
        return "|".join(str(address.get(key) or "").lower() for key in keys)
    return str(brand[f"_{part}"]["end_user"].get(field) or "").lower()


def _overused_codes(world: World, brand: Obj) -> list[int]:
    others = [row for row in world.store.all(KIND) if row.get("_registered_use") and row is not brand]
    codes = []
    for part, field, limit, code in REUSE:
        mine = _reuse_key(brand, part, field)
        if sum(_reuse_key(row, part, field) == mine for row in others) >= limit:
            codes.append(code)
    return codes


def approve(world: World, brand: Obj) -> None:
    """APPROVED, with the identity not yet verified; the first OTP is sent automatically (docs/twilio.md section 8)."""
    trust_user = brand["_trust"]["end_user"]
    declared = outcomes.brand_has(trust_user, "self declared")
    brand.update(status="APPROVED", identity_status="SELF_DECLARED" if declared else "UNVERIFIED")
    brand.update(errors=[], failure_reason=None, tcr_id=brand["tcr_id"] or tcr_id("B"), _registered_use=True)
    world.save(KIND, brand)
    events.brand(world, "brand-registered", brand)
    if not brand["mock"]:
        send_otp(world, brand)
    if outcomes.brand_has(trust_user, "enforce deadline"):
        world.later(OTP_DEADLINE - BRAND_REVIEW, "brand.deadline", brand["sid"])


@timer("brand.deadline")
def expire(world: World, sid: str, _: int = 0) -> None:
    """EXPIRED is not in the API's enum; TCR may set it after 30 days (docs/twilio.md section 3 and 8)."""
    brand = world.store.get(KIND, sid)
    if brand is not None and brand["identity_status"] != "VERIFIED":
        brand.update(status="EXPIRED", _otp="expired")
        world.save(KIND, brand)


# -- OTP ---------------------------------------------------------------------------------------------------


def _otp_mobile(world: World, brand: Obj) -> str:
    """The mobile that gets an OTP: that of the trust bundle as last submitted.

    The mobile of an approved brand can be changed only in the bundle (docs/twilio.md section 6.7), and Twilio does
    not say whether TCR reads it again. With ``fixed mobile`` in the brand name, texts keep going to the number that
    the brand was registered with.
    """
    registered = str(brand["_trust"]["end_user"]["mobile_phone_number"])
    trust = world.store.get(TRUST.name, brand["a2p_profile_bundle_sid"])
    if trust is None or outcomes.brand_has(brand["_trust"]["end_user"], "fixed mobile"):
        return registered
    return str(trust["_snapshot"]["end_user"].get("mobile_phone_number") or registered)


def send_otp(world: World, brand: Obj) -> None:
    mobile = _otp_mobile(world, brand)
    brand["_otps"] += 1
    arrives = outcomes.otp_arrives(mobile, brand["_otps"])
    brand.update(_otp="outstanding" if arrives else "lost", _otp_sent_at=world.now, _mobile=mobile)
    brand["errors"] = []
    world.save(KIND, brand)
    world.later(OTP_LIFE, "otp.expire", brand["sid"], brand["_otps"])
    if arrives and outcomes.auto_reply(mobile):
        world.later(AUTO_REPLY, "otp.auto-reply", brand["sid"], brand["_otps"])


@timer("otp.expire")
def _expire(world: World, sid: str, number: int) -> None:
    brand = world.store.get(KIND, sid)
    if brand and brand["_otps"] == number and brand["_otp"] in ("outstanding", "lost"):
        _unanswered(world, brand, "expired")


@timer("otp.auto-reply")
def _auto_reply(world: World, sid: str, number: int) -> None:
    brand = world.store.get(KIND, sid)
    if brand and brand["_otps"] == number and brand["_otp"] == "outstanding":
        answer(world, brand, outcomes.auto_reply(brand["_mobile"]))


def _unanswered(world: World, brand: Obj, state: str) -> None:
    brand["_otp"] = state
    brand["errors"] = [error_item(brand, 30752, ["mobile_phone_number"])]
    world.save(KIND, brand)
    events.brand(world, "brand-unverified", brand)


def answer(world: World, brand: Obj, body: str) -> bool:
    """The customer's reply. Only YES within 24 hours verifies the brand. Returns whether it did."""
    if brand["_otp"] != "outstanding" or brand["status"] != "APPROVED":
        return False
    if body.strip().upper() != "YES":
        _unanswered(world, brand, "refused")
        return False
    brand.update(identity_status="VERIFIED", _otp="verified", errors=[])
    world.save(KIND, brand)
    events.brand(world, "brand-verified", brand)
    for kind, sid in (
        (PROFILE, brand["customer_profile_bundle_sid"]),
        (TRUST, brand["a2p_profile_bundle_sid"]),
    ):
        bundle = world.store.get(kind.name, sid)
        if bundle is not None and bundle["status"] in SUBMITTED:
            bundles.set_status(world, kind, bundle, "twilio-approved")
    if outcomes.brand_has(brand["_trust"]["end_user"], "suspend later"):
        world.later(SUSPEND_AFTER, "brand.suspend", brand["sid"])
    return True


@timer("brand.suspend")
def suspend(world: World, sid: str, _: int = 0) -> None:
    brand = world.store.get(KIND, sid)
    if brand is not None:
        brand["status"] = "SUSPENDED"
        world.save(KIND, brand)


def outstanding(world: World) -> list[Obj]:
    """Brands whose OTP text waits for a reply, newest first."""
    return [row for row in world.newest_first(KIND) if row["_otp"] == "outstanding"]


# -- resources ---------------------------------------------------------------------------------------------


@route(
    "POST",
    BASE,
    required=["CustomerProfileBundleSid", "A2PProfileBundleSid"],
    optional=["BrandType", "Mock", "SkipAutomaticSecVet"],
    rate_limit="brand-campaign",
)
def create(world: World, call: Call) -> Reply:
    profile_sid, trust_sid = call.need("CustomerProfileBundleSid"), call.need("A2PProfileBundleSid")
    for name, sid in (("CustomerProfileBundleSid", profile_sid), ("A2PProfileBundleSid", trust_sid)):
        if not looks_like("BU", sid):
            raise bad_parameter(f"Invalid value for parameter {name}: {sid}")
    brand_type = one_of("BrandType", call.text("BrandType") or "STANDARD", TYPES)
    for other in world.store.by(KIND, "_ref", profile_sid):
        is_unfixable = other["status"] == "FAILED" and (
            not other["tcr_id"] or other["_updates"] >= MAX_UPDATES
        )
        if not is_unfixable:
            world.violation("second-brand", f"{other['sid']} exists for the same bundles")
            break
    fields: Obj = {
        "customer_profile_bundle_sid": profile_sid,
        "a2p_profile_bundle_sid": trust_sid,
        "brand_type": brand_type,
        "status": "PENDING",
        "tcr_id": None,
        "failure_reason": None,
        "errors": [],
        "brand_score": None,
        "brand_feedback": None,
        "identity_status": None,
        "russell_3000": None,
        "government_entity": None,
        "tax_exempt_status": None,
        "skip_automatic_sec_vet": bool(call.flag("SkipAutomaticSecVet")),
        "mock": bool(call.flag("Mock")),
        "_parent": trust_sid,
        "_ref": profile_sid,
        "_round": 0,
        "_reviews": 0,
        "_updates": 0,
        "_otp": "",
        "_otps": 0,
    }
    brand = world.create(KIND, "BN", fields)
    world.store.next_number("brand_fees")
    _read_bundles(world, brand, 30793)
    return Reply(201, render(world.save(KIND, brand)))


@route("GET", BASE, listing=True)
def list_all(world: World, call: Call) -> Reply:
    return page_v1(call, "messaging", "data", world.newest_first(KIND), render)


@route("GET", BASE + "/{Sid:BN}")
def fetch(world: World, call: Call) -> Reply:
    return Reply(200, render(world.get_or_404(KIND, call.args["Sid"], call)))


@route("POST", BASE + "/{Sid:BN}", rate_limit="brand-campaign")
def update(world: World, call: Call) -> Reply:
    brand = world.get_or_404(KIND, call.args["Sid"], call)
    if brand["status"] == "SUSPENDED":
        raise ApiError(400, 21731, "Cannot perform operation on a suspended brand")
    if brand["status"] != "FAILED":
        raise ApiError(400, 21725, "Brand can only be updated when it is in FAILED state")
    if world.store.by("Usa2p", "_ref", brand["sid"]):
        raise ApiError(400, 21725, "A brand with a campaign cannot be updated; delete the campaign first")
    if brand["_updates"] >= MAX_UPDATES or not brand["tcr_id"]:
        raise ApiError(400, 21724, "Brand update count exceeded, or the brand has no tcr_id")
    brand["_updates"] += 1
    brand.update(status="PENDING", identity_status=None, failure_reason=None, errors=[])
    _read_bundles(world, brand, 30701)
    return Reply(202, render(world.save(KIND, brand)))


@route("POST", BASE + "/{Sid:BN}/SmsOtp", rate_limit="otp")
def sms_otp(world: World, call: Call) -> Reply:
    brand = world.get_or_404(KIND, call.args["Sid"], call)
    if brand["status"] == "SUSPENDED":
        raise ApiError(400, 21731, "Cannot perform operation on a suspended brand")
    if brand["status"] != "APPROVED" or brand["identity_status"] == "VERIFIED" or brand["mock"]:
        world.violation("order", "OTP requested for a brand that is not waiting for one")
        raise bad_parameter("An OTP can only be sent while an approved brand is waiting for verification")
    send_otp(world, brand)
    body = {"account_sid": brand["account_sid"], "brand_registration_sid": brand["sid"]}
    return Reply(201, body)

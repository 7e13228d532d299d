"""The control API under /_sandbox/: inspect state, reply for the customer, act as the reviewer, inject faults.

It has no password and is meant for the loopback interface only. Every change is a POST or DELETE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from . import brands, bundles, callbacks, campaigns, faults, numbers, seed, services
from .state import World
from .store import Obj

API_KINDS = [
    "CustomerProfiles",
    "TrustProducts",
    "EndUsers",
    "SupportingDocuments",
    "EntityAssignments",
    "Evaluations",
    "Addresses",
    "BrandRegistrations",
    "Services",
    "Usa2p",
    "ServicePhoneNumbers",
    "IncomingPhoneNumbers",
    "Sinks",
    "Subscriptions",
]
FEES = {"brand_fees": 4.5, "vetting_fees": 15.0, "numbers_bought": 1.15}


class ControlError(Exception):
    """An invalid control request; the message says why. ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def state(world: World) -> Obj:
    body: Obj = {kind: world.store.all(kind) for kind in world.store.kinds() if kind != "timer"}
    body["timers"] = sorted(world.store.all("timer"), key=lambda row: row["at"])
    body["now"] = world.now
    return body


def counts(world: World) -> Obj:
    """The number of objects of each kind, what they cost, and which share kind and friendly name."""
    duplicates: dict[str, list[str]] = {}
    for kind in API_KINDS:
        if kind == "IncomingPhoneNumbers":
            continue
        names = Counter((row.get("friendly_name"), row.get("type")) for row in world.store.all(kind))
        found = [name for (name, _), count in names.items() if name and count > 1]
        if found:
            duplicates[kind] = found
    rows = world.store.all("violation")
    bundle_pairs = Counter(
        (row["customer_profile_bundle_sid"], row["a2p_profile_bundle_sid"])
        for row in world.store.all("BrandRegistrations")
    )
    duplicate_brands = [pair[0] for pair, count in bundle_pairs.items() if count > 1]
    if duplicate_brands:
        duplicates["BrandRegistrations"] = duplicate_brands
    calls = Counter(entry["method"] for entry in world.store.log)
    spent = {name: int(world.store.meta.get(f"counter:{name}", 0)) for name in FEES}
    return {
        **{kind: world.store.count(kind) for kind in API_KINDS},
        "duplicates": duplicates,
        "violations": dict(Counter(row["rule"] for row in rows)),
        "calls": {
            "total": len(world.store.log),
            "reads": calls["GET"],
            "writes": len(world.store.log) - calls["GET"],
        },
        "fees": {**spent, "dollars": round(sum(FEES[name] * count for name, count in spent.items()), 2)},
        "deliveries": dict(Counter(row["state"] for row in world.store.all("delivery"))),
    }


GET: dict[str, Callable[[World], Any]] = {
    "state": state,
    "counts": counts,
    "log": lambda world: list(world.store.log),
    "violations": lambda world: world.store.all("violation"),
    "faults": lambda world: world.store.all("fault"),
    "deliveries": lambda world: world.store.all("delivery"),
}


def get(world: World, name: str) -> Any:
    if name not in GET:
        raise ControlError("no such page", 404)
    with world.lock:
        world.run_due()
        return GET[name](world)


def post(world: World, parts: list[str], data: Any) -> Any:
    """``parts`` is the path below /_sandbox/, ``data`` the JSON (or form) body."""
    with world.lock:
        world.run_due()
        try:
            result = _post(world, parts, data)
        except (KeyError, TypeError, ValueError) as error:
            raise ControlError(f"bad request: {error}") from error
        world.store.commit()
        return result


def _post(world: World, parts: list[str], data: Any) -> Any:
    match parts:
        case ["faults"]:
            rules = data.get("rules", [data]) if isinstance(data, dict) else data
            return faults.add(world, rules)
        case ["faults", "clear"]:
            faults.clear(world)
            return {"cleared": True}
        case ["answer"]:
            return answer(world, data)
        case ["clock"]:
            world.advance(float(data["advance"]))
            return {"now": world.now}
        case ["reset"]:
            world.reset()
            seed.seed(world)
            return {"reset": True}
        case ["replay"]:
            return {"replayed": callbacks.replay(world, str((data or {}).get("sid", "")))}
        case ["numbers"]:
            return _numbers(world, data)
        case ["brand", sid]:
            return _brand(world, sid, data)
        case ["campaign", sid]:
            return _campaign(world, sid, data)
        case ["profile" | "bundle", sid]:
            return _bundle(world, sid, data)
        case ["number", sid]:
            return _number(world, sid, data)
    raise ControlError("no such action", 404)


def answer(world: World, data: Obj) -> Obj:
    """Reply to OTP texts: of one brand, the newest of one mobile, or all."""
    waiting = brands.outstanding(world)
    if data.get("brand_sid"):
        chosen = [row for row in waiting if row["sid"] == data["brand_sid"]]
    elif data.get("mobile"):
        chosen = [row for row in waiting if row["_mobile"] == data["mobile"]][:1]
    elif data.get("all"):
        chosen = waiting
    else:
        raise ControlError("give brand_sid, mobile, or all")
    body = str(data.get("body") or "YES")
    verified = [row["sid"] for row in chosen if brands.answer(world, row, body)]
    return {"answered": [row["sid"] for row in chosen], "verified": verified}


def _codes(data: Obj, default: int) -> list[int]:
    raw = data.get("codes") or data.get("code") or default
    return [int(code) for code in (raw if isinstance(raw, list) else str(raw).split(","))]


def _fields(data: Obj) -> list[str]:
    raw = data.get("fields") or []
    return raw if isinstance(raw, list) else [name for name in str(raw).split(",") if name]


def _found(obj: Obj | None) -> Obj:
    if obj is None:
        raise ControlError("no such object", 404)
    return obj


def _set(world: World, kind: str, obj: Obj, data: Obj) -> None:
    """Write any field verbatim, to test a client with undocumented words and codes."""
    obj.update({name: value for name, value in data.items() if name != "action" and name in obj})
    world.save(kind, obj)


def _brand(world: World, sid: str, data: Obj) -> Obj:
    brand = _found(world.store.get("BrandRegistrations", sid))
    match data.get("action"):
        case "approve":
            brand["_round"] += 1
            brands.approve(world, brand)
        case "reject":
            brands.fail(world, brand, _codes(data, 30799), data.get("failure_reason"))
            for item in brand["errors"]:
                key = "registrationerrorfields" if brand.get("_event_style") else "fields"
                item[key] = _fields(data)
            world.save("BrandRegistrations", brand)
        case "suspend":
            brands.suspend(world, sid)
        case "expire":
            brands.expire(world, sid)
        case "set":
            _set(world, "BrandRegistrations", brand, data)
        case "delete":
            # A person does this in the Console; Twilio has no API for it.
            world.store.delete("BrandRegistrations", sid)
        case other:
            raise ControlError(f"unknown action {other}: approve, reject, suspend, expire, set or delete")
    return brand


def _campaign(world: World, service_sid: str, data: Obj) -> Obj:
    """A campaign is identified by its service, because all campaigns have the same SID."""
    campaign = _found(world.store.get("Usa2p", service_sid))
    match data.get("action"):
        case "approve":
            campaigns.approve(world, campaign)
        case "reject":
            campaigns.fail(world, campaign, [(code, _fields(data)) for code in _codes(data, 30886)])
        case "suspend":
            campaigns.suspend(world, service_sid)
        case "set":
            _set(world, "Usa2p", campaign, data)
        case other:
            raise ControlError(f"unknown action {other}: approve, reject, suspend or set")
    return campaign


def _bundle(world: World, sid: str, data: Obj) -> Obj:
    found = bundles.find(world, sid)
    if found is None:
        raise ControlError("no such bundle", 404)
    kind, bundle = found
    bundle["_round"] += 1
    match data.get("action"):
        case "approve":
            bundle["errors"] = None
            bundles.set_status(world, kind, bundle, "twilio-approved")
        case "reject":
            codes = _codes(data, 18603) if data.get("code") or data.get("codes") else []
            bundle["errors"] = [{"code": code} for code in codes] or None
            reason = str(data.get("reason") or ("" if codes else "Email is invalid."))
            bundles.set_status(world, kind, bundle, "twilio-rejected", reason)
        case "set":
            _set(world, kind.name, bundle, data)
        case "finding":
            # Makes the next evaluation (or the next `times` evaluations) fail.
            code = int(data["code"]) if data.get("code") else None
            reason = str(data.get("reason") or "A value is missing or does not match.")
            times = int(data.get("times") or 1)
            field = str(data.get("field") or "")
            bundle["_finding"] = {"code": code, "field": field, "reason": reason, "times": times}
            world.save(kind.name, bundle, touch=False)
        case other:
            raise ControlError(f"unknown action {other}: approve, reject, set or finding")
    return bundle


def _number(world: World, sid: str, data: Obj) -> Obj:
    sender = next(iter(world.store.by("ServicePhoneNumbers", "_ref", sid)), None)
    states = {
        "register": "REGISTERED",
        "fail": "FAILURE",
        "deregistering": "PENDING_DEREGISTRATION",
        "deregistered": "UNREGISTERED",
    }
    if data.get("action") not in states:
        raise ControlError(f"unknown action {data.get('action')}: {', '.join(states)}")
    sender = _found(sender)
    sender["_reason_code"] = int(data.get("code", 30126))
    services.set_a2p(world, sender, states[data["action"]])
    return sender


def _numbers(world: World, data: Obj) -> Obj:
    if data.get("phone_number"):
        added = [numbers.add_owned(world, str(data["phone_number"]))["phone_number"]]
    else:
        added = seed.add_numbers(world, int(data["count"]))
    return {"phone_numbers": added}

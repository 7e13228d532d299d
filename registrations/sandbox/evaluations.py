"""Evaluations: whether a bundle contains everything its policy requires. Quality is checked after submission.

Source: docs/twilio.md section 2. The code of a failed "supporting bundle" row is unknown, so it is null here.
"""

from __future__ import annotations

from typing import Any

from .bundles import KINDS, PROFILE, SUBMITTED, Kind, assigned, part
from .policies import (
    ADDRESS_DOC,
    DOCUMENT_TYPES,
    END_USER_TYPES,
    PRIMARY_TYPE,
    SOLE_PROP_INFO,
    STARTER_INFO,
    STARTER_TYPE,
    VERTICALS,
)
from .state import World, public
from .store import Obj
from .wire import Call, Reply, bad_parameter, not_found, page_v1, route

OPTIONAL = ("vertical",)


def _field(name: str, shown: str, reason: str | None = None, code: int | None = None) -> Obj:
    return {
        "object_field": name,
        "friendly_name": shown,
        "passed": reason is None,
        "failure_reason": reason,
        "error_code": code,
    }


def _row(type_: str, name: str, shown: str, fields: list[Obj], missing: tuple[str, int | None] | None) -> Obj:
    invalid = [field for field in fields if not field["passed"]]
    passed = not invalid and missing is None
    first: tuple[Any, Any] = (None, None)
    if missing:
        first = missing
    elif invalid:
        first = (invalid[0]["failure_reason"], invalid[0]["error_code"])
    return {
        "friendly_name": shown,
        "object_type": type_,
        "passed": passed,
        "failure_reason": first[0],
        "error_code": first[1],
        "requirement_name": name,
        "requirement_friendly_name": shown,
        "valid": [field for field in fields if field["passed"]],
        "invalid": invalid,
    }


def _part_row(world: World, bundle: Obj, type_: str, types: dict, absent: int, field_absent: int) -> Obj:
    _, shown, names = types[type_]
    found = part(world, bundle, type_)
    attributes = (found or {}).get("attributes") or {}
    fields = []
    for name, label in names.items():
        value = attributes.get(name)
        reason, code = None, None
        if not isinstance(value, str) or not value.strip():
            if name in OPTIONAL:
                continue
            reason, code = f"The {label} is missing. Please enter it.", field_absent
        elif name == "vertical" and value not in VERTICALS:
            reason, code = f"The {label} is not one of the allowed values.", field_absent
        elif name == "address_sids" and world.store.get("Addresses", value) is None:
            reason, code = "The address is missing. Please add one.", 22219
        fields.append(_field(name, label, reason, code))
    text = f"A {shown} object is missing. Please add one to the bundle."
    return _row(type_, type_, shown, fields, None if found else (text, absent))


def _bundle_row(world: World, bundle: Obj, type_: str, name: str, shown: str, field: str) -> Obj:
    sid = assigned(world, bundle, type_)
    profile = world.store.get("CustomerProfiles", sid) if sid else None
    good = ("twilio-approved",) if type_ == PRIMARY_TYPE else SUBMITTED
    reason = None
    if profile is None:
        reason = f"A {shown} is missing. Please add one to the bundle."
    elif profile["status"] not in good:
        reason = f"The {shown} has status {profile['status']}."
    rows = [_field(field, "Supporting Bundle Status", reason)]
    return _row(type_, name, shown, rows, None)


def _injected_row(finding: Obj) -> Obj:
    """A failed row that was requested through the control API."""
    name, reason, code = finding["field"], finding["reason"], finding["code"]
    if name:
        row = _row("sandbox", "sandbox_finding", "Finding", [_field(name, name, reason, code)], None)
        return {**row, "failure_reason": None, "error_code": None}
    return _row("sandbox", "sandbox_finding", "Finding", [], (reason, code))


def evaluate(world: World, kind: Kind, bundle: Obj) -> list[Obj]:
    """The result rows of a bundle, one for each requirement of its policy."""
    if kind is PROFILE:
        return [
            _part_row(world, bundle, STARTER_INFO, END_USER_TYPES, 22214, 22215),
            _part_row(world, bundle, ADDRESS_DOC, DOCUMENT_TYPES, 22216, 22217),
            _bundle_row(
                world,
                bundle,
                PRIMARY_TYPE,
                "primary_customer_profile",
                "Primary Customer Profile",
                "bundle_sid",
            ),
        ]
    return [
        _part_row(world, bundle, SOLE_PROP_INFO, END_USER_TYPES, 22214, 22215),
        _bundle_row(
            world, bundle, STARTER_TYPE, "customer_profile", "Starter Customer Profile", "bundle_status"
        ),
    ]


def _routes(kind: Kind) -> None:
    base = f"/v1/{kind.name}/{{Bundle:BU}}/Evaluations"

    def render(row: Obj) -> Obj:
        url = f"https://trusthub.twilio.com/v1/{kind.name}/{row['_parent']}/Evaluations/{row['sid']}"
        return public(row, url=url)

    @route("POST", base, required=["PolicySid"])
    def create(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Bundle"], call)
        if call.need("PolicySid") != bundle["policy_sid"]:
            raise bad_parameter("PolicySid is not the policy of this bundle")
        results = evaluate(world, kind, bundle)
        if finding := bundle.get("_finding"):
            results.append(_injected_row(finding))
            bundle["_finding"] = {**finding, "times": finding["times"] - 1} if finding["times"] > 1 else None
            world.save(kind.name, bundle, touch=False)
        fields = {
            "policy_sid": bundle["policy_sid"],
            kind.parent: bundle["sid"],
            "status": "compliant" if all(row["passed"] for row in results) else "noncompliant",
            "results": results,
            "_parent": bundle["sid"],
            "_step": world.step(),
        }
        row = world.create("Evaluations", "EL", fields)
        del row["date_updated"]
        return Reply(201, render(row))

    @route("GET", base, listing=True)
    def list_all(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Bundle"], call)
        rows = world.store.by("Evaluations", "_parent", bundle["sid"])[::-1]
        return page_v1(call, "trusthub", "results", rows, render)

    @route("GET", base + "/{Sid:EL}")
    def fetch(world: World, call: Call) -> Reply:
        row = world.get_or_404("Evaluations", call.args["Sid"], call)
        if row["_parent"] != call.args["Bundle"]:
            raise not_found(call.path)
        return Reply(200, render(row))


for _kind in KINDS.values():
    _routes(_kind)

"""Customer profiles and trust products: the two bundles, their assignments, and what happens after submission.

Both resources work the same way, so one set of handlers serves both. Source: docs/twilio.md section 1.1, 3 and 6.
Twilio documents no code for a rejected submission; we use 20001 with a plain text.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import callbacks, outcomes
from .policies import ADDRESS_DOC, PRIMARY_TYPE, SOLE_PROP_INFO, STARTER_INFO, STARTER_TYPE
from .state import (
    IN_REVIEW_AFTER,
    PRIMARY_POLICY,
    PROFILE_CHECK,
    SETTLE,
    SOLE_PROP_POLICY,
    STARTER_POLICY,
    World,
    public,
)
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, looks_like, not_found, page_v1, route, timer

STATUSES = ("draft", "pending-review", "in-review", "twilio-rejected", "twilio-approved")
SUBMITTED = ("pending-review", "in-review", "twilio-approved")
# A bundle in review may be submitted again, as fixing a rejection requires (docs/twilio.md section 6.7).
SUBMITTABLE = ("draft", "twilio-rejected", "in-review", "pending-review")


@dataclass(frozen=True)
class Kind:
    name: str
    policy: str
    parent: str  # the field of an assignment or evaluation that names its bundle
    link: str
    accepts: tuple[str, ...]


PROFILE = Kind(
    "CustomerProfiles",
    STARTER_POLICY,
    "customer_profile_sid",
    "customer_profiles",
    (STARTER_INFO, ADDRESS_DOC, PRIMARY_TYPE),
)
TRUST = Kind(
    "TrustProducts", SOLE_PROP_POLICY, "trust_product_sid", "trust_products", (SOLE_PROP_INFO, STARTER_TYPE)
)
KINDS = {kind.name: kind for kind in (PROFILE, TRUST)}


def render(kind: Kind, obj: Obj) -> Obj:
    url = f"https://trusthub.twilio.com/v1/{kind.name}/{obj['sid']}"
    links = {
        f"{kind.link}_entity_assignments": f"{url}/EntityAssignments",
        f"{kind.link}_evaluations": f"{url}/Evaluations",
        f"{kind.link}_channel_endpoint_assignment": f"{url}/ChannelEndpointAssignments",
    }
    return public(obj, url=url, links=links)


def object_type(world: World, sid: str) -> str | None:
    """The machine name of the object's type, or None if there is no such object."""
    for kind in ("EndUsers", "SupportingDocuments"):
        part = world.store.get(kind, sid)
        if part is not None:
            return str(part["type"])
    profile = world.store.get("CustomerProfiles", sid)
    if profile is not None:
        return PRIMARY_TYPE if profile["policy_sid"] == PRIMARY_POLICY else STARTER_TYPE
    if world.store.get("TrustProducts", sid) is not None:
        return "trust_product"
    return "address" if world.store.get("Addresses", sid) is not None else None


def assigned(world: World, bundle: Obj, type_: str) -> str | None:
    """SID of the newest object of this type in the bundle, or None."""
    links = list(world.store.by("EntityAssignments", "_parent", bundle["sid"]))
    return next((row["object_sid"] for row in reversed(links) if row["_type"] == type_), None)


def part(world: World, bundle: Obj, type_: str) -> Obj | None:
    sid = assigned(world, bundle, type_)
    if sid is None:
        return None
    return world.store.get("EndUsers", sid) or world.store.get("SupportingDocuments", sid)


def touch(world: World, kind: Kind, bundle: Obj) -> None:
    bundle["_changed"] = world.step()
    world.save(kind.name, bundle)


# -- status ------------------------------------------------------------------------------------------------


def set_status(world: World, kind: Kind, bundle: Obj, status: str, reason: str = "") -> None:
    """Change the status, save, and send the status callback (except for pending-review to in-review)."""
    before = bundle["status"]
    bundle["status"] = status
    bundle["_failure_reason"] = reason
    document = part(world, bundle, ADDRESS_DOC)
    if document is not None and status in DOCUMENT_STATUS:
        document["status"] = DOCUMENT_STATUS[status]
        world.save("SupportingDocuments", document)
    world.save(kind.name, bundle)
    if status != before and (before, status) != ("pending-review", "in-review"):
        callbacks.bundle_changed(world, bundle)


DOCUMENT_STATUS = {
    "draft": "DRAFT",
    "pending-review": "PENDING_REVIEW",
    "twilio-rejected": "REJECTED",
    "twilio-approved": "APPROVED",
}


def _submit(world: World, kind: Kind, bundle: Obj) -> None:
    submitted = bundle.get("_submitted_step", 0)
    profile = world.store.get("CustomerProfiles", assigned(world, bundle, STARTER_TYPE) or "") or {}
    # After its profile, a trust bundle is submitted again too, approved or not (docs/twilio.md section 6.7).
    changed_since = bundle["_changed"] > submitted or profile.get("_submitted_step", 0) > submitted
    if bundle["status"] not in SUBMITTABLE and not changed_since:
        raise bad_parameter(f"A bundle in status {bundle['status']} cannot be submitted for review")
    newest = world.store.by("Evaluations", "_parent", bundle["sid"])[-1:]
    if not newest or newest[0]["status"] != "compliant":
        world.violation("unevaluated", "submitted without a compliant evaluation")
        raise bad_parameter("The bundle has no compliant evaluation and cannot be submitted for review")
    if newest[0]["_step"] < bundle["_changed"]:
        world.violation("unevaluated", "submitted with an evaluation older than the last change")
        raise bad_parameter("The bundle changed after its last evaluation; evaluate it again")
    bundle["_round"] += 1
    bundle["_submitted_at"], bundle["_submitted_step"] = world.now, world.step()
    bundle["_snapshot"] = _snapshot(world, bundle)
    bundle["errors"] = None
    set_status(world, kind, bundle, "pending-review")
    world.later(IN_REVIEW_AFTER, "bundle.in-review", bundle["sid"], bundle["_round"])
    world.later(PROFILE_CHECK, "bundle.check", bundle["sid"], bundle["_round"])


def _snapshot(world: World, bundle: Obj) -> Obj:
    """The data that reviewers and TCR see: as submitted, without later edits."""
    document = part(world, bundle, ADDRESS_DOC)
    address_sid = (document or {}).get("_ref") or ""
    address = world.store.get("Addresses", address_sid)
    user = part(world, bundle, STARTER_INFO) or part(world, bundle, SOLE_PROP_INFO) or {}
    return {
        "end_user": dict(user.get("attributes") or {}),
        "address_sid": address_sid,
        "address": public(address) if address else None,
        "profile_sid": assigned(world, bundle, STARTER_TYPE),
    }


def find(world: World, sid: str) -> tuple[Kind, Obj] | None:
    for kind in KINDS.values():
        bundle = world.store.get(kind.name, sid)
        if bundle is not None:
            return kind, bundle
    return None


@timer("bundle.in-review")
def _to_review(world: World, sid: str, round_: int) -> None:
    found = find(world, sid)
    if found and found[1]["_round"] == round_ and found[1]["status"] == "pending-review":
        set_status(world, *found, "in-review")


@timer("bundle.check")
def _check(world: World, sid: str, round_: int) -> None:
    found = find(world, sid)
    if not found or found[1]["_round"] != round_ or found[1]["status"] not in ("pending-review", "in-review"):
        return
    kind, bundle = found
    snapshot = bundle["_snapshot"]
    if kind is PROFILE:
        reason, codes = outcomes.profile_problem(
            snapshot["end_user"], snapshot["address"], snapshot["address_sid"]
        )
    else:
        reason, codes = "", outcomes.bundle_codes(snapshot["end_user"])
    if reason or codes:
        bundle["errors"] = [{"code": code} for code in codes] or None
        set_status(world, kind, bundle, "twilio-rejected", reason)


def settled(world: World, bundle: Obj) -> bool:
    """Whether 30 s (scaled) have passed since the last submission (docs/twilio.md section 8)."""
    return world.now - bundle.get("_submitted_at", 0.0) >= world.scaled(SETTLE)


# -- resources ---------------------------------------------------------------------------------------------


def _check_url(call: Call) -> None:
    url = call.text("StatusCallback")
    if url and not url.startswith(("http://", "https://")):
        raise bad_parameter("StatusCallback must be an http or https URL")


def _routes(kind: Kind) -> None:
    base = f"/v1/{kind.name}"
    one = f"{base}/{{Sid:BU}}"
    links = f"{base}/{{Bundle:BU}}/EntityAssignments"

    @route("POST", base, required=["FriendlyName", "Email", "PolicySid"], optional=["StatusCallback"])
    def create(world: World, call: Call) -> Reply:
        _check_url(call)
        if call.need("PolicySid") != kind.policy:
            raise bad_parameter(f"PolicySid {call.need('PolicySid')} cannot be used for {kind.name}")
        fields: Obj = {
            "policy_sid": kind.policy,
            "friendly_name": call.need("FriendlyName"),
            "status": "draft",
            "valid_until": None,
            "email": call.need("Email"),
            "status_callback": call.text("StatusCallback") or None,
            "errors": None,
            "_round": 0,
            "_changed": 0,
        }
        return Reply(201, render(kind, world.create(kind.name, "BU", fields)))

    @route("GET", base, optional=["Status", "FriendlyName", "PolicySid"], listing=True)
    def list_all(world: World, call: Call) -> Reply:
        rows = world.newest_first(kind.name)
        for name, field in (
            ("Status", "status"),
            ("FriendlyName", "friendly_name"),
            ("PolicySid", "policy_sid"),
        ):
            if call.text(name):
                rows = [row for row in rows if row[field] == call.text(name)]
        return page_v1(call, "trusthub", "results", rows, lambda obj: render(kind, obj))

    @route("GET", one)
    def fetch(world: World, call: Call) -> Reply:
        return Reply(200, render(kind, world.get_or_404(kind.name, call.args["Sid"], call)))

    @route("POST", one, optional=["Status", "StatusCallback", "FriendlyName", "Email"])
    def update(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Sid"], call)
        if bundle["policy_sid"] == PRIMARY_POLICY:
            raise bad_parameter("The primary customer profile can only be changed in the Console")
        _check_url(call)
        if call.has("Status"):
            if len(call.params) > 1:
                raise ApiError(400, 22204, "Bundle status and properties cannot be updated in one request")
            status = call.need("Status")
            if status not in STATUSES:
                raise ApiError(400, 22203, f"Unable to parse bundle status {status}")
            if status == "pending-review":
                _submit(world, kind, bundle)
            elif status == "draft" and bundle["status"] != "twilio-approved":
                bundle["_round"] += 1
                set_status(world, kind, bundle, "draft")
            else:
                raise bad_parameter(f"Status cannot be changed from {bundle['status']} to {status}")
            return Reply(200, render(kind, bundle))
        for name, field in (("FriendlyName", "friendly_name"), ("Email", "email")):
            if call.text(name):
                bundle[field] = call.need(name)
        if call.has("StatusCallback"):
            bundle["status_callback"] = call.text("StatusCallback") or None
        return Reply(200, render(kind, world.save(kind.name, bundle)))

    @route("DELETE", one)
    def delete(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Sid"], call)
        if bundle["status"] not in ("draft", "twilio-rejected"):
            raise ApiError(400, 21646, f"A bundle in status {bundle['status']} cannot be deleted")
        if world.store.by("EntityAssignments", "_ref", bundle["sid"]):
            raise ApiError(400, 21647, "The bundle is assigned to another bundle and cannot be deleted")
        for child in ("EntityAssignments", "Evaluations"):
            for row in world.store.by(child, "_parent", bundle["sid"]):
                world.store.delete(child, row["_key"])
        world.store.delete(kind.name, bundle["_key"])
        return Reply(204)

    def render_link(row: Obj) -> Obj:
        url = f"https://trusthub.twilio.com/v1/{kind.name}/{row['_parent']}/EntityAssignments/{row['sid']}"
        return public(row, url=url)

    @route("POST", links, required=["ObjectSid"])
    def assign(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Bundle"], call)
        sid = call.need("ObjectSid")
        type_ = object_type(world, sid)
        if type_ is None:
            raise ApiError(400, 22205, f"Invalid object_sid {sid}")
        if type_ not in kind.accepts or sid == bundle["sid"]:
            raise ApiError(400, 22206, f"Invalid object type {type_} for this bundle")
        present = world.store.by("EntityAssignments", "_parent", bundle["sid"])
        if any(row["object_sid"] == sid for row in present):
            world.violation("assigned-twice", sid)
            raise ApiError(400, 22205, f"Invalid object_sid: {sid} is already assigned to this bundle")
        if any(row["_type"] == type_ for row in present):
            world.violation("two-of-a-type", f"a second {type_} in {bundle['sid']}")
        profile = world.store.get("CustomerProfiles", sid)
        if kind is TRUST and profile is not None and not settled(world, profile):
            world.violation("settle", "trust bundle built less than 30 s after the profile's submission")
        fields = {kind.parent: bundle["sid"], "object_sid": sid}
        private = {"_parent": bundle["sid"], "_ref": sid, "_type": type_}
        row = world.create("EntityAssignments", "BV", {**fields, **private})
        del row["date_updated"]
        touch(world, kind, bundle)
        return Reply(201, render_link(row))

    @route("GET", links, optional=["ObjectType"], listing=True)
    def list_links(world: World, call: Call) -> Reply:
        bundle = world.get_or_404(kind.name, call.args["Bundle"], call)
        rows = world.store.by("EntityAssignments", "_parent", bundle["sid"])[::-1]
        if call.text("ObjectType"):
            rows = [row for row in rows if row["_type"] == call.text("ObjectType")]
        return page_v1(call, "trusthub", "results", rows, render_link)

    def get_link(world: World, call: Call) -> Obj:
        row = world.get_or_404("EntityAssignments", call.args["Sid"], call)
        if row["_parent"] != call.args["Bundle"]:
            raise not_found(call.path)
        return row

    @route("GET", links + "/{Sid:BV}")
    def fetch_link(world: World, call: Call) -> Reply:
        return Reply(200, render_link(get_link(world, call)))

    @route("DELETE", links + "/{Sid:BV}")
    def unassign(world: World, call: Call) -> Reply:
        row = get_link(world, call)
        bundle = world.get_or_404(kind.name, row["_parent"], call)
        if looks_like("RD", row["object_sid"]) and bundle["status"] == "pending-review":
            raise ApiError(400, 22229, "A supporting document cannot be removed during the review")
        world.store.delete("EntityAssignments", row["_key"])
        touch(world, kind, bundle)
        return Reply(204)


for _kind in KINDS.values():
    _routes(_kind)

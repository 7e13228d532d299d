"""End users and supporting documents: the parts of a bundle.

Source: docs/twilio.md section 1.1, 1.2 and 6.4. Twilio documents only the range of 21644 and 21645; which code means
which is our guess.
"""

from __future__ import annotations

from .policies import DOCUMENT_TYPES, END_USER_TYPES
from .state import World, public
from .store import Obj
from .wire import ApiError, Call, Reply, page_v1, route

BUNDLE_KINDS = ("CustomerProfiles", "TrustProducts")


def changed(world: World, object_sid: str) -> None:
    """Record that an object changed: every bundle it is assigned to needs a new evaluation."""
    for link in world.store.by("EntityAssignments", "_ref", object_sid):
        for kind in BUNDLE_KINDS:
            bundle = world.store.get(kind, link["_parent"])
            if bundle is not None:
                bundle["_changed"] = world.step()
                world.save(kind, bundle, touch=False)


# -- end users and supporting documents --------------------------------------------------------------------


def _address_of(attributes: Obj) -> str | None:
    value = attributes.get("address_sids")
    return value if isinstance(value, str) and value else None


def _render(kind: str, obj: Obj) -> Obj:
    return public(obj, url=f"https://trusthub.twilio.com/v1/{kind}/{obj['sid']}")


def _part_routes(kind: str, prefix: str, types: dict, bad_type: int, in_use: int) -> None:
    base = f"/v1/{kind}"
    one = f"{base}/{{Sid:{prefix}}}"

    @route("POST", base, required=["FriendlyName", "Type"], optional=["Attributes"])
    def create(world: World, call: Call) -> Reply:
        if call.need("Type") not in types:
            raise ApiError(400, bad_type, f"Invalid type: {call.need('Type')}")
        attributes = call.json_object("Attributes", 22207)
        fields: Obj = {
            "friendly_name": call.need("FriendlyName"),
            "type": call.need("Type"),
            "attributes": attributes,
        }
        if kind == "SupportingDocuments":
            fields.update(mime_type=None, status="DRAFT", _ref=_address_of(attributes))
        return Reply(201, _render(kind, world.create(kind, prefix, fields)))

    @route("GET", base, listing=True)
    def list_all(world: World, call: Call) -> Reply:
        return page_v1(call, "trusthub", "results", world.newest_first(kind), lambda obj: _render(kind, obj))

    @route("GET", one)
    def fetch(world: World, call: Call) -> Reply:
        return Reply(200, _render(kind, world.get_or_404(kind, call.args["Sid"], call)))

    @route("POST", one, optional=["FriendlyName", "Attributes"])
    def update(world: World, call: Call) -> Reply:
        obj = world.get_or_404(kind, call.args["Sid"], call)
        if call.has("Attributes"):
            # The whole object is replaced, never merged (docs/twilio.md section 1.2).
            attributes = call.json_object("Attributes", 22207)
            if obj.get("status") == "APPROVED":
                raise ApiError(400, 22209, "An approved supporting document cannot be changed")
            obj["attributes"] = attributes
            if kind == "SupportingDocuments":
                obj["_ref"] = _address_of(attributes)
            changed(world, obj["sid"])
        if call.has("FriendlyName"):
            obj["friendly_name"] = call.need("FriendlyName")
        return Reply(200, _render(kind, world.save(kind, obj)))

    @route("DELETE", one)
    def delete(world: World, call: Call) -> Reply:
        obj = world.get_or_404(kind, call.args["Sid"], call)
        if world.store.by("EntityAssignments", "_ref", obj["sid"]):
            raise ApiError(400, in_use, "The object is assigned to a bundle and cannot be deleted")
        world.store.delete(kind, obj["_key"])
        return Reply(204)


_part_routes("EndUsers", "IT", END_USER_TYPES, 22212, 21644)
_part_routes("SupportingDocuments", "RD", DOCUMENT_TYPES, 22210, 21645)

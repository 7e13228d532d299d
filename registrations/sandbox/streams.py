"""Event Streams: types, schemas, sinks and subscriptions.

Source: docs/twilio.md section 7.1.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from . import callbacks
from .events import PREFIX, SINKS, SUBSCRIBED, SUBSCRIPTIONS, TYPES, envelope
from .state import World, public
from .store import Obj
from .wire import ApiError, Call, Reply, bad_parameter, not_found, page_v1, route, timer

HOST = "https://events.twilio.com/v1"
SINK_VALIDATION = 20.0  # seconds before scaling; Twilio does not document how long validation takes

# -- types and schemas -------------------------------------------------------------------------------------

_STAMP = "2025-01-06T10:00:00Z"


def _render_type(row: Obj) -> Obj:
    type_ = row["_key"]
    schema = TYPES[type_.removeprefix(PREFIX)][0]
    return {
        "type": type_,
        "schema_id": schema,
        "date_created": _STAMP,
        "date_updated": _STAMP,
        "description": type_.rsplit(".", 1)[-1],
        "status": "available",
        "documentation_url": "https://www.twilio.com/docs/events/event-types",
        "url": f"{HOST}/Types/{type_}",
        "links": {"schema": f"{HOST}/Schemas/{schema}/Versions"},
    }


@route("GET", "/v1/Types", optional=["SchemaId"], listing=True)
def list_types(world: World, call: Call) -> Reply:
    rows = [{"_key": PREFIX + suffix} for suffix in TYPES]
    if call.text("SchemaId"):
        rows = [row for row in rows if _render_type(row)["schema_id"] == call.text("SchemaId")]
    return page_v1(call, "events", "types", rows, _render_type)


@route("GET", "/v1/Types/{Type}")
def fetch_type(world: World, call: Call) -> Reply:
    if call.args["Type"].removeprefix(PREFIX) not in TYPES:
        raise not_found(call.path)
    return Reply(200, _render_type({"_key": call.args["Type"]}))


def _schema(call: Call) -> tuple[str, int]:
    found = next((row for row in TYPES.values() if row[0] == call.args["Id"]), None)
    if found is None:
        raise not_found(call.path)
    return found


@route("GET", "/v1/Schemas/{Id}")
def fetch_schema(world: World, call: Call) -> Reply:
    schema, latest = _schema(call)
    url = f"{HOST}/Schemas/{schema}"
    body = {
        "id": schema,
        "url": url,
        "links": {"versions": f"{url}/Versions"},
        "latest_version": latest,
        "latest_version_date_created": _STAMP,
    }
    return Reply(200, body)


def _render_version(schema: str, version: int) -> Obj:
    return {
        "id": schema,
        "schema_version": version,
        "date_created": _STAMP,
        "url": f"{HOST}/Schemas/{schema}/Versions/{version}",
        "raw": f"https://events-schemas.twilio.com/{schema}/{version}",
    }


@route("GET", "/v1/Schemas/{Id}/Versions", listing=True)
def list_versions(world: World, call: Call) -> Reply:
    schema, latest = _schema(call)
    rows = [{"_key": str(version)} for version in range(1, latest + 1)]
    return page_v1(
        call, "events", "schema_versions", rows, lambda row: _render_version(schema, int(row["_key"]))
    )


@route("GET", "/v1/Schemas/{Id}/Versions/{Version}")
def fetch_version(world: World, call: Call) -> Reply:
    schema, latest = _schema(call)
    if call.args["Version"] not in [str(version) for version in range(1, latest + 1)]:
        raise not_found(call.path)
    return Reply(200, _render_version(schema, int(call.args["Version"])))


# -- sinks -------------------------------------------------------------------------------------------------


def _render_sink(sink: Obj) -> Obj:
    url = f"{HOST}/Sinks/{sink['sid']}"
    body = public(sink, url=url, links={"sink_test": f"{url}/Test", "sink_validate": f"{url}/Validate"})
    del body["account_sid"]
    return body


@route("POST", "/v1/Sinks", required=["Description", "SinkConfiguration", "SinkType"])
def create_sink(world: World, call: Call) -> Reply:
    configuration = call.json_object("SinkConfiguration", 20001)
    if call.need("SinkType") != "webhook":
        raise bad_parameter("The sandbox supports only webhook sinks")
    destination = str(configuration.get("destination") or "")
    if not destination.startswith(("http://", "https://")):
        raise bad_parameter("SinkConfiguration needs a destination URL")
    fields = {
        "description": call.need("Description"),
        "sink_configuration": configuration,
        "sink_type": "webhook",
        "status": "initialized",
        "_test_id": None,
    }
    return Reply(201, _render_sink(world.create(SINKS, "DG", fields)))


@route("GET", "/v1/Sinks", optional=["InUse", "Status"], listing=True)
def list_sinks(world: World, call: Call) -> Reply:
    rows = world.newest_first(SINKS)
    in_use = call.flag("InUse")
    if in_use is not None:
        rows = [row for row in rows if bool(world.store.by(SUBSCRIPTIONS, "_ref", row["sid"])) == in_use]
    if call.text("Status"):
        rows = [row for row in rows if row["status"] == call.text("Status")]
    return page_v1(call, "events", "sinks", rows, _render_sink)


@route("GET", "/v1/Sinks/{Sid:DG}")
def fetch_sink(world: World, call: Call) -> Reply:
    return Reply(200, _render_sink(world.get_or_404(SINKS, call.args["Sid"], call)))


@route("POST", "/v1/Sinks/{Sid:DG}", required=["Description"])
def update_sink(world: World, call: Call) -> Reply:
    sink = world.get_or_404(SINKS, call.args["Sid"], call)
    sink["description"] = call.need("Description")
    return Reply(200, _render_sink(world.save(SINKS, sink)))


@route("DELETE", "/v1/Sinks/{Sid:DG}")
def delete_sink(world: World, call: Call) -> Reply:
    sink = world.get_or_404(SINKS, call.args["Sid"], call)
    if world.store.by(SUBSCRIPTIONS, "_ref", sink["sid"]):
        raise bad_parameter(f"Sink with SID {sink['sid']} is in use")
    world.store.delete(SINKS, sink["_key"])
    return Reply(204)


@route("POST", "/v1/Sinks/{Sid:DG}/Test")
def test_sink(world: World, call: Call) -> Reply:
    """Deliver a test event. Its id is always the account SID (docs/twilio.md section 7.1)."""
    sink = world.get_or_404(SINKS, call.args["Sid"], call)
    sink["_test_id"] = uuid.uuid4().hex
    if sink["status"] == "initialized":
        sink["status"] = "validating"
    world.save(SINKS, sink)
    data = {"test_id": sink["_test_id"]}
    type_, schema = "com.twilio.eventstreams.test-event", "EventStreams.TestSink/1.json"
    event = envelope(world, type_, schema, data, id_=world.config.account_sid)
    callbacks.queue_event(world, sink["sink_configuration"]["destination"], [event], sink["sid"])
    return Reply(201, {"result": "submitted"})


@route("POST", "/v1/Sinks/{Sid:DG}/Validate", required=["TestId"])
def validate_sink(world: World, call: Call) -> Reply:
    sink = world.get_or_404(SINKS, call.args["Sid"], call)
    if call.need("TestId") != sink["_test_id"]:
        raise bad_parameter("TestId does not match the last test event")
    if sink["status"] != "active":
        sink["status"] = "validating"
        world.save(SINKS, sink)
        world.later(SINK_VALIDATION, "sink.active", sink["sid"])
    return Reply(201, {"result": "valid"})


@timer("sink.active")
def _activate(world: World, key: str, round_: int) -> None:
    sink = world.store.get(SINKS, key)
    if sink:
        sink["status"] = "active"
        world.save(SINKS, sink)


# -- subscriptions -----------------------------------------------------------------------------------------


def _render_subscription(row: Obj) -> Obj:
    url = f"{HOST}/Subscriptions/{row['sid']}"
    return public(row, url=url, links={"subscribed_events": f"{url}/SubscribedEvents"})


def _parse_type(text: str) -> tuple[str, int | None]:
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise bad_parameter("Types must be JSON objects, one per parameter") from error
    if not isinstance(value, dict) or "type" not in value:
        raise bad_parameter("Types must be JSON objects with a type")
    return str(value["type"]), value.get("schema_version")


def _check_type(type_: str, version: Any) -> int:
    """The schema version to deliver; the default is the latest (docs/twilio.md section 7.1)."""
    known = TYPES.get(type_.removeprefix(PREFIX))
    if known is None or not type_.startswith(PREFIX):
        raise bad_parameter(f"Unknown event type {type_}")
    if version in (None, ""):
        return known[1]
    if not str(version).isdigit() or not 1 <= int(version) <= known[1]:
        raise bad_parameter(f"Schema version {version} of {type_} does not exist")
    return int(version)


def _subscribe(world: World, subscription: Obj, type_: str, version: int) -> Obj:
    fields = {
        "type": type_,
        "schema_version": version,
        "subscription_sid": subscription["sid"],
        "_parent": subscription["sid"],
        "_ref": type_,
    }
    return world.create(SUBSCRIBED, "ES", fields, key=f"{subscription['sid']}/{type_}")


def _render_subscribed(row: Obj) -> Obj:
    url = f"{HOST}/Subscriptions/{row['_parent']}/SubscribedEvents/{row['type']}"
    body = public(row, url=url)
    for name in ("sid", "date_created", "date_updated"):
        del body[name]
    return body


@route("POST", "/v1/Subscriptions", required=["Description", "SinkSid", "Types"])
def create_subscription(world: World, call: Call) -> Reply:
    sink = world.store.get(SINKS, call.need("SinkSid"))
    if sink is None:
        raise bad_parameter(f"Sink with SID {call.need('SinkSid')} does not exist")
    if sink["status"] != "active":
        raise bad_parameter(f"Sink with SID {sink['sid']} is not active")
    if world.store.by(SUBSCRIPTIONS, "_ref", sink["sid"]):
        raise bad_parameter(f"Sink with SID {sink['sid']} is in use")
    types = [_parse_type(text) for text in call.many("Types")]
    checked = [(type_, _check_type(type_, version)) for type_, version in types]
    fields = {"description": call.need("Description"), "sink_sid": sink["sid"], "_ref": sink["sid"]}
    subscription = world.create(SUBSCRIPTIONS, "DF", fields)
    for type_, version in checked:
        _subscribe(world, subscription, type_, version)
    return Reply(201, _render_subscription(subscription))


@route("GET", "/v1/Subscriptions", optional=["SinkSid"], listing=True)
def list_subscriptions(world: World, call: Call) -> Reply:
    rows = world.newest_first(SUBSCRIPTIONS)
    if call.text("SinkSid"):
        rows = [row for row in rows if row["sink_sid"] == call.text("SinkSid")]
    return page_v1(call, "events", "subscriptions", rows, _render_subscription)


@route("GET", "/v1/Subscriptions/{Sid:DF}")
def fetch_subscription(world: World, call: Call) -> Reply:
    return Reply(200, _render_subscription(world.get_or_404(SUBSCRIPTIONS, call.args["Sid"], call)))


@route("POST", "/v1/Subscriptions/{Sid:DF}", optional=["Description"])
def update_subscription(world: World, call: Call) -> Reply:
    row = world.get_or_404(SUBSCRIPTIONS, call.args["Sid"], call)
    row["description"] = call.text("Description") or row["description"]
    return Reply(200, _render_subscription(world.save(SUBSCRIPTIONS, row)))


@route("DELETE", "/v1/Subscriptions/{Sid:DF}")
def delete_subscription(world: World, call: Call) -> Reply:
    row = world.get_or_404(SUBSCRIPTIONS, call.args["Sid"], call)
    for event in world.store.by(SUBSCRIBED, "_parent", row["sid"]):
        world.store.delete(SUBSCRIBED, event["_key"])
    world.store.delete(SUBSCRIPTIONS, row["_key"])
    return Reply(204)


EVENTS = "/v1/Subscriptions/{Subscription:DF}/SubscribedEvents"


@route("GET", EVENTS, listing=True)
def list_subscribed(world: World, call: Call) -> Reply:
    row = world.get_or_404(SUBSCRIPTIONS, call.args["Subscription"], call)
    rows = world.store.by(SUBSCRIBED, "_parent", row["sid"])
    return page_v1(call, "events", "types", rows, _render_subscribed)


@route("POST", EVENTS, required=["Type"], optional=["SchemaVersion"])
def add_subscribed(world: World, call: Call) -> Reply:
    row = world.get_or_404(SUBSCRIPTIONS, call.args["Subscription"], call)
    version = _check_type(call.need("Type"), call.text("SchemaVersion"))
    if world.store.get(SUBSCRIBED, f"{row['sid']}/{call.need('Type')}"):
        raise ApiError(409, 20409, "The subscription already has this event type")
    return Reply(201, _render_subscribed(_subscribe(world, row, call.need("Type"), version)))


def _subscribed(world: World, call: Call) -> Obj:
    return world.get_or_404(SUBSCRIBED, f"{call.args['Subscription']}/{call.args['Type']}", call)


@route("GET", EVENTS + "/{Type}")
def fetch_subscribed(world: World, call: Call) -> Reply:
    return Reply(200, _render_subscribed(_subscribed(world, call)))


@route("POST", EVENTS + "/{Type}", optional=["SchemaVersion"])
def update_subscribed(world: World, call: Call) -> Reply:
    row = _subscribed(world, call)
    row["schema_version"] = _check_type(row["type"], call.text("SchemaVersion"))
    return Reply(200, _render_subscribed(world.save(SUBSCRIBED, row)))


@route("DELETE", EVENTS + "/{Type}")
def delete_subscribed(world: World, call: Call) -> Reply:
    world.store.delete(SUBSCRIBED, _subscribed(world, call)["_key"])
    return Reply(204)

"""The sandbox against Twilio's published OpenAPI files: parameters of every route, bodies of real replies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from registrations.sandbox.seed import OWNED
from registrations.sandbox.state import CAMPAIGN_REVIEW
from registrations.sandbox.wire import ROUTES
from tests.sandbox.conftest import Redirected, client_for
from tests.sandbox.walk import Walk

SPECS = Path(__file__).resolve().parents[3] / "shared" / "twilio" / "openapi"
pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the OpenAPI files are not in ../shared")


def load() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(SPECS.glob("*.json"))]


def resolve(spec: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operation(
    specs: list[dict[str, Any]], method: str, path: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(spec, operation) of a concrete path; the template with the fewest placeholders wins."""
    found = []
    for spec in specs:
        for template, item in spec["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template.replace(".", r"\."))
            if re.fullmatch(pattern, path) and method.lower() in item:
                found.append((template.count("{"), spec, item[method.lower()]))
    if not found:
        return None
    _, spec, item = min(found, key=lambda row: row[0])
    return spec, item


def sample_path(pattern: str) -> str:
    """A concrete path that a route's pattern matches."""
    path = pattern.strip("^$").replace(r"\.", ".")
    path = re.sub(r"\(\?P<\w+>(\w\w)\[0-9a-fA-F\]\{32\}\)", lambda m: m[1] + "0" * 32, path)
    path = re.sub(r"\(\?P<Country>\[\^/\]\+\)", "US", path)
    path = re.sub(r"\(\?P<Version>\[\^/\]\+\)", "1", path)
    return re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "x", path)


# Lookup takes identity data for packages that this project does not use.
PARTLY = {"/v2/PhoneNumbers/x"}


@pytest.mark.parametrize(
    "route", ROUTES, ids=lambda route: f"{route.method} {sample_path(route.pattern.pattern)}"
)
def test_every_route_takes_exactly_the_published_parameters(route):
    path = sample_path(route.pattern.pattern)
    found = operation(load(), route.method, path)
    assert found, f"{route.method} {path} is not published"
    spec, item = found
    if route.method == "POST":
        schema: dict[str, Any] = {}
        for content in item.get("requestBody", {}).get("content", {}).values():
            schema = resolve(spec, content["schema"])
        names = set(schema.get("properties", {}))
        required = set(schema.get("required", []))
    else:
        rows = [resolve(spec, row) for row in item.get("parameters", [])]
        query = [row for row in rows if row["in"] == "query"]
        names = {row["name"] for row in query}
        required = {row["name"] for row in query if row.get("required")}
    assert set(route.required) == required
    if path in PARTLY:
        assert set(route.allowed) <= names
    else:
        assert set(route.allowed) - {"X-Twilio-Api-Version"} == names


TYPES = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "number": (int, float),
}


def problems(spec: dict[str, Any], schema: Any, value: Any, where: str) -> list[str]:
    """What is wrong with a value by its schema; a missing or an unknown field counts."""
    schema = resolve(spec, schema)
    if "oneOf" in schema:
        results = [problems(spec, option, value, where) for option in schema["oneOf"]]
        return min(results, key=len)
    if value is None:
        ok = (
            schema.get("nullable")
            or "type" not in schema
            or "enum" in schema
            or "Info" in schema.get("title", "")
        )
        return [] if ok else [f"{where} is null"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{where}: {value!r} is not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is outside the enum"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{where}: {value!r} does not match {schema['pattern']}"]
    if kind == "array":
        items = schema.get("items", {})
        return [text for i, row in enumerate(value) for text in problems(spec, items, row, f"{where}[{i}]")]
    fields = schema.get("properties")
    if not fields or not isinstance(value, dict):
        return []
    found = [f"{where}.{name} is unknown" for name in value.keys() - fields.keys()]
    found += [f"{where}.{name} is missing" for name in fields.keys() - value.keys()]
    for name in value.keys() & fields.keys():
        if not (value[name] is None and name in NULL_OBJECTS):
            found += problems(spec, fields[name], value[name], f"{where}.{name}")
    return found


# Null in the documented samples although the schema does not say nullable.
NULL_OBJECTS = {
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_status",
    "line_type_intelligence",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "mobile_country_code",
    "mobile_network_code",
    "error_code",
}


class Recording(Redirected):
    def __init__(self, base: str) -> None:
        super().__init__(base)
        self.replies: list[tuple[str, str, int, Any]] = []

    def request(self, method: str, url: str, **kwargs: Any):
        answer = super().request(method, url, **kwargs)
        if answer.text:
            path = urlsplit(url).path.replace("%2B", "+")
            self.replies.append((method, path, answer.status_code, json.loads(answer.text)))
        return answer


def look_at_everything(walk: Walk) -> None:
    """Lists and fetches of each resource after a whole walkthrough, in both campaign views."""
    client = walk.client
    number = next(iter(OWNED))
    walk.service.phone_numbers.create(phone_number_sid=number)
    for bundle, prefix in ((walk.bundle, "customer_profiles"), (walk.trust, "trust_products")):
        bundle.fetch()
        links = getattr(bundle, f"{prefix}_entity_assignments")
        links(links.list()[0].sid).fetch()
        evaluations = getattr(bundle, f"{prefix}_evaluations")
        evaluations(evaluations.list()[0].sid).fetch()
    hub = walk.hub
    for resource in (
        hub.customer_profiles,
        hub.trust_products,
        hub.end_users,
        hub.supporting_documents,
        hub.policies,
        hub.end_user_types,
        hub.supporting_document_types,
        client.addresses,
        client.incoming_phone_numbers,
        client.messaging.v1.brand_registrations,
        client.messaging.v1.services,
    ):
        rows = resource.list()
        assert rows
        resource(rows[0].sid).fetch()
    client.api.v2010.accounts(client.account_sid).fetch()
    client.available_phone_numbers("US").local.list(area_code=415, limit=3)
    client.lookups.v2.phone_numbers("+14155550199").fetch(fields="line_type_intelligence")
    client.lookups.v2.phone_numbers("+14155550199").fetch()
    walk.service.phone_numbers.list()
    walk.service.phone_numbers(number).fetch()
    walk.campaign.fetch()
    walk.fetch_campaign()
    walk.service.us_app_to_person.list()
    walk.service.us_app_to_person.list(x_twilio_api_version="v1.2")
    walk.service.us_app_to_person_usecases.fetch(brand_registration_sid=walk.sids["brand"])


def look_at_events(client: Any) -> None:
    events = client.events.v1
    sink = events.sinks.create(
        description="status", sink_configuration={"destination": "http://127.0.0.1:9/x"}, sink_type="webhook"
    )
    events.sinks(sink.sid).sink_test.create()
    events.sinks.list()
    types = events.event_types.list()
    events.event_types(types[0].type).fetch()
    events.schemas(types[0].schema_id).fetch()
    versions = events.schemas(types[0].schema_id).versions
    versions(versions.list()[0].schema_version).fetch()


def test_every_reply_of_a_walkthrough_has_the_published_shape(server):
    client = client_for(server)
    recording = Recording(server.url)
    client.http_client = recording
    walk = Walk(server, client).reviewed_brand()
    walk.brand().brand_registration_otps.create()
    assert walk.say()
    walk.create_service().create_campaign()
    walk.advance(CAMPAIGN_REVIEW)
    look_at_everything(walk)
    look_at_events(client)
    specs, checked, wrong = load(), set(), []
    for method, path, status, body in recording.replies:
        found = operation(specs, method, path)
        assert found, f"{method} {path}"
        spec, item = found
        assert str(status) in item["responses"], f"{method} {path} answered {status}"
        schema = item["responses"][str(status)]["content"]["application/json"]["schema"]
        wrong += [f"{method} {path} {text}" for text in problems(spec, schema, body, "")]
        checked.add(item.get("operationId", (method, path)))
    assert not wrong, "\n".join(wrong)
    assert len(checked) > 45

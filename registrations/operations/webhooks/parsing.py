"""Parses what Twilio delivers: the status callback's form and the CloudEvents of Event Streams.

Nothing here raises on odd input: what cannot be parsed becomes a delivery in state "errored" with its raw text, so a
person can see it. Source: docs/twilio.md section 6.5 and 7.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from django.utils.dateparse import parse_datetime

from registrations.models import WebhookDelivery
from registrations.twilio import statuses

Kind, State = WebhookDelivery.Kind, WebhookDelivery.State

PREFIX = "com.twilio.messaging.compliance."
TEST_EVENT = "com.twilio.eventstreams.test-event"
# The key of an event's data that identifies its object; for campaigns the service (docs/twilio.md section 7.3).
_SUBJECTS = {"brand": "brandsid", "campaign": "messagingservicesid", "number": "phonenumbersid"}


def status_callback(fields: Mapping[str, str], *, body: str, content_type: str) -> WebhookDelivery:
    """One status callback; `fields` with keys in any case. Unreadable without bundle or status."""
    found = {key.lower(): value for key, value in fields.items()}
    row = WebhookDelivery(
        kind=Kind.BUNDLE_STATUS,
        body=_clean(body),
        content_type=content_type[:100],
        subject=_clean(found.get("bundlesid", ""))[:64],
        status=statuses.canonical(statuses.BUNDLE, _clean(found.get("status", ""))[:64]),
        reason=_clean(found.get("failurereason", "")),
    )
    return row if row.subject and row.status else _unreadable(row, "It has no bundle or no status.")


def events(body: str, *, content_type: str) -> list[WebhookDelivery]:
    """One row for each event of a JSON array, or of one bare object."""
    try:
        decoded = json.loads(body.removeprefix("\ufeff"))  # JSON has no byte order mark
    except (ValueError, RecursionError):
        row = WebhookDelivery(kind=Kind.EVENTS, body=_clean(body), content_type=content_type[:100])
        return [_unreadable(row, "The body is not JSON.")]
    items = decoded if isinstance(decoded, list) else [decoded]
    return [_event(item, content_type) for item in items]


def _event(item: Any, content_type: str) -> WebhookDelivery:
    # json.dumps escapes lone surrogates and NUL, which databases refuse.
    row = WebhookDelivery(kind=Kind.EVENTS, body=json.dumps(item), content_type=content_type[:100])
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return _unreadable(row, "It is not an event: it has no type.")
    row.event_type = _clean(item["type"])[:150]
    name = _clean(str(item.get("id") or ""))
    row.event_id = name[:100]
    row.event_time = parse_time(item.get("time"))
    row.subject = subject(row.event_type, data_of(item))
    if row.event_type != TEST_EVENT:
        content = f"id:{name}" if name else row.body
        row.dedupe_key = f"event:{digest(content)}"
    return row


def parse_again(row: WebhookDelivery) -> WebhookDelivery:
    """The stored body parsed by today's code, not saved."""
    if row.kind == Kind.BUNDLE_STATUS:
        fields = dict(parse_qsl(row.body, keep_blank_values=True))
        return status_callback(fields, body=row.body, content_type=row.content_type)
    found = events(row.body, content_type=row.content_type)
    return found[0] if found else row


def family(event_type: str) -> str:
    """What an A2P event is about, from its name: "brand", "campaign", "number", or "".

    >>> family(PREFIX + "suspended-campaign-registration.submitted"), family(PREFIX + "resource-cleanup.done")
    ('campaign', '')
    """
    if not event_type.startswith(PREFIX):
        return ""
    words = event_type.removeprefix(PREFIX).split(".")[0].split("-")
    return next((word for word in words if word in _SUBJECTS), "")


def subject(event_type: str, data: Mapping[str, Any]) -> str:
    key = _SUBJECTS.get(family(event_type), "")
    return _clean(str(data.get(key) or ""))[:64]


def data_of(event: Any) -> dict[str, Any]:
    """The event's data with lower-case keys; some transports send it as a JSON string (docs/twilio.md section 7.1)."""
    data = event.get("data") if isinstance(event, dict) else None
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return {}
    return {str(key).lower(): value for key, value in data.items()} if isinstance(data, dict) else {}


def parse_time(value: Any) -> datetime | None:
    """A time from ISO 8601 or epoch milliseconds (docs/twilio.md section 7.2); None for anything else.

    >>> parse_time("2026-01-01T00:00:00Z") == parse_time(1767225600000) == parse_time("1767225600000")
    True
    >>> parse_time("soon") is None and parse_time(None) is None and parse_time(True) is None
    True
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:20])
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        parsed = parse_datetime(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed and parsed.tzinfo is None else parsed


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def without_repeats(rows: list[WebhookDelivery]) -> Iterator[WebhookDelivery]:
    """The rows, each dedupe_key once."""
    seen: set[str] = set()
    for row in rows:
        if row.dedupe_key is None or row.dedupe_key not in seen:
            seen.add(row.dedupe_key or "")
            yield row


def _unreadable(row: WebhookDelivery, why: str) -> WebhookDelivery:
    row.state, row.note = State.ERRORED, why
    # Twilio repeats what it believes was lost; one copy is enough.
    row.dedupe_key = f"unreadable:{digest(row.kind, row.body)}"
    return row


def _clean(text: str) -> str:
    """Text that every database can store: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()

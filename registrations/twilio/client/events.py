"""Event Streams: sinks, subscriptions, event types and schema versions. Source: docs/twilio.md section 7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .core import PAGE_SIZE, BaseClient, Json, non_empty, path_part

HOST = "events.twilio.com"


class Events(BaseClient):
    # --- sinks ----------------------------------------------------------------------------------------

    def create_sink(self, *, description: str, sink_configuration: Json, sink_type: str = "webhook") -> Json:
        """sink_configuration: {"destination": "https://…", "method": "POST", "batch_events": bool}."""
        return self._send(
            lambda c: c.events.v1.sinks.create(
                description=description, sink_configuration=sink_configuration, sink_type=sink_type
            )
        )

    def fetch_sink(self, sid: str) -> Json:
        return self._send(lambda c: c.events.v1.sinks(path_part(sid)).fetch())

    def test_sink(self, sid: str) -> Json:
        """Twilio delivers a test event; pass its `data.test_id` to validate_sink()."""
        return self._send(lambda c: c.events.v1.sinks(path_part(sid)).sink_test.create())

    def validate_sink(self, sid: str, *, test_id: str) -> Json:
        return self._send(lambda c: c.events.v1.sinks(path_part(sid)).sink_validate.create(test_id=test_id))

    def iter_sinks(self, *, in_use: bool | None = None, status: str = "") -> Iterator[Json]:
        filters = non_empty(in_use=in_use, status=status)
        return self._pages(lambda c: c.events.v1.sinks.page(page_size=PAGE_SIZE, **filters), HOST)

    def delete_sink(self, sid: str) -> Json:
        return self._send(lambda c: c.events.v1.sinks(path_part(sid)).delete())

    # --- subscriptions --------------------------------------------------------------------------------

    def create_subscription(self, *, description: str, sink_sid: str, types: Sequence[Json]) -> Json:
        """types: [{"type": "com.twilio…", "schema_version": int}]. A sink can have only one subscription."""
        return self._send(
            lambda c: c.events.v1.subscriptions.create(
                description=description, sink_sid=sink_sid, types=list(types)
            )
        )

    def iter_subscriptions(self, *, sink_sid: str = "") -> Iterator[Json]:
        filters = non_empty(sink_sid=sink_sid)
        return self._pages(lambda c: c.events.v1.subscriptions.page(page_size=PAGE_SIZE, **filters), HOST)

    def delete_subscription(self, sid: str) -> Json:
        """The sink is kept."""
        return self._send(lambda c: c.events.v1.subscriptions(path_part(sid)).delete())

    def iter_subscribed_events(self, subscription_sid: str) -> Iterator[Json]:
        return self._pages(lambda c: _subscribed(c, subscription_sid).page(page_size=PAGE_SIZE), HOST)

    def add_subscribed_event(
        self, subscription_sid: str, *, type: str, schema_version: int | None = None
    ) -> Json:
        return self._send(
            lambda c: _subscribed(c, subscription_sid).create(
                type=type, **non_empty(schema_version=schema_version)
            )
        )

    def update_subscribed_event(self, subscription_sid: str, type: str, *, schema_version: int) -> Json:
        return self._send(
            lambda c: _subscribed(c, subscription_sid)(path_part(type)).update(schema_version=schema_version)
        )

    def delete_subscribed_event(self, subscription_sid: str, type: str) -> Json:
        return self._send(lambda c: _subscribed(c, subscription_sid)(path_part(type)).delete())

    # --- what can be subscribed to --------------------------------------------------------------------

    def iter_event_types(self, *, schema_id: str = "") -> Iterator[Json]:
        filters = non_empty(schema_id=schema_id)
        return self._pages(lambda c: c.events.v1.event_types.page(page_size=PAGE_SIZE, **filters), HOST)

    def iter_schema_versions(self, schema_id: str) -> Iterator[Json]:
        return self._pages(
            lambda c: c.events.v1.schemas(path_part(schema_id)).versions.page(page_size=PAGE_SIZE), HOST
        )


def _subscribed(client: Any, subscription_sid: str) -> Any:
    return client.events.v1.subscriptions(path_part(subscription_sid)).subscribed_events

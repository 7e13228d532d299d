"""Status callbacks and events: signed, in both spellings, and retried."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from registrations.sandbox import SandboxServer, callbacks
from registrations.sandbox.state import NUMBER_REGISTRATION, PROFILE_CHECK
from registrations.sandbox.streams import SINK_VALIDATION
from tests.sandbox.conftest import ACCOUNT, PRIMARY, TOKEN, client_for, control
from tests.sandbox.walk import Walk

ROOT = Path(__file__).parents[2]
OPTIONS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "primary_profile_sid": PRIMARY, "rate_limit": False}


class Listener:
    """Receives what the sandbox sends, and checks its signature as a client would."""

    def __init__(self, refuse_first: bool = False) -> None:
        self.got: list[dict[str, Any]] = []
        self.arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                url = f"http://127.0.0.1:{outer.port}{self.path}"
                form = "form" in self.headers["Content-Type"]
                params = dict(urllib.parse.parse_qsl(body)) if form else body
                signed = RequestValidator(TOKEN).validate(url, params, self.headers["X-Twilio-Signature"])
                data = params if form else json.loads(body)
                with outer.arrived:
                    status = 500 if refuse_first and not outer.got else 200
                    outer.got.append({"signed": signed, "data": data, "path": self.path})
                    outer.arrived.notify_all()
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, timeout=10), self.got
            return list(self.got)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def listener():
    running = Listener()
    yield running
    running.stop()


def test_status_callbacks_are_signed_and_vary_in_spelling(server, client, listener):
    callback = f"http://127.0.0.1:{listener.port}/hook?who=desk#rc=5"
    walk = Walk(server, client, callback=callback)
    walk.person["email"] = "a.bad-email@x.com"
    walk.build_profile().submit_profile().advance(PROFILE_CHECK)
    got = sorted(listener.wait_for(2), key=lambda row: row["data"]["Status"])
    assert all(row["signed"] and row["path"] == "/hook?who=desk" for row in got)
    assert [row["data"]["Status"] for row in got] == ["pending-review", "twilio-rejected"]
    assert got[1]["data"]["FailureReason"] == "Email is invalid."
    spellings = {name for row in got for name in row["data"] if name.lower() == "bundlesid"}
    assert spellings == {"BundleSID", "BundleSid"}
    assert control(server, "replay", {"sid": walk.sids["profile"]})["replayed"] >= 1
    listener.wait_for(3)


def subscribe(client: Client, port: int, server: SandboxServer, suffixes: list[str]) -> str:
    events = client.events.v1
    destination = {"destination": f"http://127.0.0.1:{port}/events", "method": "POST", "batch_events": True}
    sink = events.sinks.create("events", destination, "webhook")
    events.sinks(sink.sid).sink_test.create()
    test = next(row for row in control(server, "state")["Sinks"] if row["sid"] == sink.sid)
    events.sinks(sink.sid).sink_validate.create(test_id=test["_test_id"])
    server.world.advance(SINK_VALIDATION)
    types = [
        {"type": f"com.twilio.messaging.compliance.{suffix}", "schema_version": v} for suffix, v in suffixes
    ]
    subscription = events.subscriptions.create("a2p", sink.sid, types)
    assert len(events.subscriptions(subscription.sid).subscribed_events.list()) == len(types)
    return sink.sid


def test_events_reach_an_active_sink_signed(server, client, listener):
    suffixes = [
        ("brand-registration.brand-verified", 2),
        ("campaign-registration.campaign-approved", 1),
        ("number-registration.successful", 2),
    ]
    sink = subscribe(client, listener.port, server, suffixes)
    listener.wait_for(1)
    walk = Walk(server, client).live_campaign()
    number = client.incoming_phone_numbers.list()[0].sid
    walk.service.phone_numbers.create(phone_number_sid=number)
    walk.advance(NUMBER_REGISTRATION)
    got = listener.wait_for(4)
    assert all(row["signed"] for row in got)
    events = {event["type"].removeprefix("com.twilio."): event for row in got for event in row["data"]}
    assert events["eventstreams.test-event"]["id"] == ACCOUNT
    prefix = "messaging.compliance."
    assert events[prefix + "brand-registration.brand-verified"]["data"]["identitystatus"] == "verified"
    approved = events[prefix + "campaign-registration.campaign-approved"]["data"]
    assert approved["campaignregistrationstatus"] == "success"
    assert approved["campaignsid"].startswith("CM")
    assert events[prefix + "number-registration.successful"]["data"]["phonenumbersid"] == number
    with pytest.raises(TwilioRestException, match="in use"):
        client.events.v1.subscriptions.create(
            "again", sink, [{"type": f"com.twilio.{prefix}number-registration.failed"}]
        )


def test_an_event_is_retried_after_a_500():
    listener = Listener(refuse_first=True)
    try:
        with SandboxServer(time_scale=0.05, **OPTIONS) as server:
            events = client_for(server).events.v1
            destination = {"destination": f"http://127.0.0.1:{listener.port}/x"}
            sink = events.sinks.create("x", destination, "webhook")
            events.sinks(sink.sid).sink_test.create()
            first, second = listener.wait_for(2)[:2]
        assert first == second
    finally:
        listener.stop()


@pytest.mark.parametrize(
    ("overrides", "refused", "retries"),
    [("", True, 1), ("", False, 0), ("#rc=5&rp=all", False, 5), ("#rc=9&rp=all", True, 5), ("#rc=0", True, 0),
     ("#rc=3&rp=ct", False, 0)],
)  # fmt: skip
def test_the_urls_fragment_sets_the_retries_of_a_status_callback(overrides, refused, retries):
    row = {"url": f"https://desk.example.com/hook{overrides}"}
    again = [callbacks._retried(row | {"attempts": tries}, refused) for tries in range(1, 8)]
    assert again.count(True) == again.index(False) == retries

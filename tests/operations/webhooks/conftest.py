"""Requests signed like Twilio's, and a server that holds the sandbox's deliveries until the test passes them on."""

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from registrations.core import clock
from registrations.models import Registration, WebhookDelivery
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from registrations.operations.webhooks import event_streams, handlers
from registrations.twilio.client import get_client
from registrations.twilio.client.signatures import FORM, signature
from tests.conftest import Harness
from tests.customers import make_draft

STATUS_PATH, EVENTS_PATH = "/twilio/bundle-status/", "/twilio/events/"
PREFIX = "com.twilio.messaging.compliance."
BUNDLE = "BU" + "5" * 32


@dataclass
class Twilio:
    """Signs like Twilio and posts through Django's test client, as behind a proxy."""

    base: str
    secret: str
    client: Client = field(default_factory=Client)

    def status(self, fields: dict[str, str], *, secret: str = "", token: str = "") -> HttpResponse:
        signed = signature(self.base + STATUS_PATH, fields, secret or self.secret)
        return self.send(STATUS_PATH, urlencode(fields).encode(), FORM, signed, token)

    def events(self, payload: Any, *, secret: str = "") -> HttpResponse:
        return self.json(json.dumps(payload).encode(), secret=secret)

    def json(self, body: bytes, *, path: str = EVENTS_PATH, secret: str = "") -> HttpResponse:
        path = f"{path}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        signed = signature(self.base + path, {}, secret or self.secret)
        return self.send(path, body, "application/json", signed)

    def send(
        self, path: str, body: bytes, content_type: str, signed: str | None, token: str = ""
    ) -> HttpResponse:
        headers = {"X-Twilio-Signature": signed} if signed is not None else {}
        if token:
            headers["I-Twilio-Idempotency-Token"] = token
        return self.client.post(path, body, content_type=content_type, headers=headers)  # type: ignore[return-value]


@pytest.fixture
def twilio(settings) -> Twilio:
    settings.PUBLIC_BASE_URL = "https://desk.example.com"
    return Twilio(settings.PUBLIC_BASE_URL, settings.TWILIO_AUTH_TOKEN)


def event(kind: str, *, id: str = "", time: str = "2026-11-01T10:00:00Z", **data: Any) -> dict[str, Any]:
    """A CloudEvents envelope; `kind` without the common prefix."""
    return {
        "specversion": "1.0",
        "type": PREFIX + kind,
        "id": id or hashlib.md5(json.dumps([kind, time, data], sort_keys=True).encode()).hexdigest(),
        "time": time,
        "data": data,
    }


def process_all() -> None:
    """What the worker's jobs do, in random order."""
    waiting = list(WebhookDelivery.objects.filter(state="received").values_list("pk", flat=True))
    random.shuffle(waiting)
    for pk in waiting:
        handlers.process(pk)


# --- the sandbox's deliveries --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Letter:
    """One HTTP request as the sandbox sent it."""

    path: str
    body: bytes
    headers: dict[str, str]

    def deliver(self, client: Client) -> int:
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower().startswith(("x-twilio", "i-twilio"))
        }
        kind = self.headers["Content-Type"]
        return client.post(self.path, self.body, content_type=kind, headers=kept).status_code


class Postman:
    """A public address that answers 200 and holds every request until the test passes it on."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._arrived = threading.Condition()
        postman = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with postman._arrived:
                    postman.letters.append(Letter(self.path, body, dict(self.headers)))
                    postman._arrived.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # The interval is how long `stop` waits.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def wait_for(self, text: str, seconds: float = 10) -> Letter:
        """Wait for the first request whose body or path contains `text`."""

        def found() -> Letter | None:
            return next(
                (letter for letter in self.letters if text in letter.body.decode() + letter.path), None
            )

        with self._arrived:
            assert self._arrived.wait_for(found, seconds), f"no delivery with {text}"
            letter = found()
        assert letter
        return letter

    def hand_over(self, client: Client | None = None) -> None:
        """Deliver everything received so far, in order."""
        client = client or Client()
        letters, self.letters = self.letters, []
        for letter in letters:
            assert letter.deliver(client) in (200, 204)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def travel(postman: Postman) -> None:
    """Give the test event, or Twilio's decision about the sink, time to arrive."""
    threading.Event().wait(0.05)
    postman.hand_over()


@pytest.fixture
def postman(settings) -> Iterator[Postman]:
    postman = Postman()
    settings.PUBLIC_BASE_URL = postman.url
    yield postman
    postman.stop()


@pytest.fixture
def mail(harness: Harness, postman: Postman) -> Postman:
    """Our public address is the postman's, and the sandbox sends its events there."""

    report = event_streams.set_up(get_client(), pause=lambda seconds: travel(postman))
    assert report.ok, report
    WebhookDelivery.objects.all().delete()
    return postman


# --- registrations --------------------------------------------------------------------------------------
AUTO_YES = {"mobile_phone_number": "+14155559999"}


def submit(**changes: Any) -> Registration:
    registration = make_draft(**changes)
    actions.submit(registration, actor="ann")
    return registration


def stopped(registration: Registration) -> bool:
    return registration.waiting_for == WaitingFor.US and registration.stage != Stage.DRAFT


def wake(pk: int) -> None:
    Registration.objects.filter(pk=pk).update(next_run_at=clock.now())


def number_event(registration: Registration, kind: str, at: int, **data: Any) -> dict[str, Any]:
    return event(
        kind,
        updateddate=at,
        phonenumbersid=registration.phone_number.sid,
        messagingservicesid=registration.campaign.service_sid,
        externalstatus=handlers.NUMBER_STATUS[kind],
        **data,
    )

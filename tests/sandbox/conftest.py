"""The real SDK against the sandbox: only scheme and host of each request are replaced."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from registrations.sandbox import SandboxServer

PRIMARY = "BU" + "7" * 32
ACCOUNT = "AC" + "3" * 32
TOKEN = "test-auth-token"


class Redirected(TwilioHttpClient):
    """Sends every request to the sandbox, with Twilio's path and query."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=10, pool_connections=True)
        self.base = urlsplit(base)

    def request(self, method: str, url: str, **kwargs: Any):  # type: ignore[override]
        parts = urlsplit(url)
        moved = urlunsplit((self.base.scheme, self.base.netloc, parts.path, parts.query, ""))
        return super().request(method, moved, **kwargs)


class Clock:
    """A clock that moves only when a test advances it."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


def client_for(server: SandboxServer, token: str = TOKEN) -> Client:
    return Client(ACCOUNT, token, http_client=Redirected(server.url))


def control(server: SandboxServer, path: str, data: Any = None) -> Any:
    """GET (no data) or POST to the control API."""
    body = None if data is None else json.dumps(data).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/_sandbox/{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def server():
    """Full-length delays; ``advance`` the clock to pass them. No rate limit."""
    options = {"account_sid": ACCOUNT, "auth_token": TOKEN, "primary_profile_sid": PRIMARY}
    with SandboxServer(rate_limit=False, **options) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer) -> Client:
    return client_for(server)


@pytest.fixture
def walk(server: SandboxServer, client: Client) -> Any:
    from tests.sandbox.walk import Walk  # it takes constants from here

    return Walk(server, client, callback="http://127.0.0.1:9/status")

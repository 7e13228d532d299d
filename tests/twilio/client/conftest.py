from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registrations.twilio.client import TwilioClient
from registrations.twilio.client.core import Config
from tests.twilio.client.server import ScriptedServer

ACCOUNT = "AC" + "0" * 32
TOKEN = "primary-token-5f2c"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.stop()


@pytest.fixture
def client_for() -> Callable[..., TwilioClient]:
    def make(url: str, **settings: Any) -> TwilioClient:
        values = {"account_sid": ACCOUNT, "auth_token": TOKEN, "connect_timeout": 2.0, "read_timeout": 10.0}
        return TwilioClient(Config(api_base_url=url, **{**values, **settings}))

    return make


@pytest.fixture
def twilio(server: ScriptedServer, client_for: Callable[..., TwilioClient]) -> TwilioClient:
    return client_for(server.url)

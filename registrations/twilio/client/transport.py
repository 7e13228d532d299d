"""Replaces the SDK's transport: timeouts are always set, one pooled session, no retries, no SDK logging.

It keeps each raw response, because the SDK's objects drop the raw JSON, the headers and unknown fields.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from . import errors

POOL_SIZE = 16  # open connections per host; more than any of our processes has threads
# Without this version header the two policy URLs are neither accepted nor returned (docs/twilio.md section 10).
CAMPAIGN_API_VERSION = "v1.2"

# urllib3 logs whole URLs, with names and numbers in the query. We log one line per call instead.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass
class Exchange:
    """One request and its outcome. Its repr contains nothing private, because error reports show it.

    `url` is Twilio's URL, before TWILIO_API_BASE_URL is applied.
    """

    method: str
    url: str = field(repr=False)
    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)
    failure: errors.TwilioError | None = None

    @property
    def ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


class Transport(HttpClient):
    """Shared by all threads of a process; `take_exchange()` returns the calling thread's last exchange."""

    def __init__(self, *, base_url: str, connect_timeout: float, read_timeout: float) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=False)
        self.timeout = (connect_timeout, read_timeout)  # set here: the parent only accepts a single number
        self._base = urlsplit(base_url)
        self._local = threading.local()
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=0)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        if is_loopback(self._base.hostname):
            self.session.trust_env = False  # a proxy cannot reach our loopback address

    def take_exchange(self) -> Exchange | None:
        """This thread's exchange since the last call, or None if no request was made."""
        exchange: Exchange | None = getattr(self._local, "exchange", None)
        self._local.exchange = None
        return exchange

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: Any = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Called by the SDK. Never raises for an HTTP status; failures are also recorded in the exchange."""
        method = method.upper()
        headers = dict(headers or {})
        if "/Compliance/Usa2p" in uri:
            headers["X-Twilio-Api-Version"] = CAMPAIGN_API_VERSION
        exchange = self._local.exchange = Exchange(method, uri)
        try:
            prepared = self.session.prepare_request(
                requests.Request(
                    method, self._address(uri), params=params, data=data, headers=headers, auth=auth
                )
            )
        except (requests.RequestException, UnicodeError) as exc:
            exchange.failure = errors.from_exception(method, exc, sent=False)
            raise
        try:
            settings = self.session.merge_environment_settings(prepared.url, {}, None, None, None)
            response = self.session.send(
                prepared, timeout=timeout or self.timeout, allow_redirects=allow_redirects, **settings
            )
        except Exception as exc:
            exchange.failure = errors.from_exception(method, exc)
            raise
        exchange.status, exchange.headers, exchange.text = (
            response.status_code,
            response.headers,
            response.text,
        )
        return Response(response.status_code, response.text, response.headers)

    def _address(self, url: str) -> str:
        """TWILIO_API_BASE_URL replaces scheme, host and port; path and query are kept."""
        if not self._base.netloc:
            return url
        parts = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))


def is_loopback(host: str | None) -> bool:
    return host is not None and (host in ("localhost", "::1") or host.startswith("127."))

"""The SDK's transport, replaced: time-outs always set, one pooled session, no retries, no chatter in logs.

It keeps each answer as it came, because the SDK's objects drop the raw JSON, the headers and unknown fields.
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

POOL_SIZE = 16  # connections kept open per host; more than the threads of any of our processes
# Without it the campaign's two policy URLs are neither taken nor shown. Source: docs/twilio.md section 10.
CAMPAIGN_API_VERSION = "v1.2"

# urllib3 tells whole URLs, with names and numbers in the query; our own line for each call replaces that.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass
class Exchange:
    """One request and what came of it; its repr holds nothing private, since error reports show it.

    `url` is Twilio's own address, before any rewriting.
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


class Wire(HttpClient):
    """Shared by all threads of a process; `take()` hands each thread its own last exchange."""

    def __init__(self, *, base_url: str, connect_timeout: float, read_timeout: float) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), is_async=False)
        self.timeout = (connect_timeout, read_timeout)  # the parent's check knows single numbers only
        self._base = urlsplit(base_url)
        self._local = threading.local()
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE, max_retries=0)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        if is_loopback(self._base.hostname):
            self.session.trust_env = False  # a proxy cannot reach our own loopback address

    def take(self) -> Exchange | None:
        """This thread's exchange since the last take(), if a request was made at all."""
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
        """Called by the SDK. Never raises for an HTTP status; a failure is also noted in the exchange."""
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
            answer = self.session.send(
                prepared, timeout=timeout or self.timeout, allow_redirects=allow_redirects, **settings
            )
        except Exception as exc:
            exchange.failure = errors.from_exception(method, exc)
            raise
        exchange.status, exchange.headers, exchange.text = answer.status_code, answer.headers, answer.text
        return Response(answer.status_code, answer.text, answer.headers)

    def _address(self, url: str) -> str:
        """TWILIO_API_BASE_URL replaces scheme, host and port; path and query stay."""
        if not self._base.netloc:
            return url
        parts = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))


def is_loopback(host: str | None) -> bool:
    return host is not None and (host in ("localhost", "::1") or host.startswith("127."))

"""Credentials, the method that makes every call, and paging. The resource classes build on this."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from twilio.rest import Client  # type: ignore[import-untyped]

from . import errors
from .redaction import redact_text
from .transport import Exchange, Transport

logger = logging.getLogger("registrations.twilio.client")

PAGE_SIZE = 1000  # Twilio's maximum (docs/twilio.md section 8)
_PATH_PART = re.compile(r"[A-Za-z0-9._+-]*[A-Za-z0-9][A-Za-z0-9._+-]*")

Json = dict[str, Any]


def split_secrets(value: str) -> list[str]:
    """Comma-separated secrets, as used during a rotation; the first is the current one."""
    return [part.strip() for part in value.split(",") if part.strip()]


@dataclass(frozen=True)
class Config:
    """The settings a TwilioClient depends on; get_client() builds a new client when any of them changes."""

    account_sid: str = ""
    auth_token: str = field(default="", repr=False)
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    api_base_url: str = ""
    connect_timeout: float = 5.0  # seconds
    read_timeout: float = 20.0  # seconds

    @classmethod
    def from_settings(cls) -> Config:
        values: dict[str, Any] = {
            f.name: getattr(settings, f"TWILIO_{f.name.upper()}", f.default) for f in fields(cls)
        }
        return cls(**values)

    def credentials(self) -> tuple[str, str]:
        """User name and password for HTTP Basic. Raises Misconfigured if they are incomplete."""
        if self.api_key_sid or self.api_key_secret:
            pair, names = (self.api_key_sid, self.api_key_secret), "TWILIO_API_KEY_SID and _SECRET"
        else:
            token = next(iter(split_secrets(self.auth_token)), "")
            pair, names = (self.account_sid, token), "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
        if not all(pair) or not self.account_sid:
            raise errors.Misconfigured(f"No call was made: set TWILIO_ACCOUNT_SID; {names} must both be set.")
        return pair


def non_empty(**kwargs: Any) -> Json:
    """The arguments without None, "" and empty lists: Twilio uses its default for what is not sent."""
    return {key: value for key, value in kwargs.items() if value is not None and value not in ("", [], ())}


def path_part(value: str) -> str:
    """A SID (or event type, or number) for use in a URL.

    Raises ValueError for an empty or malformed one: an empty SID would turn an update into a create.
    """
    if not isinstance(value, str) or not _PATH_PART.fullmatch(value):
        raise ValueError("A SID that goes into a Twilio URL is empty or malformed.")
    return value


class BaseClient:
    def __init__(self, config: Config) -> None:
        self.config = config
        self._transport = Transport(
            base_url=config.api_base_url,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
        )

    @cached_property
    def _client(self) -> Any:
        base = urlsplit(self.config.api_base_url)
        if self.config.api_base_url and (
            base.scheme not in ("http", "https") or not base.netloc or base.path.strip("/") or base.query
        ):
            raise errors.Misconfigured("TWILIO_API_BASE_URL must be http(s)://host[:port] without a path.")
        user, password = self.config.credentials()
        # Keeps the SDK from reading TWILIO_EDGE and TWILIO_REGION from the process environment.
        return Client(
            user,
            password,
            account_sid=self.config.account_sid,
            http_client=self._transport,
            environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
        )

    def _send(self, call: Callable[[Any], object]) -> Json:
        """Make one call with the SDK and return Twilio's JSON object; {} for a DELETE. Raises TwilioError.

        The result comes from the recorded exchange, not from the SDK, which raises different classes for the same
        error and fails on fields it does not know. Errors are raised outside the except block and without the SDK's
        frames, so that no traceback or error report contains credentials, URLs or bodies.
        """
        client = self._client
        self._transport.take_exchange()
        problem: Exception | None = None
        try:
            call(client)
        except Exception as exc:
            problem = exc
        exchange = self._transport.take_exchange()
        if exchange is None:
            raise problem or RuntimeError("The SDK made no request.")
        del problem
        failure, body = _outcome(exchange)
        logger.info(
            "%s %s %s code=%s %d ms%s",
            exchange.method,
            redact_text(urlsplit(exchange.url).path),
            exchange.status or "-",
            (failure and failure.code) or "-",
            exchange.ms,
            f" {failure.kind}" if failure else "",
        )
        if failure:
            raise failure
        return body

    def _pages(self, first: Callable[[Any], object], host: str) -> Iterator[Json]:
        """All items of a list, fetched page by page as they are needed.

        `host` is the product's host. The next page's path comes from the response, but never its host, so that
        credentials go nowhere else.
        """
        page = self._send(first)
        seen: set[str] = set()
        while True:
            yield from _items(page)
            following = (page.get("meta") or {}).get("next_page_url") or page.get("next_page_uri")
            if not following:
                return
            parts = urlsplit(str(following))
            url = urlunsplit(("https", host, parts.path, parts.query, ""))
            if url in seen:
                raise errors.Unavailable("The list's pages repeat.")
            seen.add(url)
            page = self._send(lambda client, url=url: client.request("GET", url))  # type: ignore[misc]


def _outcome(exchange: Exchange) -> tuple[errors.TwilioError | None, Json]:
    if exchange.failure:
        return exchange.failure, {}
    status = exchange.status or 0
    if 200 <= status < 300:
        if exchange.method == "DELETE":
            return None, {}
        try:
            body = json.loads(exchange.text)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return None, body
    return errors.from_response(exchange.method, status, exchange.headers, exchange.text), {}


def _items(page: Json) -> list[Json]:
    key = (page.get("meta") or {}).get("key")
    rows = page.get(key) if key else next((value for value in page.values() if isinstance(value, list)), None)
    if not isinstance(rows, list):
        raise errors.Unavailable("The response contains no list.")
    return rows

"""Errors of a call to Twilio, grouped by what the caller must do next.

TwilioError
 ├─ Rejected        Twilio rejected the request: fix the data (or our code), never repeat it unchanged
 ├─ Unavailable     nothing was done: the same call can be repeated later
 ├─ Misconfigured   wrong credentials, permissions or addresses: stop and notify the operator
 ├─ OutcomeUnknown  a write that may have been carried out: check before repeating it
 └─ AlreadyDone     the desired state already exists: continue

Sources: docs/twilio.md section 1.3, 4.3, 6.4 and 8.1.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import math
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import requests
import urllib3.exceptions

from .redaction import redact_text

INVALID_OBJECT = (
    22205  # invalid object_sid: it does not exist, or is not visible yet in other parts of Trust Hub
)
MAX_RETRY_AFTER = 86_400.0  # seconds; a larger value must be a mistake and would overflow dates


class TwilioError(Exception):
    """Base of the five kinds. str() and repr() contain only `message`, which is redacted.

    status: HTTP status, None without a response. code: Twilio's error code or None.
    message: Twilio's text with email addresses and phone numbers masked. twilio_message: the original text,
    which may contain personal data. more_info: a URL or "". details: Twilio's dict or None; may contain personal
    data. retry_after: seconds or None. request_id: Twilio's id for support requests, or "".
    """

    kind: ClassVar[str] = "error"

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: int | None = None,
        more_info: str = "",
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        self.message = redact_text(message)
        self.twilio_message = message
        self.status = status
        self.code = code
        self.more_info = more_info
        self.details = details
        self.retry_after = retry_after
        self.request_id = request_id
        super().__init__(self.message)

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def may_be_propagating(self) -> bool:
        """A new object is not visible everywhere at once: a 404, or a bundle that does not know the object yet."""
        return self.not_found or self.code == INVALID_OBJECT

    def __str__(self) -> str:
        numbers = [f"HTTP {self.status}"] if self.status is not None else []
        if self.code is not None:
            numbers.append(f"code {self.code}")
        return ": ".join(part for part in (", ".join(numbers), self.message) if part) or self.kind

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, status={self.status}, code={self.code})"


class Rejected(TwilioError):
    kind = "rejected"


class Unavailable(TwilioError):
    kind = "unavailable"


class Misconfigured(TwilioError):
    kind = "misconfigured"


class OutcomeUnknown(TwilioError):
    kind = "outcome_unknown"


class AlreadyDone(TwilioError):
    kind = "already_done"


# Codes that determine the kind regardless of the HTTP status. For all others see kind_of().
KIND_OF_CODE: dict[int, type[TwilioError]] = {
    20003: Misconfigured,  # authentication failed
    20005: Misconfigured,  # account not active
    20006: Misconfigured,  # access denied
    20008: Misconfigured,  # test credentials cannot do this
    20010: Misconfigured,  # wrong account
    20403: Misconfigured,  # forbidden
    30759: Misconfigured,  # insufficient permissions
    20162: Unavailable,  # conflicting update in progress
    20409: Unavailable,  # conflict
    20412: Unavailable,  # precondition failed
    20429: Unavailable,  # too many requests
    21726: Unavailable,  # Starter brands temporarily disabled
    21730: Unavailable,  # maintenance
    22404: Unavailable,  # Starter profiles temporarily disabled
    21710: AlreadyDone,  # the number is in this messaging service
}
# Kind by HTTP status, where the code is not more specific.
KIND_OF_STATUS: dict[int, type[TwilioError]] = {
    401: Misconfigured,
    403: Misconfigured,
    407: Misconfigured,
    409: Unavailable,
    412: Unavailable,
    425: Unavailable,
    429: Unavailable,
}
# 216xx addresses and documents, 217xx messaging and A2P, 222xx Trust Hub: always about the data that was sent,
# even with a 403 or 409 (21712 arrives as a conflict, but waiting does not help).
VALIDATION_CODES = (*range(21600, 21800), *range(22200, 22300))


def kind_of(method: str, status: int, code: int | None) -> type[TwilioError]:
    """The kind of error for a response that is not 2xx; `method` is the HTTP method."""
    if status == 429:
        return Unavailable
    known = KIND_OF_CODE.get(code) if code is not None else None
    if known and (status < 500 or known is Unavailable):
        return known
    if status >= 500 or status < 400 or status == 408:
        return kind_without_response(method)
    if method == "DELETE" and status == 404:
        return AlreadyDone
    if code in VALIDATION_CODES:
        return Rejected
    return KIND_OF_STATUS.get(status, Rejected)


def kind_without_response(method: str) -> type[TwilioError]:
    """The kind of error when we do not know whether Twilio carried out the call; harmless for a read."""
    return Unavailable if method in ("GET", "HEAD") else OutcomeUnknown


def from_response(method: str, status: int, headers: Mapping[str, str], text: str) -> TwilioError:
    """The error for a response that is not the expected JSON object.

    Reads both of Twilio's formats: `code, message, more_info, details` and RFC 9457's
    `type, title, status, code, detail, errors`. With anything else, code is None.
    """
    common: dict[str, Any] = {
        "status": status,
        "retry_after": _retry_after(headers.get("Retry-After")),
        "request_id": headers.get("Twilio-Request-Id") or "",
    }
    if 200 <= status < 300:
        return kind_without_response(method)("The response could not be read.", **common)
    body = _json_object(text)
    code = _int(body.get("code"))
    if code == status:  # some bodies without a code of their own repeat the HTTP status
        code = None
    details = body.get("details")
    if not isinstance(details, dict):
        details = {"errors": body["errors"]} if body.get("errors") else None
    message = body.get("message") or body.get("detail") or body.get("title")
    return kind_of(method, status, code)(
        str(message or http.client.responses.get(status, "Unexpected response")),
        code=code,
        details=details,
        more_info=str(body.get("more_info") or body.get("type") or ""),
        **common,
    )


def from_exception(method: str, exc: BaseException, *, sent: bool = True) -> TwilioError:
    """The error for a call without a response; `sent` is False if the request could not even be built.

    Network exceptions contain the URL, and with it names and numbers, so only their type is included.
    """
    root = _root(exc)
    name = type(root).__name__
    if isinstance(root, ssl.SSLCertVerificationError):
        return Misconfigured(f"The server's TLS certificate is not trusted ({name}); nothing was sent.")
    if not sent or isinstance(exc, _UNUSABLE):
        return Misconfigured(f"The request could not be built from the settings ({name}); nothing was sent.")
    if isinstance(root, _NEVER_SENT) or _tunnel_refused(root):
        return Unavailable(f"Twilio could not be reached ({name}); nothing was sent.")
    return kind_without_response(method)(f"The connection was lost before a response arrived ({name}).")


_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationValueError,
)
# ProxyError is not listed: urllib3 also raises it when a proxied connection is lost after sending, so only the
# error inside it counts.
_NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ConnectionRefusedError,
    socket.gaierror,
)


def _tunnel_refused(root: BaseException) -> bool:
    """The proxy refused CONNECT; http.client has no exception class for that."""
    return type(root) is OSError and str(root).startswith("Tunnel connection failed")


def _root(exc: BaseException) -> BaseException:
    """The innermost exception: requests wraps urllib3, which wraps the socket's error."""
    for _ in range(8):  # a guard against cycles; never that deep
        inner = getattr(exc, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in reversed(exc.args) if isinstance(arg, BaseException)), None)
        if inner is None or isinstance(exc, _NEVER_SENT):
            return exc
        exc = inner
    return exc


def _json_object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _int(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def _retry_after(value: str | None) -> float | None:
    """Seconds, from either format of the header: a number or an HTTP date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if math.isfinite(seconds) else None

"""What can go wrong between us and Twilio, sorted by what the caller must do next.

TwilioError
 ├─ Rejected        Twilio's no: fix the data (or our code); never repeat it unchanged
 ├─ Unavailable     surely not done: the same call may be repeated later
 ├─ Misconfigured   credentials, permissions or addresses are wrong: stop and tell the operator
 ├─ OutcomeUnknown  a write that may have been done: look before doing it again
 └─ AlreadyDone     the wished state exists already: go on

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

INVALID_OBJECT = 22205  # invalid object_sid: it does not exist, or not yet for Trust Hub's other parts
MAX_RETRY_AFTER = 86_400.0  # seconds; a longer wish is surely a mistake and would overflow dates


class TwilioError(Exception):
    """Base of the five kinds; only `message` reaches str() and repr(), and it is redacted.

    status: HTTP status, None when there was no answer. code: Twilio's error code or None.
    message: Twilio's text without email addresses and phone numbers. twilio_message: the text as it came;
    it may hold personal data. more_info: a URL or "". details: Twilio's dict or None; may hold personal data.
    retry_after: seconds or None. request_id: Twilio's id for support questions, or "".
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
    def may_pass(self) -> bool:
        """What is young is not found everywhere at once: a 404, or an object that a bundle does not know yet."""
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


# Twilio's codes that decide by themselves, whatever the HTTP status. All others: see kind_of().
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
# Kind by HTTP status where the code says nothing more precise.
KIND_OF_STATUS: dict[int, type[TwilioError]] = {
    401: Misconfigured,
    403: Misconfigured,
    407: Misconfigured,
    409: Unavailable,
    412: Unavailable,
    425: Unavailable,
    429: Unavailable,
}
# 216xx addresses and documents, 217xx messaging and A2P, 222xx Trust Hub: always about the data sent,
# even under a 403 or 409 (21712 arrives as a conflict, but waiting does not cure it).
VALIDATION_CODES = (*range(21600, 21800), *range(22200, 22300))


def kind_of(method: str, status: int, code: int | None) -> type[TwilioError]:
    """The kind of a refusal; `method` is the HTTP verb, `status` is not 2xx."""
    if status == 429:
        return Unavailable
    known = KIND_OF_CODE.get(code) if code is not None else None
    if known and (status < 500 or known is Unavailable):
        return known
    if status >= 500 or status < 400 or status == 408:
        return unclear(method)
    if method == "DELETE" and status == 404:
        return AlreadyDone
    if code in VALIDATION_CODES:
        return Rejected
    return KIND_OF_STATUS.get(status, Rejected)


def unclear(method: str) -> type[TwilioError]:
    """Nobody knows what happened: harmless for a read, a reason to look first for a write."""
    return Unavailable if method in ("GET", "HEAD") else OutcomeUnknown


def from_answer(method: str, status: int, headers: Mapping[str, str], text: str) -> TwilioError:
    """The error in an answer that is not the JSON object we asked for.

    Reads both of Twilio's forms: `code, message, more_info, details` and RFC 9457's
    `type, title, status, code, detail, errors`; anything else leaves code None.
    """
    common: dict[str, Any] = {
        "status": status,
        "retry_after": _retry_after(headers.get("Retry-After")),
        "request_id": headers.get("Twilio-Request-Id") or "",
    }
    if 200 <= status < 300:
        return unclear(method)("The answer could not be read.", **common)
    body = _json_object(text)
    code = _int(body.get("code"))
    if code == status:  # some bodies repeat the HTTP status where they have no code of their own
        code = None
    details = body.get("details")
    if not isinstance(details, dict):
        details = {"errors": body["errors"]} if body.get("errors") else None
    message = body.get("message") or body.get("detail") or body.get("title")
    return kind_of(method, status, code)(
        str(message or http.client.responses.get(status, "Unexpected answer")),
        code=code,
        details=details,
        more_info=str(body.get("more_info") or body.get("type") or ""),
        **common,
    )


def from_exception(method: str, exc: BaseException, *, sent: bool = True) -> TwilioError:
    """The error in a call that got no answer; `sent` is False when the request could not even be built.

    Texts of network exceptions carry the URL, and with it names and numbers; only their type is told.
    """
    root = _root(exc)
    name = type(root).__name__
    if isinstance(root, ssl.SSLCertVerificationError):
        return Misconfigured(f"The server's TLS certificate was refused ({name}); nothing was sent.")
    if not sent or isinstance(exc, _UNUSABLE):
        return Misconfigured(f"The request could not be built from the settings ({name}); nothing was sent.")
    if isinstance(root, _NEVER_SENT) or _tunnel_refused(root):
        return Unavailable(f"Twilio could not be reached ({name}); nothing was sent.")
    return unclear(method)(f"The connection broke before an answer came ({name}).")


_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationValueError,
)
# No ProxyError here: urllib3 raises it also for a connection that a proxy took and that broke after sending,
# so only the error inside it counts.
_NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ConnectionRefusedError,
    socket.gaierror,
)


def _tunnel_refused(root: BaseException) -> bool:
    """The proxy said no to CONNECT; http.client has no class of its own for that."""
    return type(root) is OSError and str(root).startswith("Tunnel connection failed")


def _root(exc: BaseException) -> BaseException:
    """requests wraps urllib3, which wraps the socket's error: the innermost says what happened."""
    for _ in range(8):  # never that deep; a cycle must not hang us
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
    """Seconds from either form of the header, a number or an HTTP date."""
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

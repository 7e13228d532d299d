"""Between the HTTP server and the handlers: calls, replies, errors, routes, parameters, paging."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

PAGE_PARAMS = ("PageSize", "Page", "PageToken")


class ApiError(Exception):
    """An error response of Twilio: HTTP ``status``, Twilio ``code`` and ``message``."""

    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }

    def rfc9457(self) -> dict[str, Any]:
        return {
            "type": f"https://www.twilio.com/docs/api/errors/{self.code}",
            "title": self.message,
            "status": self.status,
            "code": self.code,
        }


def not_found(path: str) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def bad_parameter(message: str) -> ApiError:
    return ApiError(400, 20001, message)


@dataclass
class Call:
    """One API request. ``params`` come from the query string of a GET or the form body of a POST."""

    method: str
    path: str
    params: dict[str, list[str]] = field(default_factory=dict)
    version: str = ""
    args: dict[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.params

    def text(self, name: str, default: str | None = None) -> str | None:
        return self.params[name][-1] if self.params.get(name) else default

    def need(self, name: str) -> str:
        return self.params[name][-1]

    def many(self, name: str) -> list[str]:
        return list(self.params.get(name, []))

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None or value == "":
            return None
        if value.lower() not in ("true", "false"):
            raise bad_parameter(f"Invalid value for parameter {name}: expected true or false")
        return value.lower() == "true"

    def json_object(self, name: str, code: int) -> dict[str, Any]:
        try:
            value = json.loads(self.text(name) or "{}")
        except ValueError as error:
            raise ApiError(400, code, f"Unable to parse {name} as JSON") from error
        if not isinstance(value, dict):
            raise ApiError(400, code, f"Unable to parse {name}: a JSON object is expected")
        return value


@dataclass
class Reply:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Any, Call], Reply]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    allowed: frozenset[str]
    required: tuple[str, ...]
    missing_code: int
    rate_limit: str


ROUTES: list[Route] = []
TIMERS: dict[str, Callable[..., None]] = {}


def route(
    method: str,
    template: str,
    *,
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    listing: bool = False,
    missing_code: int = 20001,
    rate_limit: str = "",
) -> Callable[[Handler], Handler]:
    """Register a handler. ``{Name:BU}`` in the template matches a SID with that prefix, ``{Name}`` one segment.

    As at Twilio, other parameters than the required and optional ones are rejected with 20001.
    ``rate_limit`` is a key of ``limits.RATE_LIMITS`` or empty.
    """

    def group(match: re.Match[str]) -> str:
        name, prefix = match.groups()
        return f"(?P<{name}>{prefix}[0-9a-fA-F]{{32}})" if prefix else f"(?P<{name}>[^/]+)"

    regex = re.sub(r"\{(\w+)(?::(\w\w))?\}", group, template.replace(".json", r"\.json"))
    allowed = frozenset([*required, *optional, *(PAGE_PARAMS if listing else ())])

    def register(handler: Handler) -> Handler:
        pattern = re.compile(f"^{regex}$")
        ROUTES.append(Route(method, pattern, handler, allowed, tuple(required), missing_code, rate_limit))
        return handler

    return register


def timer(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the handler of a timer: ``handler(world, key, round)``."""

    def register(handler: Callable[..., None]) -> Callable[..., None]:
        TIMERS[name] = handler
        return handler

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a request. Raises 404/20404 for an unknown path, 405/20004 for an unknown method."""
    path_exists = False
    for candidate in ROUTES:
        match = candidate.pattern.match(path)
        if match:
            if candidate.method == method:
                return candidate, match.groupdict()
            path_exists = True
    if path_exists:
        raise ApiError(405, 20004, "Method not allowed")
    raise not_found(path)


def check_params(matched: Route, call: Call) -> None:
    for name in call.params:
        if name not in matched.allowed:
            raise bad_parameter(f"Unknown parameter {name}")
    for name in matched.required:
        if not any(value != "" for value in call.params.get(name, [])):
            where = "post body" if call.method == "POST" else "query string"
            raise ApiError(400, matched.missing_code, f"Missing required parameter {name} in the {where}")


def check_account(world: Any, call: Call) -> None:
    """Raises 404/20404 if the path names another account than the sandbox's."""
    if call.args["AccountSid"] != world.config.account_sid:
        raise not_found(call.path)


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise bad_parameter(f"Invalid value for parameter {name}: {value}")
    return value


def looks_like(prefix: str, value: str) -> bool:
    return bool(re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value))


# -- paging ------------------------------------------------------------------------------------------------


def _window(call: Call, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int, int, int]:
    """(rows, page, size, start). A PageToken continues after a given object, so inserts do not shift pages."""
    try:
        size = int(call.text("PageSize") or 50)
        page = int(call.text("Page") or 0)
    except ValueError as error:
        raise bad_parameter("Page and PageSize must be numbers") from error
    if size > 1000:
        raise ApiError(400, 20007, "Page size too large. Must be less than or equal to 1000")
    if size < 1 or page < 0:
        raise bad_parameter("Page and PageSize must not be negative")
    start = page * size
    token = call.text("PageToken")
    if token:
        keys = [item["_key"] for item in items]
        if token[2:] not in keys:
            raise bad_parameter("Invalid PageToken")
        start = keys.index(token[2:]) + 1
    return items[start : start + size], page, size, start


def _query(call: Call, page: int, size: int, token: str = "") -> str:
    filters = [(k, v) for k, vs in call.params.items() if k not in PAGE_PARAMS for v in vs]
    extra = [("PageSize", size), ("Page", page), *([("PageToken", token)] if token else [])]
    return urlencode([*filters, *extra])


def page_v1(
    call: Call, host: str, key: str, items: list[dict[str, Any]], render: Callable[[Any], Any]
) -> Reply:
    """A list reply of the v1 APIs. ``items`` are newest first. URLs are absolute, with Twilio's hosts."""
    rows, page, size, start = _window(call, items)
    base = f"https://{host}.twilio.com{call.path}?"
    more = start + size < len(items)
    following = base + _query(call, page + 1, size, "PA" + rows[-1]["_key"]) if more and rows else None
    meta = {
        "page": page,
        "page_size": size,
        "first_page_url": base + _query(call, 0, size),
        "previous_page_url": base + _query(call, page - 1, size) if page else None,
        "url": base + _query(call, page, size, call.text("PageToken") or ""),
        "next_page_url": following,
        "key": key,
    }
    return Reply(200, {key: [render(row) for row in rows], "meta": meta})


def page_2010(call: Call, key: str, items: list[dict[str, Any]], render: Callable[[Any], Any]) -> Reply:
    """A list reply of the 2010-04-01 API: flat, with relative URIs."""
    rows, page, size, start = _window(call, items)
    base = f"{call.path}?"
    more = start + size < len(items)
    body = {
        key: [render(row) for row in rows],
        "page": page,
        "page_size": size,
        "start": start,
        "end": max(start + len(rows) - 1, 0),
        "uri": base + _query(call, page, size),
        "first_page_uri": base + _query(call, 0, size),
        "previous_page_uri": base + _query(call, page - 1, size) if page else None,
        "next_page_uri": (
            base + _query(call, page + 1, size, "PA" + rows[-1]["_key"]) if more and rows else None
        ),
    }
    return Reply(200, body)

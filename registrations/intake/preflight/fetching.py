"""Opens a customer's page the way a reviewer would. The address comes from outside: see core/safe_http.py."""

from dataclasses import dataclass
from typing import Literal

from registrations.core import safe_http

MAX_BYTES = 512 * 1024
MAX_REDIRECTS = 4
SECONDS = 10.0  # for one page, redirects included
_HEADERS = {"User-Agent": "A2P registration desk", "Accept": "text/html", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Page:
    """What came back. problem: why there is no page; status is 0 then. text: decoded leniently, cut at MAX_BYTES.

    content_type: "" if the server names none.
    """

    url: str
    status: int = 0
    text: str = ""
    problem: Literal[""] | safe_http.Problem = ""
    content_type: str = ""


def fetch(
    url: str,
    *,
    resolve: safe_http.Resolve = safe_http.resolve,
    connect: safe_http.Connect = safe_http.connect,
    seconds: float = SECONDS,
) -> Page:
    """The page at an https address. Never raises for what the other side does."""
    try:
        response = safe_http.get(
            url,
            seconds=seconds,
            max_bytes=MAX_BYTES,
            max_redirects=MAX_REDIRECTS,
            headers=_HEADERS,
            resolve=resolve,
            connect=connect,
        )
    except safe_http.RequestFailed as error:
        return Page(url, problem=error.problem)
    text = response.body.decode("utf-8", "replace")
    return Page(response.url, response.status, text, content_type=response.content_type[:80])

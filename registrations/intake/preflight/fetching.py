"""Fetching a customer's page without being led astray: the address comes from outside and may point inwards.

Only https on port 443, no credentials, cookies or proxies. Each host is resolved once, every one of its addresses
must be public, and the connection goes to the address that was judged. Redirects are judged anew. Size and time
are capped.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin, urlsplit

MAX_BYTES = 512 * 1024
MAX_REDIRECTS = 4
SECONDS = 10.0  # for one page, redirects included
_HTTPS = 443
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Public by number, yet they can carry any IPv4 address inside: 6to4, Teredo, NAT64.
_CARRIERS = tuple(ipaddress.ip_network(net) for net in ("2002::/16", "2001::/32", "64:ff9b::/96"))

Trouble = Literal["", "address", "insecure", "unknown", "private", "tls", "redirects", "slow", "broken"]
Resolve = Callable[[str], list[str]]
Connect = Callable[[str, str, float], socket.socket]


@dataclass(frozen=True)
class Page:
    """What came back. trouble: why nothing did. status: 0 then. text: at most MAX_BYTES, decoded leniently.

    kind: its content type, "" when the server names none."""

    url: str
    status: int = 0
    text: str = ""
    trouble: Trouble = ""
    kind: str = ""


class _Stop(Exception):
    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open internet; what cannot be read is not.

    >>> is_public("1.1.1.1"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("fd00::1")
    (True, False, False, False)
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _CARRIERS):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def resolve(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, _HTTPS, type=socket.SOCK_STREAM)]


def connect(address: str, host: str, seconds: float) -> socket.socket:
    """A TLS connection to this very address, whose certificate must be the host's."""
    raw = socket.create_connection((address, _HTTPS), timeout=seconds)
    try:
        return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise


def fetch(
    url: str, *, resolve: Resolve = resolve, connect: Connect = connect, seconds: float = SECONDS
) -> Page:
    """The page at an https address, after at most MAX_REDIRECTS. Never raises for what the other side does."""
    ends = time.monotonic() + seconds
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer, following = _one(url, resolve, connect, ends)
            if not following:
                return answer
            url = urljoin(url, following)
        raise _Stop("redirects")
    except _Stop as stop:
        return Page(url, trouble=stop.trouble)
    except ssl.SSLError:
        return Page(url, trouble="tls")
    except (TimeoutError, OSError, http.client.HTTPException, ValueError):
        return Page(url, trouble="slow" if time.monotonic() >= ends else "broken")


def _target(url: str) -> tuple[str, str]:
    """(host, path with query) of an address that may be asked; raises _Stop."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").rstrip(".")
    except (ValueError, UnicodeError) as error:
        raise _Stop("address") from error
    if parts.scheme != "https":
        raise _Stop("insecure" if parts.scheme == "http" else "address")
    if not host or parts.username is not None or parts.password is not None or port not in (None, _HTTPS):
        raise _Stop("address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, "".join(c if "!" <= c <= "~" else _quoted(c) for c in path)


def _quoted(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))


def _one(url: str, resolve: Resolve, connect: Connect, ends: float) -> tuple[Page, str]:
    """One request: the page, and where it leads on ("" at the end)."""
    host, path = _target(url)
    try:
        addresses = resolve(host)
    except (OSError, UnicodeError) as error:
        raise _Stop("unknown") from error
    if not addresses:
        raise _Stop("unknown")
    if not all(map(is_public, addresses)):
        raise _Stop("private")
    left = ends - time.monotonic()
    if left <= 0:
        raise _Stop("slow")
    wire = connect(addresses[0], host, left)
    # A server that drips single bytes never runs into the socket's own time-out.
    guard = threading.Timer(max(0.0, ends - time.monotonic()), _cut, [wire])
    guard.daemon = True
    guard.start()
    try:
        connection = http.client.HTTPConnection(host)
        connection.sock = wire
        headers = {
            "User-Agent": "A2P registration desk",
            "Accept": "text/html",
            "Accept-Encoding": "identity",
        }
        connection.request("GET", path, headers={**headers, "Connection": "close"})
        answer = connection.getresponse()
        following = answer.getheader("Location") or "" if answer.status in _REDIRECTS else ""
        body = b"" if following else answer.read(MAX_BYTES)
        kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()[:80]
        return Page(url, answer.status, body.decode("utf-8", "replace"), kind=kind), following
    finally:
        guard.cancel()
        wire.close()


def _cut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)

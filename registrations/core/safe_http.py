"""One HTTP client for addresses that people typed in. It can neither be led into our own network nor be kept waiting.

HTTPS on port 443 only; no credentials, cookies or proxies. A host is resolved once, every one of its addresses must
be public, and the connection goes to an address that was checked, so DNS rebinding gains nothing. Total time and
response size are limited. Only `get` follows redirects, and it checks each one like the first address.
Why this is our own code: docs/dependencies.md, "Not taken".
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

Problem = Literal["address", "insecure", "unknown", "private", "tls", "redirects", "slow", "broken"]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"https": 443, "http": 80}
_PRINTABLE = "".join(map(chr, range(ord("!"), ord("~") + 1)))
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Global according to `ipaddress`, at least in some of the Python versions we support.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2002::/16",  # 6to4: holds any IPv4 address
        "2001::/32",  # Teredo: holds any IPv4 address
        "64:ff9b:1::/48",  # NAT64 with a local prefix
        "192.88.99.0/24",  # 6to4 relays
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "168.63.129.16/32",  # Azure's own services inside each virtual network
    )
)


class RequestFailed(Exception):
    """There is no response. str() is a few words that reveal nothing about the address or the content."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message)
        self.problem: Problem = problem


@dataclass(frozen=True)
class Target:
    """A checked URL. host: in ASCII, without brackets. path: with the query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Response:
    """url: the last one after redirects. body: at most `max_bytes`. content_type: lower case, without parameters."""

    url: str
    status: int
    body: bytes
    content_type: str
    location: str


Resolve = Callable[[str], list[str]]
Connect = Callable[[str, Target, float], socket.socket]


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet. IPv4 inside IPv6 (mapped, NAT64) is judged as IPv4.

    >>> is_public("1.1.1.1"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("fd00::1")
    (True, False, False, False)
    """
    try:
        ip: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.is_site_local:
            return False
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
        and not any(ip in network for network in _NOT_PUBLIC)
    )


def parse(url: str, *, allow_private: bool = False) -> Target:
    """The parts of a URL that may be called. Raises RequestFailed; makes no DNS query.

    allow_private: also http, other ports and private addresses, for an installation that wants them.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").rstrip(".")
    except (ValueError, UnicodeError):
        raise RequestFailed("address", "not a valid address") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise RequestFailed("insecure" if parts.scheme == "http" else "address", "not an https address")
    if not host or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise RequestFailed("address", "not a valid address")
    if "@" in parts.netloc:
        raise RequestFailed("address", "the address contains a user name")
    if not allow_private:
        if port not in (None, 443):
            raise RequestFailed("address", "only port 443 is allowed")
        if _is_ip(host) and not is_public(host):
            raise RequestFailed("private", "the address is not public")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        parts.scheme, host, port or _PORTS[parts.scheme], quote(path, safe=_PRINTABLE, errors="replace")
    )


def _is_ip(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def resolve(host: str) -> list[str]:
    """Every IP address of a host. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def connect(address: str, target: Target, seconds: float) -> socket.socket:
    """A connection to exactly this address; over TLS, the certificate must be valid for the target's host."""
    sock = socket.create_connection((address, target.port), seconds)
    if target.scheme == "http":
        return sock
    try:
        return ssl.create_default_context().wrap_socket(sock, server_hostname=target.host)
    except BaseException:
        sock.close()
        raise


def get(
    url: str,
    *,
    seconds: float,
    max_bytes: int,
    max_redirects: int,
    headers: Mapping[str, str],
    resolve: Resolve = resolve,
    connect: Connect = connect,
) -> Response:
    """GET a page, redirects included, in at most `seconds`. Raises RequestFailed."""
    deadline = time.monotonic() + seconds
    for _ in range(max_redirects + 1):
        url = url.strip().replace(" ", "%20")  # common in redirects
        target = parse(url)
        address = _address(target, resolve)
        response = _send("GET", url, target, address, deadline, max_bytes, headers, connect=connect)
        if not response.location:
            return response
        url = urljoin(url, response.location)
    raise RequestFailed("redirects", "too many redirects")


def post(
    url: str,
    body: bytes,
    *,
    seconds: float,
    max_bytes: int,
    headers: Mapping[str, str],
    allow_private: bool = False,
) -> Response:
    """POST once, without following redirects, in at most `seconds`. Raises RequestFailed."""
    deadline = time.monotonic() + seconds
    target = parse(url, allow_private=allow_private)
    address = _address(target, resolve, allow_private)
    return _send("POST", url, target, address, deadline, max_bytes, headers, body, connect)


def _address(target: Target, resolve: Resolve, allow_private: bool = False) -> str:
    """The IP address to connect to. All addresses of the host must be public, unless private ones are allowed."""
    try:
        addresses = resolve(target.host)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise RequestFailed("unknown", "the host name has no address")
    if not allow_private and not all(map(is_public, addresses)):
        raise RequestFailed("private", "the address is not public")
    return addresses[0]


def _send(
    method: str,
    url: str,
    target: Target,
    address: str,
    deadline: float,
    max_bytes: int,
    headers: Mapping[str, str],
    body: bytes | None = None,
    connect: Connect = connect,
) -> Response:
    try:
        if (left := deadline - time.monotonic()) <= 0:
            raise TimeoutError
        sock = connect(address, target, left)
        # The socket's own timeout starts over with every byte, so it does not stop a server that drips.
        guard = threading.Timer(max(0.0, deadline - time.monotonic()), _shut_down, [sock])
        guard.daemon = True
        guard.start()
        try:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.default_port = _PORTS[target.scheme]  # keeps the port out of the Host header
            connection.sock = sock
            connection.request(method, target.path, body, {"Connection": "close", **headers})
            answer = connection.getresponse()
            location = answer.getheader("Location") or "" if answer.status in _REDIRECTS else ""
            content = b"" if location else answer.read(max_bytes)
            if time.monotonic() >= deadline:
                raise TimeoutError
        finally:
            guard.cancel()
            sock.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        problem: Problem = "slow" if time.monotonic() >= deadline else "broken"
        if isinstance(error, ssl.SSLError):
            problem = "tls"
        raise RequestFailed(problem, f"no connection ({type(error).__name__})") from None
    content_type = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    return Response(url, answer.status, content, content_type, location)


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)

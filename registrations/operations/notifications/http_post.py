"""POST to an address that a person typed in, without letting it reach into our own network.

https alone; the name is resolved once, every address it has must be public, and the connection goes to an
address that was checked, so that a name which changes its mind in between gains nothing. Redirects are not
followed and proxies are not used. Time and size are bounded.
"""

import http.client
import ipaddress
import json
import socket
import ssl
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

TIMEOUT_SECONDS = 5.0
ANSWER_BYTES = 1024
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NotPosted(Exception):
    """Why, in a few words that give nothing of the address or the message away."""


def check_url(url: str) -> SplitResult:
    """The address in its parts; raises NotPosted for one that must not be called. Asks no name server."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotPosted("not a valid address") from None
    schemes = ("https", "http") if settings.A2P_NOTIFY_PRIVATE_ADDRESSES else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise NotPosted("not an https address")
    if parts.username or parts.password:
        raise NotPosted("the address holds a user name")
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise NotPosted("not a valid address")
    if not settings.A2P_NOTIFY_PRIVATE_ADDRESSES:
        if port not in (None, 443):
            raise NotPosted("only port 443 is allowed")
        try:
            literal = ipaddress.ip_address(parts.hostname)
        except ValueError:
            return parts
        _must_be_public(literal)
    return parts


def post_json(url: str, body: dict[str, Any]) -> None:
    """POST once; raises NotPosted unless the answer is 2xx. Blocks for a few seconds at most."""
    parts = check_url(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    data = json.dumps(body).encode()
    try:
        connection = _Pinned(host, port, _resolve(host, port), secure)
        try:
            connection.request("POST", path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise NotPosted(f"no connection ({type(error).__name__})") from None
    if not 200 <= answer.status < 300:
        raise NotPosted(f"HTTP {answer.status}")


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked; the certificate must fit the name."""

    def __init__(self, host: str, port: int, address: str, secure: bool):
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address, self._secure = address, secure
        if secure:
            self.default_port = 443  # or the Host header would name the port

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def _resolve(host: str, port: int) -> str:
    """An address of the host, after all of them were found to be public. Raises OSError, NotPosted."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.A2P_NOTIFY_PRIVATE_ADDRESSES:
        for address in addresses:
            _must_be_public(ipaddress.ip_address(address.partition("%")[0]))
    if not addresses:
        raise NotPosted("the name has no address")
    return addresses[0]


def _must_be_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    meant = [address]
    if isinstance(address, ipaddress.IPv6Address):
        # An IPv4 address in disguise is judged as what it is.
        if address.ipv4_mapped:
            meant = [address.ipv4_mapped]
        elif address in _NAT64:
            meant = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
        elif inner := address.sixtofour or (address.teredo and address.teredo[1]):
            meant.append(inner)
    if any(not one.is_global or one.is_multicast for one in meant):
        raise NotPosted("the address is not a public one")

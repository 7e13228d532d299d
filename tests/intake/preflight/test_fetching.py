"""A customer's address must neither lead into our own network nor keep us waiting."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from registrations.core.safe_http import Target, connect
from registrations.intake.preflight.fetching import MAX_BYTES, MAX_REDIRECTS, fetch


class Server:
    """Answers each connection with the next of `answers`; a callable gets the socket."""

    def __init__(self) -> None:
        self.answers: list = []
        self.requests: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def connect(self, address: str, target: Target, seconds: float) -> socket.socket:
        assert address == "1.1.1.1"
        return socket.create_connection(self.socket.getsockname(), timeout=seconds)

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            with wire:
                self.requests.append(wire.recv(65536))
                answer = self.answers.pop(0)
                answer(wire) if callable(answer) else wire.sendall(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.socket.close()


def page(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def to(url: str) -> bytes:
    return page(b"", "302 Found", f"Location: {url}")


def public(host: str) -> list[str]:
    return ["1.1.1.1"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(server):
    found = fetch(
        "https://annlee.example.com/", resolve=lambda host: ["1.1.1.1", "10.0.0.1"], connect=server.connect
    )
    assert found.problem == "private"
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://annlee.example.com/", "insecure"),
        ("ftp://annlee.example.com/", "address"),
        ("file:///etc/passwd", "address"),
        ("https://annlee.example.com:8443/", "address"),
        ("https://user:word@annlee.example.com/", "address"),
        ("https:///nowhere", "address"),
        ("https://annlee.example.com:99999/", "address"),
    ],
)
def test_addresses_of_the_wrong_kind(server, url, problem):
    assert fetch(url, resolve=public, connect=server.connect).problem == problem
    assert server.requests == []


def test_a_page_comes_without_cookies_or_credentials(server):
    server.answers = [page("Prívacy".encode(), "200 OK", "Set-Cookie: a=b")] * 2
    found = fetch("https://annlee.example.com/prívacy?a=b#c", resolve=public, connect=server.connect)
    assert (found.status, found.text, found.problem) == (200, "Prívacy", "")
    assert server.requests[0].startswith(b"GET /pr%C3%ADvacy?a=b HTTP/1.1\r\nHost: annlee.example.com\r\n")
    fetch("https://annlee.example.com/", resolve=public, connect=server.connect)
    assert not any(word in request for request in server.requests for word in (b"Cookie", b"Authorization"))


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("https://private.example.com/", "private"),
        ("http://annlee.example.com/", "insecure"),
        ("file:///etc/passwd", "address"),
        ("//169.254.169.254/latest/meta-data", "private"),
    ],
)
def test_each_redirect_is_checked_again(server, location, problem):
    server.answers = [to(location)]

    def resolve(host: str) -> list[str]:
        return {"annlee.example.com": ["1.1.1.1"], "private.example.com": ["127.0.0.1"]}.get(host, [host])

    assert fetch("https://annlee.example.com/", resolve=resolve, connect=server.connect).problem == problem
    assert len(server.requests) == 1


def test_the_name_is_resolved_once_and_the_checked_address_is_called(server):
    """A name that changes its address between the look-up and the call makes no difference."""
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    server.answers = [page(b"ok")]
    assert (
        fetch("https://a.example.com/", resolve=lambda host: next(answers), connect=server.connect).text
        == "ok"
    )


def test_too_many_redirects(server):
    server.answers = [to("/again")] * (MAX_REDIRECTS + 1)
    assert fetch("https://a.example.com/", resolve=public, connect=server.connect).problem == "redirects"
    assert len(server.requests) == MAX_REDIRECTS + 1


def test_a_large_page_is_cut(server):
    server.answers = [page(b"x" * (MAX_BYTES + 100_000))]
    assert len(fetch("https://a.example.com/", resolve=public, connect=server.connect).text) == MAX_BYTES


def test_a_server_that_drips_is_cut_off(server):
    over = threading.Event()

    def drip(wire: socket.socket) -> None:
        try:
            while not over.wait(0.02):
                wire.sendall(b"H")
        except OSError:
            pass

    server.answers = [drip]
    # That it comes back at all is the proof: the server never ends by itself.
    found = fetch("https://a.example.com/", resolve=public, connect=server.connect, seconds=0.3)
    over.set()
    assert found.problem in ("slow", "broken")


def test_a_page_that_drips_is_slow(server):
    over = threading.Event()

    def drip(wire: socket.socket) -> None:
        try:
            wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.02):
                wire.sendall(b"x")
        except OSError:
            pass

    server.answers = [drip]
    found = fetch("https://a.example.com/", resolve=public, connect=server.connect, seconds=0.3)
    over.set()
    assert (found.problem, found.text) == ("slow", "")


def test_problems_are_returned_and_not_raised(server):
    def nobody(host: str) -> list[str]:
        raise socket.gaierror("unknown")

    def refusing(address: str, target: Target, seconds: float) -> socket.socket:
        raise ssl.SSLCertVerificationError("self-signed")

    assert fetch("https://a.example.com/", resolve=nobody, connect=server.connect).problem == "unknown"
    assert fetch("https://a.example.com/", resolve=public, connect=refusing).problem == "tls"
    server.answers = [b"not http at all\r\n\r\n"]
    assert fetch("https://a.example.com/", resolve=public, connect=server.connect).problem == "broken"


def test_the_certificate_must_be_valid_for_the_host(server):
    """The real connect speaks TLS with the host's name; a server without it is refused."""
    server.answers = [b"plain words\r\n"]
    port = server.socket.getsockname()[1]
    with pytest.raises(ssl.SSLError):
        connect("127.0.0.1", Target("https", "annlee.example.com", port, "/"), 2.0)

"""A person types a webhook's address: it must not lead into our own network."""

import contextlib
import socket
import threading

import pytest

from registrations.operations.notifications import http_post

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "https:///x",
        "https://hooks.example.com:8443/x",
        "https://hooks.example.com:99999/x",
        "https://user:password@hooks.example.com/x",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[fd00::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://224.0.0.1/x",
        "https://0.0.0.0/x",
    ],
)
def test_a_forbidden_address_is_refused_without_a_dns_query(url, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("made a DNS query"))
    with pytest.raises(http_post.NotPosted) as refused:
        http_post.post_json(url, {})
    assert "hooks" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://hooks.slack.com/services/T0/B0/x", "https://example.com:443"])
def test_a_public_https_address_is_accepted(url):
    assert http_post.check_url(url).host


def names(*addresses):
    return lambda *args, **kwargs: [(2, 1, 6, "", (address, 443)) for address in addresses]


@pytest.mark.parametrize("addresses", [("127.0.0.1",), (PUBLIC, "10.0.0.1"), ("fe80::1%eth0",), ()])
def test_every_address_of_a_name_must_be_public(monkeypatch, addresses):
    monkeypatch.setattr(socket, "getaddrinfo", names(*addresses))
    monkeypatch.setattr(socket, "create_connection", lambda *args: pytest.fail("connected"))
    with pytest.raises(http_post.NotPosted):
        http_post.post_json("https://hooks.example.com/x", {})


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name whose address changes between the check and the connection makes no difference."""
    asked, connected = [], []

    def resolve(*args, **kwargs):
        asked.append(args[0])
        return names(PUBLIC if len(asked) == 1 else "127.0.0.1")()

    def connect(address, timeout):
        connected.append((address, timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(http_post.NotPosted) as refused:
        http_post.post_json("https://hooks.example.com/x", {})
    assert asked == ["hooks.example.com"]
    [(address, timeout)] = connected
    assert address == (PUBLIC, 443)
    assert timeout == pytest.approx(http_post.TIMEOUT_SECONDS, abs=1)
    assert timeout <= http_post.TIMEOUT_SECONDS
    assert str(refused.value) == "no connection (ConnectionRefusedError)"


def test_it_posts_json_to_path_and_query(hook):
    http_post.post_json(hook.url, {"text": "Grüße"})
    assert hook.got == [("/hook?secret=1", {"text": "Grüße"})]


def test_a_redirect_is_not_followed(hook):
    hook.answers = [(302, {"Location": "/elsewhere"})]
    with pytest.raises(http_post.NotPosted, match="HTTP 302"):
        http_post.post_json(hook.url, {"text": "x"})
    assert len(hook.got) == 1


def test_a_closed_port_is_not_posted(settings):
    settings.A2P_NOTIFY_PRIVATE_ADDRESSES = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(http_post.NotPosted, match="no connection"):
        http_post.post_json(f"http://127.0.0.1:{port}/", {})


def test_a_server_that_drips_is_cut_off(settings, monkeypatch):
    settings.A2P_NOTIFY_PRIVATE_ADDRESSES = True
    monkeypatch.setattr(http_post, "TIMEOUT_SECONDS", 0.3)
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        wire, _ = server.accept()
        with wire, contextlib.suppress(OSError):
            while not over.wait(0.02):
                wire.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        # The server never ends by itself.
        with pytest.raises(http_post.NotPosted, match="no connection"):
            http_post.post_json(f"http://127.0.0.1:{server.getsockname()[1]}/", {})
        over.set()
        thread.join()

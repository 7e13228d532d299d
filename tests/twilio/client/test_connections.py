"""Connection failures: what certainly was not sent can be repeated; anything else has an unknown outcome."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
import urllib3

from registrations.twilio.client import TwilioClient, errors
from registrations.twilio.client.errors import Misconfigured, OutcomeUnknown, Unavailable
from tests.twilio.client.calls import BN, MG
from tests.twilio.client.provoking import provoke
from tests.twilio.client.server import ScriptedServer

Make = Callable[..., TwilioClient]


@pytest.mark.parametrize("fault", ["close", "reset", "garbage", "truncated", "chunk"])
def test_a_connection_lost_after_sending(fault: str, twilio: TwilioClient, server: ScriptedServer) -> None:
    for call, kind in (
        (lambda: twilio.fetch_brand(BN), Unavailable),
        (lambda: list(twilio.iter_brands()), Unavailable),
        (lambda: twilio.update_brand(BN), OutcomeUnknown),
        (lambda: twilio.delete_service(MG), OutcomeUnknown),
    ):
        server.reply(201, {"sid": "x"}, fault=fault)
        error = provoke(call)
        assert type(error) is kind
        assert (error.status, error.code) == (None, None)
    assert len(server.asked) == 4


def test_bad_compression_after_sending(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(201, b"not gzip", Content_Encoding="gzip")
    assert type(provoke(lambda: twilio.update_brand(BN))) is OutcomeUnknown


@pytest.mark.parametrize("fault", ["hang", "hang_in_body"])
def test_no_answer_in_time(fault: str, client_for: Make, server: ScriptedServer) -> None:
    twilio = client_for(server.url, read_timeout=0.15)
    server.reply(200, {}, fault=fault)
    assert type(provoke(lambda: twilio.fetch_brand(BN))) is Unavailable
    server.reply(201, {}, fault=fault)
    assert type(provoke(lambda: twilio.update_brand(BN))) is OutcomeUnknown


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def nothing_was_sent(twilio: TwilioClient) -> None:
    for call in (
        lambda: twilio.fetch_brand(BN),
        lambda: twilio.update_brand(BN),
        lambda: twilio.delete_service(MG),
    ):
        error = provoke(call)
        assert type(error) is Unavailable
        assert "nothing was sent" in error.message


def test_connection_refused(closed_port: str, client_for: Make) -> None:
    nothing_was_sent(client_for(closed_port))


def test_unknown_host(client_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", no_such_host)
    nothing_was_sent(client_for("http://nowhere.test"))


def test_connect_timeout(client_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(*args: object, **kwargs: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.connection.connection.create_connection", too_slow)
    nothing_was_sent(client_for("http://127.0.0.1:1"))


def test_dead_proxy(closed_port: str, client_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port)
    monkeypatch.setenv("HTTPS_PROXY", closed_port)
    nothing_was_sent(client_for("http://stand-in.test"))
    nothing_was_sent(client_for(""))


@pytest.mark.parametrize("fault", ["close", "reset", "garbage", "truncated"])
def test_connection_lost_after_a_proxy_accepted_the_request(
    fault: str, client_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.reply(201, {"sid": "x"}, fault=fault)
    assert type(provoke(lambda: client_for("http://stand-in.test").update_brand(BN))) is OutcomeUnknown
    assert len(server.asked) == 1


def test_proxy_that_refuses_the_tunnel(
    client_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.otherwise.status = 403
    nothing_was_sent(client_for(""))
    assert {asked.method for asked in server.asked} == {"CONNECT"}


@pytest.fixture
def untrusted_tls(tmp_path: Path) -> Iterator[str]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate to distrust")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    class Quiet(HTTPServer):
        def handle_error(self, *args: object) -> None:
            pass

    tls = Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    tls.socket = context.wrap_socket(tls.socket, server_side=True)
    thread = threading.Thread(target=tls.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{tls.server_port}"
    tls.shutdown()
    tls.server_close()


def test_untrusted_certificate(untrusted_tls: str, client_for: Make) -> None:
    twilio = client_for(untrusted_tls)
    assert type(provoke(lambda: twilio.fetch_brand(BN))) is Misconfigured
    assert type(provoke(lambda: twilio.update_brand(BN))) is Misconfigured


@pytest.mark.parametrize("token", ["tökén-€", "line\nbreak"])
def test_credentials_no_header_can_carry(token: str, client_for: Make, server: ScriptedServer) -> None:
    twilio = client_for(server.url, auth_token=token)
    if "\n" in token:  # base64 takes it, and Twilio would say no
        server.reply(401, {"code": 20003, "message": "Authenticate"})
    error = provoke(lambda: twilio.update_brand(BN))
    assert type(error) is Misconfigured
    assert token not in str(error) + repr(error)


def behind_proxy(inner: Exception) -> Exception:
    """As urllib3 and requests wrap it; also for connections that were lost after the request was sent."""
    wrapped = urllib3.exceptions.ProxyError("Unable to connect to proxy", inner)
    return requests.exceptions.ProxyError(urllib3.exceptions.MaxRetryError(None, "/", wrapped))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "exc",
    [
        requests.exceptions.ConnectTimeout(),
        behind_proxy(urllib3.exceptions.NewConnectionError(None, "no")),  # type: ignore[arg-type]
        behind_proxy(OSError("Tunnel connection failed: 403 Forbidden")),
        requests.exceptions.ConnectionError(urllib3.exceptions.NewConnectionError(None, "no")),  # type: ignore[arg-type]
        ConnectionRefusedError(),
        socket.gaierror(),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_exceptions_before_sending(exc: Exception) -> None:
    assert type(errors.from_exception("POST", exc)) is Unavailable


@pytest.mark.parametrize(
    "exc",
    [
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ProxyError(),
        behind_proxy(RemoteDisconnected()),
        behind_proxy(ConnectionResetError()),
        behind_proxy(ssl.SSLError()),
        requests.exceptions.ConnectionError(),
        requests.exceptions.ConnectionError(ConnectionResetError()),
        requests.exceptions.ChunkedEncodingError(),
        requests.exceptions.ContentDecodingError(),
        requests.exceptions.SSLError(),
        requests.exceptions.RetryError(),
        requests.exceptions.RequestException(),
        urllib3.exceptions.ProtocolError(),
        urllib3.exceptions.HTTPError(),
        TimeoutError(),
        BrokenPipeError(),
        OSError(),
        RuntimeError(),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_exceptions_with_an_unknown_outcome(exc: Exception) -> None:
    assert type(errors.from_exception("POST", exc)) is OutcomeUnknown
    assert type(errors.from_exception("DELETE", exc)) is OutcomeUnknown
    assert type(errors.from_exception("GET", exc)) is Unavailable


def test_a_job_killed_during_a_call_is_not_a_twilio_error(
    twilio: TwilioClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class JobTimeout(SystemExit):
        pass

    def send(*args: object, **kwargs: object) -> None:
        raise JobTimeout

    monkeypatch.setattr(twilio._transport.session, "send", send)
    with pytest.raises(JobTimeout):
        twilio.update_brand(BN)

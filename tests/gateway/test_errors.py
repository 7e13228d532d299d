"""Whatever Twilio, the SDK, requests, urllib3 or the socket does comes out as one of five kinds."""

from __future__ import annotations

import pickle
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import RemoteDisconnected
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from registrations.gateway import Gateway, errors
from registrations.gateway.errors import (
    AlreadyDone,
    GatewayError,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)

from .calls import BN, BU, CALLS, DELETES, MG, PN, READS, WRITES, Call
from .server import ScriptedServer

Make = Callable[..., Gateway]
Kind = type[GatewayError]


def provoke(call: Callable[[], object]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call()
    return caught.value


# --- answers ----------------------------------------------------------------------------------------------

ANSWERS: list[tuple[int, int | None, Kind, Kind, Kind]] = [
    # status, code, kind for GET, for POST, for DELETE
    (400, 20001, Rejected, Rejected, Rejected),
    (400, 21717, Rejected, Rejected, Rejected),
    (400, 99999, Rejected, Rejected, Rejected),
    (400, None, Rejected, Rejected, Rejected),
    (404, 20404, Rejected, Rejected, AlreadyDone),
    (404, None, Rejected, Rejected, AlreadyDone),
    (405, 20004, Rejected, Rejected, Rejected),
    (422, 20422, Rejected, Rejected, Rejected),
    (403, 21729, Rejected, Rejected, Rejected),
    (409, 21712, Rejected, Rejected, Rejected),
    (412, 22229, Rejected, Rejected, Rejected),
    (400, 20162, Unavailable, Unavailable, Unavailable),
    (409, 20409, Unavailable, Unavailable, Unavailable),
    (409, None, Unavailable, Unavailable, Unavailable),
    (412, 20412, Unavailable, Unavailable, Unavailable),
    (412, None, Unavailable, Unavailable, Unavailable),
    (429, 20429, Unavailable, Unavailable, Unavailable),
    (429, None, Unavailable, Unavailable, Unavailable),
    (400, 20429, Unavailable, Unavailable, Unavailable),
    (400, 21726, Unavailable, Unavailable, Unavailable),
    (400, 21730, Unavailable, Unavailable, Unavailable),
    (503, 21730, Unavailable, Unavailable, Unavailable),
    (400, 22404, Unavailable, Unavailable, Unavailable),
    (401, 20003, Misconfigured, Misconfigured, Misconfigured),
    (401, None, Misconfigured, Misconfigured, Misconfigured),
    (403, 20403, Misconfigured, Misconfigured, Misconfigured),
    (403, None, Misconfigured, Misconfigured, Misconfigured),
    (400, 20005, Misconfigured, Misconfigured, Misconfigured),
    (400, 20006, Misconfigured, Misconfigured, Misconfigured),
    (400, 20008, Misconfigured, Misconfigured, Misconfigured),
    (400, 20010, Misconfigured, Misconfigured, Misconfigured),
    (400, 30759, Misconfigured, Misconfigured, Misconfigured),
    (407, None, Misconfigured, Misconfigured, Misconfigured),
    (408, None, Unavailable, OutcomeUnknown, OutcomeUnknown),
    (500, 20500, Unavailable, OutcomeUnknown, OutcomeUnknown),
    (502, None, Unavailable, OutcomeUnknown, OutcomeUnknown),
    (503, 20503, Unavailable, OutcomeUnknown, OutcomeUnknown),
    (504, 20504, Unavailable, OutcomeUnknown, OutcomeUnknown),
    (500, 21717, Unavailable, OutcomeUnknown, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "code", "get", "post", "delete"), ANSWERS)
def test_kind_of_an_answer(
    status: int, code: int | None, get: Kind, post: Kind, delete: Kind, gw: Gateway, server: ScriptedServer
) -> None:
    body = {
        "message": "Twilio's words",
        "status": status,
        "more_info": "https://www.twilio.com/docs/errors/1",
    }
    server.otherwise.status, server.otherwise.body = status, body if code is None else {**body, "code": code}
    for call, kind in (
        (lambda: gw.fetch_brand(BN), get),
        (lambda: list(gw.iter_brands()), get),  # the SDK raises another class for lists
        (lambda: gw.update_brand(BN), post),
        (lambda: gw.delete_service(MG), delete),
    ):
        error = provoke(call)
        assert type(error) is kind
        assert (error.status, error.code, error.message) == (status, code, "Twilio's words")
        assert error.more_info == "https://www.twilio.com/docs/errors/1"
        assert error.not_found is (status == 404)


@pytest.mark.parametrize("status", [400, 409])
def test_a_number_already_in_the_service_is_done(status: int, gw: Gateway, server: ScriptedServer) -> None:
    server.reply(status, {"code": 21710, "message": "Phone Number already exists"})
    assert type(provoke(lambda: gw.attach_number(MG, PN))) is AlreadyDone


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_call_sorts_its_errors(call: Call, gw: Gateway, server: ScriptedServer) -> None:
    read = call.method == "GET"
    server.reply(500, b"<html>Internal error</html>", Content_Type="text/html")
    assert type(provoke(lambda: call.run(gw))) is (Unavailable if read else OutcomeUnknown)
    server.reply(fault="reset")
    assert type(provoke(lambda: call.run(gw))) is (Unavailable if read else OutcomeUnknown)
    server.reply(404, {"code": 20404, "message": "not found"})
    assert type(provoke(lambda: call.run(gw))) is (AlreadyDone if call.method == "DELETE" else Rejected)
    server.reply(429, {"code": 20429, "message": "slow down"}, Retry_After="3")
    throttled = provoke(lambda: call.run(gw))
    assert type(throttled) is Unavailable
    assert throttled.retry_after == 3.0


def test_the_tables_name_calls_of_each_kind() -> None:
    assert len(WRITES) > 15
    assert len(READS) > 15
    assert len(DELETES) > 8


def test_problem_details_are_read(gw: Gateway, server: ScriptedServer) -> None:
    items = [{"detail": "must be an e-mail", "pointer": "#/Email"}]
    body = {
        "type": "https://www.twilio.com/docs/errors/20001",
        "title": "Invalid parameter",
        "status": 400,
        "code": 20001,
        "detail": "Email jane@example.com is wrong",
        "errors": items,
    }
    server.reply(400, body, Content_Type="application/problem+json", Twilio_Request_Id="RQ1")
    error = provoke(lambda: gw.update_brand(BN))
    assert type(error) is Rejected
    assert (error.code, error.details) == (20001, {"errors": items})
    assert error.more_info == "https://www.twilio.com/docs/errors/20001"
    assert error.message == "Email j•••@example.com is wrong"
    assert error.request_id == "RQ1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"code": "soon", "message": null}',
        b"[" * 5000,
    ],
)
def test_odd_refusals_still_have_a_kind(body: bytes, gw: Gateway, server: ScriptedServer) -> None:
    server.reply(400, body)
    error = provoke(lambda: gw.update_brand(BN))
    assert type(error) is Rejected
    assert error.code is None
    assert error.message == "Bad Request"


def test_a_code_in_quotes_is_a_code(gw: Gateway, server: ScriptedServer) -> None:
    server.reply(400, {"code": "21730", "message": "maintenance"})
    error = provoke(lambda: gw.update_brand(BN))
    assert (type(error), error.code) == (Unavailable, 21730)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"sid": "BN', b"null", b"[" * 5000])
def test_a_success_that_cannot_be_read(body: bytes, gw: Gateway, server: ScriptedServer) -> None:
    server.otherwise.status, server.otherwise.body = 201, body
    assert type(provoke(lambda: gw.update_brand(BN))) is OutcomeUnknown
    assert type(provoke(lambda: gw.fetch_brand(BN))) is Unavailable
    assert type(provoke(lambda: list(gw.iter_brands()))) is Unavailable
    assert gw.delete_service(MG) == {}  # a deletion has nothing to read


@pytest.mark.parametrize("body", [{}, {"meta": {"key": "results"}}, {"meta": None, "results": {}}])
def test_a_list_without_items_key(body: Any, gw: Gateway, server: ScriptedServer) -> None:
    server.reply(200, body)
    assert type(provoke(lambda: list(gw.iter_brands()))) is Unavailable


# --- broken connections -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["close", "reset", "garbage", "truncated", "chunk"])
def test_a_connection_lost_after_sending(fault: str, gw: Gateway, server: ScriptedServer) -> None:
    for call, kind in (
        (lambda: gw.fetch_brand(BN), Unavailable),
        (lambda: list(gw.iter_brands()), Unavailable),
        (lambda: gw.update_brand(BN), OutcomeUnknown),
        (lambda: gw.delete_service(MG), OutcomeUnknown),
    ):
        server.reply(201, {"sid": "x"}, fault=fault)
        error = provoke(call)
        assert type(error) is kind
        assert (error.status, error.code) == (None, None)
    assert len(server.asked) == 4


def test_bad_compression_after_sending(gw: Gateway, server: ScriptedServer) -> None:
    server.reply(201, b"not gzip", Content_Encoding="gzip")
    assert type(provoke(lambda: gw.update_brand(BN))) is OutcomeUnknown


@pytest.mark.parametrize("fault", ["hang", "hang_in_body"])
def test_no_answer_in_time(fault: str, gateway_for: Make, server: ScriptedServer) -> None:
    gw = gateway_for(server.url, read_timeout=0.15)
    server.reply(200, {}, fault=fault)
    assert type(provoke(lambda: gw.fetch_brand(BN))) is Unavailable
    server.reply(201, {}, fault=fault)
    assert type(provoke(lambda: gw.update_brand(BN))) is OutcomeUnknown


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def nothing_was_sent(gw: Gateway) -> None:
    for call in (lambda: gw.fetch_brand(BN), lambda: gw.update_brand(BN), lambda: gw.delete_service(MG)):
        error = provoke(call)
        assert type(error) is Unavailable
        assert "nothing was sent" in error.message


def test_connection_refused(closed_port: str, gateway_for: Make) -> None:
    nothing_was_sent(gateway_for(closed_port))


def test_unknown_host(gateway_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", no_such_host)
    nothing_was_sent(gateway_for("http://nowhere.test"))


def test_connect_timeout(gateway_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(*args: object, **kwargs: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.connection.connection.create_connection", too_slow)
    nothing_was_sent(gateway_for("http://127.0.0.1:1"))


def test_dead_proxy(closed_port: str, gateway_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port)
    monkeypatch.setenv("HTTPS_PROXY", closed_port)
    nothing_was_sent(gateway_for("http://stand-in.test"))
    nothing_was_sent(gateway_for(""))


@pytest.mark.parametrize("fault", ["close", "reset", "garbage", "truncated"])
def test_connection_lost_behind_a_proxy_that_took_the_request(
    fault: str, gateway_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.reply(201, {"sid": "x"}, fault=fault)
    assert type(provoke(lambda: gateway_for("http://stand-in.test").update_brand(BN))) is OutcomeUnknown
    assert len(server.asked) == 1


def test_proxy_that_refuses_the_tunnel(
    gateway_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.otherwise.status = 403
    nothing_was_sent(gateway_for(""))
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


def test_untrusted_certificate(untrusted_tls: str, gateway_for: Make) -> None:
    gw = gateway_for(untrusted_tls)
    assert type(provoke(lambda: gw.fetch_brand(BN))) is Misconfigured
    assert type(provoke(lambda: gw.update_brand(BN))) is Misconfigured


@pytest.mark.parametrize("token", ["tökén-€", "line\nbreak"])
def test_credentials_no_header_can_carry(token: str, gateway_for: Make, server: ScriptedServer) -> None:
    gw = gateway_for(server.url, auth_token=token)
    if "\n" in token:  # base64 takes it, and Twilio would say no
        server.reply(401, {"code": 20003, "message": "Authenticate"})
    error = provoke(lambda: gw.update_brand(BN))
    assert type(error) is Misconfigured
    assert token not in str(error) + repr(error)


def behind_proxy(inner: Exception) -> Exception:
    """As urllib3 and requests wrap it; also for connections that broke after the request was sent."""
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


def test_a_job_killed_in_the_middle_is_no_gateway_error(gw: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    class JobTimeout(SystemExit):
        pass

    def send(*args: object, **kwargs: object) -> None:
        raise JobTimeout

    monkeypatch.setattr(gw._wire.session, "send", send)
    with pytest.raises(JobTimeout):
        gw.update_brand(BN)


# --- what an error shows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("inf", None), ("1e12", 86_400.0)],
)
def test_retry_after_in_seconds(
    header: str, seconds: float | None, gw: Gateway, server: ScriptedServer
) -> None:
    server.reply(503, {}, Retry_After=header)
    assert provoke(lambda: gw.fetch_brand(BN)).retry_after == seconds


def test_retry_after_as_a_date(gw: Gateway, server: ScriptedServer) -> None:
    server.reply(429, {}, Retry_After=format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    wait = provoke(lambda: gw.fetch_brand(BN)).retry_after
    assert wait is not None
    assert 3500 < wait <= 3600


def test_personal_data_stay_out_of_the_text(gw: Gateway, server: ScriptedServer) -> None:
    words = "The number +15125550123 of jane@example.com is taken."
    server.reply(400, {"code": 30748, "message": words})
    error = provoke(lambda: gw.create_assignment("customer_profile", BU, object_sid=BU))
    assert str(error) == "HTTP 400, code 30748: The number +1•••••0123 of j•••@example.com is taken."
    assert error.message == "The number +1•••••0123 of j•••@example.com is taken."
    assert "5125550123" not in repr(error) + str(error.args)
    assert error.twilio_message == words


def test_errors_can_be_made_by_hand_and_pickled() -> None:
    error = Rejected("No: jane@example.com", status=400, code=21717, details={"a": 1})
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is Rejected
    assert (copy.status, copy.code, copy.message, copy.details) == (400, 21717, error.message, {"a": 1})
    assert str(Unavailable()) == "unavailable"
    assert {kind.kind for kind in (Rejected, Unavailable, Misconfigured, OutcomeUnknown, AlreadyDone)} == {
        "rejected",
        "unavailable",
        "misconfigured",
        "outcome_unknown",
        "already_done",
    }

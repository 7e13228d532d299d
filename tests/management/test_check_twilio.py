"""check_twilio with the sandbox: every check can pass and can fail."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from threading import Thread

import pytest
from django.core.management import call_command

from registrations.management.commands import check_twilio
from tests.customers import OWNED_NUMBER, OWNED_NUMBER_SID, make_draft

pytestmark = pytest.mark.django_db


def run() -> tuple[int, dict[str, str]]:
    out, status = StringIO(), 0
    try:
        call_command("check_twilio", stdout=out)
    except SystemExit as leave:
        status = leave.code
    found: dict[str, str] = {}
    for line in out.getvalue().splitlines():
        if line.startswith(("OK", "FAIL")):
            name = line[5:].split(":")[0]
            found[name] = line
        else:
            found[name] += line
    return status, found


@contextmanager
def answering(status: int, body: bytes, **headers: str):
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def public(settings):
    with answering(200, b'{"ok": true}') as (url, asked):
        settings.PUBLIC_BASE_URL = url
        yield asked


def test_everything_passes(sandbox, public):
    make_draft(phone_number={"sender_number": OWNED_NUMBER})
    make_draft(phone_number={"sender_number": OWNED_NUMBER_SID})
    status, found = run()
    assert status == 0, found
    assert list(found) == [
        "target", "public address", "credentials", "primary profile", "starter policy",
        "sole proprietor policy", "senders",
    ]  # fmt: skip
    assert all(text.startswith("OK") for text in found.values())
    assert "2 of 2" in found["senders"]
    assert public[0].startswith("/healthz")


def test_the_target_is_identified(sandbox, public, settings):
    assert f"the sandbox at {sandbox.url}, " in run()[1]["target"]
    with answering(200, b"{}") as (url, asked):
        settings.TWILIO_API_BASE_URL, settings.A2P_TIME_SCALE = url, 1
        target = run()[1]["target"]
        assert target == f"OK   target: another API host: {url}, waits not scaled"
        assert asked[0].startswith("/_sandbox/")
        settings.A2P_TIME_SCALE = 0.5
        assert "remove A2P_TIME_SCALE" in run()[1]["target"]
    settings.A2P_TIME_SCALE = 1
    assert "another API host" in run()[1]["target"], "nobody answers there"
    settings.TWILIO_API_BASE_URL, settings.TWILIO_IS_REAL = "https://api.twilio.com", True
    found = check_twilio.time_scale()
    assert (found.ok, found.detail) == (True, "Twilio, waits not scaled")


def test_wrong_credentials_skip_the_other_checks(sandbox, public, settings):
    settings.TWILIO_AUTH_TOKEN = "wrong"
    status, found = run()
    assert status == 1
    assert found["credentials"].startswith("FAIL")
    assert "TWILIO_AUTH_TOKEN" in found["credentials"]
    assert "wrong" not in "".join(found.values())
    assert "primary profile" not in found


def test_twilio_out_of_reach(db, public):
    status, found = run()  # the test settings point at a closed port
    assert status == 1
    assert "could not be reached" in found["credentials"]


def test_primary_profile_missing_or_not_approved(sandbox, public, settings):
    settings.TWILIO_PRIMARY_PROFILE_SID = ""
    assert "TWILIO_PRIMARY_PROFILE_SID" in run()[1]["primary profile"]
    settings.TWILIO_PRIMARY_PROFILE_SID = "BU" + "f" * 32
    status, found = run()
    assert status == 1
    assert found["primary profile"].startswith("FAIL")
    assert found["senders"].startswith("OK")


def test_senders_outside_the_account_are_counted_not_listed(sandbox, public):
    make_draft(phone_number={"sender_number": OWNED_NUMBER})
    make_draft(phone_number={"sender_number": "+12125550100"})
    status, found = run()
    assert status == 1
    assert "1 of 2" in found["senders"]
    assert "+1212" not in found["senders"]


@pytest.mark.parametrize(
    ("url", "text"),
    [("", "Set PUBLIC_BASE_URL"), ("ftp://x", "is not https"), ("http://127.0.0.1:9", "cannot be reached")],
)
def test_public_address_that_cannot_work(sandbox, settings, url, text):
    settings.PUBLIC_BASE_URL = url
    status, found = run()
    assert status == 1
    assert text in found["public address"]


def test_public_address_must_be_https_for_the_real_twilio(db, settings):
    settings.PUBLIC_BASE_URL, settings.TWILIO_IS_REAL = "http://a2p.example.com", True
    assert "is not https" in run()[1]["public address"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (400, {}, b"", "ALLOWED_HOSTS"),
        (503, {}, b"{}", "not healthy"),
        (302, {"Location": "https://elsewhere.example.com/"}, b"", "redirect"),
        (404, {}, b"", "point to this application"),
        (200, {}, b"<html>A parked domain</html>", "not this application"),
    ],
)
def test_public_address_of_another_server(sandbox, settings, status, headers, body, text):
    with answering(status, body, **headers) as (url, _):
        settings.PUBLIC_BASE_URL = url
        assert text in run()[1]["public address"]


def test_shortened_waits_with_the_real_twilio_fail(db, settings):
    settings.TWILIO_IS_REAL, settings.A2P_TIME_SCALE = True, 0.5
    assert "FAIL" in run()[1]["target"]

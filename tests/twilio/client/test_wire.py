"""Transport: where requests go, connections, timeouts, credentials, paging, threads and logging."""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings
from twilio.http.response import Response

from registrations.twilio.client import TwilioClient, client, errors, get_client
from registrations.twilio.client.transport import POOL_SIZE, Exchange
from tests.twilio.client.calls import BN, BU, MG
from tests.twilio.client.conftest import ACCOUNT, TOKEN
from tests.twilio.client.server import Asked, Reply, ScriptedServer

Make = Callable[..., TwilioClient]


# --- addresses and paging ---------------------------------------------------------------------------------


def page(numbers: range, following: str | None) -> dict[str, Any]:
    return {
        "meta": {"key": "results", "page_size": 1000, "next_page_url": following},
        "results": [{"sid": f"BU{n}", "extra": n} for n in numbers],
    }


def test_paging_follows_twilios_absolute_urls_through_the_sandbox(
    twilio: TwilioClient, server: ScriptedServer
) -> None:
    more = "https://trusthub.twilio.com/v1/CustomerProfiles?FriendlyName=a%2B1&PageSize=1000&Page=1&PageToken=PT%3D1"
    server.reply(200, page(range(2), more))
    server.reply(200, page(range(2, 3), None))
    rows = list(twilio.iter_bundles("customer_profile", friendly_name="a+1"))
    assert [row["extra"] for row in rows] == [0, 1, 2]
    first, second = server.asked
    assert first.query == [("FriendlyName", "a+1"), ("PageSize", "1000")]
    assert second.target == more.removeprefix("https://trusthub.twilio.com")


def test_paging_of_the_older_api_with_relative_uris(twilio: TwilioClient, server: ScriptedServer) -> None:
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Addresses.json"
    numbers = {"page": 0, "page_size": 1000, "uri": path, "first_page_uri": path}
    server.reply(200, {**numbers, "next_page_uri": f"{path}?Page=1", "addresses": [{"sid": "AD1"}]})
    server.reply(200, {**numbers, "next_page_uri": None, "addresses": [{"sid": "AD2"}]})
    assert [row["sid"] for row in twilio.iter_addresses()] == ["AD1", "AD2"]
    assert server.last.target == f"{path}?Page=1"


def test_lists_are_lazy(twilio: TwilioClient, server: ScriptedServer) -> None:
    rows = twilio.iter_brands()
    assert server.asked == []
    server.reply(200, page(range(3), "https://messaging.twilio.com/v1/a2p/BrandRegistrations?Page=1"))
    assert next(rows)["extra"] == 0
    assert next(rows)["extra"] == 1
    rows.close()  # type: ignore[attr-defined]
    assert len(server.asked) == 1


def test_an_error_in_the_middle_of_a_list_is_one_of_the_five(
    twilio: TwilioClient, server: ScriptedServer
) -> None:
    server.reply(200, page(range(1), "https://messaging.twilio.com/v1/Services?Page=1"))
    server.reply(500, b"oops")
    rows = twilio.iter_services()
    assert next(rows)["sid"] == "BU0"
    with pytest.raises(errors.Unavailable):
        next(rows)


def test_repeating_pages_end(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.otherwise = Reply(body=page(range(1), "https://messaging.twilio.com/v1/Services?Page=1"))
    with pytest.raises(errors.Unavailable, match="repeat"):
        list(twilio.iter_services())
    assert len(server.asked) == 2


def test_a_foreign_next_page_never_gets_the_credentials(
    client_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio = client_for("")
    urls: list[str] = []
    answers = [page(range(1), "https://evil.example/v1/Services?Page=1"), page(range(1, 2), None)]

    def request(method: str, uri: str, **kwargs: Any) -> Any:
        urls.append(uri)
        body = answers.pop(0)
        twilio._transport._local.exchange = Exchange(method, uri, status=200, text=json.dumps(body))
        return Response(200, json.dumps(body))

    monkeypatch.setattr(twilio._transport, "request", request)
    assert len(list(twilio.iter_services())) == 2
    assert urls[1] == "https://messaging.twilio.com/v1/Services?Page=1"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/prefix", "127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_an_unusable_base_url_is_a_misconfiguration(url: str, client_for: Make) -> None:
    with pytest.raises(errors.Misconfigured, match="TWILIO_API_BASE_URL"):
        client_for(url).fetch_brand(BN)


def test_number_search_asks_for_one_page_of_the_wanted_size(
    twilio: TwilioClient, server: ScriptedServer
) -> None:
    rows = [{"phone_number": f"+1512555000{n}"} for n in range(7)]
    server.reply(200, {"uri": "/x", "available_phone_numbers": rows, "next_page_uri": "/x?Page=1"})
    assert twilio.search_numbers("US", area_code="512", limit=3) == rows[:3]
    assert sorted(server.last.query) == [("AreaCode", "512"), ("PageSize", "3"), ("SmsEnabled", "true")]
    assert len(server.asked) == 1


# --- connections ------------------------------------------------------------------------------------------


def test_calls_share_one_connection(twilio: TwilioClient, server: ScriptedServer) -> None:
    for number in range(10):
        twilio.fetch_bundle("customer_profile", f"BU{number}")
        twilio.fetch_brand(BN)
    assert len({asked.connection for asked in server.asked}) == 1


def test_threads_get_their_own_answers_over_a_bounded_pool(
    twilio: TwilioClient, server: ScriptedServer
) -> None:
    server.otherwise = lambda asked: Reply(201, {"sid": dict(asked.form)["FriendlyName"]})
    mixed_up: list[str] = []

    def work(thread: int) -> None:
        for n in range(20):
            name = f"{thread}-{n}"
            if twilio.create_service(friendly_name=name)["sid"] != name:
                mixed_up.append(name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed_up == []
    assert len(server.asked) == 160
    assert len({asked.connection for asked in server.asked}) <= 8 <= POOL_SIZE


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_client_never_retries(status: int, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.otherwise = Reply(status, {}, {"Retry-After": "0"})
    with pytest.raises(errors.TwilioError):
        twilio.fetch_brand(BN)
    with pytest.raises(errors.TwilioError):
        twilio.update_brand(BN)
    assert len(server.asked) == 2


def test_redirects_are_not_followed(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(302, {"sid": "x"}, Location="/v1/elsewhere")
    with pytest.raises(errors.Unavailable):
        twilio.fetch_brand(BN)
    server.reply(303, {"sid": "x"}, Location="/v1/elsewhere")
    with pytest.raises(errors.OutcomeUnknown):
        twilio.update_brand(BN)
    assert len(server.asked) == 2


def test_loopback_bypasses_a_dead_proxy(
    twilio: TwilioClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.reply(200, {"sid": BN})
    assert twilio.fetch_brand(BN) == {"sid": BN}


def test_a_proxy_from_the_environment_is_used(
    client_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.reply(200, {"sid": BN})
    assert client_for("http://stand-in.test").fetch_brand(BN) == {"sid": BN}
    assert server.last.target == f"http://stand-in.test/v1/a2p/BrandRegistrations/{BN}"


# --- credentials and settings -----------------------------------------------------------------------------


def basic(asked: Asked) -> str:
    return base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()


def test_the_first_of_several_tokens_makes_the_calls(client_for: Make, server: ScriptedServer) -> None:
    client_for(server.url, auth_token=" new-token , old-token").fetch_brand(BN)
    assert basic(server.last) == f"{ACCOUNT}:new-token"


def test_an_api_key_takes_precedence_over_the_token(client_for: Make, server: ScriptedServer) -> None:
    twilio = client_for(server.url, api_key_sid="SK1", api_key_secret="key-secret")
    twilio.fetch_account()
    assert basic(server.last) == "SK1:key-secret"
    assert server.last.path == f"/2010-04-01/Accounts/{ACCOUNT}.json"


@pytest.mark.parametrize(
    "missing",
    [
        {"account_sid": ""},
        {"auth_token": ""},
        {"auth_token": " , "},
        {"api_key_sid": "SK1"},
        {"api_key_secret": "x"},
        {"api_key_sid": "SK1", "api_key_secret": "x", "account_sid": ""},
    ],
)
def test_incomplete_credentials_make_no_call(
    missing: dict[str, str], client_for: Make, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT)  # the SDK must not fall back to the environment
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "from-the-environment")
    twilio = client_for(server.url, **missing)
    for call in (
        lambda: twilio.fetch_brand(BN),
        lambda: twilio.update_brand(BN),
        lambda: list(twilio.iter_brands()),
    ):
        with pytest.raises(errors.Misconfigured, match="must both be set"):
            call()
    assert server.asked == []


def test_sdk_region_variables_do_not_redirect_calls(
    client_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    seen: list[str] = []
    twilio = client_for("")

    def send(prepared: Any, **kwargs: Any) -> Any:
        seen.append(prepared.url)
        raise ConnectionRefusedError

    monkeypatch.setattr(twilio._transport.session, "send", send)
    with pytest.raises(errors.Unavailable):
        twilio.fetch_brand(BN)
    assert seen == [f"https://messaging.twilio.com/v1/a2p/BrandRegistrations/{BN}"]


def test_one_client_per_process_and_per_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_current", None)
    with override_settings(TWILIO_ACCOUNT_SID="AC1", TWILIO_AUTH_TOKEN="one"):
        first = get_client()
        assert get_client() is first
        with override_settings(TWILIO_AUTH_TOKEN="two"):
            assert get_client() is not first
    with override_settings(TWILIO_ACCOUNT_SID="AC1", TWILIO_AUTH_TOKEN="one"):
        parent = get_client()
        pid = os.getpid()
        monkeypatch.setattr("registrations.twilio.client.client.os.getpid", lambda: pid + 1)
        child = get_client()
    assert child is not parent
    assert child._transport.session is not parent._transport.session


# --- the log ----------------------------------------------------------------------------------------------

PRIVATE = ["Jane", "Doe", "jane@example.com", "jane%40example.com", "5125550123", "Jersey", TOKEN, "Basic "]


def private_calls(twilio: TwilioClient) -> list[Callable[[], object]]:
    return [
        lambda: twilio.create_end_user(
            friendly_name="Jane Doe",
            type="t",
            attributes={"email": "jane@example.com", "phone": "+15125550123"},
        ),
        lambda: list(twilio.iter_addresses(customer_name="Jane Doe", friendly_name="jane@example.com")),
        lambda: list(twilio.iter_numbers(phone_number="+15125550123")),
        lambda: twilio.lookup_line_type("+15125550123"),
        lambda: twilio.update_address("AD1", street="1 Jersey St"),
    ]


@pytest.mark.parametrize("fault", ["", "reset", "garbage"])
def test_logs_contain_no_personal_data_and_no_secrets(
    fault: str, twilio: TwilioClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("twilio.http_client").setLevel(logging.DEBUG)
    echo = "Jane Doe, jane@example.com, +1 (512) 555-0123"
    server.otherwise = Reply(
        400, {"code": 21628, "message": echo, "details": {"street": "1 Jersey St"}}, fault=fault
    )
    for call in private_calls(twilio):
        with pytest.raises(errors.TwilioError):
            call()
    logged = caplog.text
    assert logged.count("registrations.twilio.client") == len(private_calls(twilio))
    assert [word for word in PRIVATE if word in logged] == []


def test_one_log_line_per_call(
    twilio: TwilioClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="registrations.twilio.client")
    server.reply(200, {})
    twilio.fetch_service(MG)
    server.reply(400, {"code": 22205, "message": "no"})
    with pytest.raises(errors.Rejected):
        twilio.create_assignment("trust_product", BU, object_sid="IT1")
    good, bad = [record.getMessage() for record in caplog.records]
    assert good.startswith(f"GET /v1/Services/{MG} 200 code=- ")
    assert good.endswith(" ms")
    assert bad.startswith(f"POST /v1/TrustProducts/{BU}/EntityAssignments 400 code=22205 ")
    assert bad.endswith(" ms rejected")


@pytest.mark.parametrize("fault", ["", "close"])
def test_errors_carry_no_transport_frames_and_no_other_exceptions(
    fault: str, twilio: TwilioClient, server: ScriptedServer
) -> None:
    """Frames of the SDK and of requests contain credentials and bodies, their exceptions contain URLs."""
    server.otherwise = Reply(400, {"message": "No: jane@example.com"}, fault=fault)
    for call in private_calls(twilio):
        with pytest.raises(errors.TwilioError) as caught:
            call()
        error = caught.value
        assert error.__context__ is None
        assert error.__cause__ is None
        files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        assert all("/twilio/client/" in file for file in files)
        local_values = [
            repr(value)
            for frame, _ in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_name == "_send"
            for value in frame.f_locals.values()
        ]
        assert local_values
        assert [word for word in PRIVATE if any(word in value for value in local_values)] == []

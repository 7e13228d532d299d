"""Every failure of Twilio, the SDK, requests, urllib3 or the socket becomes one of five kinds."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from registrations.twilio.client import TwilioClient
from registrations.twilio.client.errors import (
    AlreadyDone,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    TwilioError,
    Unavailable,
)
from tests.twilio.client.calls import BN, BU, CALLS, DELETES, MG, PN, READS, WRITES, Call
from tests.twilio.client.provoking import provoke
from tests.twilio.client.server import ScriptedServer

Make = Callable[..., TwilioClient]
Kind = type[TwilioError]


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
def test_kind_of_a_response(
    status: int,
    code: int | None,
    get: Kind,
    post: Kind,
    delete: Kind,
    twilio: TwilioClient,
    server: ScriptedServer,
) -> None:
    body = {
        "message": "Twilio's words",
        "status": status,
        "more_info": "https://www.twilio.com/docs/errors/1",
    }
    server.otherwise.status, server.otherwise.body = status, body if code is None else {**body, "code": code}
    for call, kind in (
        (lambda: twilio.fetch_brand(BN), get),
        (lambda: list(twilio.iter_brands()), get),  # the SDK raises another class for lists
        (lambda: twilio.update_brand(BN), post),
        (lambda: twilio.delete_service(MG), delete),
    ):
        error = provoke(call)
        assert type(error) is kind
        assert (error.status, error.code, error.message) == (status, code, "Twilio's words")
        assert error.more_info == "https://www.twilio.com/docs/errors/1"
        assert error.not_found is (status == 404)


@pytest.mark.parametrize("status", [400, 409])
def test_a_number_already_in_the_service_is_done(
    status: int, twilio: TwilioClient, server: ScriptedServer
) -> None:
    server.reply(status, {"code": 21710, "message": "Phone Number already exists"})
    assert type(provoke(lambda: twilio.attach_number(MG, PN))) is AlreadyDone


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_every_call_maps_its_errors(call: Call, twilio: TwilioClient, server: ScriptedServer) -> None:
    read = call.method == "GET"
    server.reply(500, b"<html>Internal error</html>", Content_Type="text/html")
    assert type(provoke(lambda: call.run(twilio))) is (Unavailable if read else OutcomeUnknown)
    server.reply(fault="reset")
    assert type(provoke(lambda: call.run(twilio))) is (Unavailable if read else OutcomeUnknown)
    server.reply(404, {"code": 20404, "message": "not found"})
    assert type(provoke(lambda: call.run(twilio))) is (AlreadyDone if call.method == "DELETE" else Rejected)
    server.reply(429, {"code": 20429, "message": "slow down"}, Retry_After="3")
    throttled = provoke(lambda: call.run(twilio))
    assert type(throttled) is Unavailable
    assert throttled.retry_after == 3.0


def test_the_tables_name_calls_of_each_kind() -> None:
    assert len(WRITES) > 15
    assert len(READS) > 15
    assert len(DELETES) > 8


def test_problem_details_are_read(twilio: TwilioClient, server: ScriptedServer) -> None:
    items = [{"detail": "must be an email", "pointer": "#/Email"}]
    body = {
        "type": "https://www.twilio.com/docs/errors/20001",
        "title": "Invalid parameter",
        "status": 400,
        "code": 20001,
        "detail": "Email jane@example.com is wrong",
        "errors": items,
    }
    server.reply(400, body, Content_Type="application/problem+json", Twilio_Request_Id="RQ1")
    error = provoke(lambda: twilio.update_brand(BN))
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
def test_unusual_errors_still_have_a_kind(body: bytes, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(400, body)
    error = provoke(lambda: twilio.update_brand(BN))
    assert type(error) is Rejected
    assert error.code is None
    assert error.message == "Bad Request"


def test_a_code_in_quotes_is_a_code(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(400, {"code": "21730", "message": "maintenance"})
    error = provoke(lambda: twilio.update_brand(BN))
    assert (type(error), error.code) == (Unavailable, 21730)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"sid": "BN', b"null", b"[" * 5000])
def test_a_success_that_cannot_be_read(body: bytes, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.otherwise.status, server.otherwise.body = 201, body
    assert type(provoke(lambda: twilio.update_brand(BN))) is OutcomeUnknown
    assert type(provoke(lambda: twilio.fetch_brand(BN))) is Unavailable
    assert type(provoke(lambda: list(twilio.iter_brands()))) is Unavailable
    assert twilio.delete_service(MG) == {}  # a deletion has nothing to read


@pytest.mark.parametrize("body", [{}, {"meta": {"key": "results"}}, {"meta": None, "results": {}}])
def test_a_list_without_items_key(body: Any, twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(200, body)
    assert type(provoke(lambda: list(twilio.iter_brands()))) is Unavailable


# --- what an error shows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("inf", None), ("1e12", 86_400.0)],
)
def test_retry_after_in_seconds(
    header: str, seconds: float | None, twilio: TwilioClient, server: ScriptedServer
) -> None:
    server.reply(503, {}, Retry_After=header)
    assert provoke(lambda: twilio.fetch_brand(BN)).retry_after == seconds


def test_retry_after_as_a_date(twilio: TwilioClient, server: ScriptedServer) -> None:
    server.reply(429, {}, Retry_After=format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    wait = provoke(lambda: twilio.fetch_brand(BN)).retry_after
    assert wait is not None
    assert 3500 < wait <= 3600


def test_the_text_contains_no_personal_data(twilio: TwilioClient, server: ScriptedServer) -> None:
    words = "The number +15125550123 of jane@example.com is taken."
    server.reply(400, {"code": 30748, "message": words})
    error = provoke(lambda: twilio.create_assignment("customer_profile", BU, object_sid=BU))
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

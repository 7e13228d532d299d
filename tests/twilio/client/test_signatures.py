"""Signatures of forms and JSON, behind a proxy, with rotated secrets, and of arbitrary bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpRequest, QueryDict
from django.test import RequestFactory, override_settings

from registrations.twilio.client import is_signed
from registrations.twilio.client.signatures import (
    CONNECTION_OVERRIDES,
    FORM,
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    signature,
)

BASE = "https://desk.example.com"
TOKEN = "token-one"
FIELDS = {"AccountSid": "AC1", "BundleSid": "BU1", "Status": "twilio-rejected", "FailureReason": ""}
EVENTS = json.dumps([{"type": "com.twilio.x", "id": "EV1", "data": {"n": "ä"}}]).encode()


def own_signature(data: str, secret: str = TOKEN, digest: str = "sha1") -> str:
    """Twilio's rule, implemented independently of the SDK."""
    return base64.b64encode(hmac.new(secret.encode(), data.encode(), digest).digest()).decode()


def form_request(
    fields: Any = None, *, path: str = "/hook", url: str = "", secret: str = TOKEN, sign: str | None = None
) -> HttpRequest:
    fields = FIELDS if fields is None else fields
    data = (url or BASE + path) + "".join(name + fields[name] for name in sorted(fields))
    headers = {SIGNATURE_HEADER: own_signature(data, secret) if sign is None else sign}
    return RequestFactory().post(path, urlencode(fields), content_type=FORM, headers=headers)


def json_request(body: bytes = EVENTS, *, path: str = "/events", sent: bytes | None = None) -> HttpRequest:
    path += f"{'&' if '?' in path else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"
    return RequestFactory().post(
        path,
        body if sent is None else sent,
        content_type="application/json",
        headers={SIGNATURE_HEADER: own_signature(BASE + path)},
    )


def signed(request: HttpRequest, tokens: Any = (TOKEN,), base: str = BASE, keys: Any = ()) -> bool:
    return is_signed(request, tokens=tokens, public_base_url=base, shared_keys=keys)


def test_twilios_published_example() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    expected = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert signature("https://mycompany.com/myapp.php?foo=1&bar=2", form, "12345") == expected
    request = form_request(form, path="/myapp.php?foo=1&bar=2", sign=expected)
    assert signed(request, ["12345"], "https://mycompany.com")


def test_a_signed_form() -> None:
    assert signed(form_request())
    assert signed(form_request(path="/hook/7/?a=1&b=%2B1%20x"))
    assert signed(form_request({"Name": "Zoë & söhne", "Empty": "", "Space": " x "}))


@pytest.mark.parametrize(
    "request_",
    [
        form_request(sign=""),
        form_request(sign="nonsense"),
        form_request(sign="ünïcode"),
        form_request(secret="another"),
        form_request(url=BASE + "/other"),
        form_request(url="http://desk.example.com/hook"),
    ],
)
def test_a_wrong_signature(request_: HttpRequest) -> None:
    assert not signed(request_)


def test_a_changed_form() -> None:
    valid = form_request().headers[SIGNATURE_HEADER]
    for changed in ({**FIELDS, "Status": "twilio-approved"}, {**FIELDS, "More": "x"}, {"Status": "draft"}):
        assert not signed(form_request(changed, sign=valid))


def test_a_missing_header() -> None:
    assert not signed(RequestFactory().post("/hook", FIELDS))
    assert not signed(RequestFactory().post("/hook", EVENTS, content_type="application/json"))
    assert not signed(RequestFactory().get("/hook"))


def test_the_url_is_the_public_one_not_the_proxys() -> None:
    request = form_request()
    request.META.update(HTTP_HOST="10.0.0.7:8000", SERVER_NAME="inside", HTTP_X_FORWARDED_HOST="evil.example")
    assert signed(request)
    assert signed(request, base=BASE + "/")
    assert not signed(request, base="https://elsewhere.example.com")
    assert not signed(request, base="")


@pytest.mark.parametrize("signed_url", [f"{BASE}:443/hook", f"{BASE}/hook"])
@pytest.mark.parametrize("base", [BASE, BASE + ":443"])
def test_the_default_port_is_optional(signed_url: str, base: str) -> None:
    assert signed(form_request(url=signed_url), base=base)


def test_the_raw_query_string_counts() -> None:
    query = "x=a|b&y='q'&z=%7c%20+(1)~!*;[]"
    assert signed(form_request(path=f"/hook?{query}"))
    assert signed(json_request(path=f"/events?{query}"))


def test_the_fragment_of_our_own_url_is_optional() -> None:
    assert signed(form_request(url=f"{BASE}/hook#{CONNECTION_OVERRIDES}"))
    assert not signed(form_request(url=f"{BASE}/hook#rc=1"))


def test_the_hash_may_be_in_capitals() -> None:
    path = f"/events?bodySHA256={hashlib.sha256(EVENTS).hexdigest().upper()}"
    headers = {SIGNATURE_HEADER: own_signature(BASE + path)}
    assert signed(RequestFactory().post(path, EVENTS, content_type="application/json", headers=headers))


def test_repeated_form_fields() -> None:
    form = QueryDict("B=2&A=z&A=a&A=z")
    request = RequestFactory().post(
        "/hook",
        form.urlencode(),
        content_type=FORM,
        headers={SIGNATURE_HEADER: own_signature(f"{BASE}/hookAaAzB2")},
    )
    assert signed(request)


def test_a_signed_json_body() -> None:
    assert signed(json_request())
    assert signed(json_request(path="/events?x=1"))
    assert signed(json_request(b"\xff\xfe not text"))
    assert signed(json_request(b""))


def test_a_changed_or_unhashed_json_body() -> None:
    assert not signed(json_request(sent=EVENTS + b" "))
    bare = {SIGNATURE_HEADER: own_signature(f"{BASE}/events")}
    post = RequestFactory().post
    assert not signed(post("/events", EVENTS, content_type="application/json", headers=bare))


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/json; charset=x", "multipart/form-data"]
)
def test_a_signed_url_does_not_cover_another_body(content_type: str) -> None:
    """A URL's signature can leak through logs; it must not validate a body without its hash."""
    path = "/events"
    headers = {SIGNATURE_HEADER: own_signature(BASE + path)}
    request = RequestFactory().generic(
        "POST", path, b'[{"forged": 1}]', content_type=content_type, headers=headers
    )
    assert not signed(request)


def test_a_form_that_parses_to_nothing_is_unsigned() -> None:
    headers = {SIGNATURE_HEADER: own_signature(BASE + "/hook")}
    assert not signed(RequestFactory().post("/hook", b"&&&", content_type=FORM, headers=headers))


@pytest.mark.parametrize("right_first", [True, False])
def test_two_body_hashes_are_unsigned(right_first: bool) -> None:
    hashes = sorted(["0" * 64, hashlib.sha256(EVENTS).hexdigest()], reverse=right_first)
    path = f"/events?bodySHA256={hashes[0]}&bodySHA256={hashes[1]}"
    headers = {SIGNATURE_HEADER: own_signature(BASE + path)}
    assert not signed(RequestFactory().post(path, EVENTS, content_type="application/json", headers=headers))


def test_rotated_tokens() -> None:
    for secret in ("old", "new"):
        assert signed(form_request(secret=secret), ["new", "old"])
        assert signed(form_request(secret=secret), "new, old")
    assert not signed(form_request(secret="older"), ["new", "old"])


@pytest.mark.parametrize("tokens", [[], [""], "", " , "])
def test_without_a_token_nothing_is_signed(tokens: Any) -> None:
    assert not signed(form_request(secret=""), tokens)


def shared(secret: str, algorithm: str = "HMAC_SHA256", digest: str = "sha256") -> HttpRequest:
    request = form_request(sign="x")
    data = f"{BASE}/hook" + "".join(name + FIELDS[name] for name in sorted(FIELDS))
    request.META["HTTP_X_TWILIO_SIGNATURE"] = own_signature(data, secret, digest)
    request.META["HTTP_" + SETTINGS_HEADER.upper().replace("-", "_")] = (
        f"key=webhooks_sharedkey_1,algorithm={algorithm}"
    )
    return request


def test_shared_keys() -> None:
    assert signed(shared("key-1"), keys="key-0,key-1")
    assert not signed(shared("key-2"), keys=["key-1"])
    assert not signed(shared("key-1"))
    # A token is no shared key and the other way round, nor is one algorithm the other.
    assert not signed(shared(TOKEN), keys=["key-1"])
    assert not signed(shared("key-1", digest="sha1"), keys=["key-1"])
    assert not signed(form_request(secret="key-1"), keys=["key-1"])
    assert not signed(shared("key-1", "HMAC_MD5", "md5"), keys=["key-1"])


def test_settings_are_the_default() -> None:
    with override_settings(
        TWILIO_AUTH_TOKEN="new,token-one", PUBLIC_BASE_URL=BASE + "/", TWILIO_WEBHOOK_SHARED_KEY="key-1"
    ):
        assert is_signed(form_request())
        assert is_signed(shared("key-1"))
        assert not is_signed(form_request(secret="other"))
    with override_settings(TWILIO_AUTH_TOKEN="", PUBLIC_BASE_URL=BASE, TWILIO_WEBHOOK_SHARED_KEY=""):
        assert not is_signed(form_request())


def test_too_many_fields_do_not_raise() -> None:
    with override_settings(DATA_UPLOAD_MAX_NUMBER_FIELDS=2):
        assert not signed(form_request())
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=3):
        assert not signed(json_request())


def test_a_base_url_with_a_bad_port_does_not_raise() -> None:
    assert not signed(form_request(), base="https://desk.example.com:99999999")


@pytest.mark.parametrize("seed", range(60))
def test_random_requests_are_unsigned_and_never_raise(seed: int) -> None:
    rng = random.Random(seed)
    junk = "".join(chr(rng.randrange(1, 0x2FF)) for _ in range(rng.randrange(30)))
    request = RequestFactory().generic(
        "POST",
        "/hook",
        rng.randbytes(rng.randrange(60)),
        content_type=rng.choice(
            [FORM, "application/json", "multipart/form-data; boundary=x", "?", FORM + ";charset=no"]
        ),
    )
    request.META["QUERY_STRING"] = rng.choice(["", "bodySHA256=", "bodySHA256=%ff&a", junk])
    request.META["HTTP_X_TWILIO_SIGNATURE"] = rng.choice([junk, "\udcff", own_signature(junk), "="])
    request.META["HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS"] = rng.choice(["", junk, "algorithm=", ",,=,"])
    assert signed(request, keys=["key"]) is False

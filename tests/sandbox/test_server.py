"""The HTTP server: paging, faults, rate limits, restart, the control API and the page."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from registrations.sandbox import Config, SandboxServer, World
from registrations.sandbox.limits import RateLimiter
from registrations.sandbox.state import CAMPAIGN_REVIEW
from registrations.sandbox.store import Store
from tests.sandbox.conftest import ACCOUNT, PRIMARY, TOKEN, Clock, Redirected, client_for, control
from tests.sandbox.walk import Walk

ROOT = Path(__file__).parents[2]
OPTIONS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "primary_profile_sid": PRIMARY, "rate_limit": False}


def services(client: Client, count: int) -> list[str]:
    return [client.messaging.v1.services.create(friendly_name=f"service {n}").sid for n in range(count)]


# -- authentication ----------------------------------------------------------------------------------------


def test_api_key_and_secondary_token():
    options = {**OPTIONS, "auth_token": "new,old", "api_key_sid": "SK1", "api_key_secret": "shh"}
    with SandboxServer(**options) as server:
        for user, password in ((ACCOUNT, "new"), (ACCOUNT, "old"), ("SK1", "shh")):
            client = Client(user, password, ACCOUNT, http_client=Redirected(server.url))
            assert client.api.v2010.accounts(ACCOUNT).fetch().status == "active"
        client = Client("SK1", "new", ACCOUNT, http_client=Redirected(server.url))
        with pytest.raises(TwilioRestException, match="Authenticate"):
            client.api.v2010.accounts(ACCOUNT).fetch()


# -- pages -------------------------------------------------------------------------------------------------


def test_v1_pages_are_newest_first_and_do_not_shift(client):
    made = services(client, 5)
    page = client.messaging.v1.services.page(page_size=2)
    first = [row.sid for row in page]
    assert page.next_page_url.startswith("https://messaging.twilio.com/v1/Services?")
    services(client, 1)
    second = page.next_page()
    assert first + [row.sid for row in second] == made[::-1][:4]
    assert [row.sid for row in client.messaging.v1.services.list(page_size=2)][1:] == made[::-1]
    assert len(client.messaging.v1.services.list(limit=3, page_size=2)) == 3


def test_2010_pages(server, client):
    control(server, "numbers", {"count": 60})
    assert len(client.incoming_phone_numbers.list()) == 63
    assert [row.phone_number for row in client.incoming_phone_numbers.list(phone_number="+14155550102")] == [
        "+14155550102"
    ]


@pytest.mark.parametrize(("size", "code"), [(1001, 20007), (0, 20001), ("many", 20001)])
def test_page_size_limits(server, size, code):
    url = f"{server.url}/v1/Services?PageSize={size}"
    answer = requests.get(url, auth=(ACCOUNT, TOKEN), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_filters(server, client):
    walk = Walk(server, client).build_profile()
    profiles = client.trusthub.v1.customer_profiles
    assert [row.sid for row in profiles.list(friendly_name="customer 1")] == [walk.sids["profile"]]
    assert [row.sid for row in profiles.list(status="twilio-approved")] == [PRIMARY]
    assert profiles.list(friendly_name="nobody") == []
    assert client.addresses.list(customer_name="Ana Silva", iso_country="CA") == []
    links = walk.bundle.customer_profiles_entity_assignments
    assert [row.object_sid for row in links.list(object_type="customer_profile_address")] == [
        walk.sids["document"]
    ]


# -- faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "error", "done"),
    [
        ({"action": "429", "retry_after": 7}, (429, 20429), 0),
        ({"action": "500"}, (500, 20500), 0),
        ({"action": "503"}, (503, 20503), 0),
        ({"action": "error", "status": 400, "code": 21730}, (400, 21730), 0),
        ({"action": "html"}, (502, 502), 0),
        ({"action": "drop_before"}, requests.ConnectionError, 0),
        ({"action": "drop_after"}, requests.ConnectionError, 1),
        ({"action": "500_after"}, (500, 20500), 1),
        ({"action": "html_after"}, json.JSONDecodeError, 1),
        ({"action": "truncated"}, requests.exceptions.RequestException, 1),
    ],
    ids=lambda value: value.get("action") if isinstance(value, dict) else None,
)
def test_faults_before_and_after_the_effect(server, client, rule, error, done):
    control(server, "faults", {"method": "POST", "path": "^/v1/Services$", **rule})
    expected = TwilioRestException if isinstance(error, tuple) else error
    with pytest.raises(expected) as caught:
        services(client, 1)
    if isinstance(error, tuple):
        assert (caught.value.status, caught.value.code) == error
    assert control(server, "counts")["Services"] == done
    entry = control(server, "log")[-1]
    assert entry["fault"] == rule["action"]
    assert len(entry["created"]) == done
    assert services(client, 1), "a rule fires once by default"


def test_nth_probability_and_delete(server, client):
    control(server, "faults", {"rules": [{"path": "Services", "action": "500", "nth": 2}]})
    services(client, 1)
    with pytest.raises(TwilioRestException):
        services(client, 1)
    services(client, 1)
    rule = {"path": "Services", "action": "500", "probability": 0.5, "seed": 4}
    control(server, "faults", [rule])
    outcomes = []
    for _ in range(12):
        try:
            services(client, 1)
            outcomes.append(1)
        except TwilioRestException:
            outcomes.append(0)
    assert 0 < sum(outcomes) < 12
    request = urllib.request.Request(f"{server.url}/_sandbox/faults", method="DELETE")
    urllib.request.urlopen(request, timeout=5)
    assert control(server, "faults") == []


def test_rfc9457_errors(server, client):
    control(server, "faults", {"action": "rfc9457", "path": "Services"})
    with pytest.raises(TwilioServiceException) as caught:
        client.messaging.v1.services("MG" + "0" * 32).fetch()
    assert caught.value.code == 20404


def test_an_invalid_rule_is_rejected(server):
    for rule in ({"action": "explode"}, {"action": "500", "color": 1}, {"action": "500", "path": "("}):
        answer = requests.post(f"{server.url}/_sandbox/faults", json=rule, timeout=5)
        assert answer.status_code == 400, rule


# -- pace --------------------------------------------------------------------------------------------------


def test_rate_limits():
    clock = Clock()
    paces = RateLimiter(clock)
    assert paces.allow("brand-campaign")
    clock.at += 0.85
    assert not paces.allow("brand-campaign")
    clock.at += 0.15
    assert paces.allow("brand-campaign")
    assert [paces.allow("otp") for _ in range(11)] == [True] * 10 + [False]
    # Coming a little early each time does not add up to a faster pace.
    clock.at += 10
    taken = 0
    for _ in range(200):
        taken += paces.allow("brand-campaign")
        clock.at += 0.05
    assert taken <= 11


def test_too_fast_is_429_with_retry_after():
    with SandboxServer(**{**OPTIONS, "rate_limit": True}) as server:
        walk = Walk(server, client_for(server)).bundles()
        walk.create_brand()
        url = f"{server.url}/v1/a2p/BrandRegistrations/{walk.sids['brand']}"
        answer = requests.post(url, auth=(ACCOUNT, TOKEN), timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (429, 20429)
        assert answer.headers["Retry-After"] == "1"
        assert control(server, "counts")["violations"] == {"pace": 1}
        assert walk.brand().fetch().status == "PENDING", "reads have no such limit"


# -- restart -----------------------------------------------------------------------------------------------


def test_a_restart_loses_nothing(tmp_path):
    state = str(tmp_path / "state.sqlite3")
    with SandboxServer(state=state, **OPTIONS) as server:
        walk = Walk(server, client_for(server)).bundles()
        walk.create_brand()
        control(server, "faults", {"action": "500", "path": "nowhere"})
        before = control(server, "state")
    with SandboxServer(state=state, **OPTIONS) as server:
        after = control(server, "state")
        assert {**after, "now": 0} == {**before, "now": 0}
        walk = Walk(server, client_for(server), sids=walk.sids)
        walk.advance(40)
        assert walk.brand().fetch().status == "APPROVED", "a delay goes on after the restart"
        assert len(control(server, "log")) == walk_length(before) + 1


def walk_length(state: dict[str, Any]) -> int:
    """The writes of the walkthrough up to the brand, without reads."""
    kinds = (
        "CustomerProfiles TrustProducts EndUsers SupportingDocuments EntityAssignments Evaluations Addresses"
    )
    submissions, seeded = 2, 1
    return (
        sum(len(state[kind]) for kind in kinds.split())
        - seeded
        + submissions
        + len(state["BrandRegistrations"])
    )


def test_kill_9_loses_no_completed_call(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "registrations.sandbox", "--port", str(port)]
    command += ["--state", str(tmp_path / "state.sqlite3"), "--account-sid", ACCOUNT, "--auth-token", TOKEN]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert "Twilio sandbox on" in process.stdout.readline()
        return process

    url = f"http://127.0.0.1:{port}/v1/Services"
    process = start()
    try:
        made = [
            requests.post(url, data={"FriendlyName": f"s{n}"}, auth=(ACCOUNT, TOKEN), timeout=5).json()["sid"]
            for n in range(20)
        ]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        process = start()
        found = requests.get(url, auth=(ACCOUNT, TOKEN), timeout=5).json()["services"]
        assert [row["sid"] for row in found] == made[::-1]
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


# -- control API and page ----------------------------------------------------------------------------------


def test_control_of_reviews(server, client):
    walk = Walk(server, client).bundles()
    control(server, f"bundle/{walk.sids['trust']}", {"action": "reject", "code": 18602})
    assert walk.trust.fetch().errors == [{"code": 18602}]
    walk.submit_trust().advance(30)
    walk.create_brand()
    control(server, f"brand/{walk.sids['brand']}", {"action": "approve"})
    assert control(server, "answer", {"mobile": "+14155550199"})["verified"] == [walk.sids["brand"]]
    walk.create_service().create_campaign()
    path = f"campaign/{walk.sids['service']}"
    control(server, path, {"action": "reject", "codes": [30886, 30893], "fields": ["MESSAGE_FLOW"]})
    assert [item["error_code"] for item in walk.fetch_campaign().errors] == [30886, 30893]
    walk.advance(CAMPAIGN_REVIEW)
    assert walk.fetch_campaign().campaign_status == "FAILED", "the old review does not come back"
    control(server, path, {"action": "set", "campaign_status": "PONDERING"})
    assert walk.fetch_campaign().campaign_status == "PONDERING"
    control(server, path, {"action": "approve"})
    control(server, f"brand/{walk.sids['brand']}", {"action": "delete"})
    assert client.messaging.v1.brand_registrations.list() == []
    control(server, "reset", {})
    assert control(server, "counts")["CustomerProfiles"] == 1


def test_control_rejects_invalid_requests(server):
    for path, status in (
        ("brand/BN0", 404),
        ("nothing", 404),
        ("answer", 400),
        ("clock", 400),
        ("numbers", 400),
    ):
        answer = requests.post(f"{server.url}/_sandbox/{path}", json={}, timeout=5)
        assert answer.status_code == status, path
    assert requests.get(f"{server.url}/_sandbox/reset", timeout=5).status_code == 404


def test_other_sites_cannot_use_the_control_pages(server):
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(f"{server.url}/_sandbox/reset", json={}, headers=headers, timeout=5)
    assert answer.status_code == 403


def test_the_page_shows_otp_texts_and_its_button_replies(server, client):
    walk = Walk(server, client)
    walk.trust_user["brand_name"] = "<script>Ana"
    walk.reviewed_brand()
    text = requests.get(server.url, timeout=5).text
    assert "+14155550199" in text
    assert "&lt;script&gt;Ana" in text
    assert "<script" not in text
    form = {"brand_sid": walk.sids["brand"], "body": "YES"}
    answer = requests.post(f"{server.url}/_sandbox/answer", data=form, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert walk.brand().fetch().identity_status == "VERIFIED"
    assert "No OTP texts are waiting" in requests.get(server.url, timeout=5).text


def test_delays_scale_and_a_clock_can_be_given():
    clock = Clock()
    world = World(Config(time_scale=0.1), Store(), clock=clock)
    walked: list[str] = []
    from registrations.sandbox.wire import TIMERS

    TIMERS["test"] = lambda _world, key, _round: walked.append(key)
    try:
        world.later(30, "test", "late")
        world.later(10, "test", "early")
        clock.at += 0.9
        world.run_due()
        assert walked == []
        clock.at += 3
        world.run_due()
        assert walked == ["early", "late"]
    finally:
        del TIMERS["test"]
        world.store.close()


def test_the_sandbox_is_independent():
    """It imports only the standard library and itself: it shares no code with what it tests."""
    for path in (ROOT / "registrations" / "sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [] if node.level == 1 else [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                own = name.startswith("registrations.sandbox")
                assert own or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_lists_of_the_sdk_raise_on_a_fault(server, client):
    control(server, "faults", {"method": "GET", "action": "500", "path": "Services"})
    with pytest.raises(TwilioException):
        client.messaging.v1.services.list()

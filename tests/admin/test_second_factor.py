"""Signing in: wrong passwords are counted, and a second factor is asked for where there is one, or must be one."""

import time

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from a2p_admin.proxy import client_address
from registrations.admin.second_factor import RECOVERY_CODES
from tests.admin.conftest import browser, person

pytestmark = pytest.mark.django_db
LOGIN, HOME = "/admin/login/", "/admin/registrations/registration/"
CHECK, SETUP = "/admin/second-factor/", "/admin/second-factor/setup/"


@pytest.fixture
def ann(db):
    return person("ann", "view_registration")


def sign_in(client: Client, password="pw", name="ann"):
    return client.post(LOGIN, {"username": name, "password": password, "next": HOME})


def code(user, steps: int = 0) -> str:
    """What the app shows; steps: half minutes from now."""
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


@pytest.fixture
def enrolled(ann):
    """Ann with a second factor and its recovery codes."""
    client = browser(ann)
    client.post(SETUP, {"action": "start"})
    page = client.post(SETUP, {"action": "confirm", "code": code(ann)})
    ann.codes = page.context["codes"]
    TOTPDevice.objects.update(last_t=-1)  # half a minute later
    return ann


# --- passwords --------------------------------------------------------------------------------------------------
def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(ann):
    client = Client()
    for _ in range(4):
        assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, "wrong").status_code == 429
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert client.get(HOME).status_code == 302
    person("bob", "view_registration")
    assert sign_in(client, name="bob").status_code == 302, "a colleague at the same address may go on"


def test_behind_a_proxy_a_stranger_keeps_nobody_else_out(ann, settings):
    settings.AXES_CLIENT_IP_CALLABLE = "a2p_admin.proxy.client_address"

    def browser_at(forwarded: str) -> Client:
        return Client(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    # What the proxy did not write itself is the stranger's claim, and gives no new tries.
    claims = [
        "198.51.100.7",
        "203.0.113.1, 198.51.100.7",
        "x, 198.51.100.7",
        "ann, 198.51.100.7",
        " 198.51.100.7 ",
    ]
    answers = [sign_in(browser_at(claim), "wrong").status_code for claim in claims]
    assert answers == [200, 200, 200, 200, 429]
    assert sign_in(browser_at("203.0.113.1")).status_code == 302


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("1.2.3.4, nonsense", "127.0.0.1"),
        ("1.2.3.4:80", "127.0.0.1"),
    ],
)
def test_an_address_that_cannot_be_read_is_the_callers_own(rf, forwarded, address):
    assert client_address(rf.get("/", HTTP_X_FORWARDED_FOR=forwarded)) == address


def test_a_right_password_forgets_the_wrong_ones(ann):
    client = Client()
    for _ in range(3):
        for _ in range(4):
            sign_in(client, "wrong")
        assert sign_in(client).status_code == 302


# --- without and with a second factor ---------------------------------------------------------------------------
def test_without_one_nothing_is_asked(ann):
    client = Client()
    assert sign_in(client).url == HOME
    assert client.get(HOME).status_code == 200
    assert "It is on" not in client.get(SETUP).content.decode()


def test_with_one_the_password_alone_opens_nothing(enrolled):
    client = Client()
    sign_in(client)
    for url in (HOME, "/admin/", "/admin/registrations/notification/", "/admin/password_change/"):
        answer = client.get(url)
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, CHECK), url
    assert client.post(f"{HOME}add/", {}).url.startswith(CHECK)
    # Nor can it be replaced or turned off.
    for act in ("start", "confirm", "codes", "off"):
        assert client.post(SETUP, {"action": act}).url == CHECK
    assert TOTPDevice.objects.get().confirmed
    assert client.post("/admin/logout/").status_code == 200


def test_the_code_opens_the_page_that_was_asked_for(enrolled):
    client = Client()
    sign_in(client)
    asked = client.get(HOME + "?q=x").url
    assert client.get(asked).status_code == 200
    answer = client.post(asked, {"code": code(enrolled), "next": HOME + "?q=x"})
    assert (answer.status_code, answer.url) == (302, HOME + "?q=x")
    assert client.get(HOME).status_code == 200
    assert "Second factor is on. 8 recovery codes left." in client.get(SETUP).content.decode()


@pytest.mark.parametrize("wrong", ["", "000000x", "١٢٣", "a" * 400])
def test_a_wrong_code_opens_nothing(enrolled, wrong):
    client = Client()
    sign_in(client)
    assert client.post(CHECK, {"code": wrong}).status_code == 422
    assert client.get(HOME).status_code == 302


def test_a_code_works_once(enrolled):
    first, second = Client(), Client()
    shown = code(enrolled)
    for client, status in ((first, 302), (second, 422)):
        sign_in(client)
        assert client.post(CHECK, {"code": shown}).status_code == status


def test_after_a_wrong_code_one_has_to_wait(enrolled):
    client = Client()
    sign_in(client)
    client.post(CHECK, {"code": "000000"})
    assert client.post(CHECK, {"code": code(enrolled)}).status_code == 422


def test_a_recovery_code_works_once(enrolled):
    assert len(enrolled.codes) == RECOVERY_CODES
    for status in (302, 422):
        client = Client()
        sign_in(client)
        assert client.post(CHECK, {"code": enrolled.codes[0]}).status_code == status
    assert StaticToken.objects.count() == RECOVERY_CODES - 1


@pytest.mark.parametrize("bad", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(enrolled, bad):
    client = Client()
    sign_in(client)
    assert client.post(CHECK, {"code": code(enrolled), "next": bad}).url == "/admin/"


# --- setting it up ----------------------------------------------------------------------------------------------
def test_looking_makes_nothing_and_a_wrong_code_turns_nothing_on(ann):
    client = browser(ann)
    client.get(SETUP)
    assert not TOTPDevice.objects.exists()
    client.post(SETUP, {"action": "start"})
    page = client.get(SETUP).content.decode()
    assert "<svg" in page
    assert "style=" not in page.split("second-factor-qr")[1].split("</svg>")[0]
    assert client.post(SETUP, {"action": "confirm", "code": "1"}).status_code == 422
    assert not TOTPDevice.objects.get().confirmed
    assert sign_in(Client()).url == HOME
    assert client.get(HOME).status_code == 200


def test_new_recovery_codes_replace_the_old_and_off_is_off(enrolled):
    client = Client()
    sign_in(client)
    client.post(CHECK, {"code": code(enrolled)})
    new = client.post(SETUP, {"action": "codes"}).context["codes"]
    assert set(new).isdisjoint(enrolled.codes)
    assert StaticToken.objects.count() == RECOVERY_CODES
    client.post(SETUP, {"action": "off"})
    assert not TOTPDevice.objects.exists()
    assert client.get(HOME).status_code == 200


def test_the_key_is_shown_to_nobody_else(enrolled):
    boss = browser(person("boss", superuser=True))
    assert boss.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert boss.get("/admin/otp_static/staticdevice/").status_code == 404


# --- when everybody must ----------------------------------------------------------------------------------------
def test_everybody_must_set_one_up_first(ann, settings):
    settings.A2P_REQUIRE_MFA = True
    client = Client()
    sign_in(client)
    assert client.get(HOME, follow=True).redirect_chain[-1][0] == SETUP
    client.post(SETUP, {"action": "start"})
    client.post(SETUP, {"action": "confirm", "code": code(ann)})
    assert client.get(HOME).status_code == 200
    client.post(SETUP, {"action": "off"})
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    assert Client().get("/healthz").status_code in (200, 503)


def test_a_lost_phone(enrolled, capsys):
    call_command("reset_second_factor", "ann")
    assert "Second factor removed." in capsys.readouterr().out
    client = Client()
    sign_in(client)
    assert client.get(HOME).status_code == 200
    call_command("reset_second_factor", "ann")
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody")
    assert get_user_model().objects.filter(username="ann").exists()

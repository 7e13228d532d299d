"""The second factor required of everybody: enrolment, codes right and wrong, a lost phone."""

import base64
import re
import time
from collections.abc import Callable

import pytest
import segno
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, USER
from tests.browser.pages import App
from tests.browser.wcag import PHONE, in_every_look

from . import probes

pytestmark = pytest.mark.browser


class Authenticator:
    """The app on a phone that scanned this key."""

    def __init__(self, key: str):
        self.key = key.replace(" ", "")
        self.secret = base64.b32decode(self.key + "=" * (-len(self.key) % 8))

    def code(self) -> str:
        totp = TOTP(self.secret)
        totp.time = time.time()
        return f"{totp.token():06d}"

    def wrong_code(self) -> str:
        """One that the app shows at no time near."""
        now = int(time.time())
        shown = set()
        for at in range(now - 90, now + 91, 30):
            totp = TOTP(self.secret)
            totp.time = at
            shown.add(f"{totp.token():06d}")
        return next(code for code in (f"{number:06d}" for number in range(100)) if code not in shown)


def a_minute_passes() -> None:
    """What was used, or was wrong, is not waited for any more."""
    for kind in (TOTPDevice, StaticDevice):
        kind.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    TOTPDevice.objects.update(last_t=-1)


@pytest.fixture(autouse=True)
def asked_of_everybody(settings):
    settings.A2P_REQUIRE_MFA = True


@pytest.fixture
def looks(guard) -> Callable[[App], None]:
    """Fails when a page breaks a rule of WCAG, or is wider than a phone."""

    def look(app: App) -> None:
        page, wide = app.page, app.page.viewport_size
        assert in_every_look(page, guard) == []
        page.set_viewport_size(PHONE)
        assert probes.overflow(page) == []
        page.set_viewport_size(wide)

    return look


def enrol(app: App) -> tuple[str, list[str]]:
    """From the first page of the enrolment on; returns the code that was used, and the recovery codes."""
    app.button("Set up").click()
    used = Authenticator(app.page.locator("code").inner_text()).code()
    app.field("Code").fill(used)
    app.button("Turn on").click()
    expect(app.link("I saved these codes")).to_be_visible()
    return used, app.page.locator("li code").all_inner_texts()


def heading(app: App, name: str) -> None:
    expect(app.page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()


def test_who_has_none_is_led_to_enrolment_and_signs_in_with_it_from_then_on(visitor, user, looks):
    app = visitor()
    page = app.page
    app.sign_in(USER, PASSWORD)
    heading(app, "Second factor")
    expect(page.get_by_text("This is required for everyone.")).to_be_visible()
    looks(app)
    # Nothing else opens before.
    app.list()
    heading(app, "Second factor")

    app.button("Set up").click()
    authenticator = Authenticator(page.locator("code").inner_text())
    scanned = (
        f"otpauth://totp/A2P%20desk%3A{USER}?secret={authenticator.key}&algorithm=SHA1&digits=6&period=30"
    )
    drawn = segno.make(f"{scanned}&issuer=A2P%20desk", error="m").svg_inline(border=3)
    code = page.get_by_role("img", name="QR code").locator("path").last
    assert code.get_attribute("d") == re.findall(r' d="([^"]+)"', drawn)[-1]
    looks(app)
    app.field("Code").fill(authenticator.wrong_code())
    app.button("Turn on").click()
    expect(page.get_by_role("alert")).to_have_text("This code is wrong. Enter the current code from the app.")
    expect(page).to_have_title(re.compile("^Error: "))
    looks(app)
    assert Authenticator(page.locator("code").inner_text()).key == authenticator.key
    assert not TOTPDevice.objects.get().confirmed

    a_minute_passes()
    app.field("Code").fill(authenticator.code())
    app.button("Turn on").click()
    expect(page.locator("li code")).to_have_count(8)
    looks(app)
    app.link("I saved these codes").click()
    heading(app, "Home")

    app.button("Log out").click()
    a_minute_passes()
    app.sign_in(USER, PASSWORD)
    heading(app, "Enter your code")
    expect(app.field("Code")).to_be_focused()
    looks(app)
    app.list()
    heading(app, "Enter your code")
    app.field("Code").fill(authenticator.wrong_code())
    app.button("Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong or was already used.")
    expect(page).to_have_title(re.compile("^Error: "))
    looks(app)
    a_minute_passes()
    app.field("Code").fill(authenticator.code())
    app.button("Continue").click()
    # The page that was asked for.
    heading(app, "Registrations")
    page.goto("/admin/second-factor/setup/")
    expect(page.get_by_text("Second factor is on. 8 recovery codes left.")).to_be_visible()
    expect(app.button("Turn off")).to_have_count(0)
    looks(app)


def test_without_the_phone_a_recovery_code_opens_once_and_without_scripts(visitor, user):
    app = visitor(java_script_enabled=False)
    app.sign_in(USER, PASSWORD)
    _, codes = enrol(app)
    app.link("I saved these codes").click()
    for attempt, opens in ((codes[0], True), (codes[0], False), (codes[1].upper(), True)):
        app.button("Log out").click()
        a_minute_passes()
        app.sign_in(USER, PASSWORD)
        app.field("Code").fill(attempt)
        app.button("Continue").click()
        heading(app, "Home" if opens else "Enter your code")


def test_another_window_with_the_password_alone_stays_shut(visitor, user):
    first, second = visitor(), visitor()
    first.sign_in(USER, PASSWORD)
    used, _ = enrol(first)
    second.sign_in(USER, PASSWORD)
    heading(second, "Enter your code")
    # The code that was just used opens nothing a second time.
    second.field("Code").fill(used)
    second.button("Continue").click()
    expect(second.page.get_by_role("alert")).to_contain_text("already used")
    second.page.goto("/admin/second-factor/setup/")
    heading(second, "Enter your code")
    first.list()
    heading(first, "Registrations")

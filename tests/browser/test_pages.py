"""What holds on every page: keyboard, narrow windows, dark mode, no script needed, one click is one act."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from registrations.admin.changelist import live_regions
from registrations.models import Brand, PhoneNumber, Registration
from registrations.workflow.runner import runner
from tests.browser.every_page import make_registrations, pages, visit
from tests.browser.pages import CUSTOMER
from tests.customers import make_draft
from tests.factories import make_registration

from . import probes

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def test_every_page_by_keyboard_in_dark_and_on_a_phone(app):
    page, registrations = app.page, make_registrations()
    wide = page.viewport_size
    trouble: dict[str, list[str]] = {}

    def note(name: str, what: str, found: list[str]) -> None:
        if found:
            trouble.setdefault(name, []).append(f"{what}: {found}")

    for name, how in pages(registrations).items():
        visit(app, how)
        missed, undrawn, hidden = probes.tab_through(page)
        note(name, "Tab does not reach", missed)
        note(name, "focus is not drawn", undrawn)
        note(name, "focus is out of sight", hidden)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            note(name, f"poor contrast, {scheme}", probes.poor_contrast(page))
        page.set_viewport_size(PHONE)
        note(name, "wider than a phone", probes.overflow(page))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(wide)
    assert trouble == {}


def test_the_probes_notice_what_they_are_for(app):
    make_draft()  # an empty list has nothing to search
    page = app.list().page
    page.evaluate("""() => {
      const css = new CSSStyleSheet();
      css.replaceSync('#searchbar { outline: none !important; box-shadow: none !important; border: 0; }'
        + '.site-logo span { color: #999 !important; }');
      document.adoptedStyleSheets.push(css);
      const wide = document.createElement('div'); wide.style.width = '2000px'; wide.textContent = 'wide';
      document.querySelector('main, #content').append(wide);
      const lid = document.createElement('div'); document.body.append(lid);
      Object.assign(lid.style, {position: 'fixed', inset: '80% 0 0 0', zIndex: 99});
      document.querySelector('#searchbar').addEventListener('keydown', e => e.preventDefault());
    }""")
    missed, undrawn, hidden = probes.tab_through(page)
    assert "button Search" in missed
    assert "button Log out" in hidden
    assert undrawn == ["input#searchbar"]
    assert [line.split(" ")[0] for line in probes.poor_contrast(page)] == ["span"]
    page.set_viewport_size(PHONE)
    assert "div wide" in probes.overflow(page)


def test_the_guard_notices_inline_scripts_and_foreign_requests(app, guard):
    page = app.list().page
    page.evaluate("""async () => {
      const script = document.createElement('script'); script.textContent = 'window.ran = true';
      document.body.append(script);
      document.body.setAttribute('style', 'color: red');
      await fetch('https://example.com/').catch(() => 0);
      const image = new Image(); image.src = 'http://127.0.0.1:9/pixel'; document.body.append(image);
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    told = "\n".join(guard.faults)
    guard.faults.clear()
    for word in ("inline script", "inline style", "https://example.com/", "http://127.0.0.1:9/pixel"):
        assert word in told


def test_the_first_tab_is_a_link_past_the_navigation(app):
    page = app.list().page
    page.keyboard.press("Tab")
    skip = app.link("Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(
        "document.querySelector('main, #content-start, #content').contains(document.activeElement)"
    )


def test_a_registration_is_submitted_by_keyboard_alone(app):
    registration = make_draft()
    page = app.list().page

    def tab_to(name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("(document.activeElement.innerText || '').trim()").startswith(name):
                return
        raise AssertionError(f"Tab does not reach {name}")

    tab_to(registration.label)
    page.keyboard.press("Enter")
    page.wait_for_url("**/detail/")
    tab_to("Submit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/confirm/submit/")
    tab_to("Submit · $19.50")
    page.keyboard.press("Enter")
    app.expect_said("Submitting to Twilio…")
    assert runner.load(registration.pk).is_submitted


@pytest.mark.parametrize("scripts", [True, False])
def test_a_search_keeps_the_filters_and_leaves_no_name_in_the_address(signed_in, scripts):
    app = signed_in(java_script_enabled=scripts)
    make_draft("Corner Bakery")
    make_draft("Someone else")
    page = app.page
    page.goto("/admin/registrations/registration/?stage__exact=draft")
    box, rows = page.get_by_role("searchbox"), page.locator("#result_list tbody tr")
    box.fill("corner")
    box.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Corner Bakery")
    expect(box).to_have_value("corner")
    assert "stage__exact=draft" in page.url
    assert "corner" not in page.url
    page.go_back()
    expect(rows).to_have_count(2)
    box.fill("someone")
    app.button("Search").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Someone else")
    box.fill("")
    app.button("Search").click()
    expect(rows).to_have_count(2)
    assert "stage__exact=draft" in page.url


def test_dark_mode_follows_the_system_until_somebody_chooses(signed_in):
    app = signed_in(color_scheme="dark")
    page = app.list().page

    def scheme() -> tuple[str, bool]:
        return page.evaluate("""() => {
          const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number);
          return [getComputedStyle(document.documentElement).colorScheme, r + g + b < 200];
        }""")

    assert scheme() == ["dark", True]
    page.emulate_media(color_scheme="light")
    assert scheme() == ["light", False]
    toggle = page.get_by_role("button", name="Toggle theme")
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        toggle.click()
    app.new()
    assert scheme() == ["dark", True]


def test_without_javascript_a_customer_gets_to_the_one_time_text(signed_in, worker):
    app = signed_in(java_script_enabled=False)
    page = app.new().page
    app.fill(CUSTOMER | {"City": ""})
    app.button("Save and submit").click()
    expect(page.get_by_role("alert").get_by_role("link", name="City")).to_be_visible()
    assert app.typed(CUSTOMER) == CUSTOMER | {"City": ""}
    app.fill({"City": CUSTOMER["City"]})
    app.button("Save and submit").click()
    app.expect_said("Saved. Submitting to Twilio…")
    for _ in range(60):
        page.reload()
        if page.locator("#live-head .chips").get_by_text("Waiting on customer").is_visible():
            break
        page.wait_for_timeout(300)
    expect(app.card("OTP text")).to_contain_text("reply with the word YES")
    profile = page.locator("#part-profile")
    expect(profile).to_contain_text("Done")
    profile.locator("summary").click()
    expect(profile.locator("li.step").first).to_be_visible()


def test_a_double_click_is_one_act(app):
    app.new()
    app.fill(CUSTOMER)
    app.button("Save").dblclick()
    app.expect_said("Saved.")
    registration = Registration.objects.get()
    app.link("Submit").click()
    app.button("Submit · $19.50").dblclick()
    app.expect_said("Submitting to Twilio…")
    assert registration.events.filter(tag="submitted").count() == 1


def test_resend_waits_for_the_cool_down_and_works_as_soon_as_it_is_over(app, monkeypatch):
    monkeypatch.setattr(live_regions, "POLL_IDLE_SECONDS", 1)
    registration = make_registration("otp")
    Brand.objects.filter(registration=registration).update(otp_sent_at=timezone.now(), otp_sends=1)
    page = app.registration(registration).page
    card = app.card("OTP text")
    resend = page.get_by_role("link", name=re.compile("^Resend"))
    expect(resend).to_have_count(0)
    expect(card).to_contain_text("An OTP text was just sent. Give it a few minutes to arrive.")
    expect(card).to_contain_text("Texts sent1")

    # The cool-down ends while the page is open.
    Brand.objects.filter(registration=registration).update(otp_sent_at=timezone.now() - timedelta(hours=1))
    app.link("Resend OTP text").click()
    question = page.get_by_role("region", name="Resend OTP text")
    expect(question).to_contain_text("(•••) •••-2672")
    expect(question).to_contain_text("1 time")
    assert registration.events.filter(tag="brand:otp_requested").count() == 0
    app.button("Resend OTP text").dblclick()
    app.expect_said("Sending a new OTP text.")
    assert registration.events.filter(tag="brand:otp_requested").count() == 1
    expect(resend).to_have_count(0)
    expect(card).to_contain_text("An OTP text is already being sent.")


def test_a_mobile_that_is_nearly_used_up_is_shown_as_soon_as_it_is_typed(app):
    for label in ("Aster", "Begonia"):
        make_registration("brand", label=label)
    page = app.new().page
    mobile = app.field("Mobile for the OTP text")
    mobile.fill("(415) 555-2672")
    mobile.press("Tab")
    line = page.get_by_role("status").filter(has_text="This mobile was used for 2 other brands")
    expect(line).to_contain_text("After this one, none of 3 is left")
    expect(mobile).to_have_accessible_description(re.compile("none of 3 is left"))
    mobile.fill("(415) 555-2699")
    mobile.press("Tab")
    expect(line).to_have_count(0)
    assert Registration.objects.count() == 2


def test_a_number_is_bought_only_after_its_price_was_seen(app):
    registration = make_registration(
        "number", parts={"phone_number": {"sender_number": "", "area_code": "415"}}
    )
    app.registration(registration)
    app.link("Confirm purchase").click()
    expect(app.page.get_by_role("region", name="Confirm purchase")).to_contain_text("$1.15 a month")
    assert PhoneNumber.objects.get().purchase_confirmed_at is None
    app.button("Buy for $1.15 a month").click()
    app.expect_said("Purchase confirmed.")
    assert PhoneNumber.objects.get().purchase_confirmed_by == "ann"


def test_a_change_elsewhere_arrives_without_disturbing_the_reader(app, monkeypatch):
    monkeypatch.setattr(live_regions, "POLL_IDLE_SECONDS", 1)
    registration = make_registration("otp")
    page = app.registration(registration).page
    page.locator("#part-profile > summary").click()
    edit = app.link("Edit")
    edit.focus()
    note = app.field("Add a note")
    note.fill("Half a sentence")
    edit.focus()
    Registration.objects.filter(pk=registration.pk).update(reason="Something new is known.")
    expect(page.locator("#live-head")).to_contain_text("Something new is known.")
    expect(page.get_by_role("status").first).to_contain_text("Something new is known.")
    expect(edit).to_be_focused()
    expect(note).to_have_value("Half a sentence")
    registration.events.create(tag="note", text="A colleague was here.", actor="bob")
    expect(app.card("Timeline")).to_contain_text("A colleague was here.")
    Brand.objects.update(otp_sends=7)
    expect(app.card("OTP text")).to_contain_text("Texts sent7")
    assert page.locator("#part-profile").get_attribute("open") is not None


def test_a_session_that_ended_shows_the_sign_in_page(app, monkeypatch):
    monkeypatch.setattr(live_regions, "POLL_IDLE_SECONDS", 1)
    page = app.registration(make_registration("otp")).page
    Session.objects.all().delete()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

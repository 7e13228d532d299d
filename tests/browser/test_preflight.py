"""The pre-flight beside the inputs while one types, and the composer's way from the form and back."""

import pytest
from playwright.sync_api import expect

from registrations.models import Registration
from tests.browser.pages import CUSTOMER
from tests.customers import make_draft

pytestmark = pytest.mark.browser


def test_findings_come_and_go_as_one_types(app):
    page = app.new().page
    app.fill(CUSTOMER)
    summary = page.locator("#preflight-summary")
    expect(summary).to_be_empty()

    flow = app.field("How people opt in")
    flow.fill("Clients of Ann Lee Nails tick an empty box on https://annlee.example.com/book.")
    rates = page.locator("#preflight-message_flow").get_by_text("Say that message and data rates")
    expect(rates).to_be_visible()
    expect(summary).to_contain_text("warnings")
    # An error of the samples is told beside the tick that it is about, and the rest stays as it was.
    rates.click()
    why = page.locator("#preflight-message_flow details[open]")
    expect(why).to_contain_text("30924")
    app.field("Sample message 2").press_sequentially(" See https://annlee.example.com/book")
    expect(page.locator("#preflight-has_embedded_links")).to_contain_text("Check this box")
    expect(summary).to_contain_text("1 error")
    expect(why).to_be_visible()
    page.get_by_label("Messages contain links").check()
    expect(page.locator("#preflight-has_embedded_links")).to_be_empty()

    flow.fill(CUSTOMER["How people opt in"])
    expect(page.locator("#preflight-message_flow")).to_be_empty()
    expect(summary).to_be_empty()
    assert not Registration.objects.exists(), "looking is not saving"


def test_an_untouched_form_asks_nothing_and_equal_findings_leave_the_focus(app):
    registration = make_draft(
        campaign={"message_samples": ["See you on [date].", "Your booking is confirmed."]}
    )
    page = app.page
    page.clock.install()
    page.add_init_script(
        "window.asked = []; const fetched = window.fetch;"
        "window.fetch = (url, ...rest) => { window.asked.push(String(url)); return fetched(url, ...rest); };"
    )
    page.goto(f"/admin/registrations/registration/{registration.pk}/change/")
    expect(page.locator("#preflight-summary")).to_contain_text("error")
    page.clock.run_for(5000)
    assert not [url for url in page.evaluate("asked") if "/preflight/" in url]

    summary = page.locator("#preflight-summary a")
    summary.focus()
    with page.expect_response(lambda answer: "/preflight/" in answer.url) as answered:
        app.field("Contact phone").dispatch_event("input")
        page.clock.run_for(5000)
    answered.value.finished()
    # The findings of one more question have arrived: what was answered before it has been shown by then.
    app.field("Sample message 1").evaluate(
        "e => { e.value = 'Ann Lee Nails: see you. Reply STOP to opt out.'; }"
    )
    expect(summary).to_be_focused()
    with page.expect_response(lambda answer: "/preflight/" in answer.url):
        app.field("Sample message 1").dispatch_event("input")
        page.clock.run_for(5000)
    expect(page.locator("#preflight-message_sample_1")).not_to_contain_text("opt out")


def test_an_error_stops_before_anything_is_paid_for(app):
    registration = make_draft(
        campaign={"message_samples": ["See you on [date].", "Your booking of [date] is confirmed."]}
    )
    page = app.registration(registration).page
    app.link("Submit").click()
    expect(page.get_by_text("Twilio is likely to reject this and keep the fee")).to_be_visible()
    expect(page.get_by_role("button", name="Submit", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Submit anyway")).to_be_visible()
    page.get_by_role("link", name="Sample message 1").first.click()
    expect(app.field("Sample message 1")).to_be_focused()
    app.field("Sample message 1").fill("Ann Lee Nails: see you on [date]. Reply STOP to opt out.")
    expect(page.locator("#preflight-summary")).to_be_empty()
    app.button("Save and submit").click()
    app.expect_said("Saved. Submitting to Twilio…")
    registration.refresh_from_db()
    assert registration.is_submitted


def test_composed_texts_are_read_used_and_saved_by_a_person(app):
    page = app.new().page
    app.fill(CUSTOMER | {"Description": "", "How people opt in": ""})
    app.button("Compose texts…").click()
    expect(app.field("Brand name")).to_have_value("Ann Lee Nails")
    page.get_by_label("Opt-in method").select_option("keyword")
    app.field("Opt-in page").fill("annlee.example.com/texts")
    app.field("Keyword").fill("nails")
    app.button("Compose texts").click()
    expect(app.field("How people opt in")).to_have_value(
        "Clients text NAILS to the number of Ann Lee Nails, which is shown on https://annlee.example.com/texts with "
        "this notice: “Text NAILS to receive confirmations and reminders from Ann Lee Nails. About 2 messages per "
        "appointment. Message and data rates may apply. Reply STOP to opt out, HELP for help. Consent is not a "
        "condition of any purchase.” The reply confirms the subscription. Links to the privacy policy and the terms "
        "are next to the notice. Privacy policy: https://annlee.example.com/privacy Terms: https://annlee.example.com/terms"
    )
    expect(page.locator(".finding")).to_have_count(0)
    first = app.field("Sample message 1")
    first.fill("Hello, see you on [date].")
    expect(page.locator("#preflight-message_sample_1")).to_contain_text("opt out")
    first.fill("Ann Lee Nails: hello, see you on [date]. Reply STOP to opt out.")
    expect(page.locator(".finding")).to_have_count(0)
    app.button("Use these texts").click()

    expect(app.field("Sample message 1")).to_have_value(
        "Ann Lee Nails: hello, see you on [date]. Reply STOP to opt out."
    )
    expect(app.field("Contact phone")).to_have_value(CUSTOMER["Contact phone"])
    expect(page.get_by_label("Subscribers opt in by text")).to_be_checked()
    expect(page.locator(".finding")).to_have_count(0)
    assert not Registration.objects.exists()
    app.button("Save").click()
    app.expect_said("Saved.")
    assert Registration.objects.get().campaign.opt_in_keywords == "NAILS"


def test_it_works_without_javascript(signed_in):
    app = signed_in(java_script_enabled=False)
    page = app.new().page
    app.fill(CUSTOMER | {"Sample message 2": "Ann Lee Nails: book at https://annlee.example.com/book"})
    app.button("Compose texts…").click()
    app.field("Opt-in page").fill("annlee.example.com/texts")
    app.button("Compose texts").click()
    app.button("Discard").click()
    expect(app.field("Description")).to_have_value(CUSTOMER["Description"])
    # Nothing could be shown while typing: the plan shows it before anything is paid for.
    app.button("Save and submit").click()
    expect(page.get_by_text("Check this box: a sample contains the link")).to_be_visible()
    assert not Registration.objects.get().is_submitted

"""One customer from the sign-in page to a number that may send."""

import pytest
from playwright.sync_api import expect

from registrations.models import ApiCall, Registration
from registrations.sandbox import control
from tests.browser.conftest import PASSWORD, USER
from tests.browser.pages import CUSTOMER, PATIENCE

pytestmark = pytest.mark.browser


@pytest.mark.smoke
def test_from_the_sign_in_page_to_a_live_number(visitor, user, worker, sandbox):
    app = visitor()
    page = app.page
    app.sign_in(USER, PASSWORD)
    expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
    app.link("New registration").last.click()
    app.fill(CUSTOMER)
    app.button("Save and submit").dblclick()

    # From here on the page is never loaded again: what changes, changes by itself.
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Lee Nails")
    page.evaluate("window.sameDocument = true")
    app.expect_said("Saved. Submitting to Twilio…")
    app.expect_status("Waiting on customer")

    # The phone is another window.
    with page.context.expect_page() as opened:
        app.card("OTP text").get_by_role("link", name="Sandbox").click()
    phone = opened.value
    assert phone.url == sandbox.url + "/"
    expect(phone.locator("li", has_text="waiting for YES")).to_contain_text("+14155552672")
    phone.get_by_role("button", name="Reply YES").click()
    expect(phone.get_by_text("No OTP texts are waiting for a reply.")).to_be_visible()

    page.bring_to_front()
    expect(page.locator("#live-head .chips")).to_contain_text("Live", timeout=PATIENCE)
    expect(app.card("OTP text")).to_have_count(0)
    assert page.evaluate("window.sameDocument")

    # The double click made one registration, and the walk is the shortest there is, with every rule kept.
    registration = Registration.objects.get()
    seen = control.get(sandbox.world, "counts")
    assert (seen["calls"]["writes"], seen["duplicates"], seen["violations"]) == (19, {}, {})
    assert (registration.stage, registration.submitted_by) == ("live", USER)
    links = page.locator("#live-steps .step-sid a")
    for part in page.locator("#live-steps details").all():
        assert part.get_attribute("class") == "part part-done"
    hrefs = {link.get_attribute("href") for link in links.all()}
    for sid in (registration.brand.sid, registration.campaign.service_sid, registration.phone_number.sid):
        assert any(href.startswith("https://console.twilio.com/") and sid in href for href in hrefs)
    expect(app.card("Timeline")).to_contain_text("Campaign → Live")
    assert ApiCall.objects.filter(registration=registration).exclude(state="ok").count() == 0
    calls = app.card("Calls to Twilio")
    call = calls.locator("li").first
    call.locator("summary").click()
    expect(call).to_contain_text("Answered")
    calls.get_by_role("link", name="All calls of this registration").click()
    writes = ApiCall.objects.filter(registration=registration).count()
    expect(page.locator("#result_list tbody tr")).to_have_count(writes)

    page.go_back()
    app.link("Full timeline").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows.filter(has_text="Submitted.")).to_have_count(1)
    expect(rows.filter(has_text="Created.")).to_have_count(1)

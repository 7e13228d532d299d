"""The one form: errors, counts and the way back from Twilio's refusals."""

import re

import pytest
from playwright.sync_api import expect

from registrations.models import Registration
from registrations.operations import actions
from registrations.workflow.runner import runner
from tests.browser.pages import CUSTOMER
from tests.customers import PARTS, make_draft

pytestmark = pytest.mark.browser

AUTO_YES = "+14155559999"  # docs/sandbox.md: this customer answers by herself


# label -> (what is typed, what the page says about it)
WRONG = {
    "First name": ("", "required"),
    "Email": ("ann at example", "not an email address"),
    "Contact phone": ("12345", "not a valid phone number"),
    "Mobile for the OTP text": ("+44 20 7946 0958", "US and Canadian mobiles"),
    "ZIP or postal code": ("2139", "02139"),
    "Brand name": ("Ann Lee Nails LLC", "30915"),
    "Description": ("Too short.", "40"),
    "Sample message 4": ("Short", "20"),
    "Privacy policy": ("http://annlee.example.com/privacy", "https://"),
}


def test_all_errors_at_once_each_at_its_field_and_nothing_typed_is_lost(app):
    page = app.new().page
    page.get_by_text("Three more samples").click()
    typed = CUSTOMER | {label: value for label, (value, _) in WRONG.items()}
    typed["How people opt in"] = (
        "  Clients tick a box.\n\n\n  Then they get reminders — “often” & <b>gladly</b>.\n"
    )
    app.fill(typed)
    page.get_by_label("Messages contain links").check()
    app.button("Save and submit").click()

    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    links = summary.get_by_role("link")
    assert set(links.all_inner_texts()) == set(WRONG)
    assert app.typed(typed) == typed
    expect(page.get_by_label("Messages contain links")).to_be_checked()

    for label, (_, says) in WRONG.items():
        field = app.field(label)
        expect(field).to_be_visible()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(says)))
        summary.get_by_role("link", name=label, exact=True).click()
        expect(field).to_be_focused()
        expect(field).to_be_in_viewport()
    assert page.locator("[aria-invalid=true]").count() == len(WRONG)
    assert not Registration.objects.exists()

    # Mending them is enough; the password of nothing has to be typed again.
    app.fill(
        {label: CUSTOMER.get(label, "") for label in WRONG}
        | {"How people opt in": CUSTOMER["How people opt in"]}
    )
    app.button("Save").click()
    app.expect_said("Saved.")
    registration = Registration.objects.get()
    assert (registration.label, registration.stage, registration.campaign.has_embedded_links) == (
        "Ann Lee Nails",
        "draft",
        True,
    )


def test_characters_are_counted_while_one_types_and_never_cut(app):
    app.new()
    field = app.field("Sample message 1")
    count = field.locator("xpath=following-sibling::p[contains(@class, 'count')]")
    expect(count).to_have_text("0 of 1024 · at least 20")
    field.press_sequentially("Hello 🎉")
    expect(count).to_have_text("7 of 1024 · 13 more needed")
    field.fill("x" * 20)
    expect(count).to_have_text("20 of 1024")
    field.fill("y" * 1030)
    expect(count).to_have_text("1030 of 1024 · 6 too many")
    assert field.input_value() == "y" * 1030


def test_a_rejected_campaign_is_fixed_in_the_form_and_accepted(app, worker, sandbox):
    description, samples = PARTS["campaign"]["description"], PARTS["campaign"]["message_samples"]
    registration = make_draft(
        trust_bundle={"mobile_phone_number": AUTO_YES},
        campaign={
            "description": f"{description} [[30886:USE_CASE_DESCRIPTION]]",
            "message_samples": [samples[0], f"{samples[1]} [[30893:SAMPLE_MESSAGE_2]]"],
        },
    )
    actions.submit(registration, actor="ann")
    page = app.registration(registration).page
    app.expect_status("Needs you")
    refusals = app.card("Rejected by Twilio for 2 reasons").get_by_role("listitem")
    expect(refusals).to_have_count(2)
    expect(refusals.nth(0)).to_contain_text("30886")
    expect(refusals.nth(1)).to_contain_text("30893")

    app.link("Fix this").click()
    expect(app.field("Description")).to_be_focused()
    expect(app.field("Description")).to_have_accessible_description(re.compile("30886"))
    expect(app.field("Sample message 2")).to_have_accessible_description(re.compile("30893"))
    app.fill({"Description": description, "Sample message 2": samples[1]})
    app.button("Save and submit").click()
    # The form could not know that this costs another vetting: the plan is shown before it is paid.
    app.expect_said("Saved. Please review the plan")
    expect(page.get_by_role("table")).to_contain_text("$15.00")
    app.button("Submit changes · may cost $15.00").click()
    app.expect_said("Submitting to Twilio…")
    app.expect_stage("Live")
    expect(page.get_by_role("region", name=re.compile("^Rejected by Twilio"))).to_have_count(0)
    assert sandbox.world.store.count("BrandRegistrations") == sandbox.world.store.count("Usa2p") == 1


def test_a_rejected_email_address_is_fixed_in_the_form_and_accepted(app, worker):
    registration = make_draft(profile={"email": "bad-email@harborcrafts.com"})
    actions.submit(registration, actor="ann")
    app.registration(registration)
    app.expect_status("Needs you")
    expect(app.card("Rejected by Twilio")).to_contain_text("18055")
    app.link("Fix this").click()
    expect(app.field("Email")).to_be_focused()
    expect(app.field("Email")).to_have_accessible_description(re.compile("18055"))
    app.fill({"Email": PARTS["profile"]["email"]})
    app.button("Save and submit").click()
    app.expect_said("Saved. Submitting to Twilio…")
    app.expect_status("Waiting on customer")
    assert runner.load(registration.pk).profile.failure_reason == ""

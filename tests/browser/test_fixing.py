"""The ways back from Twilio's refusals, each through the pages, with a real worker and a sandbox Twilio."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from registrations.core import clock
from registrations.models import ApiCall, Brand, Profile, Registration, TrustBundle
from registrations.models.choices import WaitingFor
from registrations.operations import actions
from registrations.sandbox import SandboxServer, control
from registrations.workflow.runner import runner
from tests.browser.pages import PATIENCE
from tests.conftest import Harness
from tests.customers import PARTS, make_draft

from . import conftest

pytestmark = pytest.mark.browser

AUTO_YES = "+14155559999"  # docs/sandbox.md: this customer answers by herself
DESCRIPTION, FLOW = PARTS["campaign"]["description"], PARTS["campaign"]["message_flow"]
ONE_TIME_TEXTS = "/admin/registrations/registration/otp/"


@pytest.fixture
def callbacks(live_server, settings, monkeypatch):
    """Twilio's status callbacks reach the pages' server; request it before `worker`."""
    settings.PUBLIC_BASE_URL = live_server.url
    monkeypatch.setenv("PUBLIC_BASE_URL", live_server.url)


def writes(sandbox: SandboxServer, pattern: str = "") -> list[str]:
    """Every write that reached Twilio, as "POST /v1/…", refused ones included; those that match."""
    calls = [f"{entry['method']} {entry['path']}" for entry in control.get(sandbox.world, "log")]
    return [call for call in calls if not call.startswith("GET") and re.search(pattern, call)]


def broken_rules(sandbox: SandboxServer) -> dict[str, int]:
    return control.get(sandbox.world, "counts")["violations"]


def planned(page: Page) -> list[str]:
    """The calls that the page of the plan names."""
    return [row.inner_text() for row in page.get_by_role("table").locator("tbody td:first-child").all()]


def row_of(table: Locator, heading: str) -> list[str]:
    """The cells of the row with this heading."""
    row = table.get_by_role("row").filter(has=table.page.get_by_role("rowheader", name=heading))
    return [" ".join(text.split()) for text in row.get_by_role("cell").all_inner_texts()]


def test_a_rejected_address_takes_the_suggested_one_and_both_tries_are_kept(app, callbacks, worker, sandbox):
    registration = make_draft(profile={"street": "1 Wrong St", "street_secondary": "Unit 4"})
    actions.submit(registration, actor="ann")
    page = app.registration(registration).page
    app.expect_status("Needs you")
    suggestion = app.card("Rejected by Twilio").get_by_role("table", name="Twilio suggests this address")
    expect(suggestion).to_be_visible()
    assert row_of(suggestion, "Street") == ["1 Wrong St", "1 Jersey St (changed)"]
    before = writes(sandbox)

    app.button("Use suggested address").click()
    app.expect_said("Nothing is sent until you press the button below")
    calls = planned(page)
    assert calls[0].startswith("Update the address"), calls
    assert writes(sandbox) == before
    page.get_by_role("button", name=re.compile("^Submit changes")).click()
    app.expect_said("Submitting to Twilio…")
    app.expect_status("Waiting on customer")

    profile = runner.load(registration.pk).profile
    assert (profile.street, profile.postal_code, profile.failure_reason) == ("1 Jersey St", "02215-4147", "")
    # Twilio repeats city and postal code under "Secondary Street": that is no second line of an address.
    assert "Boston" not in profile.street_secondary
    assert len(writes(sandbox, r"/Addresses")) == 2
    (address,) = sandbox.world.store.all("Addresses")
    assert (address["street"], address["postal_code"]) == ("1 Jersey St", "02215-4147")
    assert broken_rules(sandbox) == {}

    # Both submissions are kept and can be compared.
    app.link("Submissions").click()
    tries = app.card("Profile").get_by_role("row")
    expect(tries.filter(has_text="Submission 1")).to_contain_text("Rejected")
    expect(tries.filter(has_text="Submission 2")).to_contain_text("by ann")
    app.button("Compare submissions of the profile").click()
    comparison = app.card("Profile: submission 1 and submission 2").get_by_role("table")
    expect(comparison).to_be_in_viewport()
    assert row_of(comparison, "Street changed") == ["1 Wrong St", "1 Jersey St"]
    assert row_of(comparison, "ZIP or postal code changed") == ["02139", "02215-4147"]
    rejected, taken = row_of(comparison, "Result")
    assert "Invalid Street" in rejected
    assert "Rejected" not in taken
    assert "Invalid Street" not in taken


def test_a_campaign_with_two_errors_is_edited_in_place(app, worker, sandbox):
    registration = make_draft(
        trust_bundle={"mobile_phone_number": AUTO_YES},
        campaign={
            "description": f"{DESCRIPTION} [[30886:USE_CASE_DESCRIPTION]]",
            "message_flow": f"{FLOW} [[30896:MESSAGE_FLOW]]",
        },
    )
    actions.submit(registration, actor="ann")
    page = app.registration(registration).page
    app.expect_status("Needs you")
    reasons = app.card("Rejected by Twilio for 2 reasons")
    for code, label in (("30886", "Description"), ("30896", "How people opt in")):
        # Each reason leads to its own input, where it is told again.
        problem = reasons.get_by_role("listitem").filter(has_text=code)
        problem.get_by_role("link", name="Fix").click()
        expect(app.field(label)).to_be_focused()
        expect(app.field(label)).to_have_accessible_description(re.compile(code))
        if code == "30886":
            page.go_back()
    app.fill({"Description": DESCRIPTION, "How people opt in": FLOW})
    app.button("Save and submit").click()

    app.expect_said("Saved. Please review the plan")
    editing, attaching = planned(page)
    assert editing.startswith("Update the campaign")
    assert attaching.startswith("Attach the number")
    expect(page.get_by_role("region", name="Submit changes")).to_contain_text("edited in place")
    app.button("Submit changes · may cost $15.00").click()
    app.expect_stage("Live")
    expect(page.get_by_role("region", name=re.compile("^Rejected by Twilio"))).to_have_count(0)
    created, edited = writes(sandbox, "/Usa2p")
    assert created.endswith("/Usa2p")
    assert re.search(r"^POST .*/Usa2p/QE\w+$", edited)
    assert broken_rules(sandbox) == {}


def test_changed_keywords_mean_another_campaign(app, sandbox, settings, monkeypatch, request):
    registration = make_draft(
        trust_bundle={"mobile_phone_number": AUTO_YES},
        campaign={"description": f"{DESCRIPTION} [[once 30893:SAMPLE_MESSAGE_1]]"},
    )
    actions.submit(registration, actor="ann")
    Harness(sandbox).run(
        registration.pk, until=lambda registration: registration.waiting_for == WaitingFor.US
    )
    # From here on slower: five seconds must be longer than the second that any two campaign calls are apart,
    # and what the bundles have waited must have been long enough.
    for bundle in (Profile, TrustBundle):
        bundle.objects.update(submitted_at=clock.now() - timedelta(hours=1))
    settings.A2P_TIME_SCALE = sandbox.world.config.time_scale = 0.4
    monkeypatch.setattr(conftest, "TIME_SCALE", 0.4)
    request.getfixturevalue("worker")

    page = app.edit(registration).page
    page.get_by_text("Custom STOP and HELP replies").click()
    app.fill({"Help keywords": "HELP, ASSIST"})
    app.button("Save and submit").click()
    app.expect_said("Saved. Please review the plan")
    deleting, creating, attaching = planned(page)
    assert deleting.startswith("Delete the rejected campaign")
    assert creating.startswith("Register the campaign")
    assert attaching.startswith("Attach the number")
    confirm = page.get_by_role("region", name="Submit changes")
    expect(confirm).to_contain_text("a new review and a new vetting fee")
    app.button("Submit changes · $15.00").click()
    app.expect_said("Submitting to Twilio…")
    made = ApiCall.objects.filter(registration=registration, step="campaign.create", state="ok")
    wait_for(page, registration, lambda _: made.count() == 2)

    (service,) = sandbox.world.store.all("Services")
    gap = made.latest("id").started_at.timestamp() - service["_campaign_deleted_at"]
    assert gap >= clock.scaled(5).total_seconds() > 1.05
    assert [call.split()[0] for call in writes(sandbox, "/Usa2p")] == ["POST", "DELETE", "POST"]
    (campaign,) = sandbox.world.store.all("Usa2p")
    assert campaign["help_keywords"] == ["HELP", "ASSIST"]
    assert broken_rules(sandbox) == {}

    control.post(sandbox.world, ["campaign", campaign["_key"]], {"action": "approve"})
    app.button("Check Twilio now").click()
    app.expect_stage("Live")


def test_a_brand_that_failed_three_times_becomes_a_task(signed_in, worker, sandbox):
    app = signed_in(permissions=["clipboard-read", "clipboard-write"])
    registration = make_draft(trust_bundle={"brand_name": "Ann Lee fail 30799"})
    actions.submit(registration, actor="ann")
    page = app.registration(registration).page
    for number in (1, 2, 3):
        app.expect_status("Needs you")
        app.link("Try again").click()
        plan = page.get_by_role("region", name="Try again")
        expect(plan).to_contain_text(f"try {number} of 3. Resubmitting is free.")
        expect(plan.get_by_role("row", name="Later $15.00", exact=True)).to_be_visible()
        app.button("Try again · free now").click()
        app.expect_said("Submitting to Twilio…")
        wait_for(page, registration, lambda registration, n=number: registration.brand.resubmissions == n)
    app.expect_status("Needs you")

    task = app.card("What to do next")
    expect(task).to_contain_text("Delete a brand in Twilio's Console")
    brand = runner.load(registration.pk).brand.sid
    expect(task.get_by_role("listitem").first).to_contain_text(brand)
    expect(app.link("Open Twilio Console")).to_have_attribute("href", re.compile("^https://console.twilio"))
    task.locator("summary").click()
    task.get_by_role("button", name="Copy the message for Twilio Support").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == task.locator("pre").inner_text()
    for words in (brand, "resubmitted 3 of 3 times", "30799"):
        assert words in copied

    # Nothing else is offered, no price is named, and whoever knows the plan's address finds no button there.
    expect(app.link("Try again")).to_have_count(0)
    expect(app.link("Fix this")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("$15.00")
    expect(app.card("Rejected by Twilio")).to_contain_text("No resubmissions left: 3 of 3 used")
    page.goto(f"/admin/registrations/registration/{registration.pk}/confirm/submit/")
    plan = page.get_by_role("region", name="Try again")
    expect(plan).to_contain_text("takes no further resubmission of this brand (21724")
    expect(plan.get_by_role("button", name=re.compile("^Try again"))).to_have_count(0)
    app.link("Back").click()
    first, *again = writes(sandbox, "/BrandRegistrations")
    assert first.endswith("/BrandRegistrations")
    assert again == [f"{first}/{brand}"] * 3
    assert broken_rules(sandbox) == {}

    # The task closes itself once the Console's work is done.
    control.post(sandbox.world, ["brand", brand], {"action": "delete"})
    app.button("Check Twilio now").click()
    expect(page.locator("#live-tasks")).not_to_contain_text("Delete a brand", timeout=PATIENCE)


def test_one_time_texts_are_sent_again_to_many_and_to_another_mobile(app, worker, sandbox, settings):
    registrations = {
        name: owing(name, number) for number, name in enumerate(("Aster", "Begonia", "Clover", "Dahlia"))
    }
    page = app.list().page
    for registration in registrations.values():
        wait_for(page, registration, lambda registration: registration.waiting_for == WaitingFor.CUSTOMER)
    # A day is a day for whoever looks at the desk; only worker and Twilio are in a hurry.
    settings.A2P_TIME_SCALE = 1
    for name, hours in (("Aster", 3), ("Begonia", 25), ("Dahlia", 2)):
        texted(page, registrations[name], clock.now() - timedelta(hours=hours))

    page.goto(ONE_TIME_TEXTS)
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Begonia")
    expect(rows.first).to_contain_text("Expired")
    for name in ("Aster", "Begonia", "Dahlia"):
        page.get_by_label(f"Select {name}").check()
    # Somebody else stops one of them meanwhile.
    actions.hold(registrations["Dahlia"], reason="She is away.", actor="bob")
    app.button("Resend to selected").click()
    plan = page.get_by_role("region", name="Resend OTP text: 3 registrations")
    expect(plan).to_contain_text("Will run2", timeout=PATIENCE)
    expect(plan).to_contain_text("Skipped1")
    expect(page.get_by_role("row").filter(has_text="Dahlia")).to_contain_text("on hold")
    assert writes(sandbox, "/SmsOtp") == []
    app.button("Resend OTP text · 2 registrations").dblclick()
    for name, sends in (("Aster", 2), ("Begonia", 2), ("Clover", 1), ("Dahlia", 1)):
        wait_for(page, registrations[name], lambda registration, n=sends: registration.brand.otp_sends == n)
    sids = {name: runner.load(registration.pk).brand.sid for name, registration in registrations.items()}
    assert sorted(writes(sandbox, "/SmsOtp")) == sorted(
        f"POST /v1/a2p/BrandRegistrations/{sids[name]}/SmsOtp" for name in ("Aster", "Begonia")
    )

    # The fourth says that she has another phone.
    page.goto(ONE_TIME_TEXTS)
    rows.filter(has_text="Clover").get_by_role("link", name="Change mobile").click()
    app.fill({"New mobile": "(415) 555-2699"})
    app.button("Save and send OTP text").click()
    app.expect_said("Twilio texts the new mobile once it has the update")
    wait_for(page, registrations["Clover"], lambda registration: registration.brand.otp_sends == 2)
    expect(app.card("OTP text")).to_contain_text("Sent to (415) 555-2699")
    # An approved brand cannot be updated: the page says what to do should Twilio text the former number.
    expect(app.card("OTP text")).to_contain_text("If none arrives there, delete the brand")
    bundle = registrations["Clover"].trust_bundle
    bundle.refresh_from_db()
    ours = "|".join((bundle.end_user_sid, f"{bundle.sid}(/Evaluations)?$", sids["Clover"]))
    *_, person, evaluation, submission, text = writes(sandbox, ours)
    assert person.endswith(bundle.end_user_sid)
    assert evaluation.endswith(f"{bundle.sid}/Evaluations")
    assert submission.endswith(bundle.sid)
    assert text.endswith(f"{sids['Clover']}/SmsOtp")
    (attributes,) = (
        row["attributes"] for row in sandbox.world.store.all("EndUsers") if row["sid"] == bundle.end_user_sid
    )
    assert attributes["mobile_phone_number"] == "+14155552699"
    # The text went to the new phone, so only that one can answer.
    former = control.post(sandbox.world, ["answer"], {"mobile": "+14155552682", "body": "YES"})
    assert former["verified"] == []
    answered = control.post(sandbox.world, ["answer"], {"mobile": "+14155552699", "body": "YES"})
    assert answered["verified"] == [sids["Clover"]]
    app.expect_stage("Live")
    assert broken_rules(sandbox) == {}


def owing(name: str, number: int) -> Registration:
    """A submitted customer with a mobile and texts of her own."""
    brand = f"{name} Nails"
    registration = make_draft(
        label=name,
        profile={"email": f"{name.lower()}@harborcrafts.com"},
        trust_bundle={"brand_name": brand, "mobile_phone_number": f"+1415555268{number}"},
        campaign={
            "description": DESCRIPTION.replace("Ann Lee Nails", brand),
            "message_flow": FLOW.replace("Ann Lee Nails", brand),
            "message_samples": [
                text.replace("Ann Lee Nails", brand) for text in PARTS["campaign"]["message_samples"]
            ],
        },
    )
    actions.submit(registration, actor="ann")
    return registration


def texted(page: Page, registration: Registration, at: datetime) -> None:
    """Date the registration's text back, for good: a look that is under way writes what it read before."""
    brand = Brand.objects.filter(registration=registration)
    while brand.get().otp_sent_at != at:
        brand.update(otp_sent_at=at, next_poll_at=clock.now() + timedelta(hours=1))
        page.wait_for_timeout(300)


def wait_for(page: Page, registration: Registration, done) -> None:
    """Until the worker has brought the registration that far; the browser goes on meanwhile."""
    until = clock.now() + timedelta(milliseconds=PATIENCE)
    while not done(runner.load(registration.pk)):
        assert clock.now() < until, runner.load(registration.pk).reason
        page.wait_for_timeout(100)

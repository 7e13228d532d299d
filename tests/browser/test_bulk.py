"""Acting on many in the browser: choose, look, confirm, watch; and mending similar failures together."""

from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import expect

from registrations.admin.changelist import live_regions
from registrations.models import Batch, BatchItem, Brand, Registration
from registrations.models.choices import ItemState, JobState, Stage
from registrations.operations import actions, bulk
from tests.factories import copies, make_registration
from tests.operations.test_similar_failures import BETTER, FLOW, refused

pytestmark = pytest.mark.browser
PATIENCE = 90_000
OWING = 200


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(live_regions, "POLL_BUSY_SECONDS", 1)
    monkeypatch.setattr(live_regions, "POLL_IDLE_SECONDS", 1)


def choose(app, action: str) -> None:
    app.page.get_by_label("With selected").select_option(label=action)
    app.button("Apply").click()


def test_two_hundred_one_time_texts(app, quick, worker):
    first = make_registration(Stage.OTP, label="Customer")
    copies(first, OWING - 1)
    sent = timezone.now() - timedelta(hours=30)
    Brand.objects.update(otp_sent_at=sent, otp_requested_at=None)
    actions.hold(Registration.objects.get(label="Customer 007"), reason="Abroad.", actor="ann")

    page = app.page
    page.goto("/admin/registrations/registration/otp/")
    app.button(f"Resend to all {OWING}").click()
    head = page.locator("#live-head")
    expect(app.button(f"Resend OTP text · {OWING - 1} registrations")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#live-reasons")).to_contain_text("This registration is on hold.")
    assert not Brand.objects.exclude(otp_requested_at=None).exists()

    app.button(f"Resend OTP text · {OWING - 1} registrations").dblclick()
    expect(head.get_by_role("progressbar")).to_be_visible()
    expect(head.locator(".chips")).to_contain_text("Done", timeout=PATIENCE)
    expect(head).to_contain_text(f"{OWING} of {OWING} finished")
    batch = Batch.objects.get()
    assert batch.state == JobState.DONE
    states = batch.items.values_list("state", flat=True)
    assert sorted(states) == ["done"] * (OWING - 1) + ["skipped"]
    for registration in Registration.objects.exclude(label="Customer 007"):
        assert registration.events.filter(tag="brand:otp_requested").count() == 1


def test_all_that_match_a_filter(app, quick, worker, monkeypatch, tmp_path):
    copies(make_registration(label="Draft"), 59)
    live = make_registration(Stage.LIVE, label="Live Lily")
    page = app.page
    page.goto("/admin/registrations/registration/?stage__exact=draft")
    page.get_by_label("All 60 that match").check()
    expect(page.locator(".action-counter")).to_be_hidden()
    choose(app, "Put on hold")
    expect(page.get_by_role("heading", name="Put on hold: 60 registrations")).to_be_visible()
    confirm = app.button("Put on hold · 60 registrations")
    expect(confirm).to_be_visible(timeout=PATIENCE)
    confirm.click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    app.field("Reason").fill("The office moves.")
    confirm.click()
    expect(page.locator("#live-head .chips")).to_contain_text("Done", timeout=PATIENCE)
    assert Registration.objects.filter(hold=True, hold_reason="The office moves.").count() == 60
    live.refresh_from_db()
    assert not live.hold

    with page.expect_download() as download:
        page.locator(".batch-reports").get_by_role("link", name="XLSX").click()
    path = tmp_path / "report.xlsx"
    download.value.save_as(path)
    assert load_workbook(path).active.max_row == 61


def test_cancel_in_the_middle_and_start_again(app, quick, user, sandbox):
    """Without a worker: the test plays it, so that the middle is a moment one can hold."""
    registrations = [make_registration(label=f"Registration {n}") for n in range(6)]
    batch = bulk.start("hold", [registration.pk for registration in registrations], user=user)
    page = app.page
    page.goto(f"/admin/registrations/batch/{batch.pk}/")
    expect(page.locator("#live-head")).to_contain_text("0 of 6 checked")
    bulk.advance(batch.pk)
    app.field("Reason").fill("Half a sentence")
    page.wait_for_timeout(1500)  # two polls must not disturb what is typed
    expect(app.field("Reason")).to_have_value("Half a sentence")
    app.button("Put on hold · 6 registrations").click()
    expect(page.locator("#live-head .chips")).to_contain_text("Running")

    first = batch.items.order_by("id").first()
    actions.hold(first.registration, reason="Half a sentence", actor=user.username)
    BatchItem.objects.filter(pk=first.pk).update(state=ItemState.DONE, finished_at=timezone.now())
    expect(page.locator("#live-head")).to_contain_text("1 of 6 finished")
    app.button("Cancel").click()
    expect(page.locator("#live-head .chips")).to_contain_text("Cancelled")
    bulk.advance(batch.pk)
    assert Registration.objects.filter(hold=True).count() == 1
    app.button("Start again").click()
    bulk.advance(batch.pk)
    expect(page.locator("#live-head")).to_contain_text("6 of 6 finished")
    assert Registration.objects.filter(hold=True).count() == 6


def test_similar_failures_are_fixed_together(app, quick, sandbox):
    registrations = [refused(f"Customer {n}") for n in range(3)]
    page = app.page
    page.goto("/admin/")
    app.link("Failures").click()
    expect(page.get_by_role("row").filter(has_text="30909")).to_contain_text("3")
    page.get_by_role("row").filter(has_text="30909").get_by_role("link").click()
    box = app.field("How people opt in")
    expect(box).to_have_value(FLOW)
    box.fill(BETTER)
    app.button("Review changes").click()
    expect(page.locator("ins").first).to_be_visible()
    page.get_by_label("Customer 1", exact=True).uncheck()
    app.button("Review cost").click()
    expect(page.get_by_role("heading", name="Edit and resubmit: 2 registrations")).to_be_visible()
    batch = Batch.objects.get()
    bulk.advance(batch.pk)
    app.button("Edit and resubmit · 2 registrations · up to $30.00").click()
    expect(page.locator("#live-head .chips")).to_contain_text("Running")
    bulk.advance(batch.pk)
    expect(page.locator("#live-head .chips")).to_contain_text("Done")
    flows = {
        registration.label: Registration.objects.get(pk=registration.pk).campaign.message_flow
        for registration in registrations
    }
    assert flows == {"Customer 0": BETTER, "Customer 1": FLOW, "Customer 2": BETTER}


def test_everything_by_keyboard_and_without_a_script(signed_in, user, sandbox):
    """The pages work without JavaScript: reload instead of live."""
    registration = make_registration(label="Registration")
    app = signed_in(java_script_enabled=False)
    page = app.list().page
    page.locator(f'input[name="_selected_action"][value="{registration.pk}"]').check()
    choose(app, "Submit")
    batch = Batch.objects.get()
    bulk.advance(batch.pk)
    page.reload()
    app.button("Submit · 1 registration · up to $19.50").press("Enter")
    bulk.advance(batch.pk)
    page.reload()
    expect(page.locator("#live-head .chips")).to_contain_text("Done")
    registration.refresh_from_db()
    assert registration.was_submitted

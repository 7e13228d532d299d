"""The board and the lists in a browser: a day's first look, narrowing a list, keeping it, taking it along."""

import csv
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import expect

from registrations.models import Heartbeat, Registration
from registrations.models.choices import Stage
from tests.factories import make_registration

pytestmark = pytest.mark.browser
FAILED = {"campaign_status": "FAILED", "errors": [{"error_code": 30909, "error_description": "Not clear."}]}
LIST = "/admin/registrations/registration/"


@pytest.fixture
def registrations(transactional_db) -> Registration:
    """Ten registrations; the one returned has waited longest for a person."""
    for _ in range(4):
        make_registration(Stage.LIVE, label="Live Lane")
    for label in ("Otto Oaks", "Olga Orr"):
        make_registration(Stage.OTP, label=label)
    make_registration(label="Dora Draft")
    make_registration(Stage.BRAND, label="Bram Brand")
    make_registration(Stage.CAMPAIGN, answer=FAILED, label="Fay Field")
    old = make_registration(Stage.CAMPAIGN, answer=FAILED, label="Old Oskar")
    Registration.objects.filter(pk=old.pk).update(stage_since=timezone.now() - timedelta(days=9))
    Heartbeat.objects.create(name="worker:one", at=timezone.now(), detail={"workers": 4})
    return old


def test_from_the_board_to_the_registration_that_waits_longest(registrations, signed_in, settings):
    settings.A2P_TIME_SCALE = 1
    page = signed_in().page
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    work = page.get_by_role("region", name="Needs you")
    expect(work.get_by_role("row").nth(1)).to_contain_text("Old Oskar")
    expect(work.get_by_role("row").nth(1)).to_contain_text("overdue")
    work.get_by_role("link", name="Old Oskar").click()
    expect(page.get_by_role("heading", name="Old Oskar")).to_be_visible()


def test_every_count_leads_to_the_registrations_it_counts(registrations, signed_in):
    page = signed_in().page
    page.goto("/admin/")
    card = page.get_by_role("listitem").filter(has_text="Waiting on customer").first
    expect(card).to_contain_text("2")
    card.get_by_role("link", name="Waiting on customer").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    expect(page.locator("#result_list")).to_contain_text("Olga Orr")


def test_the_numbers_of_a_chart_stand_in_a_table_too(registrations, signed_in):
    page = signed_in().page
    page.goto("/admin/")
    chart = page.get_by_role("figure").filter(has_text="Open rejections")
    expect(chart.get_by_role("img")).to_be_visible()
    chart.get_by_text("As a table").click()
    chart.get_by_role("link", name="30909").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    expect(page.locator("#result_list")).to_contain_text("Fay Field")


def test_a_list_is_narrowed_kept_shared_and_taken_along(registrations, signed_in):
    page = signed_in().page
    page.goto(LIST)
    page.get_by_text("Filters", exact=True).click()
    page.locator(".list-filters-panel").get_by_role("link", name="30909").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.get_by_text("Views", exact=True).click()
    page.get_by_label("Save this list as").fill("Opt-in unclear")
    page.get_by_label("Share with team").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("Saved as “Opt-in unclear”.")).to_be_visible()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)

    page.goto(LIST)
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("link", name="Opt-in unclear").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        assert {row["label"] for row in csv.DictReader(file)} == {"Fay Field", "Old Oskar"}


def test_my_work_is_mine(registrations, signed_in):
    app = signed_in()
    app.page.goto("/admin/")
    owner = get_user_model().objects.get(username=app.page.locator(".site-user strong").inner_text())
    Registration.objects.filter(label="Fay Field").update(owner=owner)
    work = app.page.get_by_role("region", name="Needs you")
    work.get_by_role("link", name="Mine").click()
    expect(work.get_by_role("row")).to_have_count(2)
    expect(work).to_contain_text("Fay Field")
    work.get_by_role("link", name="Unassigned").click()
    expect(work).not_to_contain_text("Fay Field")
    expect(work).to_contain_text("Old Oskar")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "url", ["/admin/", LIST, "/admin/registrations/brand/", "/admin/registrations/campaign/"]
)
def test_nothing_scrolls_sideways(registrations, signed_in, width, url):
    page = signed_in(viewport={"width": width, "height": 900}).page
    page.goto(url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

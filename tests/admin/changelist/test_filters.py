"""What the lists can be narrowed by, and that every page of a list holds the rows it should."""

from datetime import datetime, timedelta

import pytest
from django.core.paginator import Paginator
from django.utils import timezone

from registrations.admin.changelist.paginator import KeyPaginator
from registrations.models import Brand, PhoneNumber, Registration
from registrations.models.choices import Stage
from registrations.workflow import spending
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
FAILED = {"campaign_status": "FAILED", "errors": [{"error_code": 30909, "error_description": "Not clear."}]}


def labels(client, url: str) -> set[str]:
    response = client.get(url)
    assert response.status_code == 200, url
    rows = response.context["cl"].result_list
    return {getattr(row, "registration", row).label for row in rows}


def test_by_owner(boss):
    ann, bob = person("ann", "view_registration", "view_brand"), person("bob", "view_registration")
    for label, owner in (("Of Ann", ann), ("Of Bob", bob), ("Of nobody", None)):
        make_registration(Stage.OTP, label=label, owner=owner)
    client = browser(ann)
    assert labels(client, f"{LIST}?owner=me") == {"Of Ann"}
    assert labels(client, f"{LIST}?owner=none") == {"Of nobody"}
    assert labels(client, f"{LIST}?owner={bob.pk}") == {"Of Bob"}
    assert labels(client, "/admin/registrations/brand/?owner=me") == {"Of Ann"}
    assert labels(client, f"{LIST}?owner=x") == set()


def test_by_time_in_stage_and_by_age(boss):
    old = make_registration(Stage.BRAND, label="Old")
    make_registration(Stage.BRAND, label="New")
    long_ago = timezone.now() - timedelta(days=10)
    Registration.objects.filter(pk=old.pk).update(stage_since=long_ago, created_at=long_ago)
    assert labels(boss, f"{LIST}?age=gt7") == {"Old"}
    assert labels(boss, f"{LIST}?age=gt14") == set()
    assert labels(boss, f"{LIST}?age=lt1") == {"New"}
    assert labels(boss, "/admin/registrations/brand/?age=gt7") == {"Old"}
    assert labels(boss, f"{LIST}?created=7") == {"New"}
    assert labels(boss, f"{LIST}?created=30") == {"Old", "New"}


def test_by_failure_with_its_count_and_title(boss):
    make_registration(Stage.CAMPAIGN, answer=FAILED, label="Refused")
    make_registration(Stage.LIVE, label="Fine")
    page = boss.get(LIST).content.decode()
    assert "30909 Opt-in is incomplete" in page
    assert labels(boss, f"{LIST}?code=30909") == {"Refused"}
    assert labels(boss, "/admin/registrations/campaign/?code=30909") == {"Refused"}
    # A brand's list offers what brands are refused for.
    assert "30909" not in boss.get("/admin/registrations/brand/").content.decode()
    assert labels(boss, f"{LIST}?code=1") == set()


@pytest.mark.parametrize(
    "query", ["code=abc", "code=99999999999", "age=gtx", "created=9", "owner=0", "account=x"]
)
def test_a_value_that_nobody_offers_finds_nothing(boss, query):
    make_registration(Stage.CAMPAIGN, answer=FAILED)
    assert labels(boss, f"{LIST}?{query}") == set()


def test_accounts_are_offered_once_there_are_two(boss):
    make_registration(label="First")
    assert "By account" not in boss.get(LIST).content.decode()
    make_registration(label="Second", account_sid="AC" + "9" * 32)
    assert "By account" in boss.get(LIST).content.decode()
    assert labels(boss, f"{LIST}?account=AC{'9' * 32}") == {"Second"}


def test_by_twilio_s_words_also_those_we_do_not_know(boss):
    make_registration(Stage.LIVE, label="Approved")
    odd = make_registration(Stage.LIVE, label="Odd")
    Brand.objects.filter(registration=odd).update(status="SOMETHING_NEW")
    PhoneNumber.objects.filter(registration=odd).update(a2p_status="registered")
    assert labels(boss, "/admin/registrations/brand/?status=APPROVED") == {"Approved"}
    assert labels(boss, "/admin/registrations/brand/?status=other") == {"Odd"}
    for word in ("UNVERIFIED", "SELF_DECLARED"):
        assert f"Waiting for YES ({word})" in boss.get("/admin/registrations/brand/").content.decode()
    assert labels(boss, "/admin/registrations/phonenumber/?a2p_status=none") == {"Approved"}
    assert labels(boss, "/admin/registrations/phonenumber/?a2p_status=registered") == {"Odd"}


def test_the_ledger_and_the_timeline_are_found_by_registration_code_step_and_kind(boss):
    make_registration(Stage.LIVE, label="Corner Bakery", external_id="crm-77")
    ledger, timeline = "/admin/registrations/apicall/", "/admin/registrations/event/"
    assert labels(boss, f"{ledger}?q=crm-77") == {"Corner Bakery"}
    assert labels(boss, f"{ledger}?step=brand.create") == {"Corner Bakery"}
    assert labels(boss, f"{ledger}?q=30909") == set()
    spending.record_lookup(make_registration(label="Looked up"), actor="ann")
    assert labels(boss, f"{ledger}?step=preflight.lookup") == {"Looked up"}
    assert "Look up the mobile" in boss.get(f"{ledger}?step=preflight.lookup").content.decode()
    assert labels(boss, f"{timeline}?tag=submitted") == {"Corner Bakery"}
    assert labels(boss, f"{timeline}?tag=note") == set()


@pytest.mark.parametrize("count", [0, 1, 5, 11, 12])
@pytest.mark.parametrize("order", [("-id",), ("stage", "label", "-id")])
def test_every_page_holds_what_a_plain_paginator_shows(db, count, order):
    stages = [Stage.DRAFT, Stage.BRAND, Stage.LIVE]
    Registration.objects.bulk_create(
        Registration(label=f"Registration {n % 4}", stage=stages[n % 3]) for n in range(count)
    )
    rows = Registration.objects.order_by(*order)
    quick, plain = KeyPaginator(rows, 5), Paginator(rows, 5)
    assert quick.num_pages == plain.num_pages
    for number in plain.page_range:
        assert list(quick.page(number).object_list) == list(plain.page(number).object_list)


def test_the_last_page_costs_no_more_queries_than_the_first(db, django_assert_num_queries):
    Registration.objects.bulk_create(Registration(label=f"Registration {n}") for n in range(23))
    for number in (1, 5):
        with django_assert_num_queries(3):
            assert list(KeyPaginator(Registration.objects.order_by("-id"), 5).page(number).object_list)


def test_lists_of_objects_are_narrowed_by_stage_who_acts_and_day(boss):
    make_registration(Stage.OTP, label="Owes a YES")
    make_registration(Stage.LIVE, label="Live")
    for name in ("brand", "campaign", "phonenumber"):
        url = f"/admin/registrations/{name}/"
        expected = {"Live"} if name == "campaign" else {"Live", "Owes a YES"}
        assert labels(boss, url) == expected
        assert labels(boss, f"{url}?who=nobody") == {"Live"}
        assert labels(boss, f"{url}?stage=otp") == expected - {"Live"}
        assert labels(boss, f"{url}?created=1&stage=live") == {"Live"}
        page = boss.get(url).content.decode()
        for title in ("waiting for", "stage", "owner", "time in stage", "created", "overdue"):
            assert f"By {title}" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("created_from=2026-03-01", {"March", "April"}),
        ("created_to=2026-03-31", {"February", "March"}),
        ("created_from=2026-03-31&created_to=2026-03-31", {"March"}),
        ("created_from=&created_to=", {"February", "March", "April"}),
    ],
)
def test_by_days_both_included(boss, settings, query, found):
    settings.TIME_ZONE = "America/New_York"
    with timezone.override("America/New_York"):
        for label, day in (("February", (2026, 2, 28)), ("March", (2026, 3, 31)), ("April", (2026, 4, 1))):
            registration = make_registration(label=label)
            moment = timezone.make_aware(datetime(*day, 23, 59))
            Registration.objects.filter(pk=registration.pk).update(created_at=moment)
    assert labels(boss, f"{LIST}?{query}") == found
    page = boss.get(f"{LIST}?{query}&stage__exact=draft&q=a").content.decode()
    days = page.split('class="filter-days"')[1].split("</form>")[0]
    assert 'name="stage__exact" value="draft"' in days, "the other filters are kept"
    assert 'name="q" value="a"' in days


def test_a_day_that_is_none_shows_the_whole_list_with_a_word(boss):
    make_registration(label="Ann")
    response = boss.get(f"{LIST}?created_from=2026-02-30", follow=True)
    assert "is not valid" in response.content.decode()


def test_tabs_keep_the_filters_and_count_only_without(boss):
    make_registration(Stage.OTP, label="Ann")
    assert "tab-count" in boss.get(LIST).content.decode().split('aria-label="Waiting for"')[1][:900]
    page = boss.get(f"{LIST}?stage__exact=otp&q=ann&p=1&waiting_for__exact=customer").content.decode()
    tabs = page.split('aria-label="Waiting for"')[1].split("</nav>")[0]
    assert "?waiting_for__exact=us&amp;stage__exact=otp&amp;q=ann" in tabs
    assert '"?stage__exact=otp&amp;q=ann"' in tabs
    assert "tab-count" not in tabs

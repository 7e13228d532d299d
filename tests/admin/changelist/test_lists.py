"""The lists: finding a registration by anything in hand, at a constant cost; what Twilio says, read-only."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registrations.admin.changelist.search import matching
from registrations.models import Import, Registration
from registrations.models.choices import Stage
from registrations.operations import actions, bulk
from tests.admin.conftest import page_url
from tests.factories import fake_sid, make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
LISTS = (
    LIST,
    *(f"/admin/registrations/{name}/" for name in ("brand", "campaign", "phonenumber", "apicall", "event")),
)


@pytest.fixture
def registration(db) -> Registration:
    make_registration(
        label="Someone else",
        parts={
            "profile": {
                "email": "else@example.org",
                "phone_number": "+12125550199",
                "first_name": "Bo",
                "last_name": "Ray",
            },
            "trust_bundle": {"mobile_phone_number": "+12125550198", "brand_name": "Bo Ray Tiles"},
            "phone_number": {"sender_number": "+12125550197"},
        },
    )
    return make_registration(Stage.LIVE, label="Corner Bakery", external_id="crm-77")


@pytest.mark.parametrize(
    "typed",
    [
        "corner",
        "Corner Bakery",
        "bakery lee",
        "crm-77",
        "ann.lee@harborcrafts.com",
        "ANN.LEE@",
        "Nails",
        "+14155552671",
        "(415) 555-2671",
        "415 555 2672",
        "+1 (415) 555-2671",
        "415.555.2671",
        "1-415-555-2671",
        "tel:+1-415-555-2671",
        "415/555-2671",
        "(415)\u00a0555\u20112671",
        "\u202a+1 415 555 2671\u202c",
        "Lee (415) 555-2671",
        "5552671",
        "B4NKP7Q",
        "c7lm2xy",
    ],
)
def test_search(registration, typed):
    assert list(matching(Registration.objects.all(), typed)) == [registration]


def test_search_by_every_sid(registration):
    kept = {}
    for part in Registration.PARTS:
        resource = getattr(registration, part)
        for column in resource._meta.concrete_fields:
            if column.name == "sid" or column.name.endswith("_sid"):
                kept[f"{part}.{column.name}"] = getattr(resource, column.name)
    assert len(kept) > 15
    for name, sid in kept.items():
        assert sid, name
        for typed in (
            sid,
            sid.lower(),
            f" {sid} ",
            f"“{sid}”,",
            f"https://console.twilio.com/x/{sid}/edit?a=1",
        ):
            assert list(matching(Registration.objects.all(), typed)) == [registration], name


def test_search_by_the_sid_of_a_retired_object(registration):
    sid = fake_sid("MG")
    registration.retired.create(kind="service", sid=sid, reason="replaced")
    assert list(matching(Registration.objects.all(), sid)) == [registration]


@pytest.mark.parametrize("typed", ["BN" + "f" * 32, "zzz", "corner zzz", "%", "_", "999999999"])
def test_search_finds_nothing_where_nothing_is(registration, typed):
    assert not matching(Registration.objects.all(), typed).exists()


def test_rows_lead_to_the_page(boss, registration):
    assert f'href="{page_url(registration)}"' in boss.get(LIST).content.decode()


def test_the_list_on_the_page_searches_and_filters(boss, registration):
    page = boss.get(LIST, {"q": "5552671"}).content.decode()
    assert "Corner Bakery" in page
    assert "Someone else" not in page
    for query in ("waiting_for__exact=us", "stage__exact=draft", "hold__exact=0"):
        page = boss.get(f"{LIST}?{query}").content.decode()
        assert "Someone else" in page, query
    assert "Corner Bakery" not in boss.get(f"{LIST}?stage__exact=draft").content.decode()


def test_tabs_count_who_must_act(boss, registration):
    page = boss.get(LIST).content.decode()
    assert 'All <span class="tab-count">2</span>' in page
    assert 'Needs you <span class="tab-count">1</span>' in page
    assert 'Complete <span class="tab-count">1</span>' in page


@pytest.mark.parametrize("url", LISTS)
def test_queries_do_not_grow_with_the_rows(boss, url):
    for _ in range(3):
        make_registration(Stage.LIVE)
    boss.get(url)  # content types and permissions are cached now
    with CaptureQueriesContext(
        connection,
    ) as few:
        boss.get(url)
    for _ in range(4):
        make_registration(Stage.LIVE)
    with CaptureQueriesContext(connection) as many:
        boss.get(url)
    assert len(many) == len(few) <= 16


@pytest.mark.parametrize("name", ["brand", "campaign", "phonenumber", "apicall", "event"])
def test_what_twilio_says_is_read_only(boss, registration, name):
    url = f"/admin/registrations/{name}/"
    assert boss.get(url).status_code == 200
    assert boss.get(f"{url}add/").status_code == 403
    row = {"apicall": registration.api_calls, "event": registration.events}.get(name)
    pk = (
        row.first().pk if row else getattr(registration, "phone_number" if name == "phonenumber" else name).pk
    )
    assert boss.post(f"{url}{pk}/delete/", {"post": "yes"}).status_code == 403
    response = boss.get(f"{url}{pk}/change/")
    assert (
        response.status_code == 200
        if name == "apicall"
        else page_url(registration) in response.headers["Location"]
    )


@pytest.mark.parametrize("url", [*LISTS, "/admin/registrations/batch/"])
def test_the_panel_of_filters_offers_each_of_them(boss, registration, url):
    bulk.start("hold", [registration.pk], user=get_user_model().objects.first())
    response = boss.get(url)
    specs = [spec for spec in response.context["cl"].filter_specs if spec.title != "waiting for"]
    page = response.content.decode()
    assert specs
    for spec in specs:
        assert f'data-filter-title="{spec.title}"' in page


def test_all_reasons_of_a_resource_are_listed(boss):
    make_registration(
        Stage.CAMPAIGN,
        answer={
            "campaign_status": "FAILED",
            "failure_reason": "Plain reason.",
            "errors": [
                {"error_code": 30909, "description": "First."},
                {"errorcode": 30933, "errordescription": "Second."},
                {"code": 18601},
                "Bare text.",
            ],
        },
    )
    page = boss.get("/admin/registrations/campaign/").content.decode()
    for word in ("Plain reason.", "30909", "First.", "30933", "Second.", "18601", "Bare text."):
        assert word in page


class TestDeleting:
    def test_a_draft_that_never_left_may_go(self, boss):
        registration = make_registration()
        assert boss.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Registration.objects.exists()

    @pytest.mark.parametrize("stage", [Stage.PROFILE, Stage.OTP, Stage.LIVE])
    def test_what_lives_at_twilio_may_not(self, boss, stage):
        registration = make_registration(stage)
        assert boss.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Registration.objects.exists()

    def test_an_attempt_alone_forbids_it(self, boss):
        """An outcome that nobody knows may have left an object there."""
        registration = make_registration()
        make_run = registration.api_calls.create
        make_run(step="profile.create", state="unknown", started_at=registration.created_at)
        assert boss.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_no_bulk_delete(self, boss):
        registration = make_registration()
        boss.post(LIST, {"action": "delete_selected", "_selected_action": [registration.pk], "post": "yes"})
        assert Registration.objects.exists()
        assert "delete_selected" not in boss.get(LIST).content.decode()

    def test_not_without_the_right(self, agent):
        registration = make_registration()
        assert agent.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 403


def test_on_hold_is_seen_in_the_list(boss):
    actions.hold(make_registration(Stage.BRAND), reason="Wait.", actor="ann")
    assert "On hold" in boss.get(LIST).content.decode()


def test_empty_list_says_what_to_do(boss):
    assert "No registrations yet." in boss.get(LIST).content.decode()
    make_registration()
    assert "Nothing matches." in boss.get(LIST, {"q": "zzz"}).content.decode()


@pytest.mark.parametrize("name", ["apicall", "event"])
def test_a_list_opened_from_a_registration_names_it_and_leads_back(boss, registration, name):
    page = boss.get(
        f"/admin/registrations/{name}/", {"registration__exact": registration.pk}
    ).content.decode()
    assert f'Only <a href="{page_url(registration)}">Corner Bakery</a>' in page
    assert "<title>Corner Bakery" in page
    assert "Show all registrations" in page
    whole = boss.get(f"/admin/registrations/{name}/").content.decode()
    assert "only-registration" not in whole


@pytest.mark.parametrize("pk", ["999999", "x", ""])
def test_a_list_of_no_registration_is_no_error(boss, pk):
    response = boss.get("/admin/registrations/event/", {"registration__exact": pk})
    assert response.status_code in (200, 302)
    assert "only-registration" not in response.content.decode()


def test_the_list_of_brands_says_when_no_try_is_left(boss):
    answer = {"status": "FAILED", "errors": [{"error_code": 30701, "description": "Refused."}]}
    registration = make_registration(Stage.BRAND, answer=answer)
    url = "/admin/registrations/brand/"
    assert "None left" not in boss.get(url).content.decode()
    registration.brand.resubmissions = 3
    registration.brand.save()
    assert "None left" in boss.get(url).content.decode()


def test_an_empty_list_says_how_it_fills_and_offers_nothing_to_search(boss):
    url = reverse("admin:registrations_brand_changelist")
    page = boss.get(url).content.decode()
    assert "Brands appear here when registrations are submitted." in page
    assert 'id="searchbar"' not in page
    page = boss.get(url, {"q": "nobody"}).content.decode()
    assert "Nothing matches." in page
    assert 'id="searchbar"' in page


def test_a_table_shows_its_rows_once_they_are_known(boss):
    Import.objects.create(name="new.csv", actor="ann")
    Import.objects.create(name="read.csv", actor="ann", total=7)
    page = boss.get(reverse("admin:registrations_import_changelist")).content.decode()
    assert re.findall(r'class="field-total_">(.*?)</td>', page) == ["7", '<span class="quiet">—</span>']
    assert ">Rows</a>" in page

"""The home page: who must act, what needs a person now, whether the desk is well, and its charts."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import ApiCall, CachedStatistic, Heartbeat, Registration
from registrations.models.choices import CallState, Stage
from registrations.operations import actions
from registrations.reporting import dashboard, statistics
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
HOME = "/admin/"
FAILED = {"campaign_status": "FAILED", "errors": [{"error_code": 30909, "description": "No."}]}


def html(client, **query) -> str:
    response = client.get(HOME, query)
    assert response.status_code == 200
    return response.content.decode()


def card(page: str, who: str) -> str:
    return page.split(f"who-card who-{who}")[1].split("who-card")[0]


def alive() -> None:
    detail = {"workers": 4, "running": 0}
    Heartbeat.objects.create(name="worker:one", at=timezone.now(), detail=detail)


def test_registrations_are_counted_by_who_must_act_and_each_count_leads_to_its_list(boss):
    make_registration(Stage.CAMPAIGN, answer=FAILED)
    make_registration()
    make_registration(Stage.OTP)
    make_registration(Stage.LIVE)
    page = html(boss)
    assert '<span class="who-number">2</span>' in card(page, "us")
    assert '<span class="who-number">1</span>' in card(page, "customer")
    assert '<span class="who-number">0</span>' in card(page, "twilio")
    assert '<span class="who-number">1</span>' in card(page, "nobody")
    links = re.findall(r'href="([^"]+waiting_for__exact=us[^"]*)"', page)
    assert any("stage__exact=campaign" in link for link in links)
    for link in set(links):
        rows = boss.get(link.replace("&amp;", "&"))
        assert rows.status_code == 200


def test_what_is_late_is_counted_and_led_to(boss, settings):
    settings.A2P_TIME_SCALE = 1
    late = make_registration(Stage.CAMPAIGN, answer=FAILED, label="Late Lily")
    make_registration(Stage.CAMPAIGN, answer=FAILED, label="Fresh Fay")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=9))
    ours = card(html(boss), "us")
    assert "1 overdue" in ours
    listed = boss.get("/admin/registrations/registration/?waiting_for__exact=us&overdue=1").content.decode()
    assert "Late Lily" in listed
    assert "Fresh Fay" not in listed


def test_work_is_shown_by_owner_the_longest_waiting_first(settings):
    settings.A2P_TIME_SCALE = 1
    ann = person("ann", "view_registration")
    old = make_registration(Stage.CAMPAIGN, answer=FAILED, label="Old registration", owner=ann)
    make_registration(Stage.CAMPAIGN, answer=FAILED, label="Nobody's registration")
    make_registration(label="A draft", owner=ann)
    held = make_registration(Stage.CAMPAIGN, answer=FAILED, label="Held registration", owner=ann)
    actions.hold(held, reason="Wait.", actor="ann")
    Registration.objects.filter(pk=old.pk).update(stage_since=timezone.now() - timedelta(days=3))
    client = browser(ann)
    work = html(client).split('class="card card-flush work"')[1].split("</section>")[0]
    assert work.index("Old registration") < work.index("Nobody&#x27;s registration")
    assert "24 h over" in work
    assert "A draft" not in work
    assert "Held registration" not in work
    mine = html(client, who="mine").split('class="card card-flush work"')[1].split("</section>")[0]
    assert "Old registration" in mine
    assert "Nobody" not in mine
    free = html(client, who="unassigned").split('class="card card-flush work"')[1].split("</section>")[0]
    assert "Nobody&#x27;s registration" in free
    assert "Old registration" not in free


def test_an_empty_system_says_what_to_do(boss):
    page = html(boss)
    assert "Add the first customer" in page
    # Five times "nothing" tells nobody anything.
    assert 'class="charts"' not in page


class TestHealth:
    def test_all_is_well(self, boss, settings):
        settings.PUBLIC_BASE_URL = "https://desk.example.com"
        alive()
        page = html(boss)
        assert "health-ok" in page
        assert "health-advice" not in page

    @pytest.mark.parametrize(
        ("setting", "todo"),
        [
            ("TWILIO_AUTH_TOKEN", "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
            ("TWILIO_PRIMARY_PROFILE_SID", "Set TWILIO_PRIMARY_PROFILE_SID"),
            ("PUBLIC_BASE_URL", "Set PUBLIC_BASE_URL"),
        ],
    )
    def test_a_missing_setting_says_what_to_set(self, boss, settings, setting, todo):
        alive()
        setattr(settings, setting, "")
        assert todo in html(boss)

    def test_no_worker(self, boss):
        assert "start it (manage.py worker)" in html(boss)
        alive()
        assert "start it (manage.py worker)" not in html(boss)

    def test_refused_credentials(self, boss):
        alive()
        registration = make_registration()
        run = ApiCall.objects.create(
            registration=registration,
            step="profile.create",
            state=CallState.MISCONFIGURED,
            started_at=timezone.now(),
        )
        assert "manage.py check_twilio" in html(boss)
        ApiCall.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(hours=1))
        assert "manage.py check_twilio" not in html(boss)

    @pytest.mark.parametrize(
        ("real", "panel", "said"),
        [
            (True, "", "OK"),
            (False, "http://127.0.0.1:4011/", "Sandbox"),
            (False, "", "api.example.com:8443"),
        ],
    )
    def test_whose_credentials_are_meant(self, boss, settings, real, panel, said):
        settings.TWILIO_IS_REAL, settings.A2P_SANDBOX_PANEL_URL = real, panel
        settings.TWILIO_API_BASE_URL = "https://api.example.com:8443/twilio"
        credentials = next(
            item for item in dashboard.health_items(timezone.now(), 0) if item.label == "Credentials"
        )
        assert (credentials.severity, credentials.text) == ("good", said)

    def test_a_registration_that_waits_too_long_turns_the_queue_red(self, boss):
        alive()
        registration = make_registration()
        Registration.objects.filter(pk=registration.pk).update(
            next_run_at=timezone.now() - timedelta(minutes=9)
        )
        assert "Jobs are piling up" in html(boss)

    def test_settings_are_linked_for_who_may_see_them(self, boss, viewer):
        assert "Settings &amp; health</a></li>" in html(boss)
        assert "Settings &amp; health" not in html(viewer)


class TestCharts:
    def plots(self, page: str) -> dict[str, ElementTree.Element]:
        found = re.findall(r'<svg class="plot".*?</svg>', page, re.S)
        trees = [ElementTree.fromstring(svg) for svg in found]
        return {tree.get("aria-labelledby").split("plot-title-")[1].split()[0]: tree for tree in trees}

    def test_each_has_a_name_a_description_and_a_table(self, boss):
        make_registration(Stage.LIVE)
        make_registration(Stage.CAMPAIGN, answer=FAILED)
        page = html(boss)
        plots = self.plots(page)
        assert set(plots) == {"funnel", "weekly", "stage-times", "codes", "spend"}
        for slug, plot in plots.items():
            assert plot.get("role") == "img"
            title, desc = plot[0], plot[1]
            assert (title.tag, desc.tag) == ("title", "desc")
            assert title.text
            assert len(desc.text) > 30
            figure = page.split(f'<figure class="card chart chart-{slug}"')[1].split("</figure>")[0]
            assert "As a table" in figure
        assert " style=" not in page.split('class="charts"')[1]

    def test_the_numbers_are_those_of_the_registrations(self, boss):
        make_registration(Stage.LIVE)
        make_registration(Stage.CAMPAIGN, answer=FAILED)
        page = html(boss)
        assert "Live: 1 of 2." in page
        codes = page.split('id="chart-codes"')[1].split("</figure>")[0]
        assert "30909" in codes
        assert "?code=30909" in codes
        weekly = page.split('id="chart-weekly"')[1].split("</figure>")[0]
        assert "submitted 4, accepted 3, rejected 1" in weekly

    def test_spent_money_is_for_who_may_see_the_ledger(self, boss, viewer):
        make_registration(Stage.LIVE)
        assert "Spending per week" in html(boss)
        assert "Spending per week" not in html(viewer)


def test_queries_do_not_grow_with_the_registrations(boss):
    make_registration(Stage.CAMPAIGN, answer=FAILED)
    html(boss)
    with CaptureQueriesContext(connection) as few:
        html(boss)
    for stage in (Stage.LIVE, Stage.OTP, Stage.BRAND):
        make_registration(stage)
    for _ in range(5):
        make_registration(Stage.CAMPAIGN, answer=FAILED)
    with CaptureQueriesContext(connection) as many:
        html(boss)
    assert len(many) == len(few) <= 42


def test_who_may_see_no_registration_gets_no_board(nobody):
    assert "Needs us now" not in nobody.get(HOME).content.decode()


class TestFigures:
    @pytest.fixture(autouse=True)
    def a_large_desk(self, monkeypatch):
        monkeypatch.setattr(statistics, "SMALL_SYSTEM", -1)

    def test_a_slow_moment_of_a_small_system_keeps_nothing(self, db, monkeypatch):
        monkeypatch.setattr(statistics, "SMALL_SYSTEM", 5_000)
        monkeypatch.setattr(statistics, "FAST_SECONDS", 0)
        statistics.read("standing")
        assert not CachedStatistic.objects.exists()

    def test_quick_numbers_are_counted_at_once_and_not_kept(self, db, monkeypatch):
        monkeypatch.setattr(statistics, "FAST_SECONDS", 60)
        assert statistics.read("standing") == {"standing": []}
        make_registration()
        assert statistics.read("standing") == {"standing": [["us", "draft", 1]]}
        assert not CachedStatistic.objects.exists()

    def test_slow_numbers_are_kept_until_the_worker_counts_again(self, db, monkeypatch):
        monkeypatch.setattr(statistics, "FAST_SECONDS", 0)
        assert statistics.read("standing") == {"standing": []}
        make_registration()
        assert statistics.read("standing") == {"standing": []}
        assert not statistics.due()
        CachedStatistic.objects.update(computed_at=timezone.now() - statistics.REFRESH - timedelta(seconds=1))
        assert statistics.due()
        assert statistics.read("standing") == {"standing": []}
        statistics.refresh()
        assert statistics.read("standing") == {"standing": [["us", "draft", 1]]}

    def test_without_a_worker_a_page_counts_what_has_grown_too_old(self, db, monkeypatch):
        monkeypatch.setattr(statistics, "FAST_SECONDS", 0)
        statistics.read("standing")
        make_registration()
        CachedStatistic.objects.update(computed_at=timezone.now() - statistics.TOO_OLD - timedelta(seconds=1))
        assert statistics.read("standing") == {"standing": [["us", "draft", 1]]}

    def test_what_has_become_quick_is_kept_no_longer(self, db, monkeypatch):
        monkeypatch.setattr(statistics, "FAST_SECONDS", 0)
        statistics.read("standing", "codes")
        monkeypatch.setattr(statistics, "FAST_SECONDS", 60)
        CachedStatistic.objects.update(computed_at=timezone.now() - timedelta(hours=1))
        CachedStatistic.objects.create(
            name="of-an-older-release", computed_at=timezone.now() - timedelta(hours=1)
        )
        statistics.refresh()
        assert not CachedStatistic.objects.exists()

    def test_weeks_begin_on_monday_and_end_with_this_one(self):
        moment = timezone.now()
        weeks = statistics.week_starts(moment)
        assert len(weeks) == statistics.WEEKS
        assert {timezone.localtime(week).weekday() for week in weeks} == {0}
        assert weeks[-1] <= moment < weeks[-1] + timedelta(days=8)

    def test_money_is_summed_by_week_and_only_what_was_paid(self, db):
        registration = make_registration(Stage.LIVE)
        before = sum(float(week) for week in statistics.read("spend")["spend"])
        paid = ApiCall.objects.filter(registration=registration, fee__isnull=False)
        assert before == pytest.approx(sum(float(run.fee) for run in paid))
        ApiCall.objects.filter(pk=paid.first().pk).update(state=CallState.REJECTED)
        assert sum(float(week) for week in statistics.read("spend")["spend"]) < before

"""The list's filter by SQL and the rule of stuck.py agree, registration by registration."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from registrations.models import Brand, PhoneNumber, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.reporting import statistics
from registrations.workflow.planner import deadlines
from registrations.workflow.planner.deadlines import filter_overdue
from registrations.workflow.runner import runner
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
AGES = [
    timedelta(0),
    timedelta(minutes=20),
    timedelta(hours=2),
    timedelta(days=1, hours=1),
    timedelta(days=40),
]


@pytest.fixture(autouse=True)
def real_time(settings):
    settings.A2P_TIME_SCALE = 1


@pytest.mark.parametrize("stage", list(Stage))
def test_sql_and_rule_agree(stage):
    now = timezone.now()
    registration = make_registration(stage)
    found = set()
    for waiting_for in WaitingFor:
        for age in AGES:
            for hold in (False, True):
                for registering in (False, True):
                    since = now - age
                    Registration.objects.filter(pk=registration.pk).update(
                        waiting_for=waiting_for, stage_since=since, hold=hold
                    )
                    Brand.objects.filter(registration=registration).update(
                        otp_sent_at=None if registering else now - age / 2
                    )
                    PhoneNumber.objects.filter(registration=registration).update(
                        a2p_status="pending_registration" if registering else "",
                        a2p_status_at=None if hold else now - age / 2,
                    )
                    flagged = deadlines.overdue(runner.load(registration.pk), now) is not None
                    assert filter_overdue(Registration.objects.all(), now).exists() == flagged
                    found.add(flagged)
    assert found == ({False} if stage == Stage.DRAFT else {True, False})


@pytest.mark.parametrize("stage", [Stage.BRAND, Stage.OTP])
def test_a_place_in_the_queue_of_twilio_s_pace_is_not_late(stage):
    """A thousand brands leave at one a second: the last has a place a quarter of an hour away."""
    now = timezone.now()
    registration = make_registration(stage)
    found = []
    for place in (None, *(now - age for age in AGES), now + timedelta(hours=1)):
        Registration.objects.filter(pk=registration.pk).update(
            waiting_for=WaitingFor.WORKER, stage_since=now - timedelta(hours=2), slot_at=place
        )
        Brand.objects.filter(registration=registration).update(otp_sent_at=None)
        found.append(deadlines.overdue(runner.load(registration.pk), now) is not None)
        assert filter_overdue(Registration.objects.all(), now).exists() == found[-1]
    at_pace = [True, False, True, True, True, True, False]
    assert found == (at_pace if stage == Stage.BRAND else [True] * 7)


def test_the_worker_s_time_is_not_shortened_with_twilio_s_waits(settings):
    settings.A2P_TIME_SCALE = 0.01
    now = timezone.now()
    registration = make_registration(Stage.BRAND)
    for minutes, late in ((10, False), (20, True)):
        since = now - timedelta(minutes=minutes)
        Registration.objects.filter(pk=registration.pk).update(
            waiting_for=WaitingFor.WORKER, stage_since=since
        )
        assert (deadlines.overdue(runner.load(registration.pk), now) is not None) == late
        assert filter_overdue(Registration.objects.all(), now).exists() == late


def test_the_list_flags_and_filters(boss):
    late = make_registration(Stage.CAMPAIGN, label="Late Lily")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=20))
    make_registration(Stage.CAMPAIGN, label="Fresh Fern")
    page = boss.get(LIST).content.decode()
    rows = page.split('id="result_list"')[1]
    assert rows.count("Overdue</span>") == 1
    assert deadlines.overdue(runner.load(late.pk), timezone.now()).advice in unescape(rows)
    page = boss.get(f"{LIST}?overdue=1").content.decode()
    assert "Late Lily" in page
    assert "Fresh Fern" not in page
    assert boss.get(f"{LIST}?overdue=x").status_code == 200


@pytest.mark.parametrize(
    ("name", "stage", "days"),
    [
        ("brand", Stage.BRAND, 5),
        ("brand", Stage.OTP, 5),
        ("campaign", Stage.CAMPAIGN, 20),
        ("phonenumber", Stage.NUMBER, 1),
    ],
)
def test_lists_of_objects_flag_and_filter_what_is_waited_for(boss, name, stage, days):
    late = make_registration(stage, label="Late Lily")
    since = timezone.now() - timedelta(days=days, hours=1)
    Registration.objects.filter(pk=late.pk).update(stage_since=since)
    Brand.objects.filter(registration=late).update(otp_sent_at=since)
    make_registration(stage, label="Fresh Fern")
    url = f"/admin/registrations/{name}/"
    rows = boss.get(url).content.decode().split('id="result_list"')[1]
    assert "Fresh Fern" in rows
    assert rows.count("Overdue by") == 1
    assert deadlines.overdue(runner.load(late.pk), timezone.now()).advice in unescape(rows)
    rows = boss.get(f"{url}?overdue=1").content.decode().split('id="result_list"')[1]
    assert "Late Lily" in rows
    assert "Fresh Fern" not in rows


def test_a_list_does_not_flag_what_waits_for_something_else(boss):
    late = make_registration(Stage.CAMPAIGN, label="Late Lily")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=20))
    url = "/admin/registrations/brand/"
    assert "Overdue by" not in boss.get(url).content.decode()
    assert "Late Lily" not in boss.get(f"{url}?overdue=1").content.decode()


def test_an_overdue_list_costs_the_same_however_long_it_is(boss, django_assert_max_num_queries):
    for _ in range(6):
        late = make_registration(Stage.NUMBER)
        Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=20))
    for name in ("brand", "campaign", "phonenumber"):
        boss.get(f"/admin/registrations/{name}/?overdue=1")
        with django_assert_max_num_queries(14):
            boss.get(f"/admin/registrations/{name}/?overdue=1")


def test_its_rows_are_counted_as_on_the_dashboard_and_with_another_filter_again(boss, monkeypatch):
    late = make_registration(Stage.CAMPAIGN, label="Late Lily")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=20))
    monkeypatch.setitem(statistics.STATISTICS, "overdue", lambda: {"twilio": 7, "us": 1})
    assert "8 registrations" in boss.get(LIST, {"overdue": "1", "p": "1"}).content.decode()
    narrowed = boss.get(LIST, {"overdue": "1", "q": "Late"}).content.decode()
    assert "1 registration" in narrowed
    assert "8 registrations" not in narrowed

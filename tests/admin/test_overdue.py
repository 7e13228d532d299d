"""The list's filter by SQL and the rule of stuck.py agree, case by case."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registrations import pipeline, stuck
from registrations.admin.overdue import overdue
from registrations.models import Brand, PhoneNumber, Registration
from registrations.states import Stage, WaitingFor
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
    case = make_registration(stage)
    found = set()
    for waiting_for in WaitingFor:
        for age in AGES:
            for hold in (False, True):
                for registering in (False, True):
                    since = now - age
                    Registration.objects.filter(pk=case.pk).update(
                        waiting_for=waiting_for, stage_since=since, hold=hold
                    )
                    Brand.objects.filter(registration=case).update(
                        otp_sent_at=None if registering else now - age / 2
                    )
                    PhoneNumber.objects.filter(registration=case).update(
                        a2p_status="pending_registration" if registering else "",
                        a2p_status_at=None if hold else now - age / 2,
                    )
                    flagged = stuck.stuck(pipeline.load(case.pk), now) is not None
                    assert overdue(Registration.objects.all(), now).exists() == flagged
                    found.add(flagged)
    assert found == ({False} if stage in (Stage.DRAFT, Stage.REMOVED) else {True, False})


def test_the_list_flags_and_filters(boss):
    late = make_registration(Stage.CAMPAIGN, label="Late Lily")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=20))
    make_registration(Stage.CAMPAIGN, label="Fresh Fern")
    page = boss.get(LIST).content.decode()
    assert page.split('id="result_list"')[1].count("Overdue</span>") == 1
    page = boss.get(f"{LIST}?overdue=1").content.decode()
    assert "Late Lily" in page
    assert "Fresh Fern" not in page
    assert boss.get(f"{LIST}?overdue=x").status_code == 200

"""The live parts: only what changed is sent, and nothing when nothing changed."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.admin.registration import detail
from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.operations import actions
from tests.admin.conftest import page_url
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_time(settings):
    """A cool-down of five minutes must not end between two looks at the page."""
    settings.A2P_TIME_SCALE = 1


def versions(page: str) -> dict[str, str]:
    poller = page.split('id="poller"')[1]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', poller))


def test_an_unchanged_page_is_not_touched(boss):
    registration = make_registration(Stage.OTP)
    known = versions(boss.get(page_url(registration)).content.decode())
    assert set(known) == set(detail.REGIONS)
    response = boss.get(page_url(registration, "refresh"), known)
    assert response.status_code == 204
    assert response.content == b""


def test_only_what_changed_is_sent(boss):
    registration = make_registration(Stage.OTP)
    known = versions(boss.get(page_url(registration)).content.decode())
    actions.add_note(registration, text="She calls back.", actor="ann")
    page = boss.get(page_url(registration, "refresh"), known).content.decode()
    assert re.findall(r'id="live-(\w+)" hx-swap-oob="innerHTML"', page) == ["timeline"]
    assert "She calls back." in page
    assert boss.get(page_url(registration, "refresh"), versions(page)).status_code == 204


def test_every_region_has_its_place_on_the_page(boss):
    page = boss.get(page_url(make_registration(Stage.OTP))).content.decode()
    for name in detail.REGIONS:
        assert page.count(f'id="live-{name}"') == 1


def test_regions_carry_no_token_that_differs_each_time(boss):
    registration = make_registration(Stage.DRAFT)
    first, second = (versions(boss.get(page_url(registration)).content.decode()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"waiting_for": "worker"}, 2),
        ({"next_run_at": timedelta(seconds=20)}, 2),
        ({"lease_until": timedelta(seconds=20)}, 2),
        ({"next_run_at": timedelta(hours=1)}, 15),
        ({}, 15),
    ],
)
def test_looks_often_only_while_something_is_about_to_happen(boss, change, seconds):
    registration = make_registration(Stage.CAMPAIGN)
    now = timezone.now()
    values = {key: now + value if isinstance(value, timedelta) else value for key, value in change.items()}
    Registration.objects.filter(pk=registration.pk).update(
        **({"next_run_at": None, "lease_until": None} | values)
    )
    assert f'hx-trigger="every {seconds}s"' in boss.get(page_url(registration)).content.decode()


def test_a_call_opens_in_place(boss):
    run = make_registration(Stage.PROFILE).api_calls.first()
    url = f"/admin/registrations/apicall/{run.pk}/change/"
    part = boss.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert run.sid in part
    assert "<html" in boss.get(url).content.decode()

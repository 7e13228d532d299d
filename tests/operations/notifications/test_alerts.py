"""What nobody tells by hand: registrations that stop, texts that run out, trouble of the whole desk."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.utils import timezone

from registrations.core import clock
from registrations.models import Brand, Heartbeat, Notification, NotificationSettings, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions, notifications
from registrations.operations.notifications import alerts
from registrations.worker import alarms
from registrations.workflow import notices
from registrations.workflow.runner import runner
from tests.customers import make_draft
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


def texts(user=None) -> list[str]:
    rows = Notification.objects.order_by("id")
    return list((rows.filter(user=user) if user else rows).values_list("text", flat=True))


# --- a registration that stops --------------------------------------------------------------------------------
def run_with_tell(harness, registration):
    def advance(pk):
        runner.advance(pk)
        return runner.load(pk)

    harness.advance = advance
    return harness.run(registration.pk)


def test_a_rejection_is_notified_to_the_owner_once_and_a_new_try_again(harness, ann):
    registration = make_draft()
    Registration.objects.filter(pk=registration.pk).update(owner=ann)
    harness.fault(method="POST", path="BrandRegistrations$", action="error", status=400, code=21700, times=2)
    actions.submit(registration, actor="bob")
    stopped = run_with_tell(harness, registration)
    assert stopped.waiting_for == WaitingFor.US
    assert len(texts(ann)) == 1
    assert texts(ann)[0].startswith("Ann Lee Nails stopped: ")
    note = Notification.objects.get()
    assert (note.kind, note.registration) == ("failure", registration)
    notices.notify_stopped(stopped)
    assert len(texts(ann)) == 1
    Registration.objects.filter(pk=registration.pk).update(submitted_at=clock.now() + timedelta(seconds=5))
    notices.notify_stopped(runner.load(registration.pk))
    assert len(texts(ann)) == 2


def test_without_an_owner_who_submitted_it_is_notified_and_on_hold_nobody(ann):
    registration = make_registration(
        "campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann"
    )
    notices.notify_stopped(registration)
    assert len(texts(ann)) == 1
    held = make_registration("campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann")
    actions.hold(held, reason="x", actor="ann")
    notices.notify_stopped(runner.load(held.pk))
    assert len(texts(ann)) == 1
    left = get_user_model().objects.create_user("left", is_active=False)
    orphaned = make_registration(
        "campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann", owner=left
    )
    notices.notify_stopped(orphaned)
    assert len(texts(ann)) == 2
    stranger = make_registration("campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="gone")
    notices.notify_stopped(stranger)
    assert len(texts()) == 2


# --- the OTP text ------------------------------------------------------------------------------------------
def owed(owner, *, text_hours_ago: float, registered_days_ago: float = 0.0, label="Owed") -> Registration:
    registration = make_registration("otp", label=label, owner=owner)
    moment = clock.now()
    Brand.objects.filter(registration=registration).update(
        otp_sent_at=moment - clock.scaled(text_hours_ago * 3600),
        registered_at=moment - clock.scaled(registered_days_ago * 24 * 3600),
    )
    return registration


@pytest.fixture
def twilios_time(settings):
    settings.A2P_TIME_SCALE = 1


@pytest.mark.parametrize(
    ("hours", "days", "told"),
    [
        (19.9, 0, 0),
        (20.1, 0, 1),
        (23.9, 0, 1),
        (24.1, 0, 0),
        (1, 26.9, 0),
        (1, 27.1, 1),
        (21, 28, 2),
        (1, 30.1, 0),
    ],
)
def test_the_last_hours_of_a_text_and_the_last_days_of_thirty(ann, twilios_time, hours, days, told):
    owed(ann, text_hours_ago=hours, registered_days_ago=days)
    assert notifications.watch_otp_texts() == told
    assert len(texts(ann)) == told
    # Told once, however often it is looked at.
    assert notifications.watch_otp_texts() == 0


def test_a_new_text_is_news_again(ann, twilios_time):
    registration = owed(ann, text_hours_ago=22)
    assert notifications.watch_otp_texts() == 1
    Brand.objects.filter(registration=registration).update(otp_sent_at=clock.now() - timedelta(hours=21))
    assert notifications.watch_otp_texts() == 1
    assert [note.registration for note in Notification.objects.all()] == [registration, registration]


def test_held_and_answered_registrations_are_left_alone(ann, twilios_time):
    held = owed(ann, text_hours_ago=22)
    Registration.objects.filter(pk=held.pk).update(hold=True)
    answered = owed(ann, text_hours_ago=22)
    Registration.objects.filter(pk=answered.pk).update(stage=Stage.CAMPAIGN, waiting_for="twilio")
    assert notifications.watch_otp_texts() == 0


def test_looking_again_costs_two_queries_however_many_run_out(
    ann, twilios_time, django_assert_max_num_queries
):
    for number in range(5):
        owed(ann, text_hours_ago=22, label=f"Registration {number}")
    assert notifications.watch_otp_texts() == 5
    with django_assert_max_num_queries(2):
        assert notifications.watch_otp_texts() == 0


# --- something red ----------------------------------------------------------------------------------------------
@pytest.fixture
def watcher(db):
    user = get_user_model().objects.create_user("wes", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_webhookdelivery"))
    return user


def test_a_system_alert_is_notified_once_to_those_who_see_the_health_page(ann, watcher):
    boss = get_user_model().objects.create_superuser("boss", is_staff=True)
    assert notifications.watch_system({"credentials": "Twilio refuses our credentials."}) == 2
    assert notifications.watch_system({"credentials": "Twilio refuses our credentials."}) == 0
    assert texts(watcher) == texts(boss) == ["Twilio refuses our credentials."]
    assert texts(ann) == []


def test_what_comes_and_goes_is_the_same_trouble_until_it_was_calm(watcher, time_machine_at):
    trouble = {"overdue": "9 registrations are overdue."}
    time_machine_at("2026-05-01T12:00:00Z")
    assert notifications.watch_system(trouble) == 1
    time_machine_at("2026-05-01T12:05:00Z")
    assert notifications.watch_system({}) == 0
    time_machine_at("2026-05-01T12:08:00Z")
    assert notifications.watch_system(trouble) == 0
    time_machine_at("2026-05-01T12:20:00Z")
    assert notifications.watch_system({}) == 0
    time_machine_at("2026-05-01T12:30:00Z")
    assert notifications.watch_system(trouble) == 1
    assert len(texts(watcher)) == 2


@pytest.fixture
def time_machine_at(monkeypatch):
    def at(moment: str) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(moment))

    return at


def test_all_well_is_no_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    assert alarms.active() == {}


def test_a_worker_that_went_silent_and_refused_credentials_are_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    Heartbeat.objects.create(name="worker:there", at=timezone.now() - timedelta(minutes=7))
    registration = make_draft()
    Registration.objects.filter(pk=registration.pk).update(
        waiting_for="us", reason="Twilio rejected our credentials or settings (20003). Ask."
    )
    found = alarms.active()
    assert set(found) == {"worker:there", "credentials"}
    assert "7 minutes" in found["worker:there"]


def test_the_command_tells_and_sends_that_no_worker_runs(watcher, settings, mailoutbox, capsys):
    settings.A2P_SENDS_EMAIL = True
    watcher.email = "wes@desk.example"
    watcher.save()
    NotificationSettings.objects.create(user=watcher, by_email=True)
    for _ in range(2):
        with pytest.raises(SystemExit):
            call_command("alarm")
    assert "No worker is running" in capsys.readouterr().out
    assert [message.to for message in mailoutbox] == [["wes@desk.example"]]
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    call_command("alarm")
    assert "No alerts." in capsys.readouterr().out


def test_overdue_registrations_are_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    registration = make_draft()
    Registration.objects.filter(pk=registration.pk).update(next_run_at=timezone.now() - timedelta(minutes=5))
    assert set(alarms.active()) == {"overdue"}


def test_the_words_of_refused_credentials_are_the_pipelines(harness):
    """The alarm looks for the words that a stopped registration carries."""
    registration = make_draft()
    harness.fault(method="", path=".", action="error", status=401, code=20003, times=3)
    actions.submit(registration, actor="ann")
    harness.advance(registration.pk)
    assert "credentials" in alarms.active()
    assert alerts.responsible_person(registration) is None

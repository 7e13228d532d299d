"""What nobody tells by hand: cases that stop, texts that run out, trouble of the whole desk."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.utils import timezone

from registrations import clock, notifications, pipeline, verbs
from registrations.models import Brand, Heartbeat, Notification, NotificationSettings, Registration
from registrations.notifications import watching
from registrations.states import Stage, WaitingFor
from registrations.worker import alarms
from tests.cases import make_case
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


def texts(user=None) -> list[str]:
    rows = Notification.objects.order_by("id")
    return list((rows.filter(user=user) if user else rows).values_list("text", flat=True))


# --- a case that stops ------------------------------------------------------------------------------------------
def run_with_tell(desk, case):
    def advance(pk):
        pipeline.advance(pk, ring=desk.ring, tell=notifications.needs_us)
        return pipeline.load(pk)

    desk.advance = advance
    return desk.run(case.pk)


def test_a_rejection_is_told_to_the_owner_once_and_a_new_try_anew(desk, ann):
    case = make_case()
    Registration.objects.filter(pk=case.pk).update(owner=ann)
    desk.fault(method="POST", path="BrandRegistrations$", action="error", status=400, code=21700, times=2)
    verbs.submit(case, actor="bob")
    stopped = run_with_tell(desk, case)
    assert stopped.waiting_for == WaitingFor.US
    assert len(texts(ann)) == 1
    assert texts(ann)[0].startswith("Ann Lee Nails stopped: ")
    note = Notification.objects.get()
    assert (note.kind, note.registration) == ("failure", case)
    notifications.needs_us(stopped)
    assert len(texts(ann)) == 1
    Registration.objects.filter(pk=case.pk).update(submitted_at=clock.now() + timedelta(seconds=5))
    notifications.needs_us(pipeline.load(case.pk))
    assert len(texts(ann)) == 2


def test_without_an_owner_who_submitted_it_is_told_and_on_hold_nobody(ann):
    case = make_registration("campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann")
    notifications.needs_us(case)
    assert len(texts(ann)) == 1
    held = make_registration("campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann")
    verbs.hold(held, reason="x", actor="ann")
    notifications.needs_us(pipeline.load(held.pk))
    assert len(texts(ann)) == 1
    left = get_user_model().objects.create_user("left", is_active=False)
    orphaned = make_registration(
        "campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="ann", owner=left
    )
    notifications.needs_us(orphaned)
    assert len(texts(ann)) == 2
    stranger = make_registration("campaign", answer={"campaign_status": "FAILED", "errors": []}, actor="gone")
    notifications.needs_us(stranger)
    assert len(texts()) == 2


# --- the one-time text ------------------------------------------------------------------------------------------
def owed(owner, *, text_hours_ago: float, registered_days_ago: float = 0.0, label="Owed") -> Registration:
    case = make_registration("otp", label=label, owner=owner)
    moment = clock.now()
    Brand.objects.filter(registration=case).update(
        otp_sent_at=moment - clock.scaled(text_hours_ago * 3600),
        registered_at=moment - clock.scaled(registered_days_ago * 24 * 3600),
    )
    return case


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
    assert notifications.watch_one_time_texts() == told
    assert len(texts(ann)) == told
    # Told once, however often it is looked at.
    assert notifications.watch_one_time_texts() == 0


def test_a_new_text_is_news_again(ann, twilios_time):
    case = owed(ann, text_hours_ago=22)
    assert notifications.watch_one_time_texts() == 1
    Brand.objects.filter(registration=case).update(otp_sent_at=clock.now() - timedelta(hours=21))
    assert notifications.watch_one_time_texts() == 1
    assert [note.registration for note in Notification.objects.all()] == [case, case]


def test_held_and_answered_cases_are_left_alone(ann, twilios_time):
    held = owed(ann, text_hours_ago=22)
    Registration.objects.filter(pk=held.pk).update(hold=True)
    answered = owed(ann, text_hours_ago=22)
    Registration.objects.filter(pk=answered.pk).update(stage=Stage.CAMPAIGN, waiting_for="twilio")
    assert notifications.watch_one_time_texts() == 0


def test_looking_again_costs_two_queries_however_many_run_out(
    ann, twilios_time, django_assert_max_num_queries
):
    for number in range(5):
        owed(ann, text_hours_ago=22, label=f"Case {number}")
    assert notifications.watch_one_time_texts() == 5
    with django_assert_max_num_queries(2):
        assert notifications.watch_one_time_texts() == 0


# --- something red ----------------------------------------------------------------------------------------------
@pytest.fixture
def watcher(db):
    user = get_user_model().objects.create_user("wes", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_webhookdelivery"))
    return user


def test_red_is_told_once_to_those_who_see_the_health_page(ann, watcher):
    boss = get_user_model().objects.create_superuser("boss", is_staff=True)
    assert notifications.watch_red({"credentials": "Twilio refuses our credentials."}) == 2
    assert notifications.watch_red({"credentials": "Twilio refuses our credentials."}) == 0
    assert texts(watcher) == texts(boss) == ["Twilio refuses our credentials."]
    assert texts(ann) == []


def test_what_comes_and_goes_is_the_same_trouble_until_it_was_calm(watcher, time_machine_at):
    trouble = {"overdue": "9 registrations are overdue."}
    time_machine_at("2026-05-01T12:00:00Z")
    assert notifications.watch_red(trouble) == 1
    time_machine_at("2026-05-01T12:05:00Z")
    assert notifications.watch_red({}) == 0
    time_machine_at("2026-05-01T12:08:00Z")
    assert notifications.watch_red(trouble) == 0
    time_machine_at("2026-05-01T12:20:00Z")
    assert notifications.watch_red({}) == 0
    time_machine_at("2026-05-01T12:30:00Z")
    assert notifications.watch_red(trouble) == 1
    assert len(texts(watcher)) == 2


@pytest.fixture
def time_machine_at(monkeypatch):
    def at(moment: str) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(moment))

    return at


def test_all_well_is_no_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    assert alarms.troubles() == {}


def test_a_worker_that_went_silent_and_refused_credentials_are_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    Heartbeat.objects.create(name="worker:there", at=timezone.now() - timedelta(minutes=7))
    case = make_case()
    Registration.objects.filter(pk=case.pk).update(
        waiting_for="us", reason="Twilio refused our credentials or settings (20003). Ask."
    )
    found = alarms.troubles()
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
    assert "All is well." in capsys.readouterr().out


def test_overdue_cases_are_trouble():
    Heartbeat.objects.create(name="worker:here", at=timezone.now())
    case = make_case()
    Registration.objects.filter(pk=case.pk).update(wake_at=timezone.now() - timedelta(minutes=5))
    assert set(alarms.troubles()) == {"overdue"}


def test_the_words_of_refused_credentials_are_the_pipelines(desk):
    """The alarm looks for the words that a stopped case carries."""
    case = make_case()
    desk.fault(method="", path=".", action="error", status=401, code=20003, times=3)
    verbs.submit(case, actor="ann")
    desk.advance(case.pk)
    assert "credentials" in alarms.troubles()
    assert watching.in_charge(case) is None

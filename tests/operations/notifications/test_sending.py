"""What is due goes out: together, by every channel once, and again when it failed."""

import itertools
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from django_q.models import OrmQ

from registrations.core import queue
from registrations.models import Batch, Notification, NotificationSettings
from registrations.operations import notifications
from registrations.operations.bulk import notices as bulk_notices
from registrations.operations.notifications import channels, delivery
from registrations.worker import due_work, jobs
from registrations.workflow import notices
from tests.customers import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.A2P_SENDS_EMAIL = True
    settings.PUBLIC_BASE_URL = "https://desk.example"


@pytest.fixture
def both(ann, hook):
    """Ann hears by email and webhook."""
    NotificationSettings.objects.create(user=ann, by_email=True, slack_webhook_url=hook.url)
    return ann


def tell(user, key="k", text="It stopped.", **more):
    assert notices.notify(user, "failure", key, text, **more)
    return Notification.objects.get(user=user, key=key)


def due_now():
    Notification.objects.filter(send_at__isnull=False).update(send_at=timezone.now())


def test_one_note_goes_out_by_every_channel_with_a_link(both, hook):
    registration = make_draft("Ann Lee & <Nails>")
    tell(both, text="Ann Lee & <Nails> stopped: x", registration=registration)
    assert notifications.due()
    assert notifications.send_due() == 2
    link = f"https://desk.example/admin/registrations/registration/{registration.pk}/detail/"
    message = mail.outbox[0]
    assert message.to == ["ann@desk.example"]
    assert message.subject == "A2P: Ann Lee & <Nails> stopped: x"
    assert link in message.body
    # In Slack's text these letters would be commands, such as a mention of everybody.
    assert hook.got[0][1] == {"text": f"Ann Lee &amp; &lt;Nails&gt; stopped: x\n{link}"}
    note = Notification.objects.get()
    assert (note.send_at, note.error, sorted(note.sent_channels)) == (None, "", ["email", "webhook"])
    assert note.sent_at is not None
    assert not notifications.due()
    assert notifications.send_due() == 0


def test_notes_of_one_moment_are_one_message(both, hook):
    for number in range(delivery.MAX_LINES + 3):
        tell(both, key=str(number), text=f"Note {number}.")
    assert notifications.send_due() == 2
    assert len(mail.outbox) == len(hook.got) == 1
    assert mail.outbox[0].subject == "A2P: 53 notifications"
    assert "Note 49." in mail.outbox[0].body
    assert "Note 50." not in mail.outbox[0].body
    assert "And 3 more: https://desk.example/admin/registrations/notification/" in mail.outbox[0].body


def test_a_subject_is_one_line(both):
    tell(both, text="One\r\nBcc: eve@example.com")
    notifications.send_due()
    assert mail.outbox[0].subject == "A2P: One Bcc: eve@example.com"


def test_nothing_goes_out_before_its_time(both):
    note = tell(both)
    Notification.objects.filter(pk=note.pk).update(send_at=timezone.now() + timedelta(minutes=1))
    assert not notifications.due()
    assert notifications.send_due() == 0


def test_what_was_read_meanwhile_is_not_sent(both):
    note = tell(both)
    Notification.objects.filter(pk=note.pk).update(read_at=timezone.now())
    assert notifications.send_due() == 0
    note.refresh_from_db()
    assert (note.send_at, note.sent_at) == (None, None)


def test_a_channel_that_worked_is_not_used_again_when_the_other_failed(both, hook):
    hook.answers = [(500, {}), (503, {})]
    note = tell(both)
    assert notifications.send_due() == 1
    note.refresh_from_db()
    assert (note.sent_channels, note.attempts, note.sent_at) == (["email"], 1, None)
    assert note.error == "Webhook: HTTP 500"
    assert note.send_at > timezone.now() + timedelta(seconds=30)
    for _ in range(2):
        due_now()
        notifications.send_due()
    note.refresh_from_db()
    assert len(mail.outbox) == 1
    assert len(hook.got) == 3
    assert (note.send_at, note.error, note.attempts) == (None, "", 2)


def test_it_gives_up_after_a_while_and_says_why(ann, settings):
    settings.EMAIL_BACKEND = "tests.operations.notifications.test_sending.Broken"
    NotificationSettings.objects.create(user=ann, by_email=True)
    note = tell(ann)
    for _ in range(delivery.MAX_ATTEMPTS):
        assert notifications.due()
        notifications.send_due()
        due_now()
    note.refresh_from_db()
    assert (note.send_at, note.sent_at, note.attempts) == (None, None, delivery.MAX_ATTEMPTS)
    # An error of a mail server may name hosts and people.
    assert note.error == "Email: ConnectionError"


class Broken:
    def __init__(self, **kwargs):
        pass

    def send_messages(self, messages):
        raise ConnectionError("mail.example.com refused ann@desk.example")


def test_pauses_grow_to_an_hour():
    seconds = [delivery._pause(attempts).total_seconds() for attempts in range(1, 9)]
    assert 48 <= seconds[0] <= 72
    assert all(later > sooner for sooner, later in itertools.pairwise(seconds[:7]))
    assert max(seconds) <= 1.2 * 3600


def test_two_jobs_send_nothing_twice(both, hook, monkeypatch):
    """The second job starts while the first is sending."""
    tell(both, key="a")
    inner = []
    original = channels.send

    def send(*args):
        if not inner:
            inner.append(notifications.send_due())
        original(*args)

    monkeypatch.setattr(channels, "send", send)
    assert notifications.send_due() == 2
    assert inner == [0]
    assert (len(mail.outbox), len(hook.got)) == (1, 1)


def test_a_job_that_died_leaves_notes_that_go_out_later(both, monkeypatch):
    note = tell(both)
    monkeypatch.setattr(channels, "send", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        notifications.send_due()
    monkeypatch.undo()
    assert not notifications.due()
    note.refresh_from_db()
    assert timezone.now() < note.send_at < timezone.now() + 2 * delivery.CLAIM


def test_who_turns_everything_off_or_leaves_gets_nothing(both, ann):
    tell(both, key="a")
    NotificationSettings.objects.update(by_email=False, slack_webhook_url="")
    assert notifications.send_due() == 0
    NotificationSettings.objects.update(by_email=True)
    tell(both, key="b")
    ann.is_active = False
    ann.save()
    assert notifications.send_due() == 0
    assert not Notification.objects.filter(send_at__isnull=False).exists()


def test_each_kind_leads_to_its_page(ann):
    registration = make_draft()
    assert notifications.path(tell(ann, registration=registration)) == registration.get_absolute_url()
    batch = Batch.objects.create(kind="submit", user=ann, actor="ann")
    bulk_notices.notify_batch_done(batch)
    assert f"/{batch.pk}/" in notifications.path(Notification.objects.get(batch=batch))
    notices.notify(ann, "red", "red:x", "Something.")
    assert notifications.path(Notification.objects.get(kind="red")).endswith("/health/")


def test_the_sweep_enqueues_only_when_something_is_due(both):
    due_work.enqueue_due_notifications()
    assert not OrmQ.objects.exists()
    tell(both)
    due_work.enqueue_due_notifications()
    job = OrmQ.objects.get().task
    assert (job["func"], job["args"]) == (queue.NOTIFICATIONS, ())
    jobs.send_notifications()
    assert len(mail.outbox) == 1

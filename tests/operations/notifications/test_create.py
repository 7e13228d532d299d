"""News is written down once, and planned for sending as the person wishes."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from registrations.models import Batch, BatchItem, Import, ImportRow, Notification, NotificationSettings
from registrations.operations.bulk import notices as bulk_notices
from registrations.workflow import notices
from registrations.workflow.notices import next_digest
from tests.customers import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return get_user_model().objects.create_user("ann", email="ann@desk.example", is_staff=True)


def choose(user, **values) -> NotificationSettings:
    return NotificationSettings.objects.create(user=user, **values)


def test_the_same_news_is_notified_once_to_each_person(ann):
    bob = get_user_model().objects.create_user("bob")
    registration = make_draft()
    assert notices.notify(ann, "failure", "k", "It stopped.", registration=registration)
    assert not notices.notify(ann, "failure", "k", "It stopped again.", registration=registration)
    assert notices.notify(bob, "failure", "k", "It stopped.", registration=registration)
    rows = Notification.objects.order_by("id")
    assert [(row.user, row.text, row.registration) for row in rows] == [
        (ann, "It stopped.", registration),
        (bob, "It stopped.", registration),
    ]


def test_nobody_and_people_who_left_are_not_notified(ann):
    ann.is_active = False
    assert not notices.notify(ann, "failure", "k", "text")
    assert not notices.notify(None, "failure", "k", "text")
    assert not Notification.objects.exists()


def test_what_is_rolled_back_was_never_notified(ann):
    with transaction.atomic():
        notices.notify(ann, "mention", "k", "text")
        transaction.set_rollback(True)
    assert not Notification.objects.exists()
    assert notices.notify(ann, "mention", "k", "text")


def test_an_unknown_kind_is_a_mistake_of_ours(ann):
    with pytest.raises(KeyError):
        notices.notify(ann, "gossip", "k", "text")


@pytest.mark.parametrize(
    ("prefs", "goes_out"),
    [
        (None, False),
        ({}, False),
        ({"by_email": True}, True),
        ({"slack_webhook_url": "https://hooks.example.com/x"}, True),
        ({"by_email": True, "kinds": {"failure": "off"}}, False),
    ],
)
def test_it_goes_out_only_by_a_channel_that_is_set_up(ann, settings, prefs, goes_out):
    settings.A2P_SENDS_EMAIL = True
    if prefs is not None:
        choose(ann, **prefs)
    before = timezone.now()
    notices.notify(ann, "failure", "k", "text")
    send_at = Notification.objects.get().send_at
    assert (before <= send_at <= timezone.now()) if goes_out else send_at is None


@pytest.mark.parametrize(("email", "server"), [("", True), ("ann@desk.example", False)])
def test_no_e_mail_without_an_address_or_a_server(ann, settings, email, server):
    settings.A2P_SENDS_EMAIL = server
    ann.email = email
    ann.save()
    choose(ann, by_email=True)
    notices.notify(ann, "failure", "k", "text")
    assert Notification.objects.get().send_at is None


def test_a_digest_waits_for_its_hour(ann, settings):
    settings.A2P_SENDS_EMAIL = True
    choose(ann, by_email=True, kinds={"failure": "digest"}, digest_hour=8)
    notices.notify(ann, "failure", "k", "text")
    at = timezone.localtime(Notification.objects.get().send_at)
    assert (at.hour, at.minute) == (8, 0)
    assert at > timezone.now()


@pytest.mark.parametrize(
    ("now", "next_one"),
    [
        # New York is 5 h behind UTC in winter, 4 h in summer.
        ("2026-01-15T12:59", "2026-01-15T13:00"),
        ("2026-01-15T13:00", "2026-01-16T13:00"),
        ("2026-03-07T14:00", "2026-03-08T12:00"),
        ("2026-10-31T13:00", "2026-11-01T13:00"),
    ],
)
def test_the_hour_of_the_digest_is_local_time_also_when_clocks_change(settings, now, next_one):
    settings.TIME_ZONE = "America/New_York"
    with timezone.override("America/New_York"):
        found = next_digest(8, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found.astimezone(UTC).isoformat(timespec="minutes") == next_one + "+00:00"


def test_the_end_of_a_batch_is_notified_with_its_counts_and_again_after_a_restart(ann):
    batch = Batch.objects.create(
        kind="submit", user=ann, actor="ann", state="done", finished_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for state in ("done", "done", "skipped", "failed"):
        BatchItem.objects.create(batch=batch, registration=make_draft(), state=state)
    bulk_notices.notify_batch_done(batch, "Submit")
    bulk_notices.notify_batch_done(batch, "Submit")
    told = Notification.objects.get()
    assert (told.user, told.kind, told.batch) == (ann, "batch_done", batch)
    assert told.text == "Bulk action “Submit” is done: 2 done, 1 skipped, 1 failed."
    batch.state, batch.finished_at = "failed", datetime(2026, 1, 2, tzinfo=UTC)
    bulk_notices.notify_batch_done(batch)
    assert "“submit” was stopped by an internal error" in Notification.objects.first().text


def test_the_end_of_an_import_is_notified(ann):
    upload = Import.objects.create(user=ann, actor="ann", name="customers of May.csv", state="done")
    ImportRow.objects.create(upload=upload, number=2, state="done")
    ImportRow.objects.create(upload=upload, number=3, state="failed")
    bulk_notices.notify_import_done(upload)
    told = Notification.objects.get()
    assert told.text == f"Import {upload.pk} is done: 1 done, 1 failed."
    # A file's name may hold a person's.
    assert "May" not in told.text

"""Sending what is due, one message a person: news of the same hour comes together.

At least once outside, once inside: a channel by which a note has gone out is left out of the next try, and a
worker that dies between sending and saying so leaves notes that go out again when its claim has run out.
"""

import random
import time
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from registrations.core import clock
from registrations.models import Notification, NotificationSettings
from registrations.workflow.notices import BATCH, IMPORT, SYSTEM_ALERT

from . import channels

CLAIM = timedelta(minutes=5)
MAX_ATTEMPTS = 8
BACKOFF, BACKOFF_CAP = timedelta(minutes=1), timedelta(hours=1)
# Lines of one message; the rest is named by its number.
MOST_LINES, MOST_NOTES = 50, 500


def due() -> bool:
    """Whether anything is to be sent now: one look at a small partial index."""
    return Notification.objects.filter(send_at__lte=clock.now()).exists()


def send_due(seconds: float = 20.0) -> int:
    """Send what is due, person by person, for about `seconds`; returns how many messages went out."""
    until, sent = time.monotonic() + seconds, 0
    seen: set[int] = set()
    while time.monotonic() < until:
        notes = Notification.objects.filter(send_at__lte=clock.now()).exclude(user_id__in=seen)
        user_id = notes.order_by("send_at").values_list("user_id", flat=True).first()
        if user_id is None:
            break
        seen.add(user_id)
        sent += _send_to(user_id)
    return sent


def _send_to(user_id: int) -> int:
    notes = _claim(user_id)
    user = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
    prefs = NotificationSettings.objects.select_related("user").filter(user=user).first() if user else None
    ways = prefs.channels if prefs else []
    # Who has read it in the desk meanwhile has no need of a message.
    wanted = [note for note in notes if ways and not note.read_at]
    sent, failures = 0, {}
    for way in ways:
        waiting = [note for note in wanted if way not in note.sent_channels]
        if not waiting or prefs is None:
            continue
        try:
            channels.send(way, prefs, _subject(waiting), _lines(waiting))
        except channels.NotSent as error:
            failures[way] = str(error)
        else:
            sent += 1
            for note in waiting:
                note.sent_channels = [*note.sent_channels, way]
            # At once: what comes after this must not make it go out a second time.
            Notification.objects.bulk_update(waiting, ["sent_channels"])
    _settle(notes, wanted, ways, failures)
    return sent


def _claim(user_id: int) -> list[Notification]:
    """The person's due notes, for this job alone: the time until which they are claimed is their mark."""
    now = clock.now()
    mark = now + CLAIM + timedelta(microseconds=random.randrange(1_000_000))
    rows = Notification.objects.filter(user_id=user_id, send_at__lte=now)
    pks = list(rows.order_by("id").values_list("pk", flat=True)[:MOST_NOTES])
    Notification.objects.filter(pk__in=pks, send_at__lte=now).update(send_at=mark)
    marked = Notification.objects.filter(pk__in=pks, send_at=mark)
    return list(marked.select_related("registration").order_by("id"))


def _settle(
    notes: list[Notification], wanted: list[Notification], ways: list[str], failures: dict[str, str]
) -> None:
    now = clock.now()
    for note in notes:
        note.error = ""
        if note not in wanted:
            note.send_at = None
        elif set(ways) <= set(note.sent_channels):
            note.send_at, note.sent_at = None, now
        else:
            note.attempts += 1
            note.error = "; ".join(failures.values())[:200]
            note.send_at = None if note.attempts >= MAX_ATTEMPTS else now + _pause(note.attempts)
    Notification.objects.bulk_update(notes, ["send_at", "sent_at", "attempts", "error"])


def _pause(attempts: int) -> timedelta:
    return min(BACKOFF * 2 ** (attempts - 1), BACKOFF_CAP) * random.uniform(0.8, 1.2)


# --- the words --------------------------------------------------------------------------------------------------
def _subject(notes: list[Notification]) -> str:
    return f"A2P desk: {notes[0].text}" if len(notes) == 1 else f"A2P desk: {len(notes)} notes"


def _lines(notes: list[Notification]) -> list[str]:
    lines = [f"{note.text}\n{settings.PUBLIC_BASE_URL}{path(note)}" for note in notes[:MOST_LINES]]
    if len(notes) > MOST_LINES:
        page = reverse("admin:registrations_notification_changelist")
        lines.append(f"And {len(notes) - MOST_LINES} more: {settings.PUBLIC_BASE_URL}{page}")
    return lines


def path(note: Notification) -> str:
    """The page that a note is about; the list of notes when it is about none."""
    if note.registration is not None:
        return note.registration.get_absolute_url()
    route = "notification_changelist"
    args: list[object] = []
    if note.kind == BATCH and note.batch_id:
        route, args = "batch_page", [note.batch_id]
    elif note.kind == IMPORT:
        route, args = "import_page", [note.key.split(":")[1]]
    elif note.kind == SYSTEM_ALERT:
        route = "webhookdelivery_health"
    return reverse(f"admin:registrations_{route}", args=args)

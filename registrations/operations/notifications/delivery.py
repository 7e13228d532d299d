"""Sends notifications that are due, one message per person with everything that is due for them.

At least once: a channel that succeeded is skipped in later attempts, but if a worker dies between sending and saving
that, its notifications are sent again after its claim expires.
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
# Notifications listed in one message (the others are counted), and handled in one job.
MAX_LINES, MAX_NOTES = 50, 500


def due() -> bool:
    """Whether anything is due now; reads a small partial index."""
    return Notification.objects.filter(send_at__lte=clock.now()).exists()


def send_due(seconds: float = 20.0) -> int:
    """Send what is due, person by person, for about `seconds`; returns the number of messages sent."""
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
    enabled = prefs.channels if prefs else []
    # What was read in the app needs no message.
    unread = [note for note in notes if enabled and not note.read_at]
    sent, failures = 0, {}
    for channel in enabled:
        unsent = [note for note in unread if channel not in note.sent_channels]
        if not unsent or prefs is None:
            continue
        try:
            channels.send(channel, prefs, _subject(unsent), _lines(unsent))
        except channels.NotSent as error:
            failures[channel] = str(error)
        else:
            sent += 1
            for note in unsent:
                note.sent_channels = [*note.sent_channels, channel]
            # Saved at once, so that a later error does not send it twice.
            Notification.objects.bulk_update(unsent, ["sent_channels"])
    _settle(notes, unread, enabled, failures)
    return sent


def _claim(user_id: int) -> list[Notification]:
    """The person's due notifications, claimed for this job: a unique `send_at` in the future marks them."""
    now = clock.now()
    claimed_until = now + CLAIM + timedelta(microseconds=random.randrange(1_000_000))
    rows = Notification.objects.filter(user_id=user_id, send_at__lte=now)
    pks = list(rows.order_by("id").values_list("pk", flat=True)[:MAX_NOTES])
    Notification.objects.filter(pk__in=pks, send_at__lte=now).update(send_at=claimed_until)
    claimed = Notification.objects.filter(pk__in=pks, send_at=claimed_until)
    return list(claimed.select_related("registration").order_by("id"))


def _settle(
    notes: list[Notification], unread: list[Notification], enabled: list[str], failures: dict[str, str]
) -> None:
    now = clock.now()
    for note in notes:
        note.error = ""
        if note not in unread:
            note.send_at = None
        elif set(enabled) <= set(note.sent_channels):
            note.send_at, note.sent_at = None, now
        else:
            note.attempts += 1
            note.error = "; ".join(failures.values())[:200]
            note.send_at = None if note.attempts >= MAX_ATTEMPTS else now + _pause(note.attempts)
    Notification.objects.bulk_update(notes, ["send_at", "sent_at", "attempts", "error"])


def _pause(attempts: int) -> timedelta:
    return min(BACKOFF * 2 ** (attempts - 1), BACKOFF_CAP) * random.uniform(0.8, 1.2)


# --- texts ------------------------------------------------------------------------------------------------------
def _subject(notes: list[Notification]) -> str:
    return f"A2P: {notes[0].text}" if len(notes) == 1 else f"A2P: {len(notes)} notifications"


def _lines(notes: list[Notification]) -> list[str]:
    lines = [f"{note.text}\n{settings.PUBLIC_BASE_URL}{path(note)}" for note in notes[:MAX_LINES]]
    if len(notes) > MAX_LINES:
        page = reverse("admin:registrations_notification_changelist")
        lines.append(f"And {len(notes) - MAX_LINES} more: {settings.PUBLIC_BASE_URL}{page}")
    return lines


def path(note: Notification) -> str:
    """The page that a notification is about; the list of notifications if there is none."""
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

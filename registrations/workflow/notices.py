"""Creates notifications: what kinds there are, who is responsible for a registration, and when to send them.

`notify` works inside any transaction: a rollback also removes the notification. Sending is a separate job
(`operations.notifications`). A text names a registration by its label and contains no other personal data.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.utils import timezone

from registrations.core import clock
from registrations.models import Batch, Notification, NotificationSettings, OpenProblem, Registration
from registrations.models.choices import Stage

# How a kind is delivered outside the app; in the app it is always listed.
Delivery = Literal["now", "digest", "off"]
DELIVERY_LABELS: dict[str, str] = {"now": "Immediately", "digest": "Daily digest", "off": "In the app only"}


@dataclass(frozen=True)
class Kind:
    """`default`: how it is delivered to users with an email or webhook who have not chosen otherwise."""

    slug: str
    label: str
    help: str
    default: Delivery
    # Whether users can choose how it is delivered.
    shown: bool = True


FAILURE, OTP, MENTION, ASSIGNED = "failure", "otp", "mention", "assigned"
BATCH, IMPORT, SYSTEM_ALERT, TEST = "batch_done", "import_done", "red", "test"

KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(FAILURE, "My registration needs attention", "Twilio rejected it, or it needs you.", "now"),
        Kind(
            OTP,
            "My OTP text is expiring",
            "Less than 4 of its 24 hours are left, or less than 3 of the customer's 30 days.",
            "now",
        ),
        Kind(MENTION, "Someone mentions me", "A timeline note contains your @name.", "now"),
        Kind(ASSIGNED, "A registration is assigned to me", "You become its owner.", "digest"),
        Kind(BATCH, "My bulk action is finished", "All rows are processed, or it stopped.", "now"),
        Kind(IMPORT, "My import is finished", "All rows are processed, or it stopped.", "now"),
        Kind(
            SYSTEM_ALERT,
            "System alert",
            "No worker is running, Twilio's webhooks are not arriving, or Twilio refuses our credentials.",
            "now",
        ),
        Kind(TEST, "Test", "Sent from the settings page.", "now", shown=False),
    )
}


def notify(
    user: Any,
    kind: str,
    key: str,
    text: str,
    *,
    registration: Registration | None = None,
    batch: Batch | None = None,
) -> bool:
    """Create one notification for one user; False if they already got one with this key.

    `user`: None and inactive users get nothing. `key`: identifies the news, at most 120 characters; each user gets it
    only once. Raises KeyError for an unknown kind.
    """
    definition = KINDS[kind]
    if user is None or not user.is_active:
        return False
    _, created = Notification.objects.get_or_create(
        user=user,
        key=key[:120],
        defaults={
            "kind": definition.slug,
            "text": text,
            "registration": registration,
            "batch": batch,
            "send_at": send_at(user, definition.slug),
        },
    )
    return created


def send_at(user: Any, kind: str) -> datetime | None:
    """When to send a notification of this kind to the user; None: it is only listed in the app."""
    prefs = NotificationSettings.objects.filter(user=user).first()
    if prefs is None or not prefs.channels:
        return None
    delivery = prefs.kinds.get(kind, KINDS[kind].default)
    if delivery == "now":
        return clock.now()
    return next_digest(prefs.digest_hour, clock.now()) if delivery == "digest" else None


def next_digest(hour: int, now: datetime) -> datetime:
    """The next time this hour (0 to 23) begins in the server's time zone.

    An hour skipped by daylight saving time is replaced by the next one.
    """
    local = timezone.localtime(now)
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return today if today > local else today + timedelta(days=1)


def responsible_person(registration: Registration) -> Any:
    """The registration's owner if active, else the user who submitted it, else None."""
    if registration.owner and registration.owner.is_active:
        return registration.owner
    return get_user_model()._default_manager.filter(username=registration.submitted_by).first()


def notify_stopped(registration: Registration) -> None:
    """Tell the responsible person that the worker stopped. Runs in the worker's transaction."""
    if registration.hold:
        return
    problem = OpenProblem.objects.filter(registration=registration).first()
    stage = Stage(registration.stage).label
    reason = problem.title if problem else f"it needs you at “{stage}”"
    submitted = int(registration.submitted_at.timestamp()) if registration.submitted_at else 0
    code = problem.code or problem.title if problem else ""
    notify(
        responsible_person(registration),
        FAILURE,
        # The same rejection of a new submission is news.
        f"{FAILURE}:{registration.pk}:{submitted}:{registration.stage}:{code}",
        f"{registration.label} stopped: {reason}",
        registration=registration,
    )

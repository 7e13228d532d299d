"""Writes a notification for one person: what kinds there are, who is responsible, and when it is to be sent.

`notify` may be called inside any transaction: what is rolled back is not notified. Sending is a job of its own
(`operations.notifications`). A text names a registration by its label and holds no other personal data.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.utils import timezone

from registrations.core import clock
from registrations.models import Batch, Notification, NotificationSettings, OpenProblem, Registration
from registrations.models.choices import Stage

# How a kind reaches a person outside the desk; inside it is always listed.
How = Literal["now", "digest", "off"]
HOW: dict[str, str] = {"now": "At once", "digest": "In the daily digest", "off": "Only in the desk"}


@dataclass(frozen=True)
class Kind:
    """`default`: how it is sent to people who have not chosen, once they have an email or a webhook."""

    slug: str
    label: str
    help: str
    default: How
    # Whether people choose how they hear of it.
    shown: bool = True


FAILURE, OTP, MENTION, ASSIGNED = "failure", "otp", "mention", "assigned"
BATCH, IMPORT, RED, TEST = "batch_done", "import_done", "red", "test"

KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(FAILURE, "A registration of mine stopped", "Rejected by Twilio, or it needs a person.", "now"),
        Kind(
            OTP,
            "An OTP text of mine runs out",
            "Less than 4 of its 24 hours are left, or less than 3 of the customer's 30 days.",
            "now",
        ),
        Kind(MENTION, "Somebody mentions me", "A note on a timeline names you with @.", "now"),
        Kind(ASSIGNED, "I am made an owner", "Somebody gives you a registration.", "digest"),
        Kind(BATCH, "Bulk work of mine is done", "All rows were gone through, or it stopped.", "now"),
        Kind(IMPORT, "An import of mine is done", "All rows were gone through, or it stopped.", "now"),
        Kind(
            RED,
            "Something is red",
            "No worker runs, Twilio's deliveries stay away, or credentials are refused.",
            "now",
        ),
        Kind(TEST, "A test", "Asked for on the page of settings.", "now", shown=False),
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
    """Tell one person one thing; False when they were told under this key before.

    `user`: a user, or None, who is told nothing. `key` names the news, at most 120 characters; the same key
    is never told twice to the same person. Raises KeyError for a kind that is not in the table.
    """
    known = KINDS[kind]
    if user is None or not user.is_active:
        return False
    _, new = Notification.objects.get_or_create(
        user=user,
        key=key[:120],
        defaults={
            "kind": known.slug,
            "text": text,
            "registration": registration,
            "batch": batch,
            "send_at": send_at(user, known.slug),
        },
    )
    return new


def send_at(user: Any, kind: str) -> datetime | None:
    """When news of this kind goes out to the person; None: it is only listed in the desk."""
    prefs = NotificationSettings.objects.filter(user=user).first()
    if prefs is None or not prefs.channels:
        return None
    how = prefs.kinds.get(kind, KINDS[kind].default)
    if how == "now":
        return clock.now()
    return next_digest(prefs.digest_hour, clock.now()) if how == "digest" else None


def next_digest(hour: int, now: datetime) -> datetime:
    """The next time that the desk's clock shows this hour (0 to 23).

    An hour that a change of the clocks leaves out is the one after it.
    """
    here = timezone.localtime(now)
    today = here.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return today if today > here else today + timedelta(days=1)


def responsible_person(registration: Registration) -> Any:
    """Whose registration it is: its owner, unless they have left, else who submitted it; None when that is nobody."""
    if registration.owner and registration.owner.is_active:
        return registration.owner
    return get_user_model()._default_manager.filter(username=registration.submitted_by).first()


def notify_stopped(registration: Registration) -> None:
    """The worker stopped: tell whose registration it is. Inside the worker's transaction."""
    if registration.hold:
        return
    problem = OpenProblem.objects.filter(registration=registration).first()
    stage = Stage(registration.stage).label
    why = problem.title if problem else f"it needs a person at “{stage}”"
    tried = int(registration.submitted_at.timestamp()) if registration.submitted_at else 0
    code = problem.code or problem.title if problem else ""
    notify(
        responsible_person(registration),
        FAILURE,
        # The same refusal of a new try is news.
        f"{FAILURE}:{registration.pk}:{tried}:{registration.stage}:{code}",
        f"{registration.label} stopped: {why}",
        registration=registration,
    )

"""Writing news down, once each: the list in the desk, and whether it is also to be sent.

`tell` may be called inside any transaction: what is rolled back was never told. Sending is a job of its own
(sending.py). A text names a registration by its label and holds no other personal data.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from registrations import clock
from registrations.models import Batch, Import, Notification, NotificationSettings, Registration
from registrations.states import ItemState, WorkState

from . import channels
from .kinds import BATCH, IMPORT, KINDS


def tell(
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
    if prefs is None or not channels.of(prefs):
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


def notify_batch_done(batch: Batch, what: str = "") -> None:
    """Tell who started a bulk act that it ended. `what`: its label for people, e.g. "Submit"."""
    counts = dict(batch.items.order_by().values_list("state").annotate(n=Count("pk")))
    _tell_work(batch, BATCH, f"Bulk work “{what or batch.kind.replace('_', ' ')}”", counts)


def notify_import_done(upload: Import) -> None:
    """Tell who uploaded a table that its rows were imported."""
    counts = dict(upload.rows.order_by().values_list("state").annotate(n=Count("pk")))
    _tell_work(upload, IMPORT, f"Import {upload.pk}", counts)


def notify_import_unread(upload: Import) -> None:
    """Tell who uploaded a table that no row of it could be read."""
    at = int(upload.finished_at.timestamp()) if upload.finished_at else 0
    said = f"Import {upload.pk} could not be read. Its page says why."
    tell(upload.user, IMPORT, f"{IMPORT}:{upload.pk}:{at}", said)


def _tell_work(work: Any, kind: str, title: str, counts: dict[str, int]) -> None:
    parts = [
        f"{counts[state]:,} {word}"
        for state, word in (
            (ItemState.DONE, "done"),
            (ItemState.SKIPPED, "skipped"),
            (ItemState.FAILED, "failed"),
        )
        if counts.get(state)
    ]
    ended = "stopped by an error of ours" if work.state == WorkState.FAILED else "done"
    # Started again after Cancel or an error, it ends anew.
    at = int(work.finished_at.timestamp()) if work.finished_at else 0
    tell(
        work.user,
        kind,
        f"{kind}:{work.pk}:{at}",
        f"{title} is {ended}{': ' + ', '.join(parts) if parts else ''}.",
        batch=work if isinstance(work, Batch) else None,
    )

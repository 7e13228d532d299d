"""Stores what Twilio delivered, each delivery once, and enqueues a job for it.

Receiving is one query, one insert, and one job in one transaction, so Twilio gets its answer in milliseconds (events
need one within 5 s; docs/twilio.md section 7.4). The job finds out what a delivery means (handlers.py).

What counts as the same delivery:
- Events are compared by id (docs/twilio.md section 7.4). Test events all have the account SID as their id, so they are
  never compared.
- A status callback has neither id nor time. It is compared by its I-Twilio-Idempotency-Token if Twilio sends one.
  Otherwise it is a repeat if the newest callback of the same bundle has the same content, is less than a minute old
  (Twilio retries for at most 15 s; docs/twilio.md section 6.5), and the bundle was not submitted since. The same
  content later is a new callback: a second submission may fail for the same reason.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Count, Max, QuerySet, Value
from django.db.models.functions import Concat, Left

from registrations.core import clock, queue
from registrations.models import ApiCall, Brand, Campaign, Profile, TrustBundle, WebhookDelivery

from . import parsing

# How the note of a dismissed error begins.
DISMISSED = "Dismissed"
REPEAT_WINDOW = timedelta(minutes=1)
# How much later than our own check a delivery may arrive before it counts as missing. Not scaled by A2P_TIME_SCALE.
LATE = timedelta(minutes=5)

Kind, State = WebhookDelivery.Kind, WebhookDelivery.State
# Models whose decisions each kind of delivery announces.
_ANNOUNCED_BY: dict[str, tuple[Any, ...]] = {
    Kind.BUNDLE_STATUS: (Profile, TrustBundle),
    Kind.EVENTS: (Brand, Campaign),
}


def receive_status(row: WebhookDelivery, *, token: str = "") -> int:
    """Store a status callback (see parsing.status_callback); returns the number of new rows."""
    if row.state != State.RECEIVED:
        return store([row])
    if token:
        # With its content, so that nothing is lost if two callbacks ever share a token.
        row.dedupe_key = f"token:{parsing.digest(token, row.subject, row.status, row.reason)}"
        return store([row])
    newest = (
        WebhookDelivery.objects.filter(subject=row.subject, kind=row.kind)
        .order_by("-received_at")
        .only("status", "reason", "received_at")
        .first()
    )
    if (
        newest
        and (newest.status, newest.reason) == (row.status, row.reason)
        and newest.received_at > clock.now() - REPEAT_WINDOW
        and not _submitted_since(row.subject, newest.received_at)
    ):
        return 0
    before = str(newest.pk) if newest else ""
    # The previous callback is part of the key, so of two simultaneous copies the database takes one.
    row.dedupe_key = f"after:{parsing.digest(before, row.subject, row.status, row.reason)}"
    return store([row])


def _submitted_since(sid: str, moment: datetime) -> bool:
    """Whether a submission of this bundle began after `moment`: the same content may then be its own result."""
    return any(
        ApiCall.objects.filter(
            **{f"registration__{part}__sid": sid}, step=f"{part}.submit", started_at__gte=moment
        ).exists()
        for part in ("profile", "trust_bundle")
    )


def store(rows: list[WebhookDelivery]) -> int:
    """Store the deliveries that are new and enqueue a job for them; returns how many were new."""
    with transaction.atomic():
        keys = [row.dedupe_key for row in rows if row.dedupe_key]
        known = set(WebhookDelivery.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
        fresh = [row for row in parsing.without_repeats(rows) if row.dedupe_key not in known]
        # Two requests may bring the same delivery at the same time: the second insert does nothing.
        WebhookDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
        if pks := [row.pk for row in fresh if row.state == State.RECEIVED]:
            queue.enqueue_deliveries(pks)
    return len(fresh)


def replay(delivery: WebhookDelivery, *, actor: str) -> None:
    """Parse a stored delivery again and have it processed once more. Harmless: a delivery only causes a check."""
    read = parsing.parse_again(delivery)
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            **{name: getattr(read, name) for name in ("subject", "status", "reason", "event_type")},
            event_time=read.event_time,
            state=read.state,
            note=read.note,
            replayed_by=actor[:150],
            enqueued_at=clock.now(),
        )
        if read.state == State.RECEIVED:
            queue.enqueue_deliveries([delivery.pk])


def errors() -> QuerySet[WebhookDelivery]:
    """Deliveries that failed and were not dismissed, the oldest first."""
    return WebhookDelivery.objects.filter(state=State.ERRORED).order_by("received_at")


def replay_errors(*, actor: str, limit: int = 500) -> int:
    """Have failed deliveries processed once more, e.g. after a bug was fixed; returns how many."""
    rows = list(errors()[:limit])
    for row in rows:
        replay(row, actor=actor)
    return len(rows)


def dismiss(rows: QuerySet[WebhookDelivery], *, actor: str) -> int:
    """Mark these errors as seen and no longer needed; their content and tracebacks stay."""
    who = Concat(Value(f"{DISMISSED} by {actor[:150]}. "), "note", output_field=CharField())
    return rows.filter(state=State.ERRORED).update(state=State.IGNORED, note=Left(who, 300))


@dataclass(frozen=True)
class Channel:
    """Whether one kind of delivery arrives.

    last_at: the last delivery, None for never. found_by_polling: decisions in the last 24 hours that scheduled checks
    found before any delivery; last_found_at: the newest of these. silent: the newest is five minutes old and still no
    delivery came, so deliveries do not reach us.
    """

    kind: str
    label: str
    configured: bool
    last_at: datetime | None
    found_by_polling: int
    last_found_at: datetime | None
    silent: bool


def channels() -> list[Channel]:
    """For the health page: whether Twilio's deliveries arrive; a few indexed queries."""
    return [_channel(Kind(kind), models) for kind, models in _ANNOUNCED_BY.items()]


def _channel(kind: WebhookDelivery.Kind, models: tuple[Any, ...]) -> Channel:
    now = clock.now()
    last_at = WebhookDelivery.objects.filter(kind=kind).aggregate(last=Max("received_at"))["last"]
    day = now - timedelta(days=1)
    found = [
        model.objects.filter(poll_found_at__gte=day).aggregate(count=Count("pk"), last=Max("poll_found_at"))
        for model in models
    ]
    newest = max((row["last"] for row in found if row["last"]), default=None)
    overdue = newest is not None and newest < now - LATE
    return Channel(
        kind=kind,
        label=str(kind.label),
        configured=bool(settings.PUBLIC_BASE_URL),
        last_at=last_at,
        found_by_polling=sum(row["count"] for row in found),
        last_found_at=newest,
        silent=bool(overdue and newest and (last_at is None or last_at < newest - LATE)),
    )

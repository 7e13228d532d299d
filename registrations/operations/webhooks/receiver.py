"""The inbox: keeps what Twilio delivered, once each, and hands it to the worker.

Receiving is one look, one insert and one job in one transaction, so that Twilio is answered in milliseconds
(events want an answer within 5 s; docs/twilio.md section 7.4). What a delivery means is found out by the job
(routing.py).

What counts as the same delivery:
- An event is known by its id (docs/twilio.md section 7.4). Test events all carry the account's SID as their id and are
  therefore never compared.
- A status callback has neither id nor time. Its I-Twilio-Idempotency-Token names it where Twilio sends one;
  otherwise it is a repeat when the newest callback of the same bundle says the same, is less than a minute old
  (Twilio tries for 15 s at most; docs/twilio.md section 6.5) and the bundle was not submitted since. The same words later
  are a new callback: a second submission may fail for the same reason.
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

from . import handlers, parsing

# How the note of an error begins that somebody has seen; its state is then that of what is not ours.
SET_ASIDE = "Set aside"
REPEAT_WINDOW = timedelta(minutes=1)
# How much later than our own look a delivery may come before it counts as missing. Not scaled: networks are not.
LATE = timedelta(minutes=5)

Kind, State = WebhookDelivery.Kind, WebhookDelivery.State
# What each way in would have told first.
_TOLD_BY: dict[str, tuple[Any, ...]] = {
    Kind.BUNDLE_STATUS: (Profile, TrustBundle),
    Kind.EVENTS: (Brand, Campaign),
}


def receive_status(row: WebhookDelivery, *, token: str = "") -> int:
    """Store a status callback (see envelopes.status_callback); 0 when it was a repeat."""
    if row.state != State.RECEIVED:
        return _store([row])
    if token:
        # With its words: should a token ever be used for two callbacks, neither is lost.
        row.dedupe_key = f"token:{parsing.digest(token, row.subject, row.status, row.reason)}"
        return _store([row])
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
    # The predecessor is part of the key: of two simultaneous copies the database takes one.
    row.dedupe_key = f"after:{parsing.digest(before, row.subject, row.status, row.reason)}"
    return _store([row])


def _submitted_since(sid: str, moment: datetime) -> bool:
    """Whether a submission of this bundle began after `moment`: then the same words may be its own answer."""
    return any(
        ApiCall.objects.filter(
            **{f"registration__{part}__sid": sid}, step=f"{part}.submit", started_at__gte=moment
        ).exists()
        for part in ("profile", "trust_bundle")
    )


def receive_events(rows: list[WebhookDelivery]) -> int:
    """Store a batch (see envelopes.events); how many were new."""
    return _store(rows)


def _store(rows: list[WebhookDelivery]) -> int:
    with transaction.atomic():
        keys = [row.dedupe_key for row in rows if row.dedupe_key]
        known = set(WebhookDelivery.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
        fresh = [row for row in parsing.each_known(rows) if row.dedupe_key not in known]
        # Two requests may carry the same delivery at the same moment: the second insert does nothing.
        WebhookDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
        if work := [row.pk for row in fresh if row.state == State.RECEIVED]:
            queue.enqueue_deliveries(work)
    return len(fresh)


def process(pk: str) -> None:
    """Process one delivery now, in this process."""
    handlers.process(pk)


def replay(delivery: WebhookDelivery, *, actor: str) -> None:
    """Have a stored delivery processed once more, read anew; harmless, because deliveries only ring."""
    read = parsing.read_again(delivery)
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
    """What ended in an error and nobody has set aside, the oldest first."""
    return WebhookDelivery.objects.filter(state=State.ERRORED).order_by("received_at")


def replay_errors(*, actor: str, limit: int = 500) -> int:
    """Have them processed once more, e.g. after a defect of ours was mended; returns how many there were."""
    rows = list(errors()[:limit])
    for row in rows:
        replay(row, actor=actor)
    return len(rows)


def set_aside(rows: QuerySet[WebhookDelivery], *, actor: str) -> int:
    """Somebody has looked at these errors and needs them no more; their words and tracebacks stay."""
    who = Concat(Value(f"{SET_ASIDE} by {actor[:150]}. "), "note", output_field=CharField())
    return rows.filter(state=State.ERRORED).update(state=State.IGNORED, note=Left(who, 300))


@dataclass(frozen=True)
class Channel:
    """How one way in is doing.

    last_at: when anything came last, None for never. found_by_looking: objects of which planned looking, not a
    delivery, told a decision first in the last 24 hours; last_found_at: the newest of these. silent: such a
    decision is five minutes old and still nothing has come: deliveries do not reach us.
    """

    kind: str
    label: str
    configured: bool
    last_at: datetime | None
    found_by_looking: int
    last_found_at: datetime | None
    silent: bool


def silence() -> list[Channel]:
    """For the health page: whether Twilio's deliveries arrive; a few indexed reads."""
    return [_channel(Kind(kind), models) for kind, models in _TOLD_BY.items()]


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
        found_by_looking=sum(row["count"] for row in found),
        last_found_at=newest,
        silent=bool(overdue and newest and (last_at is None or last_at < newest - LATE)),
    )

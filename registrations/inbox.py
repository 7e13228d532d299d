"""The inbox: keeps what Twilio delivered, once each, and hands it to the worker.

Receiving is one look, one insert and one job in one transaction, so that Twilio is answered in milliseconds
(events want an answer within 5 s; Twilio facts, section 7.4). What a delivery means is found out by the job
(routing.py).

What counts as the same delivery:
- An event is known by its id (facts section 7.4). Test events all carry the account's SID as their id and are
  therefore never compared.
- A status callback has neither id nor time. Its I-Twilio-Idempotency-Token names it where Twilio sends one;
  otherwise it is a repeat when the newest callback of the same bundle says the same and is less than a minute
  old (Twilio tries for 15 s at most; facts section 6.5). The same words later are a new callback: a second
  submission may fail for the same reason.
"""

from datetime import timedelta

from django.db import transaction

from registrations import clock, envelopes, routing, tasks
from registrations.models import WebhookDelivery

REPEAT_WINDOW = timedelta(minutes=1)

State = WebhookDelivery.State


def receive_status(row: WebhookDelivery, *, token: str = "") -> int:
    """Store a status callback (see envelopes.status_callback); 0 when it was a repeat."""
    if row.state != State.RECEIVED:
        return _store([row])
    if token:
        row.dedupe_key = f"token:{envelopes.digest(token)}"
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
    ):
        return 0
    before = str(newest.pk) if newest else ""
    # The predecessor is part of the key: of two simultaneous copies the database takes one.
    row.dedupe_key = f"after:{envelopes.digest(before, row.subject, row.status, row.reason)}"
    return _store([row])


def receive_events(rows: list[WebhookDelivery]) -> int:
    """Store a batch (see envelopes.events); how many were new."""
    return _store(rows)


def _store(rows: list[WebhookDelivery]) -> int:
    with transaction.atomic():
        keys = [row.dedupe_key for row in rows if row.dedupe_key]
        known = set(WebhookDelivery.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
        fresh = [row for row in envelopes.each_known(rows) if row.dedupe_key not in known]
        # Two requests may carry the same delivery at the same moment: the second insert does nothing.
        WebhookDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
        if work := [row.pk for row in fresh if row.state == State.RECEIVED]:
            tasks.ring_deliveries(work)
    return len(fresh)


def process(pk: str) -> None:
    """Process one delivery now, in this process."""
    routing.process(pk, ring=tasks.ring)

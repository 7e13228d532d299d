"""Handles a stored delivery: which registration it is about, and what happens next.

A delivery makes the runner check the object soon, through the same code as "Refresh" and polling. So a late, repeated
or reordered delivery costs one read at worst and never writes a state. Two things cannot be read from Twilio and come
from the delivery itself (docs/twilio.md section 3 and 6.2):

- The FailureReason of a bundle: the recorder takes it from the stored callbacks, once a read confirms the rejection.
- The A2P status of a number: applied here, the newest by Twilio's time (recorder.number_status).
"""

import json
import logging
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q

from registrations.core import clock, queue
from registrations.models import (
    Brand,
    Campaign,
    PhoneNumber,
    Profile,
    Registration,
    TrustBundle,
    WebhookDelivery,
)
from registrations.models.choices import REMOVAL_STAGES
from registrations.twilio.client.redaction import redact_trace
from registrations.twilio.statuses import BUNDLE_REJECTED
from registrations.workflow.planner import decisions
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner

from . import parsing

log = logging.getLogger(__name__)

State = WebhookDelivery.State

# Deliveries hold personal data, so none is kept forever. Errors are kept longest.
KEEP, KEEP_ERRORS = timedelta(days=90), timedelta(days=365)

NUMBER_STATUS = {
    "number-registration.pending": "pending_registration",
    "number-registration.successful": "registered",
    "number-registration.failed": "failure",
    "number-deregistration.pending": "pending_deregistration",
    "number-deregistration.successful": "unregistered",
    # A failed deregistration leaves the number registered, whatever the event says.
    "number-deregistration.failed": "registered",
}


@dataclass(frozen=True)
class Outcome:
    state: str
    note: str
    registration: Registration | None = None


def process(pk: str) -> None:
    """Process one delivery exactly once: everything it does is committed with its new state.

    Our own errors are stored on the row with the traceback. If the database fails, the sweep enqueues the row again.
    """
    try:
        with transaction.atomic():
            row = WebhookDelivery.objects.select_for_update().filter(pk=pk, state=State.RECEIVED).first()
            if row is None:
                return
            outcome = _handle(row)
            row.state, row.note, row.registration = outcome.state, outcome.note[:300], outcome.registration
            # The traceback of an earlier attempt stays: a successful replay does not explain what went wrong.
            row.attempts, row.processed_at = row.attempts + 1, clock.now()
            row.save(update_fields=["state", "note", "registration", "attempts", "processed_at"])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("delivery %s: %s during processing", pk, type(error).__name__)
        WebhookDelivery.objects.filter(pk=pk, state=State.RECEIVED).update(
            state=State.ERRORED,
            note=f"{type(error).__name__} during processing.",
            traceback=redact_trace(traceback.format_exc()),
            attempts=F("attempts") + 1,
            processed_at=clock.now(),
        )


def claim_lost() -> list[object]:
    """For the sweep: deliveries whose job was lost. A delivery that is being processed is locked, so it is skipped."""
    return WebhookDelivery.objects.filter(state=State.RECEIVED).order_by("enqueued_at").claim_lost()


def prune(limit: int = 5000, portions: int = 40) -> int:
    """Delete old deliveries, in small portions to keep locks short; returns how many."""
    now, done = clock.now(), 0
    old = Q(received_at__lt=now - KEEP, state__in=[State.PROCESSED, State.IGNORED])
    old |= Q(received_at__lt=now - KEEP_ERRORS)
    for _ in range(portions):
        rows = WebhookDelivery.objects.filter(old).order_by("received_at")
        pks = list(rows.values_list("pk", flat=True)[:limit])
        done += WebhookDelivery.objects.filter(pk__in=pks).delete()[0]
        if len(pks) < limit:
            break
    return done


# --- handlers ---------------------------------------------------------------------------------------------------
def _handle(row: WebhookDelivery) -> Outcome:
    if row.kind == WebhookDelivery.Kind.BUNDLE_STATUS:
        return _bundle(row)
    if row.event_type == parsing.TEST_EVENT:
        return Outcome(State.PROCESSED, "Test event: deliveries from Twilio arrive.")
    data = parsing.data_of(json.loads(row.body))
    family = parsing.family(row.event_type)
    if family == "brand":
        return _check_twilio(_owner(Brand, sid=row.subject), "brand")
    if family == "campaign":
        return _check_twilio(_of_campaign(data), "campaign")
    if family == "number":
        return _number(row, data)
    if row.event_type.startswith(parsing.PREFIX):
        # An event type we do not know: checking the object it names costs one read and may explain it.
        for part, owner in (
            ("campaign", _of_campaign(data)),
            ("brand", _owner(Brand, sid=data.get("brandsid"))),
        ):
            if owner:
                return _check_twilio(owner, part)
    return Outcome(State.IGNORED, "Unknown event type.")


def _bundle(row: WebhookDelivery) -> Outcome:
    part, registration = "profile", _owner(Profile, sid=row.subject)
    if registration is None:
        part, registration = "trust_bundle", _owner(TrustBundle, sid=row.subject)
    if registration:
        resource = getattr(registration, part)
        reason_known = row.status != BUNDLE_REJECTED or row.reason in ("", resource.failure_reason)
        if resource.status == row.status and reason_known:
            return Outcome(State.PROCESSED, "Already known.", registration)
    return _check_twilio(registration, part)


def _of_campaign(data: dict[str, Any]) -> Registration | None:
    """By service and brand: the API does not know the campaign SID in events, CM… (docs/twilio.md section 7.3)."""
    service, brand = data.get("messagingservicesid"), data.get("brandsid")
    if not service:
        return None
    where = {"service_sid": service, **({"registration__brand__sid": brand} if brand else {})}
    return _owner(Campaign, **where)


def _number(row: WebhookDelivery, data: dict[str, Any]) -> Outcome:
    registration = _of_number(data)
    if registration is None or registration.is_removed:
        return _not_ours(registration)
    name = row.event_type.removeprefix(parsing.PREFIX)
    status = str(data.get("externalstatus") or "")
    if name.startswith("number-deregistration.failed") or not status:
        status = NUMBER_STATUS.get(name, status)
    if not status:
        return Outcome(State.IGNORED, "It contains no status.", registration)
    times = (parsing.parse_time(data.get(key)) for key in ("updateddate", "timestamp"))
    at = next((time for time in times if time), None) or row.event_time or row.received_at
    if not recorder.number_status(registration, status, at=at, reason=str(data.get("failurereason") or "")):
        return Outcome(State.PROCESSED, "Older than the known status.", registration)
    _wake(registration)
    return Outcome(State.PROCESSED, f"The number is {status}.", registration)


def _of_number(data: dict[str, Any]) -> Registration | None:
    """The registration whose service has the number. Other registrations may have used the number before."""
    service = data.get("messagingservicesid")
    for column, key in (("sid", "phonenumbersid"), ("phone_number", "phonenumber")):
        if not data.get(key):
            continue
        rows = PhoneNumber.objects.filter(**{column: str(data[key])}).exclude(
            registration__stage__in=REMOVAL_STAGES
        )
        if service:
            rows = rows.filter(registration__campaign__service_sid=str(service))
        newest_first = rows.order_by(F("attached_at").desc(nulls_last=True), "-registration_id")
        if found := newest_first.values_list("registration_id", flat=True).first():
            return runner.load(found)
    return None


# --- what happens next -----------------------------------------------------------------------------------------
def _check_twilio(registration: Registration | None, part: str) -> Outcome:
    """Have the runner fetch the object now."""
    if registration is None or registration.is_removed:
        return _not_ours(registration)
    if decisions.watch_of(registration, part) is None:
        return Outcome(State.PROCESSED, "Nothing was submitted yet.", registration)
    # The registration first, then the part: the worker and people's actions lock them in this order.
    _wake(registration)
    resource = getattr(registration, part)
    type(resource).objects.filter(pk=resource.pk).update(refresh_requested_at=clock.now())
    return Outcome(State.PROCESSED, "Checking Twilio.", registration)


def _wake(registration: Registration) -> None:
    now = clock.now()
    Registration.objects.filter(pk=registration.pk).update(next_run_at=now)
    queue.enqueue(registration.pk, now)


def _owner(model: Any, **where: Any) -> Registration | None:
    if not all(where.values()):
        return None
    pk = model.objects.filter(**where).values_list("registration_id", flat=True).first()
    return runner.load(pk) if pk else None


def _not_ours(registration: Registration | None) -> Outcome:
    if registration:
        return Outcome(State.IGNORED, "This registration was removed.", registration)
    return Outcome(State.IGNORED, "No registration has this object.")

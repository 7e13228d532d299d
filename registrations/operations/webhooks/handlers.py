"""What a stored delivery means: which registration it is about, and what it sets in motion.

Deliveries ring, `sync` answers: a delivery makes the pipeline look at the object soon, through the same code
as "Refresh" and the poller. So a late, repeated or reordered delivery can at worst cost one read; it never
writes a state. Two things have no read and come from the delivery itself (docs/twilio.md section 3 and 6.2):

- The FailureReason of a bundle: `sync` takes it from the stored callbacks, once a read has confirmed the
  rejection (sync.rejection_reason).
- The A2P status of a number: applied here, newest by Twilio's clock (sync.number_status).
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

# They hold personal data of customers, so nothing is kept for ever; what went wrong here, longest.
KEEP, KEEP_ERRORS = timedelta(days=90), timedelta(days=365)

NUMBER_WORDS = {
    "number-registration.pending": "pending_registration",
    "number-registration.successful": "registered",
    "number-registration.failed": "failure",
    "number-deregistration.pending": "pending_deregistration",
    "number-deregistration.successful": "unregistered",
    # A failed deregistration leaves the number as it was, whatever word the event carries.
    "number-deregistration.failed": "registered",
}


@dataclass(frozen=True)
class Outcome:
    state: str
    note: str
    registration: Registration | None = None


def process(pk: str) -> None:
    """Process one delivery exactly once: everything it sets in motion commits with its new state.

    Our own errors are kept on the row with the traceback; a database that is away leaves the row to the sweep.
    """
    try:
        with transaction.atomic():
            row = WebhookDelivery.objects.select_for_update().filter(pk=pk, state=State.RECEIVED).first()
            if row is None:
                return
            outcome = _route(row)
            row.state, row.note, row.registration = outcome.state, outcome.note[:300], outcome.registration
            # The traceback of an earlier try stays: a replay that works does not explain what went wrong.
            row.attempts, row.processed_at = row.attempts + 1, clock.now()
            row.save(update_fields=["state", "note", "registration", "attempts", "processed_at"])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("delivery %s: %s while it was processed", pk, type(error).__name__)
        WebhookDelivery.objects.filter(pk=pk, state=State.RECEIVED).update(
            state=State.ERRORED,
            note=f"{type(error).__name__} while it was processed.",
            traceback=redact_trace(traceback.format_exc()),
            attempts=F("attempts") + 1,
            processed_at=clock.now(),
        )


def claim_lost() -> list[object]:
    """For the sweep: deliveries whose job was lost. A delivery that is being processed is locked, so it is skipped."""
    return WebhookDelivery.objects.filter(state=State.RECEIVED).order_by("enqueued_at").claim_lost()


def prune(limit: int = 5000, portions: int = 40) -> int:
    """Delete deliveries past their time, in portions that lock little; returns how many."""
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


# --- routes ----------------------------------------------------------------------------------------------------
def _route(row: WebhookDelivery) -> Outcome:
    if row.kind == WebhookDelivery.Kind.BUNDLE_STATUS:
        return _bundle(row)
    if row.event_type == parsing.TEST_EVENT:
        return Outcome(State.PROCESSED, "Test event: the way from Twilio to here works.")
    data = parsing.data_of(json.loads(row.body))
    family = parsing.family(row.event_type)
    if family == "brand":
        return _look_at(_owner(Brand, sid=row.subject), "brand")
    if family == "campaign":
        return _look_at(_of_campaign(data), "campaign")
    if family == "number":
        return _number(row, data)
    if row.event_type.startswith(parsing.PREFIX):
        # A kind that is new to us: looking at what it names costs a read and may show why it came.
        for part, owner in (
            ("campaign", _of_campaign(data)),
            ("brand", _owner(Brand, sid=data.get("brandsid"))),
        ):
            if owner:
                return _look_at(owner, part)
    return Outcome(State.IGNORED, "We do not know this kind of event.")


def _bundle(row: WebhookDelivery) -> Outcome:
    part, registration = "profile", _owner(Profile, sid=row.subject)
    if registration is None:
        part, registration = "trust_bundle", _owner(TrustBundle, sid=row.subject)
    if registration:
        resource = getattr(registration, part)
        told = row.status != BUNDLE_REJECTED or row.reason in ("", resource.failure_reason)
        if resource.status == row.status and told:
            return Outcome(State.PROCESSED, "Known already.", registration)
    return _look_at(registration, part)


def _of_campaign(data: dict[str, Any]) -> Registration | None:
    """By service and brand: the campaign's own SID in events (CM…) is unknown to the API (docs/twilio.md section 7.3)."""
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
    word = str(data.get("externalstatus") or "")
    if name.startswith("number-deregistration.failed") or not word:
        word = NUMBER_WORDS.get(name, word)
    if not word:
        return Outcome(State.IGNORED, "It says no status.", registration)
    instants = (parsing.moment(data.get(key)) for key in ("updateddate", "timestamp"))
    at = next((instant for instant in instants if instant), None) or row.event_time or row.received_at
    if not recorder.number_status(registration, word, at=at, reason=str(data.get("failurereason") or "")):
        return Outcome(State.PROCESSED, "Older than what is known.", registration)
    _wake(registration)
    return Outcome(State.PROCESSED, f"The number is {word}.", registration)


def _of_number(data: dict[str, Any]) -> Registration | None:
    """The registration whose service holds the number: one number may have served other registrations before."""
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


# --- what is set in motion -------------------------------------------------------------------------------------
def _look_at(registration: Registration | None, part: str) -> Outcome:
    """Have the pipeline fetch the object now."""
    if registration is None or registration.is_removed:
        return _not_ours(registration)
    if decisions.watch_of(registration, part) is None:
        return Outcome(State.PROCESSED, "Nothing is submitted there yet.", registration)
    # The registration first, then the mirror: the order in which the worker and people's acts lock them.
    _wake(registration)
    resource = getattr(registration, part)
    type(resource).objects.filter(pk=resource.pk).update(refresh_requested_at=clock.now())
    return Outcome(State.PROCESSED, "Looking at Twilio.", registration)


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
    return Outcome(State.IGNORED, "No registration of ours has this object.")

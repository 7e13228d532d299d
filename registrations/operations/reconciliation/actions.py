"""What a person may do about a finding: one Twilio call each, in a job, after one more look.

A scan is a picture of a moment: before anything is done the object is read again, and refused when it has
changed its name, come into use, or its registration is being worked on. A second click or a redelivered job finds
nothing to do.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from registrations.core import clock, queue
from registrations.models import ApiCall, Finding, PhoneNumber, Registration, RetiredResource
from registrations.models.choices import CallState
from registrations.twilio.client import BundleKind, TwilioClient, errors, get_client
from registrations.twilio.client.redaction import redact
from registrations.workflow import timeline
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG, Watch
from registrations.workflow.steps.base import Payload, RequestParams
from registrations.workflow.steps.number import RESOLVE
from registrations.workflow.steps.payloads import attributes_of

from . import local_inventory
from .compare import may_adopt, may_forget
from .remote_inventory import address_of, is_bundle, pair_of, thing_of
from .resource_types import KINDS, SLOT_OF_STEP, Slot

log = logging.getLogger(__name__)

State, Action, What = Finding.State, Finding.Action, Finding.What
DEAD = timedelta(seconds=120)
RING_AGAIN = timedelta(seconds=30)
ACTS = (Action.DELETE, Action.ADOPT, Action.FORGET)


class Stays(Exception):
    """Nothing was done; the message says why."""


def ask(finding: Finding, *, actor: str, enqueue: bool = True) -> bool:
    """Have a finding's act done. False when it is under way or settled already, or has no act."""
    now = clock.now()
    with transaction.atomic():
        asked = Finding.objects.filter(
            pk=finding.pk, action=finding.action, action__in=ACTS, state__in=(State.OPEN, State.FAILED)
        ).update(
            state=State.ASKED, acted_by=actor[:150], asked_at=now, enqueued_at=now, claimed_at=None, result=""
        )
        if asked and enqueue:
            queue.enqueue_finding(finding.pk)
    return bool(asked)


def run(pk: int, *, client: TwilioClient | None = None) -> bool:
    """Do what was asked. False when there is nothing to do, or another job is at it."""
    now = clock.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - DEAD)
    if not Finding.objects.filter(free, pk=pk, state=State.ASKED).update(claimed_at=now):
        return False
    finding = Finding.objects.select_related("registration").get(pk=pk)
    try:
        result = _DO[finding.action](client or get_client(), finding)
    except Stays as why:
        _settle(finding, State.FAILED, str(why))
    except errors.TwilioError as error:
        # Their no, as it came: e.g. 21644 to 21648 for what is still in use (docs/twilio.md section 6.4).
        _settle(finding, State.FAILED, str(error))
    except Exception as error:
        _settle(finding, State.FAILED, f"An error of ours: {type(error).__name__}.")
        raise
    else:
        _settle(finding, State.DONE, result)
    return True


def _settle(finding: Finding, state: str, result: str) -> None:
    with transaction.atomic():
        ended = Finding.objects.filter(
            pk=finding.pk, state=State.ASKED, claimed_at=finding.claimed_at
        ).update(state=state, result=result, settled_at=clock.now())
        if ended and finding.registration:
            label = KINDS[finding.kind].label
            said = f"Refused: {result}" if state == State.FAILED else result
            timeline.record(
                finding.registration,
                f"reconcile:{finding.action}",
                f"{label} {finding.sid}: {said}",
                actor=finding.acted_by,
                sid=finding.sid,
            )


def claim_forgotten() -> list[int]:
    """Findings whose job was lost or died, each marked as rung for; for the sweep."""
    now = clock.now()
    lost = (Q(claimed_at=None) | Q(claimed_at__lt=now - DEAD)) & Q(enqueued_at__lt=now - RING_AGAIN)
    rows = Finding.objects.filter(lost, state=State.ASKED).values_list("pk", flat=True)
    return [pk for pk in list(rows) if Finding.objects.filter(lost, pk=pk).update(enqueued_at=now)]


# --- delete ----------------------------------------------------------------------------------------------------------
def _delete(client: TwilioClient, finding: Finding) -> str:
    kind = KINDS[finding.kind]
    if kind.delete is None:
        raise Stays("This kind of object is never deleted from here.")
    if local_inventory.knows(finding.sid):
        raise Stays("A registration uses it now.")
    if (
        finding.what == What.ORPHAN
        and finding.registration is None
        and local_inventory.registrations("ref", [finding.ref])
    ):
        raise Stays("A registration with its key exists here now. Scan again.")
    if finding.registration_id and local_inventory.is_busy(
        local_inventory.registration(finding.registration_id)
    ):
        raise Stays("A worker is at its registration. Try again in a minute.")
    payload = _look(client, finding)
    if payload is None:
        _gone(finding)
        return "It was gone already."
    if finding.name and payload.get("friendly_name") != finding.name:
        raise Stays("Its name has changed since the scan.")
    if use := _use(client, finding, payload):
        raise Stays(use)
    try:
        kind.delete(client, finding.sid)
    except errors.AlreadyDone:
        pass
    except errors.OutcomeUnknown:
        if _look(client, finding) is not None:
            raise
    _gone(finding)
    return "Deleted at Twilio."


def _look(client: TwilioClient, finding: Finding) -> Payload | None:
    """The object as it is now; None when Twilio has none (404)."""
    try:
        return KINDS[finding.kind].fetch(client, finding.sid)
    except errors.Rejected as error:
        if error.not_found:
            return None
        raise


def _use(client: TwilioClient, finding: Finding, payload: Payload) -> str:
    """What uses the object now, where Twilio itself would not refuse; "" when nothing does."""
    sid = finding.sid
    if is_bundle(finding.kind):
        brand = next((item for item in client.iter_brands() if sid in pair_of(item)), None)
        return f"Brand {brand.get('sid')} stands on it." if brand else ""
    if finding.kind == "address":
        documents = client.iter_supporting_documents()
        document = next((item for item in documents if address_of(item) == sid), None)
        return f"Document {document.get('sid')} names it; delete that first." if document else ""
    if finding.kind == "service":
        if payload.get("us_app_to_person_registered") or next(client.iter_campaigns(sid), None):
            return "It has a campaign, which would be deleted with it: see to it in Twilio's Console."
        if next(client.iter_attached_numbers(sid), None):
            return "A number is in it: take that out first."
    return ""


def _gone(finding: Finding) -> None:
    now = clock.now()
    RetiredResource.objects.filter(sid=finding.sid, missing_since=None).update(
        missing_since=now, checked_at=now
    )


# --- adopt -----------------------------------------------------------------------------------------------------------
def _adopt(client: TwilioClient, finding: Finding) -> str:
    payload = _look(client, finding)
    if payload is None:
        raise Stays("It is gone at Twilio.")
    if is_bundle(finding.kind) and next(client.iter_assignments(_bundle(finding), finding.sid), None):
        raise Stays("Things are assigned to it already: delete it, and let the registration make a new one.")
    if local_inventory.knows(finding.sid):
        raise Stays("A registration uses it already.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        registration = _own(finding)
        if why := may_adopt(registration, slot, thing_of(finding.kind, payload)):
            raise Stays(why)
        now, row = clock.now(), slot.row
        recorder.record(registration, row, payload, held(slot, registration, payload))
        ApiCall.objects.create(
            registration=registration,
            step=row.slug,
            state=CallState.FOUND,
            actor=finding.acted_by,
            response=redact(payload),
            sid=finding.sid,
            fee=row.fee() if row.fee else None,
            started_at=now,
            finished_at=now,
        )
        if registration.was_submitted:
            Registration.objects.filter(pk=registration.pk).update(next_run_at=now)
            queue.enqueue(registration.pk, now)
        runner.refresh_status(registration.pk)
    return "Its registration uses it now."


def _bundle(finding: Finding) -> BundleKind:
    return "customer_profile" if finding.kind == "customer_profile" else "trust_product"


def _own(finding: Finding) -> Registration:
    """The finding's registration, locked; nobody else may change its mirrors until the transaction ends."""
    # no_key: others may go on writing its timeline.
    row = Registration.objects.select_for_update(no_key=True).filter(findings=finding).first()
    if row is None:
        raise Stays("Its registration is gone.")
    registration = local_inventory.registration(row.pk)
    assert registration is not None
    if local_inventory.is_busy(registration):
        raise Stays("A worker is at this registration. Try again in a minute.")
    return registration


def held(slot: Slot, registration: Registration, payload: Payload) -> RequestParams:
    """The inputs that Twilio's object holds, in the shape of the step's basis, so that drift from ours shows."""
    request_params = slot.row.request_params(registration)
    if slot.kind == "brand":
        return request_params | {
            "bundle": registration.trust_bundle.accepted_params.get("submit", request_params["bundle"])
        }
    found = {key: payload[key] for key in request_params if key in payload and payload[key] is not None}
    if "attributes" in request_params:
        found["attributes"] = attributes_of(payload)
    if "address" in request_params:
        found["address"] = {key: str(payload.get(key) or "") for key in request_params["address"]}
    return request_params | found


# --- forget ----------------------------------------------------------------------------------------------------------
def _forget(client: TwilioClient, finding: Finding) -> str:
    if _look(client, finding) is not None:
        raise Stays("Twilio has it after all.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        registration = _own(finding)
        if slot.sid(registration) != finding.sid:
            raise Stays("The registration holds another object by now.")
        if why := may_forget(registration, slot):
            raise Stays(why)
        if slot.kind == "brand":
            watch = BY_SLUG["brand.review"]
            assert isinstance(watch, Watch)
            recorder.record_missing(registration, watch)
            runner.refresh_status(registration.pk)
            return "Marked as gone."
        RetiredResource.objects.create(
            registration=registration,
            kind=slot.kind,
            sid=finding.sid,
            reason="Gone at Twilio",
            removal=RetiredResource.Removal.GONE,
            checked_at=clock.now(),
            missing_since=clock.now(),
        )
        recorder.clear_steps(registration, slot.rows)
        if slot.kind == "number":
            _forget_number(registration)
        # What Submit was pressed on is not what the plan is now: a person looks at calls and fees again.
        Registration.objects.filter(pk=registration.pk).update(revision=F("revision") + 1)
        runner.refresh_status(registration.pk)
    return "Forgotten here. Submit makes it again."


def _forget_number(registration: Registration) -> None:
    sent = {key: value for key, value in registration.phone_number.accepted_params.items() if key != "sender"}
    recorder.learn(registration, RESOLVE, {"accepted_params": sent})
    # The price that was agreed to was that of the number that is gone.
    PhoneNumber.objects.filter(registration=registration).update(
        purchase_confirmed_at=None, purchase_confirmed_by=""
    )


_DO: dict[str, Callable[[TwilioClient, Finding], str]] = {
    Action.DELETE: _delete,
    Action.ADOPT: _adopt,
    Action.FORGET: _forget,
}

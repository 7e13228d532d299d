"""What a person can do about a finding: one Twilio call each, in a job, after reading the object again.

A scan may be out of date, so the action is refused if the object was renamed or is in use now, or if its registration
is being worked on. A second click or a redelivered job finds nothing to do.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F

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
from .remote_inventory import address_of, bundles_of, is_bundle, to_remote_object
from .resource_types import RESOURCE_TYPES, SLOT_OF_STEP, Slot

State, Action, FindingType = Finding.State, Finding.Action, Finding.FindingType
# An action is several calls to Twilio.
LEASE = timedelta(seconds=120)
ACTIONS = (Action.DELETE, Action.ADOPT, Action.FORGET)


class NotDone(Exception):
    """The action was refused and nothing changed; the message says why."""


def request(finding: Finding, *, actor: str, enqueue: bool = True) -> bool:
    """Have a finding's action run. False if it is in progress or settled already, or has no action."""
    now = clock.now()
    with transaction.atomic():
        requested = Finding.objects.filter(
            pk=finding.pk, action=finding.action, action__in=ACTIONS, state__in=(State.OPEN, State.FAILED)
        ).update(
            state=State.REQUESTED, requested_by=actor[:150], requested_at=now, enqueued_at=now, result=""
        )
        if requested and enqueue:
            queue.enqueue_finding(finding.pk)
    return bool(requested)


def run(pk: int, *, client: TwilioClient | None = None) -> bool:
    """Run the requested action. False if there is nothing to do, or another job has it."""
    if not Finding.objects.filter(state=State.REQUESTED).claim(pk, lasts=LEASE):
        return False
    finding = Finding.objects.select_related("registration").get(pk=pk)
    try:
        result = _RUN[finding.action](client or get_client(), finding)
    except NotDone as why:
        _settle(finding, State.FAILED, str(why))
    except errors.TwilioError as error:
        # Twilio's own words, e.g. 21644 to 21648 for what is still in use (docs/twilio.md section 6.4).
        _settle(finding, State.FAILED, str(error))
    except Exception as error:
        _settle(finding, State.FAILED, f"Internal error: {type(error).__name__}.")
        raise
    else:
        _settle(finding, State.DONE, result)
    return True


def _settle(finding: Finding, state: str, result: str) -> None:
    with transaction.atomic():
        requested = Finding.objects.filter(state=State.REQUESTED)
        settled = requested.release(
            finding.pk, finding.lease_token, state=state, result=result, settled_at=clock.now()
        )
        if settled and finding.registration:
            label = RESOURCE_TYPES[finding.resource_type].label
            text = f"Refused: {result}" if state == State.FAILED else result
            timeline.record(
                finding.registration,
                f"reconcile:{finding.action}",
                f"{label} {finding.sid}: {text}",
                actor=finding.requested_by,
                sid=finding.sid,
            )


def claim_lost() -> list[int]:
    """For the sweep: requested actions that no job has, because the queue lost them or the worker died."""
    requested = Finding.objects.filter(state=State.REQUESTED)
    requested.free_dead()
    return requested.free().claim_lost()


# --- delete ----------------------------------------------------------------------------------------------------------
def _delete(client: TwilioClient, finding: Finding) -> str:
    resource_type = RESOURCE_TYPES[finding.resource_type]
    if resource_type.delete is None:
        raise NotDone("Objects of this type are never deleted from here.")
    if local_inventory.knows(finding.sid):
        raise NotDone("A registration uses it now.")
    if (
        finding.finding_type == FindingType.ORPHAN
        and finding.registration is None
        and local_inventory.registrations("ref", [finding.ref])
    ):
        raise NotDone("A registration with its key now exists. Scan again.")
    if finding.registration_id and local_inventory.is_busy(
        local_inventory.registration(finding.registration_id)
    ):
        raise NotDone("Its registration is being worked on. Try again in a minute.")
    payload = _fetch(client, finding)
    if payload is None:
        _mark_missing(finding)
        return "It was already gone."
    if finding.name and payload.get("friendly_name") != finding.name:
        raise NotDone("It was renamed since the scan.")
    if use := _why_in_use(client, finding, payload):
        raise NotDone(use)
    try:
        resource_type.delete(client, finding.sid)
    except errors.AlreadyDone:
        pass
    except errors.OutcomeUnknown:
        if _fetch(client, finding) is not None:
            raise
    _mark_missing(finding)
    return "Deleted at Twilio."


def _fetch(client: TwilioClient, finding: Finding) -> Payload | None:
    """The object as it is now; None if Twilio has none (404)."""
    try:
        return RESOURCE_TYPES[finding.resource_type].fetch(client, finding.sid)
    except errors.Rejected as error:
        if error.not_found:
            return None
        raise


def _why_in_use(client: TwilioClient, finding: Finding, payload: Payload) -> str:
    """What uses the object now, where Twilio itself would not refuse; "" if nothing does."""
    sid = finding.sid
    if is_bundle(finding.resource_type):
        brand = next((item for item in client.iter_brands() if sid in bundles_of(item)), None)
        return f"Brand {brand.get('sid')} uses it." if brand else ""
    if finding.resource_type == "address":
        documents = client.iter_supporting_documents()
        document = next((item for item in documents if address_of(item) == sid), None)
        return f"Document {document.get('sid')} refers to it. Delete that first." if document else ""
    if finding.resource_type == "service":
        if payload.get("us_app_to_person_registered") or next(client.iter_campaigns(sid), None):
            return "It has a campaign, which would be deleted too. Check it in Twilio's Console."
        if next(client.iter_attached_numbers(sid), None):
            return "It has a number. Remove that first."
    return ""


def _mark_missing(finding: Finding) -> None:
    now = clock.now()
    RetiredResource.objects.filter(sid=finding.sid, missing_since=None).update(
        missing_since=now, checked_at=now
    )


# --- adopt -----------------------------------------------------------------------------------------------------------
def _adopt(client: TwilioClient, finding: Finding) -> str:
    payload = _fetch(client, finding)
    if payload is None:
        raise NotDone("It no longer exists at Twilio.")
    if is_bundle(finding.resource_type) and next(
        client.iter_assignments(_bundle(finding), finding.sid), None
    ):
        raise NotDone(
            "Objects are already assigned to it. Delete it, and let the registration create a new one."
        )
    if local_inventory.knows(finding.sid):
        raise NotDone("A registration already uses it.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        registration = _lock_registration(finding)
        if why := may_adopt(registration, slot, to_remote_object(finding.resource_type, payload)):
            raise NotDone(why)
        now, step = clock.now(), slot.write
        recorder.record(registration, step, payload, params_held(slot, registration, payload))
        ApiCall.objects.create(
            registration=registration,
            step=step.slug,
            state=CallState.FOUND,
            actor=finding.requested_by,
            response=redact(payload),
            sid=finding.sid,
            fee=step.fee() if step.fee else None,
            started_at=now,
            finished_at=now,
        )
        if registration.was_submitted:
            Registration.objects.filter(pk=registration.pk).update(next_run_at=now)
            queue.enqueue(registration.pk, now)
        runner.refresh_status(registration.pk)
    return "Its registration now uses it."


def _bundle(finding: Finding) -> BundleKind:
    return "customer_profile" if finding.resource_type == "customer_profile" else "trust_product"


def _lock_registration(finding: Finding) -> Registration:
    """The finding's registration, locked: nobody else changes its parts until the transaction ends."""
    # no_key: others may still write to its timeline.
    row = Registration.objects.select_for_update(no_key=True).filter(findings=finding).first()
    if row is None:
        raise NotDone("Its registration was deleted.")
    registration = local_inventory.registration(row.pk)
    assert registration is not None
    if local_inventory.is_busy(registration):
        raise NotDone("This registration is being worked on. Try again in a minute.")
    return registration


def params_held(slot: Slot, registration: Registration, payload: Payload) -> RequestParams:
    """Twilio's values of the step's request_params, so that differences from our inputs show."""
    request_params = slot.write.request_params(registration)
    if slot.resource_type == "brand":
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
    if _fetch(client, finding) is not None:
        raise NotDone("It still exists at Twilio.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        registration = _lock_registration(finding)
        if slot.sid(registration) != finding.sid:
            raise NotDone("The registration has another object now.")
        if why := may_forget(registration, slot):
            raise NotDone(why)
        if slot.resource_type == "brand":
            watch = BY_SLUG["brand.review"]
            assert isinstance(watch, Watch)
            recorder.record_missing(registration, watch)
            runner.refresh_status(registration.pk)
            return "Marked as missing."
        RetiredResource.objects.create(
            registration=registration,
            kind=slot.resource_type,
            sid=finding.sid,
            reason="Gone at Twilio",
            removal=RetiredResource.Removal.GONE,
            checked_at=clock.now(),
            missing_since=clock.now(),
        )
        recorder.clear_steps(registration, slot.writes)
        if slot.resource_type == "number":
            _forget_number(registration)
        # The plan is no longer the one that was submitted, so a person reviews calls and fees again.
        Registration.objects.filter(pk=registration.pk).update(revision=F("revision") + 1)
        runner.refresh_status(registration.pk)
    return "Forgotten. Submit creates it again."


def _forget_number(registration: Registration) -> None:
    sent = {key: value for key, value in registration.phone_number.accepted_params.items() if key != "sender"}
    recorder.learn(registration, RESOLVE, {"accepted_params": sent})
    # The agreed price was for the number that is gone.
    PhoneNumber.objects.filter(registration=registration).update(
        purchase_confirmed_at=None, purchase_confirmed_by=""
    )


_RUN: dict[str, Callable[[TwilioClient, Finding], str]] = {
    Action.DELETE: _delete,
    Action.ADOPT: _adopt,
    Action.FORGET: _forget,
}

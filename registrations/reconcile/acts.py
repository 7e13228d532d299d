"""What a person may do about a finding: one Twilio call each, in a job, after one more look.

A scan is a picture of a moment: before anything is done the object is read again, and refused when it has
changed its name, come into use, or its case is being worked on. A second click or a redelivered job finds
nothing to do.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from registrations import clock, pipeline, sync, timeline
from registrations.gateway import BundleKind, Gateway, errors, get_gateway
from registrations.gateway.redact import redact
from registrations.models import Finding, PhoneNumber, Registration, RetiredResource, StepRun
from registrations.states import RunState
from registrations.steps import BY_SLUG, Watch
from registrations.steps.base import Basis, Payload
from registrations.steps.inputs import attributes_of
from registrations.steps.number import RESOLVE

from . import house
from .inventory import address_of, is_bundle, pair_of, thing_of
from .judge import may_adopt, may_forget
from .kinds import KINDS, SLOT_OF_STEP, Slot

log = logging.getLogger(__name__)

State, Action, What = Finding.State, Finding.Action, Finding.What
RingFinding = Callable[[int], None]
RingCase = Callable[[int, datetime], None]
DEAD = timedelta(seconds=120)
RING_AGAIN = timedelta(seconds=30)
ACTS = (Action.DELETE, Action.ADOPT, Action.FORGET)


class Stays(Exception):
    """Nothing was done; the message says why."""


def ask(finding: Finding, *, actor: str, ring: RingFinding | None) -> bool:
    """Have a finding's act done. False when it is under way or settled already, or has no act."""
    now = clock.now()
    with transaction.atomic():
        asked = Finding.objects.filter(
            pk=finding.pk, action=finding.action, action__in=ACTS, state__in=(State.OPEN, State.FAILED)
        ).update(
            state=State.ASKED, acted_by=actor[:150], asked_at=now, rung_at=now, claimed_at=None, result=""
        )
        if asked and ring:
            ring(finding.pk)
    return bool(asked)


def run(pk: int, *, ring: RingCase, gateway: Gateway | None = None) -> bool:
    """Do what was asked. False when there is nothing to do, or another job is at it.

    `ring(registration id, at)` wakes the worker for a case that goes on.
    """
    now = clock.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - DEAD)
    if not Finding.objects.filter(free, pk=pk, state=State.ASKED).update(claimed_at=now):
        return False
    finding = Finding.objects.select_related("registration").get(pk=pk)
    try:
        result = _DO[finding.action](gateway or get_gateway(), finding, ring)
    except Stays as why:
        _settle(finding, State.FAILED, str(why))
    except errors.GatewayError as error:
        # Their no, as it came: e.g. 21644 to 21648 for what is still in use (facts section 6.4).
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
    lost = (Q(claimed_at=None) | Q(claimed_at__lt=now - DEAD)) & Q(rung_at__lt=now - RING_AGAIN)
    rows = Finding.objects.filter(lost, state=State.ASKED).values_list("pk", flat=True)
    return [pk for pk in list(rows) if Finding.objects.filter(lost, pk=pk).update(rung_at=now)]


# --- delete ----------------------------------------------------------------------------------------------------------
def _delete(gateway: Gateway, finding: Finding, ring: RingCase) -> str:
    kind = KINDS[finding.kind]
    if kind.delete is None:
        raise Stays("This kind of object is never deleted from here.")
    if house.knows(finding.sid):
        raise Stays("A registration uses it now.")
    if finding.what == What.ORPHAN and finding.registration is None and house.cases("ref", [finding.ref]):
        raise Stays("A registration with its key exists here now. Scan again.")
    if finding.registration_id and house.is_busy(house.case(finding.registration_id)):
        raise Stays("A worker is at its registration. Try again in a minute.")
    payload = _look(gateway, finding)
    if payload is None:
        _gone(finding)
        return "It was gone already."
    if finding.name and payload.get("friendly_name") != finding.name:
        raise Stays("Its name has changed since the scan.")
    if use := _use(gateway, finding, payload):
        raise Stays(use)
    try:
        kind.delete(gateway, finding.sid)
    except errors.AlreadyDone:
        pass
    except errors.OutcomeUnknown:
        if _look(gateway, finding) is not None:
            raise
    _gone(finding)
    return "Deleted at Twilio."


def _look(gateway: Gateway, finding: Finding) -> Payload | None:
    """The object as it is now; None when Twilio has none (404)."""
    try:
        return KINDS[finding.kind].fetch(gateway, finding.sid)
    except errors.Rejected as error:
        if error.not_found:
            return None
        raise


def _use(gateway: Gateway, finding: Finding, payload: Payload) -> str:
    """What uses the object now, where Twilio itself would not refuse; "" when nothing does."""
    sid = finding.sid
    if is_bundle(finding.kind):
        brand = next((item for item in gateway.iter_brands() if sid in pair_of(item)), None)
        return f"Brand {brand.get('sid')} stands on it." if brand else ""
    if finding.kind == "address":
        documents = gateway.iter_supporting_documents()
        document = next((item for item in documents if address_of(item) == sid), None)
        return f"Document {document.get('sid')} names it; delete that first." if document else ""
    if finding.kind == "service":
        if payload.get("us_app_to_person_registered") or next(gateway.iter_campaigns(sid), None):
            return "It has a campaign, which would be deleted with it: see to it in Twilio's Console."
        if next(gateway.iter_attached_numbers(sid), None):
            return "A number is in it: take that out first."
    return ""


def _gone(finding: Finding) -> None:
    now = clock.now()
    RetiredResource.objects.filter(sid=finding.sid, gone_at=None).update(gone_at=now, checked_at=now)


# --- adopt -----------------------------------------------------------------------------------------------------------
def _adopt(gateway: Gateway, finding: Finding, ring: RingCase) -> str:
    payload = _look(gateway, finding)
    if payload is None:
        raise Stays("It is gone at Twilio.")
    if is_bundle(finding.kind) and next(gateway.iter_assignments(_bundle(finding), finding.sid), None):
        raise Stays("Things are assigned to it already: delete it, and let the registration make a new one.")
    if house.knows(finding.sid):
        raise Stays("A registration uses it already.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        case = _own(finding)
        if why := may_adopt(case, slot, thing_of(finding.kind, payload)):
            raise Stays(why)
        now, row = clock.now(), slot.row
        sync.record(case, row, payload, held(slot, case, payload))
        StepRun.objects.create(
            registration=case,
            step=row.slug,
            state=RunState.FOUND,
            actor=finding.acted_by,
            response=redact(payload),
            sid=finding.sid,
            fee=row.fee() if row.fee else None,
            started_at=now,
            finished_at=now,
        )
        if case.was_submitted:
            Registration.objects.filter(pk=case.pk).update(wake_at=now)
            ring(case.pk, now)
        pipeline.restate(case.pk)
    return "Its registration uses it now."


def _bundle(finding: Finding) -> BundleKind:
    return "customer_profile" if finding.kind == "customer_profile" else "trust_product"


def _own(finding: Finding) -> Registration:
    """The finding's case, locked; nobody else may change its mirrors until the transaction ends."""
    # no_key: others may go on writing its timeline.
    row = Registration.objects.select_for_update(no_key=True).filter(findings=finding).first()
    if row is None:
        raise Stays("Its registration is gone.")
    case = house.case(row.pk)
    assert case is not None
    if house.is_busy(case):
        raise Stays("A worker is at this registration. Try again in a minute.")
    return case


def held(slot: Slot, case: Registration, payload: Payload) -> Basis:
    """The inputs that Twilio's object holds, in the shape of the step's basis, so that drift from ours shows."""
    basis = slot.row.basis(case)
    if slot.kind == "brand":
        return basis | {"bundle": case.trust_bundle.sent.get("submit", basis["bundle"])}
    found = {key: payload[key] for key in basis if key in payload and payload[key] is not None}
    if "attributes" in basis:
        found["attributes"] = attributes_of(payload)
    if "address" in basis:
        found["address"] = {key: str(payload.get(key) or "") for key in basis["address"]}
    return basis | found


# --- forget ----------------------------------------------------------------------------------------------------------
def _forget(gateway: Gateway, finding: Finding, ring: RingCase) -> str:
    if _look(gateway, finding) is not None:
        raise Stays("Twilio has it after all.")
    slot = SLOT_OF_STEP[finding.step]
    with transaction.atomic():
        case = _own(finding)
        if slot.sid(case) != finding.sid:
            raise Stays("The registration holds another object by now.")
        if why := may_forget(case, slot):
            raise Stays(why)
        if slot.kind == "brand":
            watch = BY_SLUG["brand.review"]
            assert isinstance(watch, Watch)
            sync.gone(case, watch)
            pipeline.restate(case.pk)
            return "Marked as gone."
        RetiredResource.objects.create(
            registration=case,
            kind=slot.kind,
            sid=finding.sid,
            why="Gone at Twilio",
            removal=RetiredResource.Removal.GONE,
            checked_at=clock.now(),
            gone_at=clock.now(),
        )
        sync.forget(case, slot.rows)
        if slot.kind == "number":
            _forget_number(case)
        # What Submit was pressed on is not what the plan is now: a person looks at calls and fees again.
        Registration.objects.filter(pk=case.pk).update(revision=F("revision") + 1)
        pipeline.restate(case.pk)
    return "Forgotten here. Submit makes it again."


def _forget_number(case: Registration) -> None:
    sent = {key: value for key, value in case.phone_number.sent.items() if key != "sender"}
    sync.learn(case, RESOLVE, {"sent": sent})
    # The price that was agreed to was that of the number that is gone.
    PhoneNumber.objects.filter(registration=case).update(purchase_confirmed_at=None, purchase_confirmed_by="")


_DO: dict[str, Callable[[Gateway, Finding, RingCase], str]] = {
    Action.DELETE: _delete,
    Action.ADOPT: _adopt,
    Action.FORGET: _forget,
}

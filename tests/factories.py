"""Registrations at any stage, made by walking the step table with scripted answers instead of Twilio's.

The rows that decide, record and refresh are the product's own, so a registration made here is as consistent as one
that Twilio answered. Nothing is called and no worker is needed.
"""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from registrations.models import ApiCall, Policy, Registration
from registrations.models.choices import CallState, Stage
from registrations.models.registration import new_ref
from registrations.operations import actions
from registrations.twilio.client import CAMPAIGN_SID, SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID
from registrations.workflow import timeline
from registrations.workflow.planner import decisions
from registrations.workflow.planner.decisions import Call, Learn, Look, Wait
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG, Read, Watch, Write
from tests.customers import PARTS

_serial = itertools.count(1)
_PREFIX = {
    "end_user": "IT",
    "address": "AD",
    "supporting_document": "RD",
    "assignment": "BV",
    "evaluation": "EL",
    "bundle": "BU",
    "brand": "BN",
    "service": "MG",
    "number": "PN",
}
# The watch at which a registration of this stage stands still.
_STANDS_AT = {
    Stage.PROFILE: "profile.review",
    Stage.TRUST_BUNDLE: "trust_bundle.review",
    Stage.BRAND: "brand.review",
    Stage.OTP: "brand.otp",
    Stage.CAMPAIGN: "campaign.review",
    Stage.NUMBER: "number.confirm",
}
_WAITING = {
    "profile.review": {"status": "pending-review"},
    "trust_bundle.review": {"status": "pending-review"},
    "brand.review": {"status": "PENDING", "identity_status": None},
    "brand.otp": {"status": "APPROVED", "identity_status": "UNVERIFIED", "tcr_id": "B4NKP7Q"},
    "campaign.review": {"campaign_status": "IN_PROGRESS", "campaign_id": "C7LM2XY"},
}
_GOOD = {
    "profile.review": {"status": "in-review"},
    "trust_bundle.review": {"status": "in-review"},
    "brand.review": {"status": "APPROVED", "identity_status": "UNVERIFIED", "tcr_id": "B4NKP7Q"},
    "brand.otp": {"status": "APPROVED", "identity_status": "VERIFIED", "tcr_id": "B4NKP7Q"},
    "campaign.review": {"campaign_status": "VERIFIED", "campaign_id": "C7LM2XY"},
    "number.confirm": {"sid": PARTS["phone_number"]["sender_number"], "phone_number": "+14155550101"},
}


def fake_sid(prefix: str) -> str:
    return f"{prefix}{next(_serial):032x}"


def make_registration(
    stage: str = Stage.DRAFT,
    *,
    label: str = "Ann Lee Nails",
    answer: dict[str, Any] | None = None,
    actor: str = "ann",
    parts: dict[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> Registration:
    """A registration that stands at `stage`, waiting; `answer` is what Twilio says there instead of "wait".

    make_registration("campaign", answer={"campaign_status": "FAILED", "errors": [...]})
    """
    inputs = {
        name: {**PARTS.get(name, {}), **(parts or {}).get(name, {})} for name in {*PARTS, *(parts or {})}
    }
    registration = actions.create(inputs, actor=actor, label=label, **fields)
    if stage == Stage.DRAFT:
        return registration
    _submit(registration, actor)
    if stage == Stage.REMOVED:
        Registration.objects.filter(pk=registration.pk).update(removing=True)
        return _done(registration)
    _walk(registration, _STANDS_AT.get(Stage(stage), ""), answer)
    if stage == Stage.REMOVING:
        Registration.objects.filter(pk=registration.pk).update(removing=True)
    return _done(registration)


def _submit(registration: Registration, actor: str) -> None:
    Registration.objects.filter(pk=registration.pk).update(
        submitted_revision=registration.revision,
        submitted_by=actor,
        submitted_at=timezone.now() - timedelta(minutes=30),
    )
    timeline.record(registration, "submitted", "Submitted.", actor=actor, revision=registration.revision)
    for sid in (STARTER_POLICY_SID, SOLE_PROPRIETOR_POLICY_SID):
        Policy.objects.get_or_create(sid=sid, defaults={"payload": {}, "fetched_at": timezone.now()})


def _walk(registration: Registration, stop_at: str, answer: dict[str, Any] | None) -> None:
    for _ in range(80):
        registration = runner.load(registration.pk)
        decision = decisions.decide(registration, timezone.now())
        if isinstance(decision, Learn):
            _learn(registration, decision.step)
        elif isinstance(decision, Call):
            _call(registration, decision.step)
        elif isinstance(decision, Look | Wait):
            step = decision.step if isinstance(decision, Look) else _watched(registration)
            if step.slug == stop_at:
                if payload := answer or _WAITING.get(step.slug):
                    recorder.refresh(registration, step, _full(registration, step, payload))
                    _stay_in_settle_window(runner.load(registration.pk), step)
                return
            _age_settle_window(registration, step)
            recorder.refresh(registration, step, _full(registration, step, _GOOD[step.slug]))
        else:
            return
    raise AssertionError("the walk does not end")


def _watched(registration: Registration) -> Watch:
    rows: Iterable[Any] = BY_SLUG.values()
    return next(
        r for r in rows if isinstance(r, Watch) and r.exists(registration) and not r.passed(registration)
    )


def _age_settle_window(registration: Registration, step: Watch) -> None:
    resource = step.resource(registration)
    if getattr(resource, "submitted_at", None):
        resource.submitted_at = timezone.now() - timedelta(minutes=5)  # type: ignore[attr-defined]
        resource.save(update_fields=["submitted_at"])


def _learn(registration: Registration, step: Read) -> None:
    number = registration.phone_number
    if step.slug == "number.resolve":
        recorder.learn(
            registration,
            step,
            {
                "accepted_params": {**number.accepted_params, "sender": number.sender_number},
                "sid": PARTS["phone_number"]["sender_number"],
                "failure_reason": "",
            },
        )


def _stay_in_settle_window(registration: Registration, step: Watch) -> None:
    """However long this machine took: at the tests' time scale Twilio's 30 s are 30 ms."""
    resource: Any = step.resource(registration)
    if getattr(resource, "submitted_at", None) and getattr(resource, "synced_at", None):
        resource.submitted_at = resource.synced_at
        resource.save(update_fields=["submitted_at"])


def _call(registration: Registration, step: Write) -> None:
    request_params = step.request_params(registration)
    sid = CAMPAIGN_SID if step.kind == "campaign" else fake_sid(_PREFIX.get(step.kind, "XX"))
    payload: dict[str, Any] = {"sid": sid, "status": "compliant" if step.kind == "evaluation" else "draft"}
    if step.slug.endswith(".submit"):
        payload["status"] = "pending-review"
    if step.kind == "brand":
        payload |= {"status": "PENDING", "identity_status": None}
    if step.kind == "campaign":
        payload |= {"campaign_status": "PENDING"}
    if step.kind == "number":
        payload |= {"phone_number": "+14155550101"}
    if step.kind == "attached":
        payload["sid"] = registration.phone_number.sid
    moment = timezone.now()
    recorder.record(registration, step, payload, request_params)
    ApiCall.objects.create(
        registration=registration,
        step=step.slug,
        state=CallState.OK,
        actor="worker",
        request={
            "path": f"/v1/{step.kind}",
            "params": {"FriendlyName": registration.friendly_name(step.key)},
        },
        response=payload,
        sid=payload["sid"],
        fee=step.fee() if step.fee else None,
        http_status=201,
        started_at=moment - timedelta(milliseconds=180),
        finished_at=moment,
    )
    timeline.record(registration, step.slug, f"{step.label}: done", sid=payload["sid"])


def _full(registration: Registration, step: Watch, payload: dict[str, Any]) -> dict[str, Any]:
    resource = step.resource(registration)
    return {"sid": getattr(resource, "sid", ""), "errors": None, **payload}


def _done(registration: Registration) -> Registration:
    runner.refresh_status(registration.pk)
    return runner.load(registration.pk)


def copies(registration: Registration, count: int, label: str = "Customer") -> list[Registration]:
    """More registrations like this one, quickly: rows of the registration and its mirrors alone, without ledger and timeline.

    Each has a reference of its own and the label "<label> <number>".
    """
    made = Registration.objects.bulk_create(
        _blank(registration, label=f"{label} {number:03d}", ref=new_ref(), external_id=None)
        for number in range(count)
    )
    for part in Registration.PARTS:
        resource = getattr(registration, part)
        type(resource)._default_manager.bulk_create(_blank(resource, registration=copy) for copy in made)
    return [runner.load(copy.pk) for copy in made]


def _blank(step: Any, **changes: Any) -> Any:
    """A row with the same columns that is not saved yet."""
    values = {f.attname: getattr(step, f.attname) for f in step._meta.concrete_fields if not f.primary_key}
    values = {name: value for name, value in values.items() if name.removesuffix("_id") not in changes}
    return type(step)(**(values | changes))

"""Registrations at any stage, made by walking the step table with scripted answers instead of Twilio's.

The steps that decide, record and refresh are the product's own, so a registration made here is as consistent as one
that Twilio answered. Nothing is called and no worker is needed.

A walk to a late stage takes about 0.2 s of CPU, and hundreds of tests want the same one. The first walk of a process
is therefore kept (`_Template`), and later calls insert copies of its rows with keys, SIDs and times of their own.
"""

import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
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

_FIRST_SERIAL = 0x1000  # above the SIDs that tests spell out
_serial = itertools.count(_FIRST_SERIAL)
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
# The step at which a registration of this stage waits.
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
    """A registration that waits at `stage`; `answer` is what Twilio answers there instead of "pending".

    make_registration("campaign", answer={"campaign_status": "FAILED", "errors": [...]})
    """
    inputs = {
        name: {**PARTS.get(name, {}), **(parts or {}).get(name, {})} for name in {*PARTS, *(parts or {})}
    }
    if stage == Stage.DRAFT or set(fields) - _COPYABLE:
        return _build(stage, inputs, answer, actor, label=label, **fields)
    key = repr((str(stage), answer, actor, sorted(inputs.items()), _environment()))
    if template := _templates.get(key):
        return template.copy(label=label, **fields)
    registration = _build(stage, inputs, answer, actor, label=label, **fields)
    if template := _Template.of(registration):
        _templates[key] = template
    return registration


def _build(
    stage: str, inputs: dict[str, Any], answer: dict[str, Any] | None, actor: str, **fields: Any
) -> Registration:
    registration = actions.create(inputs, actor=actor, **fields)
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


# --- copies of an earlier walk ----------------------------------------------------------------------------------
# Fields that affect nothing else, so a copy can have its own. With any other field, the walk is done for real.
_COPYABLE = {"label", "owner", "external_id", "notes"}
_SID = re.compile(r"\b[A-Z]{2}0{20}[0-9a-f]{12}\b")  # those of fake_sid


def _environment() -> tuple[Any, ...]:
    """The settings that a walk may depend on."""
    names = [name for name in dir(settings) if name.startswith(("A2P_", "TWILIO_", "PUBLIC_"))]
    return tuple((name, getattr(settings, name)) for name in sorted(names) if name != "TWILIO_API_BASE_URL")


@dataclass(frozen=True)
class _Template:
    """The rows of one registration as they were at `taken_at`, without their keys."""

    taken_at: datetime
    ref: str
    rows: list[tuple[type[Any], dict[str, Any]]]

    @classmethod
    def of(cls, registration: Registration) -> "_Template | None":
        """None when the walk left rows that belong to more than this registration."""
        rows = [(Registration, _columns(registration))]
        for relation in Registration._meta.get_fields(include_hidden=True):
            if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)):
                continue
            model: Any = relation.related_model
            found = model._default_manager.filter(**{relation.field.name: registration}).order_by("pk")
            if found and relation.hidden:
                return None
            rows += [(model, _columns(row)) for row in found]
        return cls(timezone.now(), registration.ref, rows)

    def copy(self, **changes: Any) -> Registration:
        now, ref = timezone.now(), new_ref()
        new_sids: dict[str, str] = {}

        def new_sid(found: re.Match[str]) -> str:
            sid = found.group()
            if int(sid[2:], 16) < _FIRST_SERIAL:
                return sid
            return new_sids.setdefault(sid, fake_sid(sid[:2]))

        def renewed(value: Any) -> Any:
            if isinstance(value, datetime):
                return value + (now - self.taken_at)
            if isinstance(value, str):
                return _SID.sub(new_sid, value).replace(self.ref, ref)
            if isinstance(value, dict | list):
                return json.loads(renewed(json.dumps(value)))
            return value

        (_, own), *rest = self.rows
        with transaction.atomic():
            _policies()
            registration = Registration(**{name: renewed(value) for name, value in own.items()})
            # What the first of them was given (its owner, its external ID) is not part of the pattern.
            defaults = {name: Registration._meta.get_field(name).get_default() for name in _COPYABLE}
            for name, value in {**defaults, **changes}.items():
                setattr(registration, name, value)
            registration.save(force_insert=True)
            for model, group in itertools.groupby(rest, key=lambda row: row[0]):
                copies = [model(**{name: renewed(value) for name, value in row.items()}) for _, row in group]
                for row in copies:
                    row.registration_id = registration.pk
                    if isinstance(row, ApiCall) and row.fee is not None:
                        row.fee = BY_SLUG[row.step].fee()
                model._default_manager.bulk_create(copies)
        return _done(registration)


_templates: dict[str, _Template] = {}


def _columns(row: Any) -> dict[str, Any]:
    """The row's columns but for its key."""
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}


def _submit(registration: Registration, actor: str) -> None:
    Registration.objects.filter(pk=registration.pk).update(
        submitted_revision=registration.revision,
        submitted_by=actor,
        submitted_at=timezone.now() - timedelta(minutes=30),
    )
    timeline.record(registration, "submitted", "Submitted.", actor=actor, revision=registration.revision)
    _policies()


def _policies() -> None:
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
    """However slow the machine is: at the tests' time scale, Twilio's 30 s are 30 ms."""
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
    """More registrations like this one, quickly: the registration and its parts alone, without API calls and timeline.

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


def _blank(row: Any, **changes: Any) -> Any:
    """A row with the same columns that is not saved yet."""
    values = {name: value for name, value in _columns(row).items() if name.removesuffix("_id") not in changes}
    return type(row)(**(values | changes))

"""Cases at any stage, made by walking the step table with scripted answers instead of Twilio's.

The rows that decide, record and refresh are the product's own, so a case made here is as consistent as one
that Twilio answered. Nothing is called and no worker is needed.
"""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from registrations import pipeline, planning, sync, timeline, verbs
from registrations.gateway import CAMPAIGN_SID, SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID
from registrations.models import Policy, Registration, StepRun
from registrations.models.registration import new_ref
from registrations.planning import Call, Learn, Look, Wait
from registrations.states import RunState, Stage
from registrations.steps import BY_SLUG, Read, Watch, Write
from tests.cases import PARTS

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
# The watch at which a case of this stage stands still.
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
    """A case that stands at `stage`, waiting; `answer` is what Twilio says there instead of "wait".

    make_registration("campaign", answer={"campaign_status": "FAILED", "errors": [...]})
    """
    inputs = {
        name: {**PARTS.get(name, {}), **(parts or {}).get(name, {})} for name in {*PARTS, *(parts or {})}
    }
    case = verbs.create(inputs, actor=actor, label=label, **fields)
    if stage == Stage.DRAFT:
        return case
    _submit(case, actor)
    if stage == Stage.REMOVED:
        Registration.objects.filter(pk=case.pk).update(removing=True)
        return _done(case)
    _walk(case, _STANDS_AT.get(Stage(stage), ""), answer)
    if stage == Stage.REMOVING:
        Registration.objects.filter(pk=case.pk).update(removing=True)
    return _done(case)


def _submit(case: Registration, actor: str) -> None:
    Registration.objects.filter(pk=case.pk).update(
        submitted_revision=case.revision,
        submitted_by=actor,
        submitted_at=timezone.now() - timedelta(minutes=30),
    )
    timeline.record(case, "submitted", "Submitted.", actor=actor, revision=case.revision)
    for sid in (STARTER_POLICY_SID, SOLE_PROPRIETOR_POLICY_SID):
        Policy.objects.get_or_create(sid=sid, defaults={"payload": {}, "fetched_at": timezone.now()})


def _walk(case: Registration, stop_at: str, answer: dict[str, Any] | None) -> None:
    for _ in range(80):
        case = pipeline.load(case.pk)
        decision = planning.decide(case, timezone.now())
        if isinstance(decision, Learn):
            _learn(case, decision.row)
        elif isinstance(decision, Call):
            _call(case, decision.row)
        elif isinstance(decision, Look | Wait):
            row = decision.row if isinstance(decision, Look) else _watched(case)
            if row.slug == stop_at:
                if payload := answer or _WAITING.get(row.slug):
                    sync.refresh(case, row, _full(case, row, payload))
                    _stay_in_settle_window(pipeline.load(case.pk), row)
                return
            _age_settle_window(case, row)
            sync.refresh(case, row, _full(case, row, _GOOD[row.slug]))
        else:
            return
    raise AssertionError("the walk does not end")


def _watched(case: Registration) -> Watch:
    rows: Iterable[Any] = BY_SLUG.values()
    return next(r for r in rows if isinstance(r, Watch) and r.exists(case) and not r.passed(case))


def _age_settle_window(case: Registration, row: Watch) -> None:
    mirror = row.mirror(case)
    if getattr(mirror, "submitted_at", None):
        mirror.submitted_at = timezone.now() - timedelta(minutes=5)  # type: ignore[attr-defined]
        mirror.save(update_fields=["submitted_at"])


def _learn(case: Registration, row: Read) -> None:
    number = case.phone_number
    if row.slug == "number.resolve":
        sync.learn(
            case,
            row,
            {
                "sent": {**number.sent, "sender": number.sender_number},
                "sid": PARTS["phone_number"]["sender_number"],
                "failure_reason": "",
            },
        )


def _stay_in_settle_window(case: Registration, row: Watch) -> None:
    """However long this machine took: at the tests' time scale Twilio's 30 s are 30 ms."""
    mirror: Any = row.mirror(case)
    if getattr(mirror, "submitted_at", None) and getattr(mirror, "synced_at", None):
        mirror.submitted_at = mirror.synced_at
        mirror.save(update_fields=["submitted_at"])


def _call(case: Registration, row: Write) -> None:
    basis = row.basis(case)
    sid = CAMPAIGN_SID if row.kind == "campaign" else fake_sid(_PREFIX.get(row.kind, "XX"))
    payload: dict[str, Any] = {"sid": sid, "status": "compliant" if row.kind == "evaluation" else "draft"}
    if row.slug.endswith(".submit"):
        payload["status"] = "pending-review"
    if row.kind == "brand":
        payload |= {"status": "PENDING", "identity_status": None}
    if row.kind == "campaign":
        payload |= {"campaign_status": "PENDING"}
    if row.kind == "number":
        payload |= {"phone_number": "+14155550101"}
    if row.kind == "attached":
        payload["sid"] = case.phone_number.sid
    moment = timezone.now()
    sync.record(case, row, payload, basis)
    StepRun.objects.create(
        registration=case,
        step=row.slug,
        state=RunState.OK,
        actor="worker",
        request={"path": f"/v1/{row.kind}", "params": {"FriendlyName": case.friendly_name(row.key)}},
        response=payload,
        sid=payload["sid"],
        fee=row.fee() if row.fee else None,
        http_status=201,
        started_at=moment - timedelta(milliseconds=180),
        finished_at=moment,
    )
    timeline.record(case, row.slug, f"{row.label}: done", sid=payload["sid"])


def _full(case: Registration, row: Watch, payload: dict[str, Any]) -> dict[str, Any]:
    mirror = row.mirror(case)
    return {"sid": getattr(mirror, "sid", ""), "errors": None, **payload}


def _done(case: Registration) -> Registration:
    pipeline.restate(case.pk)
    return pipeline.load(case.pk)


def copies(case: Registration, count: int, label: str = "Customer") -> list[Registration]:
    """More cases like this one, quickly: rows of the case and its mirrors alone, without ledger and timeline.

    Each has a reference of its own and the label "<label> <number>".
    """
    made = Registration.objects.bulk_create(
        _blank(case, label=f"{label} {number:03d}", ref=new_ref(), external_id=None)
        for number in range(count)
    )
    for part in pipeline.MIRRORS:
        mirror = getattr(case, part)
        type(mirror)._default_manager.bulk_create(_blank(mirror, registration=copy) for copy in made)
    return [pipeline.load(copy.pk) for copy in made]


def _blank(row: Any, **changes: Any) -> Any:
    """A row with the same columns that is not saved yet."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    values = {name: value for name, value in values.items() if name.removesuffix("_id") not in changes}
    return type(row)(**(values | changes))

"""What each kind of Twilio object says, written onto its mirror; called by `sync` alone, which saves.

Upstream words are kept verbatim; odd shapes become a list or nothing, never an error.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from registrations import states, timeline
from registrations.gateway.redact import redact
from registrations.models import (
    Brand,
    Campaign,
    Mirror,
    PhoneNumber,
    Registration,
    StepRun,
    Submission,
    TrustBundle,
    WebhookDelivery,
)
from registrations.states import BRAND_APPROVED, BUNDLE_REJECTED, CAMPAIGN_VERIFIED, IDENTITY_VERIFIED
from registrations.steps.base import Payload

# Differences of clocks and the time of one look are less.
LATE = timedelta(seconds=60)


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _items(payload: Payload, key: str = "errors") -> list[Any]:
    """Error items verbatim and in order; null and odd shapes become a list."""
    value = payload.get(key)
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def note_change(registration: Registration, mirror: Mirror, column: str, new: str, tag: str) -> None:
    old = getattr(mirror, column)
    if new != old:
        setattr(mirror, column, new)
        timeline.record(registration, tag, f"{old or '—'} → {new or '—'}", actor="Twilio", was=old, now=new)


def _apply_bundle(registration: Registration, mirror: Mirror, payload: Payload, now: datetime) -> None:
    part = mirror._meta.model_name or ""
    status = states.canonical(states.BUNDLE, payload.get("status"))
    note_change(registration, mirror, "status", status, f"{part}:status")
    mirror.errors = _items(payload)
    if mirror.status == BUNDLE_REJECTED:
        mirror.failure_reason = rejection_reason(registration, part_of(mirror)) or mirror.failure_reason
    else:
        mirror.failure_reason = ""
    mirror.payload = redact(payload)
    mirror.synced_at = now


def rejection_reason(registration: Registration, part: str) -> str:
    """The FailureReason that came by callback for the newest submission of a bundle, or "".

    Callbacks carry neither time nor number, so what belongs to this submission is told by when it was
    received: after the submission's call began. Of several the newest one counts, but words that had already
    come for an earlier submission only if there are no others: they may be a late repeat. While the callback of
    an earlier rejection is still missing, what comes after this rejection was known and explained may be that
    one, and does not cover the explanation: Twilio calls back once a change of status (facts section 6.5).
    """
    mirror = getattr(registration, part)
    runs = StepRun.objects.filter(registration=registration, step=f"{part}.submit").order_by("-id")
    since = runs.values_list("started_at", flat=True).first() or mirror.submitted_at
    if not mirror.sid or since is None:
        return ""
    told = WebhookDelivery.objects.filter(subject=mirror.sid, status=BUNDLE_REJECTED).exclude(reason="")
    words = told.order_by("-received_at").values_list("reason", "received_at")
    recent = list(words.filter(received_at__gte=since)[:20])
    earlier = set(told.filter(received_at__lt=since).values_list("reason", flat=True))
    fresh = [(reason, at) for reason, at in recent if reason not in earlier] or recent[:1]
    if len(fresh) > 1 and (known_at := _explained_at(registration, part, mirror.sid)):
        fresh = [(reason, at) for reason, at in fresh if at <= known_at] or fresh[-1:]
    return fresh[0][0] if fresh else ""


def _explained_at(registration: Registration, part: str, sid: str) -> datetime | None:
    """When the newest rejection was last read, if an earlier one of the same bundle never got its reason."""
    tries = list(Submission.objects.filter(registration=registration, part=part, sid=sid).order_by("-number"))
    missing = any(row.status == BUNDLE_REJECTED and not row.failure_reason for row in tries[1:])
    return tries[0].ended_at if missing else None


def part_of(mirror: Mirror) -> str:
    """The mirror's name on Registration."""
    return "trust_bundle" if isinstance(mirror, TrustBundle) else str(mirror._meta.model_name)


def _apply_evaluation(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    mirror.evaluation_status = states.canonical(states.EVALUATION, payload.get("status"))
    mirror.evaluation_results = redact(_items(payload, "results"))
    if mirror.evaluation_status != "compliant":
        # One evaluation per Submit: without this, "evaluate again" would be wanted for ever.
        mirror.resubmit_requested = False
        type(mirror).objects.filter(pk=mirror.pk).update(resubmit_requested=False)
    part = mirror._meta.model_name or ""
    timeline.record(registration, f"{part}:evaluation", mirror.evaluation_status, actor="Twilio")


def _apply_brand(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    brand: Brand = mirror
    status = states.canonical(states.BRAND, payload.get("status"))
    identity = states.canonical(states.IDENTITY, payload.get("identity_status"))
    note_change(registration, brand, "status", status, "brand:status")
    note_change(registration, brand, "identity_status", identity, "brand:identity")
    brand.tcr_id = _text(payload, "tcr_id") or brand.tcr_id
    brand.failure_reason = _text(payload, "failure_reason")
    brand.errors = _items(payload)
    changed_at = _changed_at(brand.payload, payload, now)
    brand.payload = redact(payload)
    brand.synced_at = now
    if brand.status == BRAND_APPROVED and not brand.approved_at:
        # Twilio sends the first one-time text by itself at this moment (facts section 8).
        brand.approved_at, brand.otp_sent_at = now, changed_at
        brand.otp_sends += 1
        brand.polls = 0
    if brand.identity_status == IDENTITY_VERIFIED and not brand.verified_at:
        brand.verified_at = now


def _changed_at(before: Payload, payload: Payload, now: datetime) -> datetime:
    """When Twilio last changed the object: `now`, unless it says that this was a while ago, while nobody looked."""
    told = payload.get("date_updated")
    if not isinstance(told, str) or told == before.get("date_updated"):
        return now
    try:
        at = parse_datetime(told)
    except ValueError:
        return now
    late = at is not None and at.tzinfo is not None and at < now - LATE
    return at if at and late else now


def _apply_brand_update(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    mirror.resubmissions += 1
    _apply_brand(registration, mirror, payload, now)


def _apply_otp(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    mirror.otp_sends += 1
    mirror.otp_sent_at = now
    mirror.otp_requested_at = None
    Brand.objects.filter(pk=mirror.pk).update(otp_requested_at=None)


def _apply_campaign(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    campaign: Campaign = mirror
    status = states.canonical(states.CAMPAIGN, payload.get("campaign_status"))
    note_change(registration, campaign, "status", status, "campaign:status")
    campaign.campaign_id = _text(payload, "campaign_id") or campaign.campaign_id
    campaign.failure_reason = _text(payload, "failure_reason")
    campaign.errors = _items(payload)
    campaign.payload = redact(payload)
    campaign.synced_at = now
    if campaign.status == CAMPAIGN_VERIFIED and not campaign.verified_at:
        campaign.verified_at = now


def _apply_campaign_deleted(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    campaign: Campaign = mirror
    campaign.sid = campaign.status = campaign.campaign_id = campaign.failure_reason = ""
    campaign.errors, campaign.payload = [], {}
    campaign.verified_at = campaign.gone_at = None
    campaign.sent = {key: value for key, value in campaign.sent.items() if key != "campaign"}


def _apply_number(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    number: PhoneNumber = mirror
    number.phone_number = _text(payload, "phone_number") or number.phone_number
    number.payload = redact(payload)
    number.synced_at = now


def _apply_attached(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    mirror.service_sid = registration.campaign.service_sid
    if payload:
        _apply_number(registration, mirror, payload, now)


def _apply_confirmed(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    _apply_number(registration, mirror, payload, now)
    if not mirror.confirmed_at:
        mirror.confirmed_at = now
        timeline.record(registration, "number:confirmed", "The number is in the messaging service.")


APPLY: dict[str, Callable[[Registration, Mirror, Payload, datetime], None]] = {
    "bundle": _apply_bundle,
    "evaluation": _apply_evaluation,
    "brand": _apply_brand,
    "brand_update": _apply_brand_update,
    "otp": _apply_otp,
    "campaign": _apply_campaign,
    "campaign_deleted": _apply_campaign_deleted,
    "number": _apply_number,
    "attached": _apply_attached,
    "confirmed": _apply_confirmed,
}

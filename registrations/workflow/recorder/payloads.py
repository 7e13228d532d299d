"""How each kind of Twilio object is copied onto its resource. Only the recorder calls this, and saves.

Twilio's values are stored verbatim. Unexpected shapes become a list or nothing, never an error.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from registrations.models import (
    ApiCall,
    Brand,
    Campaign,
    PhoneNumber,
    Registration,
    Submission,
    TrustBundle,
    TwilioResource,
    WebhookDelivery,
)
from registrations.twilio import statuses
from registrations.twilio.client.redaction import redact
from registrations.twilio.statuses import (
    BRAND_APPROVED,
    BUNDLE_REJECTED,
    CAMPAIGN_VERIFIED,
    IDENTITY_VERIFIED,
)
from registrations.workflow import timeline
from registrations.workflow.steps.base import Payload

# More than clock differences and the time of one fetch.
LATE = timedelta(seconds=60)


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _items(payload: Payload, key: str = "errors") -> list[Any]:
    """Error items verbatim and in order; null and unexpected shapes become a list."""
    value = payload.get(key)
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def record_change(
    registration: Registration, resource: TwilioResource, column: str, new: str, tag: str
) -> None:
    """Set a column; a new value goes to the timeline."""
    old = getattr(resource, column)
    if new != old:
        setattr(resource, column, new)
        timeline.record(registration, tag, f"{old or '—'} → {new or '—'}", actor="Twilio", was=old, now=new)


def _apply_bundle(
    registration: Registration, resource: TwilioResource, payload: Payload, now: datetime
) -> None:
    part = resource._meta.model_name or ""
    status = statuses.canonical(statuses.BUNDLE, payload.get("status"))
    record_change(registration, resource, "status", status, f"{part}:status")
    resource.errors = _items(payload)
    if resource.status == BUNDLE_REJECTED:
        resource.failure_reason = rejection_reason(registration, part_of(resource)) or resource.failure_reason
    else:
        resource.failure_reason = ""
    resource.payload = redact(payload)
    resource.synced_at = now


def rejection_reason(registration: Registration, part: str) -> str:
    """The FailureReason from the callback for the newest submission of a bundle, or "".

    Callbacks carry neither a time nor a submission number, so a callback belongs to this submission if it arrived
    after the submission's call began. The newest one counts. A reason that already arrived for an earlier
    submission counts only if there is no other, because it may be a late repeat. Twilio calls back once per status
    change (docs/twilio.md section 6.5): while the callback of an earlier rejection is missing, a reason that arrives
    after this rejection was known and explained may belong to the earlier one, and does not replace the explanation.
    """
    resource = getattr(registration, part)
    attempts = ApiCall.objects.filter(registration=registration, step=f"{part}.submit").order_by("-id")
    since = attempts.values_list("started_at", flat=True).first() or resource.submitted_at
    if not resource.sid or since is None:
        return ""
    callbacks = WebhookDelivery.objects.filter(subject=resource.sid, status=BUNDLE_REJECTED).exclude(
        reason=""
    )
    reasons = callbacks.order_by("-received_at").values_list("reason", "received_at")
    recent = list(reasons.filter(received_at__gte=since)[:20])
    earlier = set(callbacks.filter(received_at__lt=since).values_list("reason", flat=True))
    fresh = [(reason, at) for reason, at in recent if reason not in earlier] or recent[:1]
    if len(fresh) > 1 and (known_at := _explained_at(registration, part, resource.sid)):
        fresh = [(reason, at) for reason, at in fresh if at <= known_at] or fresh[-1:]
    return fresh[0][0] if fresh else ""


def _explained_at(registration: Registration, part: str, sid: str) -> datetime | None:
    """When the newest rejection was read, if an earlier one of the same bundle never got a reason."""
    submissions = list(
        Submission.objects.filter(registration=registration, part=part, sid=sid).order_by("-number")
    )
    missing = any(
        submission.status == BUNDLE_REJECTED and not submission.failure_reason
        for submission in submissions[1:]
    )
    return submissions[0].rejected_at if missing else None


def part_of(resource: TwilioResource) -> str:
    """The resource's attribute on Registration."""
    return "trust_bundle" if isinstance(resource, TrustBundle) else str(resource._meta.model_name)


def _apply_evaluation(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    resource.evaluation_status = statuses.canonical(statuses.EVALUATION, payload.get("status"))
    resource.evaluation_results = redact(_items(payload, "results"))
    if resource.evaluation_status != "compliant":
        # One evaluation per Submit: otherwise another one would be needed forever.
        resource.resubmit_requested = False
        type(resource).objects.filter(pk=resource.pk).update(resubmit_requested=False)
    part = resource._meta.model_name or ""
    timeline.record(registration, f"{part}:evaluation", resource.evaluation_status, actor="Twilio")


def _apply_brand(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    brand: Brand = resource
    status = statuses.canonical(statuses.BRAND, payload.get("status"))
    identity = statuses.canonical(statuses.IDENTITY, payload.get("identity_status"))
    record_change(registration, brand, "status", status, "brand:status")
    record_change(registration, brand, "identity_status", identity, "brand:identity")
    brand.tcr_id = _text(payload, "tcr_id") or brand.tcr_id
    brand.failure_reason = _text(payload, "failure_reason")
    brand.errors = _items(payload)
    changed_at = _changed_at(brand.payload, payload, now)
    brand.payload = redact(payload)
    brand.synced_at = now
    if brand.status == BRAND_APPROVED and not brand.approved_at:
        # Twilio sends the first OTP text by itself now (docs/twilio.md section 8).
        brand.approved_at, brand.otp_sent_at = now, changed_at
        brand.otp_sends += 1
        brand.poll_count = 0
    if brand.identity_status == IDENTITY_VERIFIED and not brand.verified_at:
        brand.verified_at = now


def _changed_at(before: Payload, payload: Payload, now: datetime) -> datetime:
    """When Twilio last changed the object: `now`, unless `date_updated` says that it was well before this fetch."""
    updated = payload.get("date_updated")
    if not isinstance(updated, str) or updated == before.get("date_updated"):
        return now
    try:
        at = parse_datetime(updated)
    except ValueError:
        return now
    late = at is not None and at.tzinfo is not None and at < now - LATE
    return at if at and late else now


def _apply_brand_update(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    resource.resubmissions += 1
    _apply_brand(registration, resource, payload, now)


def _apply_otp(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    resource.otp_sends += 1
    resource.otp_sent_at = now
    resource.otp_requested_at = None
    Brand.objects.filter(pk=resource.pk).update(otp_requested_at=None)


def _apply_campaign(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    campaign: Campaign = resource
    status = statuses.canonical(statuses.CAMPAIGN, payload.get("campaign_status"))
    record_change(registration, campaign, "status", status, "campaign:status")
    campaign.campaign_id = _text(payload, "campaign_id") or campaign.campaign_id
    campaign.failure_reason = _text(payload, "failure_reason")
    campaign.errors = _items(payload)
    campaign.payload = redact(payload)
    campaign.synced_at = now
    if campaign.status == CAMPAIGN_VERIFIED and not campaign.verified_at:
        campaign.verified_at = now


def _apply_campaign_deleted(
    registration: Registration, resource: Any, payload: Payload, now: datetime
) -> None:
    campaign: Campaign = resource
    campaign.sid = campaign.status = campaign.campaign_id = campaign.failure_reason = ""
    campaign.errors, campaign.payload = [], {}
    campaign.verified_at = campaign.missing_since = None
    campaign.accepted_params = {
        key: value for key, value in campaign.accepted_params.items() if key != "campaign"
    }


def _apply_number(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    number: PhoneNumber = resource
    number.phone_number = _text(payload, "phone_number") or number.phone_number
    number.payload = redact(payload)
    number.synced_at = now


def _apply_attached(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    resource.service_sid = registration.campaign.service_sid
    if payload:
        _apply_number(registration, resource, payload, now)


def _apply_confirmed(registration: Registration, resource: Any, payload: Payload, now: datetime) -> None:
    _apply_number(registration, resource, payload, now)
    if not resource.confirmed_at:
        resource.confirmed_at = now
        timeline.record(registration, "number:confirmed", "The number is in the messaging service.")


APPLY: dict[str, Callable[[Registration, TwilioResource, Payload, datetime], None]] = {
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

"""The only writer of mirror columns: records the result of a step, applies one payload of Twilio's.

Saves name their columns, so that an agent's edit of the inputs at the same moment is never overwritten.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from registrations import clock, timeline
from registrations.gateway.redact import redact
from registrations.models import Brand, Campaign, Mirror, PhoneNumber, Profile, Registration, TrustBundle
from registrations.states import BRAND_APPROVED, CAMPAIGN_VERIFIED, IDENTITY_VERIFIED
from registrations.steps.base import Basis, Payload, Read, Watch, Write

INPUT_COLUMNS = {
    Profile: {
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "street",
        "street_secondary",
        "city",
        "region",
        "postal_code",
        "iso_country",
    },
    TrustBundle: {"brand_name", "vertical", "mobile_phone_number"},
    Brand: set(),
    Campaign: {
        "description",
        "message_flow",
        "message_samples",
        "has_embedded_links",
        "has_embedded_phone",
        "subscriber_opt_in",
        "age_gated",
        "direct_lending",
        "opt_in_message",
        "opt_in_keywords",
        "opt_out_message",
        "opt_out_keywords",
        "help_message",
        "help_keywords",
        "privacy_policy_url",
        "terms_and_conditions_url",
    },
    PhoneNumber: {"sender_number", "area_code", "purchase_confirmed_at", "purchase_confirmed_by"},
}
# Columns that a person's request sets from outside the lease; a step clears them only when it acted on them.
_REQUEST_COLUMNS = {"otp_requested_at", "otp_requested_by", "resubmit_requested", "look_requested_at"}


def record(registration: Registration, row: Write, payload: Payload, basis: Basis) -> None:
    """Write what a successful step means: its SID, what Twilio accepted, its times, Twilio's answer."""
    mirror, now = row.mirror(registration), clock.now()
    if row.sid_field and payload.get("sid"):
        setattr(mirror, row.sid_field, payload["sid"])
    mirror.sent = {**mirror.sent, row.key: basis}
    for column in row.stamps:
        setattr(mirror, column, now)
    for column, value in row.resets.items():
        setattr(mirror, column, value)
    if row.poll_after is not None:
        mirror.polls = 0
        mirror.next_poll_at = now + clock.scaled(row.poll_after)
    if row.kind in _APPLY:
        _APPLY[row.kind](registration, mirror, payload, now)
    _save(mirror, also=set(row.resets))


def refresh(registration: Registration, row: Watch, payload: Payload) -> None:
    """Apply one looked-at object, and plan the next look."""
    mirror, now = row.mirror(registration), clock.now()
    mirror.gone_at = None
    _APPLY[row.kind](registration, mirror, payload, now)
    _looked(mirror, row, now)
    _save(mirror)


def gone(registration: Registration, row: Watch) -> None:
    """Twilio answered 404."""
    mirror, now = row.mirror(registration), clock.now()
    if not mirror.gone_at:
        mirror.gone_at = now
        timeline.record(registration, f"{row.part}:gone", "Twilio does not find the object (404).")
    _looked(mirror, row, now)
    _save(mirror)


def learn(registration: Registration, row: Read, columns: dict[str, Any]) -> None:
    """Store what a look at Twilio taught."""
    mirror = row.mirror(registration)
    for column, value in columns.items():
        setattr(mirror, column, value)
    if columns:
        _save(mirror)


def forget(registration: Registration, rows: Iterable[Write]) -> None:
    """Take back what these steps meant, because their objects are gone at Twilio: the plan makes them anew."""
    for row in rows:
        mirror = row.mirror(registration)
        columns = dict.fromkeys(row.stamps) | dict(row.resets)
        columns["sent"] = {key: value for key, value in mirror.sent.items() if key != row.key}
        if row.sid_field:
            columns[row.sid_field] = ""
        if row.sid_field == "sid":
            columns |= {"status": "", "failure_reason": "", "errors": [], "payload": {}}
            columns |= {"gone_at": None, "next_poll_at": None}
        if row.kind == "campaign":
            columns |= {"campaign_id": "", "verified_at": None}
        for column, value in columns.items():
            setattr(mirror, column, value)
        _save(mirror, also=set(columns))


def look_later(registration: Registration, row: Watch, at: datetime) -> None:
    """Plan the next look without having looked."""
    mirror = row.mirror(registration)
    mirror.next_poll_at = at
    _save(mirror)


def _looked(mirror: Mirror, row: Watch, now: datetime) -> None:
    mirror.synced_at = now
    seconds = row.intervals[min(mirror.polls, len(row.intervals) - 1)]
    mirror.polls += 1
    mirror.next_poll_at = now + clock.scaled(seconds)


def _save(mirror: Mirror, also: set[str] | None = None) -> None:
    keep = INPUT_COLUMNS[type(mirror)] | (_REQUEST_COLUMNS - (also or set())) | {"id", "registration"}
    mirror.save(update_fields=[f.name for f in mirror._meta.concrete_fields if f.name not in keep])


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _items(payload: Payload, key: str = "errors") -> list[Any]:
    """Error items verbatim and in order; null and odd shapes become a list."""
    value = payload.get(key)
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def _note_change(registration: Registration, mirror: Mirror, column: str, new: str, tag: str) -> None:
    old = getattr(mirror, column)
    if new != old:
        setattr(mirror, column, new)
        timeline.record(registration, tag, f"{old or '—'} → {new or '—'}", actor="Twilio", was=old, now=new)


def _apply_bundle(registration: Registration, mirror: Mirror, payload: Payload, now: datetime) -> None:
    part = mirror._meta.model_name or ""
    _note_change(registration, mirror, "status", _text(payload, "status"), f"{part}:status")
    mirror.errors = _items(payload)
    mirror.payload = redact(payload)
    mirror.synced_at = now


def _apply_evaluation(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    mirror.evaluation_status = _text(payload, "status")
    mirror.evaluation_results = redact(_items(payload, "results"))
    if mirror.evaluation_status != "compliant":
        # One evaluation per Submit: without this, "evaluate again" would be wanted for ever.
        mirror.resubmit_requested = False
        type(mirror).objects.filter(pk=mirror.pk).update(resubmit_requested=False)
    part = mirror._meta.model_name or ""
    timeline.record(registration, f"{part}:evaluation", mirror.evaluation_status, actor="Twilio")


def _apply_brand(registration: Registration, mirror: Any, payload: Payload, now: datetime) -> None:
    brand: Brand = mirror
    _note_change(registration, brand, "status", _text(payload, "status"), "brand:status")
    _note_change(registration, brand, "identity_status", _text(payload, "identity_status"), "brand:identity")
    brand.tcr_id = _text(payload, "tcr_id") or brand.tcr_id
    brand.failure_reason = _text(payload, "failure_reason")
    brand.errors = _items(payload)
    brand.payload = redact(payload)
    brand.synced_at = now
    if brand.status == BRAND_APPROVED and not brand.approved_at:
        # Twilio sends the first one-time text by itself at this moment (facts section 8).
        brand.approved_at = brand.otp_sent_at = now
        brand.otp_sends = max(brand.otp_sends, 1)
        brand.polls = 0
    if brand.identity_status == IDENTITY_VERIFIED and not brand.verified_at:
        brand.verified_at = now


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
    _note_change(registration, campaign, "status", _text(payload, "campaign_status"), "campaign:status")
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


_APPLY: dict[str, Callable[[Registration, Mirror, Payload, datetime], None]] = {
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

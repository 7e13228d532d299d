"""A prepared text for Twilio's support: what they will ask for, and no personal data beyond the brand name."""

from datetime import datetime

from registrations.models import Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.twilio.rejections import parse_error_items


def ticket_text(registration: Registration) -> str:
    """The whole text, ready to paste."""
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    lines = [
        "Hello,",
        "",
        f"we need help with an A2P 10DLC Sole Proprietor registration ({registration.trust_bundle.brand_name}).",
        f"Where it stands: {registration.get_stage_display()}, since {_day(registration.stage_since)}. "
        f"{registration.reason}",
        "",
        "Identifiers:",
        *_sids(registration),
        "",
        "History:",
        f"- Submitted: {_day(registration.submitted_at)}",
    ]
    if brand.sid:
        lines += [
            f"- Brand registered: {_day(brand.registered_at)}, status {brand.status or 'unknown'}, "
            f"identity {brand.identity_status or 'none'}, TCR ID {brand.tcr_id or 'none'}",
            f"- Brand resubmitted {brand.resubmissions} of {MAX_BRAND_UPDATES} times; "
            f"OTP text sent {brand.otp_sends} times, last {_day(brand.otp_sent_at)}",
        ]
    if campaign.sid:
        lines.append(
            f"- Campaign submitted: {_day(campaign.submitted_at)}, status {campaign.status or 'unknown'}, "
            f"TCR ID {campaign.campaign_id or 'none'}"
        )
    if number.sid:
        lines.append(
            f"- Number attached: {_day(number.attached_at)}, A2P state {number.a2p_status or 'not reported'}"
        )
    errors = _errors(registration)
    if errors:
        lines += ["", "Errors that you returned:", *errors]
    return "\n".join([*lines, "", "What is missing, and what can we do?"])


def _sids(registration: Registration) -> list[str]:
    profile, bundle = registration.profile, registration.trust_bundle
    named = [
        ("Starter customer profile", profile.sid),
        ("Trust product", bundle.sid),
        ("Brand registration", registration.brand.sid),
        ("Messaging service", registration.campaign.service_sid),
        ("Phone number", registration.phone_number.sid),
    ]
    return [f"- {name}: {sid}" for name, sid in named if sid]


def _errors(registration: Registration) -> list[str]:
    found = []
    for part in ("profile", "trust_bundle", "brand", "campaign"):
        resource = getattr(registration, part)
        for item in parse_error_items(resource.errors):
            code = f"{item.code}: " if item.code else ""
            found.append(f"- {part.replace('_', ' ')}: {code}{item.description or item.failure.title}")
        # A bundle's words hold the customer's address; the others' are Twilio's alone.
        if resource.failure_reason and part in ("brand", "campaign"):
            found.append(f"- {part}: {resource.failure_reason}")
    return found


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "not yet"

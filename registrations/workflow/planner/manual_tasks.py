"""Tasks that only a person can do, outside this product. Each closes once Twilio shows that it is done."""

from dataclasses import dataclass
from datetime import datetime

from registrations.models import Registration, RetiredResource
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.twilio.rejections import parse_error_items
from registrations.twilio.statuses import BRAND_SUSPENDED, CAMPAIGN_SUSPENDED
from registrations.workflow.steps.brand import needs_console_deletion

CONSOLE_BRANDS = (
    "https://console.twilio.com/us1/develop/sms/regulatory-compliance/brands"  # path not verified
)


@dataclass(frozen=True)
class ManualTask:
    """key: stable name. text: what to do. closes_when: what we watch for. support: needs a ticket."""

    key: str
    title: str
    text: str
    url: str
    closes_when: str
    support: bool = False


def manual_tasks(registration: Registration) -> list[ManualTask]:
    """The open tasks of a registration, most urgent first."""
    found = []
    if registration.brand.status == BRAND_SUSPENDED and not registration.brand.missing_since:
        found.append(_support("brand_suspended", "The brand is suspended", "brand"))
    if registration.campaign.status == CAMPAIGN_SUSPENDED and not registration.campaign.missing_since:
        found.append(_support("campaign_suspended", "The campaign is suspended", "campaign"))
    if needs_console_deletion(registration):
        found.append(_delete_brand(registration.brand.sid, "Submit then registers a new one."))
    retired = RetiredResource.objects.filter(
        registration=registration, removal=RetiredResource.Removal.CONSOLE, missing_since__isnull=True
    )
    found += [_delete_brand(resource.sid, "It is no longer used here.") for resource in retired]
    return found


def _support(key: str, title: str, resource: str) -> ManualTask:
    return ManualTask(
        key,
        title,
        f"Only Twilio Support can lift the suspension of a {resource}. Send them the prepared message.",
        "https://help.twilio.com",
        f"Closes when Twilio no longer shows the {resource} as suspended.",
        support=True,
    )


def _delete_brand(sid: str, note: str) -> ManualTask:
    return ManualTask(
        f"delete_brand_{sid}",
        "Delete a brand in Twilio's Console",
        f"Twilio's API cannot delete a brand. Delete {sid} in the Console. {note}",
        CONSOLE_BRANDS,
        "Closes when Twilio no longer shows the brand.",
    )


# --- the text for Twilio Support --------------------------------------------------------------------------
def ticket_text(registration: Registration) -> str:
    """A text for a ticket, ready to paste: what Twilio asks for, and no personal data except the brand name."""
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    lines = [
        "Hello,",
        "",
        f"We need help with an A2P 10DLC Sole Proprietor registration ({registration.trust_bundle.brand_name}).",
        f"Current stage: {registration.get_stage_display()}, since {_day(registration.stage_since)}. "
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
            f"- Number attached: {_day(number.attached_at)}, A2P status {number.a2p_status or 'not reported'}"
        )
    errors = _errors(registration)
    if errors:
        lines += ["", "Errors from Twilio:", *errors]
    return "\n".join([*lines, "", "What is missing, and what should we do next?"])


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
        # A bundle's reason contains the customer's address; the others contain only Twilio's words.
        if resource.failure_reason and part in ("brand", "campaign"):
            found.append(f"- {part}: {resource.failure_reason}")
    return found


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "not yet"

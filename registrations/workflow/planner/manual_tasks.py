"""What only a person can do outside this desk; each task closes itself when Twilio shows that it is done."""

from dataclasses import dataclass

from registrations.models import Registration, RetiredResource
from registrations.twilio.statuses import BRAND_SUSPENDED, CAMPAIGN_SUSPENDED
from registrations.workflow.steps.brand import needs_console_deletion

CONSOLE_BRANDS = (
    "https://console.twilio.com/us1/develop/sms/regulatory-compliance/brands"  # path not verified
)


@dataclass(frozen=True)
class ManualTask:
    """key: stable name. text: what to do. closes_when: what the desk watches for. support: needs a ticket."""

    key: str
    title: str
    text: str
    url: str
    closes_when: str
    support: bool = False


def manual_tasks(registration: Registration) -> list[ManualTask]:
    """The open tasks of a registration, the most urgent first."""
    found = []
    if registration.brand.status == BRAND_SUSPENDED and not registration.brand.missing_since:
        found.append(_support("brand_suspended", "The brand is suspended", "brand"))
    if registration.campaign.status == CAMPAIGN_SUSPENDED and not registration.campaign.missing_since:
        found.append(_support("campaign_suspended", "The campaign is suspended", "campaign"))
    if needs_console_deletion(registration):
        found.append(_delete_brand(registration.brand.sid, "Then Submit registers a new one."))
    retired = RetiredResource.objects.filter(
        registration=registration, removal=RetiredResource.Removal.CONSOLE, missing_since__isnull=True
    )
    found += [_delete_brand(resource.sid, "It is no longer used here.") for resource in retired]
    return found


def _support(key: str, title: str, what: str) -> ManualTask:
    return ManualTask(
        key,
        title,
        f"Only Twilio's support can lift the suspension of a {what}. Send them the prepared text.",
        "https://help.twilio.com",
        f"Closes when Twilio shows the {what} as no longer suspended.",
        support=True,
    )


def _delete_brand(sid: str, why: str) -> ManualTask:
    return ManualTask(
        f"delete_brand_{sid}",
        "Delete a brand in Twilio's Console",
        f"Twilio has no call that deletes a brand. Delete {sid} in the Console. {why}",
        CONSOLE_BRANDS,
        "Closes when Twilio no longer shows the brand.",
    )

"""Parts 4 and 5: the messaging service and the campaign (docs/twilio.md section 1.1, calls 4 to 5.2, and section 5)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from registrations.core.clock import scaled
from registrations.models import Registration
from registrations.models.choices import FeeKind, Stage
from registrations.twilio.client import TwilioClient
from registrations.twilio.rejections import parse_error_items
from registrations.twilio.statuses import (
    CAMPAIGN,
    CAMPAIGN_FAILED,
    CAMPAIGN_SUSPENDED,
    CAMPAIGN_VERIFIED,
    canonical,
)
from registrations.workflow.prices import price

from . import conditions, finders, payloads
from .base import AnyStep, Payload, Read, RequestParams, Watch, Write, changed_keys
from .brand import needs_console_deletion, update_needed

RECREATE_GAP_SECONDS = 5  # docs/twilio.md section 5.4
USE_CASE = "SOLE_PROPRIETOR"


def fee() -> Decimal:
    return price(FeeKind.CAMPAIGN_VETTING)


def drift(registration: Registration) -> set[str]:
    """The parameters that differ from Twilio's; empty without a campaign."""
    campaign = registration.campaign
    if not campaign.sid:
        return set()
    return changed_keys(campaign.accepted_params.get("campaign", {}), payloads.campaign(registration))


def _create_service(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_service(**request_params)


def _find_service(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.named(client.iter_services(), request_params["friendly_name"])


def _service_check_needed(registration: Registration) -> bool:
    """The campaign disappeared and was requested again: the whole service may be gone too (21701)."""
    campaign = registration.campaign
    requested = bool(campaign.service_sid and campaign.missing_since and campaign.resubmit_requested)
    return requested and campaign.accepted_params.get("service_seen") != str(campaign.missing_since)


def _check_service(client: TwilioClient, registration: Registration) -> dict[str, Any]:
    campaign = registration.campaign
    if finders.when_found(lambda: client.fetch_service(campaign.service_sid)) is not None:
        return {"accepted_params": {**campaign.accepted_params, "service_seen": str(campaign.missing_since)}}
    return {
        "service_sid": "",
        "accepted_params": {
            key: value for key, value in campaign.accepted_params.items() if key != "service"
        },
    }


def _create(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_campaign(
        registration.campaign.service_sid,
        us_app_to_person_usecase=USE_CASE,
        **request_params,
    )


def _create_needed(registration: Registration) -> bool:
    campaign = registration.campaign
    return not campaign.sid or bool(campaign.missing_since and campaign.resubmit_requested)


def _fetch(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_campaign(registration.campaign.service_sid)


def _find(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload | None:
    """The service belongs to this registration alone and holds at most one campaign."""
    return finders.when_found(lambda: _fetch(client, registration))


def _recreate_gap(registration: Registration) -> datetime | None:
    deleted_at = registration.campaign.deleted_at
    return deleted_at + scaled(RECREATE_GAP_SECONDS) if deleted_at else None


def _must_recreate(registration: Registration) -> bool:
    """Some rejections require a new registration instead of an edit, e.g. 30901 (docs/twilio.md section 5.2)."""
    scopes = [item.failure.redo for item in parse_error_items(registration.campaign.errors)]
    return any("campaign_recreate" in redo and "campaign_update" not in redo for redo in scopes)


def resubmission_may_help(registration: Registration) -> bool:
    """Whether resubmitting the campaign can end differently."""
    return bool(drift(registration)) or not conditions.is_unfixable("campaign", registration.campaign)


def _update_needed(registration: Registration) -> bool:
    """A person submitted after it was rejected. Vetting may be charged, so an earlier edit is not enough."""
    campaign = registration.campaign
    failed = campaign.status == CAMPAIGN_FAILED and not campaign.missing_since
    if not campaign.sid or not failed or _must_recreate(registration):
        return False
    editable = drift(registration) <= payloads.EDITABLE_CAMPAIGN_KEYS
    return campaign.resubmit_requested and editable and resubmission_may_help(registration)


def _update(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    editable = {key: value for key, value in request_params.items() if key in payloads.EDITABLE_CAMPAIGN_KEYS}
    return client.update_campaign(registration.campaign.service_sid, **editable)


def _find_updated(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = _fetch(client, registration)
    landed = canonical(
        CAMPAIGN, payload.get("campaign_status")
    ) != CAMPAIGN_FAILED or conditions.changed_since_sync(registration.campaign, payload)
    return payload if landed else None


def _delete_needed(registration: Registration) -> bool:
    campaign, changed = registration.campaign, drift(registration)
    if not campaign.sid or not registration.brand.sid:
        return False
    if "brand_registration_sid" in changed:
        return True  # its brand is gone, so the campaign is useless
    if campaign.status != CAMPAIGN_FAILED or not campaign.resubmit_requested:
        return False
    return _must_recreate(registration) or not changed <= payloads.EDITABLE_CAMPAIGN_KEYS


def _brand_requires_deletion(registration: Registration) -> bool:
    """A brand with a campaign can be neither edited nor deleted (docs/twilio.md section 4.4, code 30710).

    True only after a person submitted, so no customer's messages stop on their own.
    """
    campaign = registration.campaign
    if not campaign.sid:
        return False
    return update_needed(registration) or (
        needs_console_deletion(registration) and campaign.resubmit_requested
    )


def _delete(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.delete_campaign(registration.campaign.service_sid)


def _find_deleted(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    """An empty payload means the campaign is gone."""
    return {} if finders.when_found(lambda: _fetch(client, registration)) is None else None


def _failed(registration: Registration) -> str:
    campaign = registration.campaign
    if campaign.missing_since:
        return "Twilio no longer has this campaign. Submit registers it again."
    if campaign.status == CAMPAIGN_FAILED:
        rejection = conditions.refusal("The campaign was rejected", "campaign", campaign)
        return rejection + conditions.unchanged_again("campaign", campaign)
    if campaign.status == CAMPAIGN_SUSPENDED:
        return "Twilio suspended this campaign. Only Twilio Support can lift the suspension."
    return ""


DELETE_FOR_BRAND = Write(
    slug="campaign.make_way",
    label="Delete the campaign first",
    part="campaign",
    stage=Stage.BRAND,
    is_needed=_brand_requires_deletion,
    request_params=lambda registration: {"sid": registration.campaign.sid},
    execute=_delete,
    find=_find_deleted,
    key="deleted",
    kind="campaign_deleted",
    timestamps=("deleted_at",),
    rate_limit="a2p",
    repair=True,
    implies=("campaign.create",),
    help="A brand cannot be edited or deleted while it has a campaign. The campaign is created again at the end.",
)

STEPS: tuple[AnyStep, ...] = (
    Read(
        slug="campaign.look_at_service",
        label="Check that the messaging service exists",
        part="campaign",
        stage=Stage.CAMPAIGN,
        is_needed=_service_check_needed,
        applies=_service_check_needed,
        learn=_check_service,
        help="Only if the campaign is gone. A missing service is created again.",
    ),
    Write(
        slug="campaign.create_service",
        label="Create the messaging service",
        part="campaign",
        stage=Stage.CAMPAIGN,
        is_needed=lambda registration: not registration.campaign.service_sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("service"),
            # By default a number in a service uses the service's webhook, but the customer's incoming messages
            # must keep going where the number points.
            "use_inbound_webhook_on_number": settings.A2P_KEEP_NUMBER_WEBHOOKS,
        },
        execute=_create_service,
        find=_find_service,
        key="service",
        kind="service",
        sid_field="service_sid",
    ),
    Write(
        slug="campaign.update",
        label="Update the campaign",
        part="campaign",
        stage=Stage.CAMPAIGN,
        is_needed=_update_needed,
        request_params=payloads.campaign,
        execute=_update,
        find=_find_updated,
        key="campaign",
        kind="campaign",
        timestamps=("submitted_at",),
        resets={"resubmit_requested": False},
        poll_after=60,
        fee=fee,
        rate_limit="a2p",
        repair=True,
        help="Edited in place. Twilio may charge the vetting fee again.",
    ),
    Write(
        slug="campaign.delete",
        label="Delete the rejected campaign",
        part="campaign",
        stage=Stage.CAMPAIGN,
        is_needed=_delete_needed,
        request_params=lambda registration: {"sid": registration.campaign.sid},
        execute=_delete,
        find=_find_deleted,
        key="deleted",
        kind="campaign_deleted",
        timestamps=("deleted_at",),
        rate_limit="a2p",
        repair=True,
        implies=("campaign.create",),
        help="Keywords and automatic replies cannot be edited, so the campaign is deleted and created again.",
    ),
    Write(
        slug="campaign.create",
        label="Register the campaign",
        part="campaign",
        stage=Stage.CAMPAIGN,
        is_needed=_create_needed,
        request_params=payloads.campaign,
        execute=_create,
        find=_find,
        key="campaign",
        kind="campaign",
        sid_field="sid",
        timestamps=("submitted_at",),
        resets={"resubmit_requested": False, "missing_since": None},
        poll_after=60,
        settle_seconds=60,
        fee=fee,
        rate_limit="a2p",
        not_before=_recreate_gap,
        help="Vetting is charged when the campaign is reviewed outside Twilio.",
    ),
    Watch(
        slug="campaign.review",
        label="The campaign is approved",
        part="campaign",
        stage=Stage.CAMPAIGN,
        exists=lambda registration: bool(registration.campaign.sid),
        passed=lambda registration: (
            registration.campaign.status == CAMPAIGN_VERIFIED and not registration.campaign.missing_since
        ),
        failed=_failed,
        fetch=_fetch,
        kind="campaign",
        # Automatic checks reject within minutes; people take 10 to 15 days (docs/twilio.md section 8).
        intervals=(120, 300, 900, 3600, 3600, 7200, 14400),
        backstop=lambda registration: conditions.daily(registration.campaign),
        reason="Carrier reviewers are checking the campaign. This usually takes 10 to 15 days.",
    ),
)

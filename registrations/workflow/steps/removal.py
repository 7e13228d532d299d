"""Removing a registration from Twilio, in the order that Twilio allows (docs/twilio.md section 1.2, 5.4 and 6.4).

Number, campaign, service, then the bundles and their parts. A brand has no delete call: it is retired, with a task
for a person. What Twilio refuses to delete is retired too, and the removal continues. Numbers are detached from the
service but stay in the account, because they may be used elsewhere.
"""

from collections.abc import Callable
from typing import Any

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import TwilioClient

from . import finders
from .base import AnyStep, Payload, Read, RequestParams, Write
from .number import detach, find_detached


def _delete(
    name: str,
    label: str,
    part: str,
    column: str,
    delete: Callable[[TwilioClient, str], Payload],
    fetch: Callable[[TwilioClient, str], Payload],
) -> Write:
    """One DELETE by SID. If the object is still there after a lost reply, the delete did not happen."""

    def sid(registration: Registration) -> str:
        return str(getattr(getattr(registration, part), column))

    def execute(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
        return delete(client, request_params["sid"])

    def find(
        client: TwilioClient, registration: Registration, request_params: RequestParams
    ) -> Payload | None:
        return {} if finders.when_found(lambda: fetch(client, request_params["sid"])) is None else None

    return Write(
        slug=f"remove.{name}",
        label=label,
        part=part,
        stage=Stage.REMOVING,
        is_needed=lambda registration: bool(sid(registration)),
        request_params=lambda registration: {"sid": sid(registration)},
        execute=execute,
        find=find,
        key=f"removed_{name}",
        kind="removed",
        sid_field=column,
        resets={column: ""},
        repair=True,
        retire_on_refusal=True,
    )


def _number_params(registration: Registration) -> RequestParams:
    return dict(registration.phone_number.accepted_params.get("attached", {}))


def _delete_campaign(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.delete_campaign(request_params["service_sid"])


def _find_campaign_gone(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    campaign = finders.when_found(lambda: client.fetch_campaign(request_params["service_sid"]))
    return {} if campaign is None else None


def _release_brand(client: TwilioClient, registration: Registration) -> dict[str, Any]:
    return {"sid": "", "status": "", "identity_status": "", "next_poll_at": None}


STEPS: tuple[AnyStep, ...] = (
    Write(
        slug="remove.number",
        label="Remove the number from the service",
        part="phone_number",
        stage=Stage.REMOVING,
        is_needed=lambda registration: bool(
            registration.phone_number.attached_at
            and registration.phone_number.accepted_params.get("attached")
        ),
        request_params=_number_params,
        execute=detach,
        find=find_detached,
        key="detached",
        kind="detached",
        resets={"attached_at": None, "confirmed_at": None, "next_poll_at": None},
        repair=True,
        help="The number stays in your account.",
    ),
    Write(
        slug="remove.campaign",
        label="Delete the campaign",
        part="campaign",
        stage=Stage.REMOVING,
        is_needed=lambda registration: bool(registration.campaign.sid and registration.campaign.service_sid),
        request_params=lambda registration: {"service_sid": registration.campaign.service_sid},
        execute=_delete_campaign,
        find=_find_campaign_gone,
        key="deleted",
        kind="campaign_deleted",
        timestamps=("deleted_at",),
        resets={"next_poll_at": None},
        rate_limit="a2p",
        repair=True,
        help="Messages stop.",
    ),
    _delete(
        "service",
        "Delete the messaging service",
        "campaign",
        "service_sid",
        lambda client, sid: client.delete_service(sid),
        lambda client, sid: client.fetch_service(sid),
    ),
    Read(
        slug="remove.brand",
        label="Release the brand",
        part="brand",
        stage=Stage.REMOVING,
        is_needed=lambda registration: bool(registration.brand.sid),
        learn=_release_brand,
        retires="sid",
        help="Brands can only be deleted in Twilio's Console. A task stays open until it is gone.",
    ),
    _delete(
        "trust_bundle",
        "Delete the trust bundle",
        "trust_bundle",
        "sid",
        lambda client, sid: client.delete_bundle("trust_product", sid),
        lambda client, sid: client.fetch_bundle("trust_product", sid),
    ),
    _delete(
        "sole_proprietor",
        "Delete the sole proprietor's record",
        "trust_bundle",
        "end_user_sid",
        lambda client, sid: client.delete_end_user(sid),
        lambda client, sid: client.fetch_end_user(sid),
    ),
    _delete(
        "profile",
        "Delete the starter profile",
        "profile",
        "sid",
        lambda client, sid: client.delete_bundle("customer_profile", sid),
        lambda client, sid: client.fetch_bundle("customer_profile", sid),
    ),
    _delete(
        "document",
        "Delete the address document",
        "profile",
        "supporting_document_sid",
        lambda client, sid: client.delete_supporting_document(sid),
        lambda client, sid: client.fetch_supporting_document(sid),
    ),
    _delete(
        "address",
        "Delete the address",
        "profile",
        "address_sid",
        lambda client, sid: client.delete_address(sid),
        lambda client, sid: client.fetch_address(sid),
    ),
    _delete(
        "person",
        "Delete the person's record",
        "profile",
        "end_user_sid",
        lambda client, sid: client.delete_end_user(sid),
        lambda client, sid: client.fetch_end_user(sid),
    ),
)

"""Repairs that replace an object at Twilio because it cannot be changed in place.

An address that hangs on a verified document is immutable (21630), and the country of an address always is: then
a new address and a new document are made and swapped in (docs/twilio.md section 1.2 and 6.4). The old ones are kept in
the list of retired resources by `sync`.
"""

import re

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import BundleKind, TwilioClient

from . import conditions, finders, payloads
from .base import Payload, RequestParams, Write, unchanged

KIND: BundleKind = "customer_profile"
ADDRESS_IS_IMMUTABLE = 21630
_ADDRESS_SID = re.compile(r"\bAD[0-9a-f]{32}\b")


def address_drifted(registration: Registration) -> bool:
    """The address was edited since Twilio took it."""
    profile = registration.profile
    return bool(profile.address_sid) and not unchanged(
        profile.accepted_params.get("address", {}).get("address"), payloads.address(registration)
    )


def address_lost(registration: Registration) -> bool:
    """Twilio rejected the profile because it has our address no longer, and a person submitted again."""
    profile = registration.profile
    return profile.resubmit_requested and profile.address_sid in _ADDRESS_SID.findall(profile.failure_reason)


def must_replace_address(registration: Registration) -> bool:
    """Twilio refused to change it (21630), has it no longer, or its country changed, which Twilio cannot do."""
    sent = registration.profile.accepted_params.get("address", {}).get("address", {})
    moved = bool(sent.get("iso_country")) and sent["iso_country"] != registration.profile.iso_country
    return registration.profile.address_locked or moved or address_lost(registration)


def _generation(registration: Registration, kind: str) -> int:
    """1 for the first object of a kind; each retired one makes the next a generation younger."""
    return registration.retired.filter(kind=kind).count() + 2


def _address_basis(registration: Registration) -> RequestParams:
    return {
        "friendly_name": registration.friendly_name("address", _generation(registration, "address")),
        "address": payloads.address(registration),
    }


def _create_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_address(
        friendly_name=request_params["friendly_name"], auto_correct_address=False, **request_params["address"]
    )


def _find_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.named(
        client.iter_addresses(friendly_name=request_params["friendly_name"]), request_params["friendly_name"]
    )


def _document_stale(registration: Registration) -> bool:
    """The document still names the former address."""
    profile = registration.profile
    sent = profile.accepted_params.get("document", {}).get("attributes", {}).get("address_sids")
    return bool(profile.supporting_document_sid and sent and sent != profile.address_sid)


def _document_basis(registration: Registration) -> RequestParams:
    return {
        "friendly_name": registration.friendly_name(
            "document", _generation(registration, "supporting_document")
        ),
        "type": "customer_profile_address",
        "attributes": {"address_sids": registration.profile.address_sid},
    }


def _create_document(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_supporting_document(**request_params)


def _find_document(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.named(client.iter_supporting_documents(), request_params["friendly_name"])


def _assignment_stale(registration: Registration) -> bool:
    profile = registration.profile
    assigned = profile.accepted_params.get("assign_document", {}).get("object_sid")
    return bool(profile.document_assignment_sid and assigned and assigned != profile.supporting_document_sid)


def _unassign(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.delete_assignment(KIND, registration.profile.sid, request_params["sid"])


def _find_unassigned(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    """Found means that it is gone."""
    left = client.iter_assignments(KIND, registration.profile.sid)
    return None if any(item.get("sid") == request_params["sid"] for item in left) else {}


REPLACE_ADDRESS = Write(
    slug="profile.replace_address",
    label="Make a new address",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=lambda registration: (
        conditions.may_repair(registration)
        and must_replace_address(registration)
        and (address_drifted(registration) or address_lost(registration))
    ),
    request_params=_address_basis,
    execute=_create_address,
    find=_find_address,
    key="address",
    kind="address",
    sid_field="address_sid",
    resets={"address_locked": False},
    repair=True,
    implies=("profile.replace_document", "profile.unassign_document", "profile.assign_document"),
    help="Twilio does not change an address that it has verified, or has lost; a new one takes its place.",
)
REPLACE_DOCUMENT = Write(
    slug="profile.replace_document",
    label="Make a new address document",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=_document_stale,
    request_params=_document_basis,
    execute=_create_document,
    find=_find_document,
    key="document",
    kind="supporting_document",
    sid_field="supporting_document_sid",
    repair=True,
    help="It names the new address.",
)
UNASSIGN_DOCUMENT = Write(
    slug="profile.unassign_document",
    label="Take the former document out",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=_assignment_stale,
    request_params=lambda registration: {"sid": registration.profile.document_assignment_sid},
    execute=_unassign,
    find=_find_unassigned,
    key="unassigned",
    kind="assignment",
    # What was evaluated before is not what the profile holds then.
    resets={"document_assignment_sid": "", "evaluation_status": ""},
    repair=True,
    help="The profile takes one address document.",
)

"""The profile's address and the document that proves it: created, changed in place, or replaced.

The address of a verified document is immutable (21630), and an address's country always is. Then a new address and
a new document are created and swapped in (docs/twilio.md section 1.2 and 6.4); the recorder keeps the old ones in the
list of retired resources.
"""

import re

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import BundleKind, TwilioClient

from . import conditions, finders, payloads
from .base import Payload, RequestParams, Write, unchanged

BUNDLE_KIND: BundleKind = "customer_profile"
ADDRESS_IS_IMMUTABLE = 21630
_ADDRESS_SID = re.compile(r"\bAD[0-9a-f]{32}\b")


# --- what is needed -----------------------------------------------------------------------------------------
def _address_drifted(registration: Registration) -> bool:
    """The address was edited since Twilio accepted it."""
    profile = registration.profile
    return bool(profile.address_sid) and not unchanged(
        profile.accepted_params.get("address", {}).get("address"), payloads.address(registration)
    )


def _address_lost(registration: Registration) -> bool:
    """Twilio rejected the profile because our address no longer exists there, and a person submitted again."""
    profile = registration.profile
    return profile.resubmit_requested and profile.address_sid in _ADDRESS_SID.findall(profile.failure_reason)


def _must_replace_address(registration: Registration) -> bool:
    """Twilio refused to change it (21630) or lost it, or its country changed, which Twilio does not support."""
    sent = registration.profile.accepted_params.get("address", {}).get("address", {})
    moved = bool(sent.get("iso_country")) and sent["iso_country"] != registration.profile.iso_country
    return registration.profile.address_locked or moved or _address_lost(registration)


def _document_stale(registration: Registration) -> bool:
    """The document still names the old address."""
    profile = registration.profile
    sent = profile.accepted_params.get("document", {}).get("attributes", {}).get("address_sids")
    return bool(profile.supporting_document_sid and sent and sent != profile.address_sid)


def _assignment_stale(registration: Registration) -> bool:
    """The profile still holds the old document."""
    profile = registration.profile
    assigned = profile.accepted_params.get("assign_document", {}).get("object_sid")
    return bool(profile.document_assignment_sid and assigned and assigned != profile.supporting_document_sid)


# --- parameters and calls -----------------------------------------------------------------------------------
def _next_generation(registration: Registration, kind: str) -> int:
    """The number of a replacement's friendly name: 2 for the first one, and one more for each retired object."""
    return registration.retired.filter(kind=kind).count() + 2


def _document_params(registration: Registration, generation: int = 1) -> RequestParams:
    return {
        "friendly_name": registration.friendly_name("document", generation),
        "type": "customer_profile_address",
        "attributes": {"address_sids": registration.profile.address_sid},
    }


def _create_address(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
    # No AutoCorrectAddress: a silent rewrite would make Twilio's address differ from ours and the customer's.
    # A wrong address is rejected later with a suggestion that a person accepts.
    return client.create_address(
        friendly_name=params["friendly_name"], auto_correct_address=False, **params["address"]
    )


def _find_address(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload | None:
    name = params["friendly_name"]
    return finders.named(client.iter_addresses(friendly_name=name), name)


def _update_address(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
    fields = {key: value for key, value in params["address"].items() if key != "iso_country"}
    return client.update_address(registration.profile.address_sid, auto_correct_address=False, **fields)


def _find_updated_address(
    client: TwilioClient, registration: Registration, params: RequestParams
) -> Payload | None:
    payload = client.fetch_address(registration.profile.address_sid)
    same = all((payload.get(key) or "") == value for key, value in params["address"].items())
    return payload if same else None


def _create_document(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
    return client.create_supporting_document(**params)


def _find_document(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload | None:
    return finders.named(client.iter_supporting_documents(), params["friendly_name"])


def _unassign(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
    return client.delete_assignment(BUNDLE_KIND, registration.profile.sid, params["sid"])


def _find_unassigned(
    client: TwilioClient, registration: Registration, params: RequestParams
) -> Payload | None:
    """An empty payload means the assignment is gone."""
    left = client.iter_assignments(BUNDLE_KIND, registration.profile.sid)
    return None if any(item.get("sid") == params["sid"] for item in left) else {}


# --- the steps ----------------------------------------------------------------------------------------------
CREATE_ADDRESS = Write(
    slug="profile.create_address",
    label="Create the address",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=lambda registration: not registration.profile.address_sid,
    request_params=lambda registration: {
        "friendly_name": registration.friendly_name("address"),
        "address": payloads.address(registration),
    },
    execute=_create_address,
    find=_find_address,
    key="address",
    kind="address",
    sid_field="address_sid",
)
UPDATE_ADDRESS = Write(
    slug="profile.update_address",
    label="Update the address",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=lambda registration: (
        conditions.accepts_bundle_changes(registration)
        and _address_drifted(registration)
        and not _must_replace_address(registration)
    ),
    refusals={ADDRESS_IS_IMMUTABLE: {"address_locked": True}},
    request_params=lambda registration: {
        **registration.profile.accepted_params.get("address", {}),
        "address": payloads.address(registration),
    },
    execute=_update_address,
    find=_find_updated_address,
    key="address",
    kind="address",
    repair=True,
)
REPLACE_ADDRESS = Write(
    slug="profile.replace_address",
    label="Create a new address",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=lambda registration: (
        conditions.accepts_bundle_changes(registration)
        and _must_replace_address(registration)
        and (_address_drifted(registration) or _address_lost(registration))
    ),
    request_params=lambda registration: {
        "friendly_name": registration.friendly_name("address", _next_generation(registration, "address")),
        "address": payloads.address(registration),
    },
    execute=_create_address,
    find=_find_address,
    key="address",
    kind="address",
    sid_field="address_sid",
    resets={"address_locked": False},
    repair=True,
    implies=("profile.replace_document", "profile.unassign_document", "profile.assign_document"),
    help="Twilio cannot change an address that it verified or lost, so a new one replaces it.",
)
CREATE_DOCUMENT = Write(
    slug="profile.create_document",
    label="Create the address document",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=lambda registration: not registration.profile.supporting_document_sid,
    request_params=_document_params,
    execute=_create_document,
    find=_find_document,
    key="document",
    kind="supporting_document",
    sid_field="supporting_document_sid",
)
REPLACE_DOCUMENT = Write(
    slug="profile.replace_document",
    label="Create a new address document",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=_document_stale,
    request_params=lambda registration: _document_params(
        registration, _next_generation(registration, "supporting_document")
    ),
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
    label="Remove the old document",
    part="profile",
    stage=Stage.PROFILE,
    is_needed=_assignment_stale,
    request_params=lambda registration: {"sid": registration.profile.document_assignment_sid},
    execute=_unassign,
    find=_find_unassigned,
    key="unassigned",
    kind="assignment",
    # The earlier evaluation no longer describes what the profile holds.
    resets={"document_assignment_sid": "", "evaluation_status": ""},
    repair=True,
    help="A profile accepts one address document.",
)

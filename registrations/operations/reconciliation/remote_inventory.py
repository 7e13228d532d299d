"""What Twilio's account holds now: every list read once, page by page. Only the SID of foreign objects is kept."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from registrations.models import Registration
from registrations.twilio.client import TwilioClient, errors
from registrations.workflow.steps.base import Payload
from registrations.workflow.steps.payloads import attributes_of

from .resource_types import BUNDLES, RESOURCE_TYPES, Name, ResourceType, read_name

HEARTBEAT_EVERY = 500  # objects; a page holds 1000
# Seconds before a failed list is read again (docs/twilio.md section 8.1: reads are retried).
RETRY_WAITS = (1.0, 4.0)
MAX_RETRY_WAIT = 10.0


@dataclass(frozen=True)
class RemoteObject:
    """One object that may be ours. created: None if Twilio gives no time that we can parse.

    bundles: a brand's two bundles. address: the address SID of a document. has_campaign: for messaging services.
    """

    resource_type: str
    sid: str
    friendly_name: str
    status: str
    created: datetime | None
    name: Name | None = None
    bundles: tuple[str, str] = ("", "")
    address: str = ""
    has_campaign: bool = False


@dataclass
class Inventory:
    """type_of: {SID: resource type} of everything in the account. named: objects with our naming. brands: all brands.

    documents_on: {address SID: document SIDs}. read: objects per resource type.
    """

    type_of: dict[str, str] = field(default_factory=dict)
    named: dict[str, RemoteObject] = field(default_factory=dict)
    brands: dict[str, RemoteObject] = field(default_factory=dict)
    documents_on: dict[str, list[str]] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)

    def brands_on(self, bundle_sid: str) -> list[RemoteObject]:
        return [brand for brand in self.brands.values() if bundle_sid in brand.bundles]


def read_account(
    client: TwilioClient, heartbeat: Callable[[], None], wait: Callable[[float], None] | None = None
) -> Inventory:
    """Read all lists. `heartbeat` is called regularly to renew the lease; it raises to stop the reading.

    `wait(seconds)` is called before a list that Twilio could not deliver is read again; None: it is not read again.
    """
    found = Inventory()
    for resource_type in RESOURCE_TYPES.values():
        retry_waits = list(RETRY_WAITS) if wait else []
        while True:
            heartbeat()
            try:
                _read(found, resource_type, client, heartbeat)
                break
            except errors.Unavailable as error:
                if not retry_waits or wait is None:
                    raise
                wait(min(error.retry_after or retry_waits[0], MAX_RETRY_WAIT))
                retry_waits.pop(0)
    return found


def _read(
    found: Inventory, resource_type: ResourceType, client: TwilioClient, heartbeat: Callable[[], None]
) -> None:
    found.read[resource_type.slug] = 0
    for payload in resource_type.read(client):
        _add(found, to_remote_object(resource_type.slug, payload))
        found.read[resource_type.slug] += 1
        if found.read[resource_type.slug] % HEARTBEAT_EVERY == 0:
            heartbeat()


def _add(found: Inventory, remote: RemoteObject) -> None:
    if not remote.sid:
        return
    found.type_of[remote.sid] = remote.resource_type
    if remote.address:
        found.documents_on.setdefault(remote.address, []).append(remote.sid)
    if remote.resource_type == "brand":
        found.brands[remote.sid] = remote
    elif remote.name:
        found.named[remote.sid] = remote


def to_remote_object(resource_type: str, payload: Payload) -> RemoteObject:
    name = str(payload.get("friendly_name") or "")
    return RemoteObject(
        resource_type=resource_type,
        sid=str(payload.get("sid") or ""),
        friendly_name=name,
        status=str(payload.get("status") or ""),
        created=_parse_time(payload.get("date_created")),
        name=read_name(resource_type, name),
        bundles=bundles_of(payload) if resource_type == "brand" else ("", ""),
        address=address_of(payload) if resource_type == "supporting_document" else "",
        has_campaign=resource_type == "service" and payload.get("us_app_to_person_registered") is True,
    )


def bundles_of(brand: Payload) -> tuple[str, str]:
    """A brand's customer profile and trust bundle."""
    return (
        str(brand.get("customer_profile_bundle_sid") or ""),
        str(brand.get("a2p_profile_bundle_sid") or ""),
    )


def expected_bundles(registration: Registration) -> tuple[str, str]:
    return registration.profile.sid, registration.trust_bundle.sid


def address_of(document: Payload) -> str:
    """The SID (AD…) of a document's address."""
    return str(attributes_of(document).get("address_sids") or "")


def is_bundle(resource_type: str) -> bool:
    return resource_type in BUNDLES


def _parse_time(value: object) -> datetime | None:
    """ISO 8601, or RFC 2822 as for addresses and numbers (docs/twilio.md section 1.1)."""
    if not isinstance(value, str):
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(value)
        except (ValueError, TypeError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None

"""What Twilio's account holds now: every list read once, page by page; of foreign objects only the SID is kept."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from registrations.models import Registration
from registrations.twilio.client import TwilioClient, errors
from registrations.workflow.steps.base import Payload
from registrations.workflow.steps.payloads import attributes_of

from .resource_types import BUNDLES, KINDS, Kind, Name, read_name

PULSE_EVERY = 500  # objects; a page holds 1000
# Seconds before a list is read again that broke off (docs/twilio.md section 8.1: reads are retried).
RESTS = (1.0, 4.0)
LONGEST_REST = 10.0


@dataclass(frozen=True)
class Thing:
    """One object that may be ours. created: None when Twilio says no time that we can read.

    pair: a brand's two bundles. address: what a document is about. busy: a service that has a campaign.
    """

    kind: str
    sid: str
    friendly_name: str
    status: str
    created: datetime | None
    name: Name | None = None
    pair: tuple[str, str] = ("", "")
    address: str = ""
    busy: bool = False


@dataclass
class Inventory:
    """kind_of: every SID of the account and its kind. named: what carries our naming. brands: all of them."""

    kind_of: dict[str, str] = field(default_factory=dict)
    named: dict[str, Thing] = field(default_factory=dict)
    brands: dict[str, Thing] = field(default_factory=dict)
    documents_of: dict[str, list[str]] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)

    def brands_on(self, bundle_sid: str) -> list[Thing]:
        return [brand for brand in self.brands.values() if bundle_sid in brand.pair]


def take(
    client: TwilioClient, pulse: Callable[[], None], rest: Callable[[float], None] | None = None
) -> Inventory:
    """Read all lists. `pulse` is called now and then: it tells that we live, or raises to stop us.

    `rest(seconds)`: a list that Twilio could not give just now is read again after it; None: at once no more.
    """
    found = Inventory()
    for kind in KINDS.values():
        waits = list(RESTS) if rest else []
        while True:
            pulse()
            try:
                _read(found, kind, client, pulse)
                break
            except errors.Unavailable as error:
                if not waits or rest is None:
                    raise
                rest(min(error.retry_after or waits[0], LONGEST_REST))
                waits.pop(0)
    return found


def _read(found: Inventory, kind: Kind, client: TwilioClient, pulse: Callable[[], None]) -> None:
    found.read[kind.slug] = 0
    for payload in kind.read(client):
        _note(found, thing_of(kind.slug, payload))
        found.read[kind.slug] += 1
        if found.read[kind.slug] % PULSE_EVERY == 0:
            pulse()


def _note(found: Inventory, thing: Thing) -> None:
    if not thing.sid:
        return
    found.kind_of[thing.sid] = thing.kind
    if thing.address:
        found.documents_of.setdefault(thing.address, []).append(thing.sid)
    if thing.kind == "brand":
        found.brands[thing.sid] = thing
    elif thing.name:
        found.named[thing.sid] = thing


def thing_of(kind: str, payload: Payload) -> Thing:
    name = str(payload.get("friendly_name") or "")
    return Thing(
        kind=kind,
        sid=str(payload.get("sid") or ""),
        friendly_name=name,
        status=str(payload.get("status") or ""),
        created=_moment(payload.get("date_created")),
        name=read_name(kind, name),
        pair=pair_of(payload) if kind == "brand" else ("", ""),
        address=address_of(payload) if kind == "supporting_document" else "",
        busy=kind == "service" and payload.get("us_app_to_person_registered") is True,
    )


def pair_of(brand: Payload) -> tuple[str, str]:
    """A brand's customer profile and trust bundle."""
    return (
        str(brand.get("customer_profile_bundle_sid") or ""),
        str(brand.get("a2p_profile_bundle_sid") or ""),
    )


def pair_wanted(registration: Registration) -> tuple[str, str]:
    return registration.profile.sid, registration.trust_bundle.sid


def address_of(document: Payload) -> str:
    """The AD… that a document names."""
    return str(attributes_of(document).get("address_sids") or "")


def is_bundle(kind: str) -> bool:
    return kind in BUNDLES


def _moment(value: object) -> datetime | None:
    """ISO 8601, or RFC 2822 as addresses and numbers have it (docs/twilio.md section 1.1)."""
    if not isinstance(value, str):
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(value)
        except (ValueError, TypeError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None

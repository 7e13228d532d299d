"""Which objects at Twilio are ours, how each type is read and deleted, and where a registration keeps its SID.

Lists, filters and deletions: docs/twilio.md section 1.2. The API cannot delete brands, and a number is a monthly cost
that a person agreed to: neither is ever deleted from here.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from registrations.models import Registration
from registrations.models.registration import REF_ALPHABET
from registrations.twilio.client import TwilioClient
from registrations.workflow.steps import BY_SLUG, Write
from registrations.workflow.steps.base import Payload

# The exact alphabet of a ref tells our names from a name such as "A2P registration bundle".
_NAME = re.compile(rf"A2P ([{REF_ALPHABET}]{{12}}) (.+?)(?: v(\d+))?")


@dataclass(frozen=True)
class ResourceType:
    """One list at Twilio. delete: None if the API has none, or if we never delete."""

    slug: str
    label: str
    read: Callable[[TwilioClient], Iterator[Payload]]
    fetch: Callable[[TwilioClient, str], Payload]
    delete: Callable[[TwilioClient, str], Payload] | None = None


# In the order of deletion: an object comes before what it uses.
RESOURCE_TYPES: dict[str, ResourceType] = {
    resource_type.slug: resource_type
    for resource_type in (
        ResourceType(
            "trust_product",
            "Trust bundle",
            lambda client: client.iter_bundles("trust_product"),
            lambda client, sid: client.fetch_bundle("trust_product", sid),
            lambda client, sid: client.delete_bundle("trust_product", sid),
        ),
        ResourceType(
            "customer_profile",
            "Customer profile",
            lambda client: client.iter_bundles("customer_profile"),
            lambda client, sid: client.fetch_bundle("customer_profile", sid),
            lambda client, sid: client.delete_bundle("customer_profile", sid),
        ),
        ResourceType(
            "end_user",
            "End user",
            lambda client: client.iter_end_users(),
            lambda client, sid: client.fetch_end_user(sid),
            lambda client, sid: client.delete_end_user(sid),
        ),
        ResourceType(
            "supporting_document",
            "Address document",
            lambda client: client.iter_supporting_documents(),
            lambda client, sid: client.fetch_supporting_document(sid),
            lambda client, sid: client.delete_supporting_document(sid),
        ),
        ResourceType(
            "address",
            "Address",
            lambda client: client.iter_addresses(),
            lambda client, sid: client.fetch_address(sid),
            lambda client, sid: client.delete_address(sid),
        ),
        ResourceType(
            "service",
            "Messaging service",
            lambda client: client.iter_services(),
            lambda client, sid: client.fetch_service(sid),
            lambda client, sid: client.delete_service(sid),
        ),
        ResourceType(
            "brand",
            "Brand",
            lambda client: client.iter_brands(),
            lambda client, sid: client.fetch_brand(sid),
        ),
        ResourceType(
            "number",
            "Phone number",
            lambda client: client.iter_numbers(),
            lambda client, sid: client.fetch_number(sid),
        ),
    )
}
# SIDs of other types (assignments, evaluations, campaigns) are in no list of the account.
LISTED_PREFIXES = ("BU", "IT", "RD", "AD", "MG", "BN", "PN")
BUNDLES = ("customer_profile", "trust_product")


@dataclass(frozen=True)
class Slot:
    """Where a registration keeps the SID of one object.

    part: the words after the ref in its friendly name ("" for brands, which have no name). step: slug of the step
    that creates it. redo: steps whose result is void once the object is gone.
    """

    resource_type: str
    part: str
    step: str
    redo: tuple[str, ...] = ()

    @property
    def write(self) -> Write:
        step = BY_SLUG[self.step]
        assert isinstance(step, Write)
        return step

    @property
    def writes(self) -> list[Write]:
        """The step that creates it, and those of `redo`."""
        steps = (BY_SLUG[slug] for slug in (self.step, *self.redo))
        return [step for step in steps if isinstance(step, Write)]

    def sid(self, registration: Registration) -> str:
        return str(getattr(self.write.resource(registration), self.write.sid_field))


# After a part changes, the profile is evaluated and submitted again, and so is the trust bundle on top of it
# (docs/twilio.md section 6.7).
_AGAIN = ("trust_bundle.evaluate", "trust_bundle.submit")
_PROFILE_AGAIN = ("profile.evaluate", "profile.submit", *_AGAIN)
SLOTS: tuple[Slot, ...] = (
    Slot(
        "customer_profile",
        "profile",
        "profile.create",
        (
            "profile.assign_end_user",
            "profile.assign_document",
            "profile.assign_primary",
            "trust_bundle.assign_profile",
            *_PROFILE_AGAIN,
        ),
    ),
    Slot("end_user", "person", "profile.create_end_user", ("profile.assign_end_user", *_PROFILE_AGAIN)),
    # The document keeps the old address until the plan replaces it.
    Slot("address", "address", "profile.create_address", _PROFILE_AGAIN),
    Slot(
        "supporting_document",
        "document",
        "profile.create_document",
        ("profile.assign_document", *_PROFILE_AGAIN),
    ),
    Slot(
        "trust_product",
        "trust bundle",
        "trust_bundle.create",
        ("trust_bundle.assign_end_user", "trust_bundle.assign_profile", *_AGAIN),
    ),
    Slot(
        "end_user",
        "sole proprietor",
        "trust_bundle.create_end_user",
        ("trust_bundle.assign_end_user", *_AGAIN),
    ),
    Slot("brand", "", "brand.create"),
    Slot(
        "service",
        "service",
        "campaign.create_service",
        ("campaign.create", "number.detach", "number.attach"),
    ),
    Slot("number", "number", "number.buy", ("number.detach", "number.attach")),
)
SLOT_OF_STEP = {slot.step: slot for slot in SLOTS}
_SLOT_OF_NAME = {(slot.resource_type, slot.part): slot for slot in SLOTS if slot.part}


@dataclass(frozen=True)
class Name:
    """One of our friendly names, parsed. slot: None for a part that no current step creates."""

    ref: str
    part: str
    generation: int
    slot: Slot | None


def read_name(resource_type: str, friendly_name: object) -> Name | None:
    """Parse one of our friendly names; None for anybody else's.

    >>> read_name("address", "A2P abcdefghjkmn address v2").generation
    2
    >>> read_name("address", "A2P registration address") is None
    True
    """
    found = _NAME.fullmatch(friendly_name) if isinstance(friendly_name, str) else None
    if found is None:
        return None
    ref, part, generation = found.groups()
    return Name(ref, part, int(generation or 1), _SLOT_OF_NAME.get((resource_type, part)))

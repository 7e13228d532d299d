"""What an inventory means for us: orphans, retired objects, lost records, and the one safe action for each."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from registrations.core import clock
from registrations.models import Finding, Registration, RetiredResource
from registrations.workflow.steps import conditions

from . import local_inventory
from .local_inventory import is_busy, is_removed
from .remote_inventory import Inventory, RemoteObject, expected_bundles, is_bundle
from .resource_types import LISTED_PREFIXES, RESOURCE_TYPES, SLOT_OF_STEP, SLOTS, Slot

RECENT_SECONDS = 15 * 60.0
# With this many lost records, and that many times fewer objects present, this is probably the wrong account.
MIN_SUSPICIOUS_LOSSES, LOSS_RATIO = 10, 5

FindingType, Action = Finding.FindingType, Finding.Action
IN_PROGRESS = "May still be in progress. The next scan checks again."


class WrongAccount(Exception):
    """Twilio has almost none of the objects on record here, so nothing is concluded."""


@dataclass(frozen=True)
class Difference:
    """One finding before it is stored; columns as in models.Finding."""

    finding_type: str
    resource_type: str
    sid: str
    action: str
    note: str
    name: str = ""
    status: str = ""
    ref: str = ""
    step: str = ""
    registration_id: int | None = None
    in_progress: bool = False


@dataclass
class Comparison:
    """findings, and which retired objects are still at Twilio and which are gone."""

    findings: list[Difference] = field(default_factory=list)
    still_there: list[RetiredResource] = field(default_factory=list)
    gone: list[RetiredResource] = field(default_factory=list)


@dataclass(frozen=True)
class Missing:
    registration_id: int
    slot: Slot
    sid: str


def compare(inventory: Inventory, since: datetime) -> Comparison:
    """Compare Twilio with our tables. Call it after reading the lists, so that anything stored meanwhile is known.

    `since`: when the reading began. A registration that was worked on after it is left for the next scan.
    Raises WrongAccount.
    """
    unclaimed = {**inventory.named, **inventory.brands}
    missing, present, owners = _compare(inventory, unclaimed)
    if len(missing) >= max(MIN_SUSPICIOUS_LOSSES, present * LOSS_RATIO):
        raise WrongAccount(
            f"Twilio shows {present} of the {present + len(missing)} objects on record here. Is this the right "
            "account? Nothing was changed."
        )
    comparison = Comparison()
    _retired(inventory, unclaimed, since, comparison)
    comparison.findings += _orphans(inventory, unclaimed, owners, since)
    comparison.findings += _lost(missing, since)
    return comparison


def _compare(
    inventory: Inventory, unclaimed: dict[str, RemoteObject]
) -> tuple[list[Missing], int, dict[str, int]]:
    """Remove what our registrations know from `unclaimed`.

    Returns the missing objects, how many are present, and {bundle SID: registration id} for unclaimed brands.
    """
    slots = {(slot.write.part, slot.write.sid_field): slot for slot in SLOTS}
    missing: list[Missing] = []
    present, owners = 0, {}
    brand_bundles: set[str] = set()
    for part, model in local_inventory.PARTS.items():
        for pk, column, sid in local_inventory.sids(model):
            unclaimed.pop(sid, None)
            if sid in brand_bundles:
                owners[sid] = pk
            slot = slots.get((part, column))
            if sid in inventory.type_of:
                present += 1
            elif slot:
                missing.append(Missing(pk, slot, sid))
        if part == "brand":
            brand_bundles = {sid for remote in unclaimed.values() for sid in remote.bundles if sid}
    return missing, present, owners


# --- retired -----------------------------------------------------------------------------------------------------
def _retired(
    inventory: Inventory, unclaimed: dict[str, RemoteObject], since: datetime, comparison: Comparison
) -> None:
    rows = {
        row.sid: row
        for row in RetiredResource.objects.filter(missing_since=None).select_related("registration")
    }
    # Marked as gone earlier, but listed again.
    rows |= local_inventory.retired_of(sid for sid in unclaimed if sid not in rows)
    registrations = local_inventory.registrations("pk", {row.registration_id for row in rows.values()}, since)
    for sid, row in rows.items():
        if not sid.startswith(LISTED_PREFIXES):
            continue
        resource_type = inventory.type_of.get(sid)
        if resource_type is None:
            comparison.gone.append(row)
            continue
        comparison.still_there.append(row)
        remote = inventory.brands.get(sid) or inventory.named.get(sid)
        unclaimed.pop(sid, None)
        in_progress = is_busy(registrations.get(row.registration_id))
        action, note = (
            (Action.NONE, IN_PROGRESS)
            if in_progress
            else _retired_action(inventory, resource_type, row, set(rows))
        )
        comparison.findings.append(
            Difference(
                FindingType.RETIRED,
                resource_type,
                sid,
                action,
                f"{row.reason}. {note}".strip(),
                name=remote.friendly_name if remote else "",
                status=remote.status if remote else "",
                ref=row.registration.ref,
                registration_id=row.registration_id,
                in_progress=in_progress,
            )
        )


def _retired_action(
    inventory: Inventory, resource_type: str, row: RetiredResource, leaving: set[str]
) -> tuple[str, str]:
    if row.removal == RetiredResource.Removal.CONSOLE or RESOURCE_TYPES[resource_type].delete is None:
        return Action.CONSOLE, "Only Twilio's Console can delete it. This closes once it is gone."
    used = _why_in_use(inventory, resource_type, row.sid, leaving)
    return (Action.NONE, used) if used else (Action.DELETE, "")


def _why_in_use(inventory: Inventory, resource_type: str, sid: str, leaving: Container[str] = ()) -> str:
    """Why the object must stay for now, or "". Twilio itself refuses the rest (docs/twilio.md section 6.4).

    `leaving`: objects that are deleted before this one (in the order of RESOURCE_TYPES).
    """
    if is_bundle(resource_type) and (brands := inventory.brands_on(sid)):
        return f"Brand {brands[0].sid} uses it."
    documents = [one for one in inventory.documents_on.get(sid, ()) if one not in leaving]
    if resource_type == "address" and documents:
        return f"Document {documents[0]} refers to it. Delete that first."
    remote = inventory.named.get(sid)
    if remote and remote.has_campaign:
        return "It has a campaign, which would be deleted too. Check it in Twilio's Console."
    return ""


# --- orphans -----------------------------------------------------------------------------------------------------
def _orphans(
    inventory: Inventory, unclaimed: dict[str, RemoteObject], owners: dict[str, int], since: datetime
) -> Iterable[Difference]:
    named = [remote for remote in unclaimed.values() if remote.name]
    known = local_inventory.registrations("ref", {remote.name.ref for remote in named if remote.name}, since)
    by_ref = {registration.ref: registration for registration in known.values()}
    by_pk = local_inventory.registrations("pk", set(owners.values()), since)
    # Oldest first: among objects with the same name, the registration gets the oldest. Twilio lists newest first.
    taken: set[tuple[int, str]] = set()
    objects = reversed(unclaimed.values())
    for remote in sorted(objects, key=lambda remote: (remote.created is None, remote.created or since)):
        if remote.resource_type == "brand":
            if registration := _registration_of_brand(remote, inventory, owners, by_pk, by_ref):
                yield _orphan(inventory, remote, registration, taken)
            elif any(_is_ours(inventory, sid) for sid in remote.bundles):
                yield _orphan(inventory, remote, None, taken)
        elif remote.name and (registration := by_ref.get(remote.name.ref)):
            yield _orphan(inventory, remote, registration, taken)
        elif remote.name and remote.name.slot:
            yield _orphan(inventory, remote, None, taken)


def _is_ours(inventory: Inventory, bundle_sid: str) -> bool:
    return bundle_sid in inventory.named


def _registration_of_brand(
    remote: RemoteObject,
    inventory: Inventory,
    owners: dict[str, int],
    by_pk: dict[int, Registration],
    by_ref: dict[str, Registration],
) -> Registration | None:
    for sid in remote.bundles:
        if sid in owners:
            return by_pk.get(owners[sid])
        bundle = inventory.named.get(sid)
        if bundle and bundle.name and bundle.name.ref in by_ref:
            return by_ref[bundle.name.ref]
    return None


def _orphan(
    inventory: Inventory, remote: RemoteObject, registration: Registration | None, taken: set[tuple[int, str]]
) -> Difference:
    slot = (
        SLOT_OF_STEP["brand.create"] if remote.resource_type == "brand" else remote.name and remote.name.slot
    )
    in_progress = _is_recent(remote) or is_busy(registration)
    action: str
    if in_progress:
        action, note = Action.NONE, IN_PROGRESS
    elif (
        registration
        and slot
        and (registration.pk, slot.step) not in taken
        and may_adopt(registration, slot, remote) == ""
    ):
        taken.add((registration.pk, slot.step))
        action, note = (
            Action.ADOPT,
            "Its registration needs exactly this object. Use it instead of creating another.",
        )
    else:
        action, note = _how_to_remove(inventory, remote, registration)
    return Difference(
        FindingType.ORPHAN,
        remote.resource_type,
        remote.sid,
        action,
        note,
        name=remote.friendly_name,
        status=remote.status,
        ref=registration.ref if registration else remote.name.ref if remote.name else "",
        step=slot.step if slot else "",
        registration_id=registration.pk if registration else None,
        in_progress=in_progress,
    )


def _is_recent(remote: RemoteObject) -> bool:
    """Created moments ago, perhaps by a call whose answer has not arrived. Without a date, assume so."""
    return remote.created is None or remote.created > clock.now() - clock.scaled(RECENT_SECONDS)


def may_adopt(registration: Registration, slot: Slot, remote: RemoteObject) -> str:
    """Why the registration cannot use this object, or ""."""
    if is_removed(registration):
        return "The registration was removed."
    if slot.sid(registration):
        return "The registration has one already."
    if remote.resource_type == "brand":
        fits = remote.bundles == expected_bundles(registration) and all(remote.bundles)
        return "" if fits else "The brand uses other bundles."
    if remote.friendly_name != registration.friendly_name(slot.part):
        return "Its name does not match the registration's."
    if is_bundle(remote.resource_type) and remote.status != "draft":
        return "It was already submitted."
    if remote.resource_type == "supporting_document" and remote.address != registration.profile.address_sid:
        return "It refers to another address."
    if remote.resource_type == "number" and (
        registration.phone_number.sender_number or not registration.phone_number.area_code
    ):
        return "The registration uses another number."
    return ""


def _how_to_remove(
    inventory: Inventory, remote: RemoteObject, registration: Registration | None
) -> tuple[str, str]:
    """How to remove an orphan that no registration can use: action and note."""
    whose = (
        "Its registration does not use it."
        if registration
        else "No registration here has this key. It may belong to another installation or a lost database."
    )
    if remote.resource_type == "brand":
        return (
            Action.CONSOLE,
            f"{whose} A second brand costs a second fee. Only Twilio's Console can delete brands.",
        )
    if remote.resource_type == "number":
        return (
            Action.CONSOLE,
            f"{whose} It is billed monthly until you release it in Twilio's Console.",
        )
    if used := _why_in_use(inventory, remote.resource_type, remote.sid):
        return Action.NONE, f"{whose} {used}"
    return Action.DELETE, whose


# --- lost ----------------------------------------------------------------------------------------------------------
def _lost(missing: list[Missing], since: datetime) -> Iterable[Difference]:
    known = local_inventory.registrations("pk", {item.registration_id for item in missing}, since)
    for item in missing:
        registration = known.get(item.registration_id)
        # The registration was read again: it may have changed since its SIDs were compared.
        if registration is None or is_removed(registration) or item.slot.sid(registration) != item.sid:
            continue
        if item.slot.resource_type == "brand" and registration.brand.missing_since:
            continue  # already known and shown on the registration
        in_progress = is_busy(registration)
        stays = may_forget(registration, item.slot)
        if in_progress:
            action, note = Action.NONE, IN_PROGRESS
        elif stays:
            action, note = Action.NONE, stays
        elif item.slot.resource_type == "brand":
            action, note = (
                Action.FORGET,
                "Marks the brand as missing. The registration then shows what to do.",
            )
        else:
            action, note = Action.FORGET, "Forgets the SID, so Submit creates the object again."
        yield Difference(
            FindingType.LOST,
            item.slot.resource_type,
            item.sid,
            action,
            note,
            name=registration.friendly_name(item.slot.part) if item.slot.part else "",
            ref=registration.ref,
            step=item.slot.step,
            registration_id=registration.pk,
            in_progress=in_progress,
        )


def may_forget(registration: Registration, slot: Slot) -> str:
    """Why the record must stay although its object is missing, or ""."""
    if slot.write.part not in ("profile", "trust_bundle"):
        return ""
    has_brand = bool(registration.brand.sid) and not registration.brand.missing_since
    if is_bundle(slot.resource_type) and has_brand:
        return "A brand uses it and can no longer change its bundles. Contact Twilio Support."
    if not conditions.accepts_bundle_changes(registration):
        return "Its brand is in review or approved, so Twilio accepts no changes now. Contact Twilio Support."
    return ""

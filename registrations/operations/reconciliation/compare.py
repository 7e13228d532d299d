"""What an inventory means for us: orphans, retired objects, lost records, and the one safe act for each."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from registrations.core import clock
from registrations.models import Finding, Registration, RetiredResource
from registrations.workflow.steps import conditions

from . import local_inventory
from .local_inventory import is_busy, is_removed
from .remote_inventory import Inventory, Thing, is_bundle, pair_wanted
from .resource_types import KINDS, LISTED_PREFIXES, SLOT_OF_STEP, SLOTS, Slot

YOUNG_SECONDS = 15 * 60.0
# From so many lost records on, with few others left, we are most likely looking at somebody else's account.
TOO_MANY_TO_LOSE, FEW = 10, 5

What, Action = Finding.What, Finding.Action
UNDER_WAY = "May still be under way: looked at again by the next scan."


class WrongAccount(Exception):
    """Twilio shows next to nothing of what we have on record; no conclusion is drawn."""


@dataclass(frozen=True)
class Judged:
    """One finding before it is stored."""

    what: str
    kind: str
    sid: str
    action: str
    note: str
    name: str = ""
    status: str = ""
    ref: str = ""
    step: str = ""
    registration_id: int | None = None
    under_way: bool = False


@dataclass
class Verdict:
    """findings, and which retired objects are still there, and which are gone."""

    findings: list[Judged] = field(default_factory=list)
    still_there: list[RetiredResource] = field(default_factory=list)
    gone: list[RetiredResource] = field(default_factory=list)


@dataclass(frozen=True)
class Missing:
    registration_id: int
    slot: Slot
    sid: str


def judge(inventory: Inventory, since: datetime) -> Verdict:
    """Compare Twilio with our tables. Call it after the lists were read: what was stored meanwhile is known then.

    `since` is when the reading began: a registration that was worked on after it is left for the next scan.
    Raises WrongAccount.
    """
    strays = {**inventory.named, **inventory.brands}
    missing, present, owners = _compare(inventory, strays)
    if len(missing) >= max(TOO_MANY_TO_LOSE, present * FEW):
        raise WrongAccount(
            f"Twilio shows {present} of the {present + len(missing)} objects on record here. Is this the right "
            "account? Nothing was concluded."
        )
    verdict = Verdict()
    _retired(inventory, strays, since, verdict)
    verdict.findings += _orphans(inventory, strays, owners, since)
    verdict.findings += _lost(missing, since)
    return verdict


def _compare(inventory: Inventory, strays: dict[str, Thing]) -> tuple[list[Missing], int, dict[str, int]]:
    """Take what our registrations know out of `strays`. Returns what is missing, how much is not, and bundle owners."""
    slots = {(slot.row.part, slot.row.sid_field): slot for slot in SLOTS}
    missing: list[Missing] = []
    present, owners = 0, {}
    stood_on: set[str] = set()
    for part, model in local_inventory.PARTS.items():
        for pk, column, sid in local_inventory.sids(model):
            strays.pop(sid, None)
            if sid in stood_on:
                owners[sid] = pk
            slot = slots.get((part, column))
            if sid in inventory.kind_of:
                present += 1
            elif slot:
                missing.append(Missing(pk, slot, sid))
        if part == "brand":
            stood_on = {sid for thing in strays.values() for sid in thing.pair if sid}
    return missing, present, owners


# --- retired -----------------------------------------------------------------------------------------------------
def _retired(inventory: Inventory, strays: dict[str, Thing], since: datetime, verdict: Verdict) -> None:
    rows = {
        row.sid: row
        for row in RetiredResource.objects.filter(missing_since=None).select_related("registration")
    }
    # One that counted as gone and is seen again was not.
    rows |= local_inventory.retired_of(sid for sid in strays if sid not in rows)
    registrations = local_inventory.registrations("pk", {row.registration_id for row in rows.values()}, since)
    for sid, row in rows.items():
        if not sid.startswith(LISTED_PREFIXES):
            continue
        kind = inventory.kind_of.get(sid)
        if kind is None:
            verdict.gone.append(row)
            continue
        verdict.still_there.append(row)
        thing = inventory.brands.get(sid) or inventory.named.get(sid)
        strays.pop(sid, None)
        under_way = is_busy(registrations.get(row.registration_id))
        action, note = (Action.NONE, UNDER_WAY) if under_way else _retire(inventory, kind, row, set(rows))
        verdict.findings.append(
            Judged(
                What.RETIRED,
                kind,
                sid,
                action,
                f"{row.reason}. {note}".strip(),
                name=thing.friendly_name if thing else "",
                status=thing.status if thing else "",
                ref=row.registration.ref,
                registration_id=row.registration_id,
                under_way=under_way,
            )
        )


def _retire(inventory: Inventory, kind: str, row: RetiredResource, leaving: set[str]) -> tuple[str, str]:
    if row.removal == RetiredResource.Removal.CONSOLE or KINDS[kind].delete is None:
        return Action.CONSOLE, "Only Twilio's Console removes it; this closes itself when it is gone."
    used = _use(inventory, kind, row.sid, leaving)
    return (Action.NONE, used) if used else (Action.DELETE, "")


def _use(inventory: Inventory, kind: str, sid: str, leaving: Container[str] = ()) -> str:
    """Why the object must stay for now, or "". Twilio itself refuses the rest (docs/twilio.md section 6.4).

    `leaving`: objects that go as well, and before this one (the order of KINDS).
    """
    if is_bundle(kind) and (brands := inventory.brands_on(sid)):
        return f"Brand {brands[0].sid} stands on it."
    documents = [one for one in inventory.documents_of.get(sid, ()) if one not in leaving]
    if kind == "address" and documents:
        return f"Document {documents[0]} names it; delete that first."
    thing = inventory.named.get(sid)
    if thing and thing.busy:
        return "It has a campaign of its own, which would be deleted with it: see to it in Twilio's Console."
    return ""


# --- orphans -----------------------------------------------------------------------------------------------------
def _orphans(
    inventory: Inventory, strays: dict[str, Thing], owners: dict[str, int], since: datetime
) -> Iterable[Judged]:
    named = [thing for thing in strays.values() if thing.name]
    known = local_inventory.registrations("ref", {thing.name.ref for thing in named if thing.name}, since)
    by_ref = {registration.ref: registration for registration in known.values()}
    by_pk = local_inventory.registrations("pk", set(owners.values()), since)
    # The oldest first: of several with one name it is the one that the registration gets. Lists are newest first.
    taken: set[tuple[int, str]] = set()
    things = reversed(strays.values())
    for thing in sorted(things, key=lambda thing: (thing.created is None, thing.created or since)):
        if thing.kind == "brand":
            if registration := _registration_of_brand(thing, inventory, owners, by_pk, by_ref):
                yield _orphan(inventory, thing, registration, taken)
            elif any(_ours(inventory, sid) for sid in thing.pair):
                yield _orphan(inventory, thing, None, taken)
        elif thing.name and (registration := by_ref.get(thing.name.ref)):
            yield _orphan(inventory, thing, registration, taken)
        elif thing.name and thing.name.slot:
            yield _orphan(inventory, thing, None, taken)


def _ours(inventory: Inventory, bundle_sid: str) -> bool:
    return bundle_sid in inventory.named


def _registration_of_brand(
    thing: Thing,
    inventory: Inventory,
    owners: dict[str, int],
    by_pk: dict[int, Registration],
    by_ref: dict[str, Registration],
) -> Registration | None:
    for sid in thing.pair:
        if sid in owners:
            return by_pk.get(owners[sid])
        bundle = inventory.named.get(sid)
        if bundle and bundle.name and bundle.name.ref in by_ref:
            return by_ref[bundle.name.ref]
    return None


def _orphan(
    inventory: Inventory, thing: Thing, registration: Registration | None, taken: set[tuple[int, str]]
) -> Judged:
    slot = SLOT_OF_STEP["brand.create"] if thing.kind == "brand" else thing.name and thing.name.slot
    under_way = _is_young(thing) or is_busy(registration)
    action: str
    if under_way:
        action, note = Action.NONE, UNDER_WAY
    elif (
        registration
        and slot
        and (registration.pk, slot.step) not in taken
        and may_adopt(registration, slot, thing) == ""
    ):
        taken.add((registration.pk, slot.step))
        action, note = (
            Action.ADOPT,
            "Its registration lacks exactly this object: use it instead of making another.",
        )
    else:
        action, note = _away(inventory, thing, registration)
    return Judged(
        What.ORPHAN,
        thing.kind,
        thing.sid,
        action,
        note,
        name=thing.friendly_name,
        status=thing.status,
        ref=registration.ref if registration else thing.name.ref if thing.name else "",
        step=slot.step if slot else "",
        registration_id=registration.pk if registration else None,
        under_way=under_way,
    )


def _is_young(thing: Thing) -> bool:
    """Made a moment ago, perhaps by a call whose answer is still on its way. Without a date: who knows."""
    return thing.created is None or thing.created > clock.now() - clock.scaled(YOUNG_SECONDS)


def may_adopt(registration: Registration, slot: Slot, thing: Thing) -> str:
    """Why this object cannot take its place in the registration, or ""."""
    if is_removed(registration):
        return "The registration was removed."
    if slot.sid(registration):
        return "The registration has one already."
    if thing.kind == "brand":
        fits = thing.pair == pair_wanted(registration) and all(thing.pair)
        return "" if fits else "The brand stands on other bundles."
    if thing.friendly_name != registration.friendly_name(slot.part):
        return "Its name is not the one that the registration would give it."
    if is_bundle(thing.kind) and thing.status != "draft":
        return "It has been submitted already."
    if thing.kind == "supporting_document" and thing.address != registration.profile.address_sid:
        return "It names another address."
    if thing.kind == "number" and (
        registration.phone_number.sender_number or not registration.phone_number.area_code
    ):
        return "The registration uses a number of its own."
    return ""


def _away(inventory: Inventory, thing: Thing, registration: Registration | None) -> tuple[str, str]:
    """How an orphan that no registration can use is got rid of."""
    whose = (
        "Its registration does not use it."
        if registration
        else "No registration here has this key: another desk, or a lost database."
    )
    if thing.kind == "brand":
        return (
            Action.CONSOLE,
            f"{whose} A second brand is a second fee. Only Twilio's Console deletes brands.",
        )
    if thing.kind == "number":
        return (
            Action.CONSOLE,
            f"{whose} It is paid for every month until it is released in Twilio's Console.",
        )
    if used := _use(inventory, thing.kind, thing.sid):
        return Action.NONE, f"{whose} {used}"
    return Action.DELETE, whose


# --- lost ----------------------------------------------------------------------------------------------------------
def _lost(missing: list[Missing], since: datetime) -> Iterable[Judged]:
    known = local_inventory.registrations("pk", {item.registration_id for item in missing}, since)
    for item in missing:
        registration = known.get(item.registration_id)
        # Read again: the registration may have moved on since its SIDs were compared.
        if registration is None or is_removed(registration) or item.slot.sid(registration) != item.sid:
            continue
        if item.slot.kind == "brand" and registration.brand.missing_since:
            continue  # known already, and the registration says so
        under_way = is_busy(registration)
        stays = may_forget(registration, item.slot)
        if under_way:
            action, note = Action.NONE, UNDER_WAY
        elif stays:
            action, note = Action.NONE, stays
        elif item.slot.kind == "brand":
            action, note = (
                Action.FORGET,
                "Marks the brand as gone; the registration then says what can be done.",
            )
        else:
            action, note = Action.FORGET, "Forgets the SID, so that Submit makes the object again."
        yield Judged(
            What.LOST,
            item.slot.kind,
            item.sid,
            action,
            note,
            name=registration.friendly_name(item.slot.part) if item.slot.part else "",
            ref=registration.ref,
            step=item.slot.step,
            registration_id=registration.pk,
            under_way=under_way,
        )


def may_forget(registration: Registration, slot: Slot) -> str:
    """Why the record must stay although its object is gone, or ""."""
    if slot.row.part not in ("profile", "trust_bundle"):
        return ""
    has_brand = bool(registration.brand.sid) and not registration.brand.missing_since
    if is_bundle(slot.kind) and has_brand:
        return "A brand stands on it and cannot change its bundles any more: ask Twilio's support."
    if not conditions.accepts_bundle_changes(registration):
        return "Its brand is under review or accepted: Twilio takes no changes now. Ask Twilio's support."
    return ""

"""What a new sandbox account owns: the ISV's approved primary profile and three phone numbers."""

from . import numbers
from .state import PRIMARY_POLICY, World
from .store import Obj

OWNED = {
    "PN" + "0" * 31 + "1": "+14155550101",
    "PN" + "0" * 31 + "2": "+14155550102",
    "PN" + "0" * 31 + "3": "+14155550103",
}


def seed(world: World) -> None:
    """Create what a new account owns; existing objects are kept."""
    with world.lock:
        _create(world)
        world.store.commit()


def _create(world: World) -> None:
    sid = world.config.primary_profile_sid
    if world.store.get("CustomerProfiles", sid) is None:
        fields: Obj = {
            "sid": sid,
            "policy_sid": PRIMARY_POLICY,
            "friendly_name": "Primary customer profile (ISV)",
            "status": "twilio-approved",
            "valid_until": None,
            "email": "isv@example.com",
            "status_callback": None,
            "errors": None,
            "_round": 0,
            "_changed": 0,
        }
        world.create("CustomerProfiles", "BU", fields)
    if not world.store.meta.get("numbers_seeded"):
        for pn, number in OWNED.items():
            numbers.add_owned(world, number, sid=pn)
        world.store.set_meta("numbers_seeded", True)


def add_numbers(world: World, count: int) -> list[str]:
    """Add ``count`` numbers to the account and return them (E.164)."""
    added = []
    for _ in range(count):
        serial = world.store.next_number("extra_number")
        number = f"+1415{556 + serial // 10000}{serial % 10000:04d}"
        if number.endswith(("0666", "0715")):  # skip the magic endings
            serial = world.store.next_number("extra_number")
            number = f"+1415{556 + serial // 10000}{serial % 10000:04d}"
        numbers.add_owned(world, number)
        added.append(number)
    return added

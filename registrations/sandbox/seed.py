"""What a fresh sandbox account owns: the ISV's approved primary profile and three phone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registrations.sandbox.store import Obj

if TYPE_CHECKING:
    from registrations.sandbox.state import World

OWNED = {
    "PN" + "0" * 31 + "1": "+14155550101",
    "PN" + "0" * 31 + "2": "+14155550102",
    "PN" + "0" * 31 + "3": "+14155550103",
}


def lay_down(world: World) -> None:
    from registrations.sandbox import numbers
    from registrations.sandbox.state import PRIMARY_POLICY

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
    if not world.store.meta.get("numbers_laid"):
        for pn, number in OWNED.items():
            numbers.add_owned(world, number, sid=pn)
        world.store.set_meta("numbers_laid", True)


def add_numbers(world: World, count: int) -> list[str]:
    """Give the account ``count`` more numbers. Returns their E.164 forms."""
    from registrations.sandbox import numbers

    made = []
    for _ in range(count):
        serial = world.store.next_number("extra_number")
        number = f"+1415{556 + serial // 10000}{serial % 10000:04d}"
        if number.endswith(("0666", "0715")):  # magic endings are asked for by name, not met by chance
            serial = world.store.next_number("extra_number")
            number = f"+1415{556 + serial // 10000}{serial % 10000:04d}"
        numbers.add_owned(world, number)
        made.append(number)
    return made

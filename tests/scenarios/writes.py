"""Which calls each remedy of the catalogue (`Failure.redo`) stands for, and a sandbox log as such actions."""

import re
from collections.abc import Iterable

from registrations.twilio.rejections import Failure

# {action: the writes it may make, as "METHOD path"}
CALLS: dict[str, tuple[str, ...]] = {
    "end_user": (r"POST /v1/EndUsers(/IT\w+)?", r"POST /v1/(CustomerProfiles|TrustProducts)/BU\w+\?Email"),
    "address": (
        r"POST /2010-04-01/Accounts/AC\w+/Addresses(/AD\w+)?\.json",
        r"POST /v1/SupportingDocuments(/RD\w+)?",
        r"(POST|DELETE) /v1/CustomerProfiles/BU\w+/EntityAssignments(/BV\w+)?",
    ),
    "profile": (r"POST /v1/CustomerProfiles/BU\w+(/Evaluations)?",),
    "trust_bundle": (r"POST /v1/TrustProducts/BU\w+(/Evaluations)?",),
    "brand_update": (r"POST /v1/a2p/BrandRegistrations/BN\w+",),
    "new_brand": (r"POST /v1/a2p/BrandRegistrations",),
    "resend_otp": (r"POST /v1/a2p/BrandRegistrations/BN\w+/SmsOtp",),
    "campaign_update": (r"POST /v1/Services/MG\w+/Compliance/Usa2p/QE\w+",),
    "campaign_recreate": (
        r"DELETE /v1/Services/MG\w+/Compliance/Usa2p/QE\w+",
        r"POST /v1/Services/MG\w+/Compliance/Usa2p",
    ),
    "service": (r"POST /v1/Services",),
    "number": (r"(POST|DELETE) /v1/Services/MG\w+/PhoneNumbers(/PN\w+)?",),
}
# Actions that are not calls to Twilio, or not calls of their own.
OTHERWISE = {"retry_later", "console_delete", "standard_brand", "operator", "support", "none"}
# What costs money: brand, campaign (an edit may).
PAID = ("new_brand", "campaign_update", "campaign_recreate")

# The actions for which a scene has objects; the others do not apply (registrations/twilio/rejections/entry.py).
AT = {"start": ["end_user", "address", "profile"]}
AT["profile"] = AT["start"]
AT["trust_bundle"] = [*AT["profile"], "trust_bundle"]
AT["brand"] = [*AT["trust_bundle"], "brand_update", "new_brand"]
AT["otp"] = ["resend_otp", "campaign_recreate"]
AT["campaign"] = ["campaign_update", "campaign_recreate", "number"]
AT["live"] = ["number"]


def action_of(entry: dict) -> str:
    """The action that one write belongs to; every write belongs to exactly one."""
    call = f"{entry['method']} {entry['path']}" + ("?Email" if "Email" in entry["params"] else "")
    found = [name for name, calls in CALLS.items() if any(re.fullmatch(one, call) for one in calls)]
    assert len(found) == 1, (call, found)
    return found[0]


def actions_of(entries: Iterable[dict]) -> list[str]:
    """The actions of a log, each once, in the order of their first writes."""
    return list(dict.fromkeys(map(action_of, entries)))


def promised(failure: Failure, scene: str) -> list[str]:
    """What the entry says is done at Twilio, for a registration in this scene."""
    return [action for action in failure.redo if action in AT[scene]]


def is_dead_end(failure: Failure) -> bool:
    """We can carry out none of the entry's actions.

    An operator's fix of the settings helps a call that was rejected immediately, but no rejected object.
    """
    nowhere = {"console_delete", "standard_brand", "support", "none"}
    return set(failure.redo) <= (nowhere if failure.area == "synchronous" else nowhere | {"operator"})

"""One valid customer, as the actions accept it."""

from typing import Any

from registrations.models import Registration
from registrations.operations import actions

BRAND_NAME = "Ann Lee Nails"
OWNED_NUMBER = "+14155550101"
OWNED_NUMBER_SID = "PN" + "0" * 31 + "1"

PARTS: dict[str, dict[str, Any]] = {
    "profile": {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann.lee@harborcrafts.com",
        "phone_number": "+14155552671",
        "street": "1 Main St",
        "street_secondary": "",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02139",
        "iso_country": "US",
    },
    "trust_bundle": {
        "brand_name": BRAND_NAME,
        "vertical": "PROFESSIONAL",
        "mobile_phone_number": "+14155552672",
    },
    "campaign": {
        "description": "Ann Lee Nails sends appointment reminders to clients who booked online.",
        "message_flow": "Clients tick an unticked box on https://annlee.example.com/book to get reminders from Ann Lee "
        "Nails, up to 4 a month. Message and data rates may apply. Reply STOP to opt out, HELP for help. "
        "The privacy policy and the terms are linked there.",
        "message_samples": [
            "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
            "Ann Lee Nails: your booking of [date] is confirmed.",
        ],
        "privacy_policy_url": "https://annlee.example.com/privacy",
        "terms_and_conditions_url": "https://annlee.example.com/terms",
    },
    "phone_number": {"sender_number": OWNED_NUMBER_SID},
}


def _renamed(value: Any, brand_name: str) -> Any:
    if isinstance(value, list):
        return [_renamed(item, brand_name) for item in value]
    return value.replace(BRAND_NAME, brand_name) if isinstance(value, str) else value


def make_draft(label: str = "Ann Lee Nails", **changes: dict[str, Any]) -> Registration:
    """A draft; `changes` per part, e.g. profile={"last_name": "Poe"}. The campaign texts use the brand name."""
    brand_name = changes.get("trust_bundle", {}).get("brand_name", BRAND_NAME)
    spoken = {"campaign": {key: _renamed(value, brand_name) for key, value in PARTS["campaign"].items()}}
    parts = {
        name: {**inputs, **spoken.get(name, {}), **changes.get(name, {})} for name, inputs in PARTS.items()
    }
    return actions.create(parts, actor="ann", label=label)

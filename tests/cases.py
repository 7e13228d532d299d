"""One good customer, as the verbs take it."""

from typing import Any

from registrations import verbs
from registrations.models import Registration

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
        "brand_name": "Ann Lee Nails",
        "vertical": "PROFESSIONAL",
        "mobile_phone_number": "+14155552672",
    },
    "campaign": {
        "description": "Ann Lee Nails sends appointment reminders to clients who booked online.",
        "message_flow": "Clients tick an unticked box on https://annlee.example.com/book to get reminders.",
        "message_samples": [
            "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
            "Ann Lee Nails: your booking of [date] is confirmed.",
        ],
        "privacy_policy_url": "https://annlee.example.com/privacy",
        "terms_and_conditions_url": "https://annlee.example.com/terms",
    },
    "phone_number": {"sender_number": OWNED_NUMBER_SID},
}


def make_case(label: str = "Ann Lee Nails", **changes: dict[str, Any]) -> Registration:
    """A draft; `changes` per part, e.g. profile={"last_name": "Poe"}."""
    parts = {name: {**inputs, **changes.get(name, {})} for name, inputs in PARTS.items()}
    return verbs.create(parts, actor="ann", label=label)

"""Another good value for each input of the form."""

from typing import Any

from registrations.twilio.rejections import FIELD_PARTS
from tests.scenarios.scenes import OWNED, Play

NEW: dict[str, Any] = {
    "first_name": "Beatrix",
    "last_name": "Quill",
    "email": "bea.quill@harborcrafts.com",
    "phone_number": "+14155552688",
    "street": "7 Marmalade Mews",
    "street_secondary": "Unit 12",
    "city": "Toronto",
    "region": "ON",
    "postal_code": "M5V 3L9",
    "iso_country": "CA",
    "brand_name": "Ann Lee",  # still the name that the texts give
    "mobile_phone_number": "+14155552698",
    "description": "Ann Lee Nails sends reminders of appointments to clients who asked for them in the shop.",
    "message_flow": "Clients sign a paper form in the shop, shown at https://annlee.example.com/form, to get them.",
    "message_sample_1": "Ann Lee Nails: your appointment is on [date]. Reply STOP to opt out, HELP for help.",
    "has_embedded_links": True,
    "has_embedded_phone": True,
    "subscriber_opt_in": True,
    "age_gated": True,
    "direct_lending": True,
    "opt_in_message": "Ann Lee Nails: you get reminders now. Msg&data rates may apply. HELP for help, STOP to end.",
    "opt_in_keywords": "JOIN",
    "opt_out_message": "Ann Lee Nails: you get no more messages from us. Reply START to get them again.",
    "opt_out_keywords": "STOP, LEAVE",
    "help_message": "Ann Lee Nails: write to help@harborcrafts.com for help. Reply STOP to opt out.",
    "help_keywords": "HELP, ASSIST",
    "privacy_policy_url": "https://annlee.example.com/privacy-2",
    "terms_and_conditions_url": "https://annlee.example.com/terms-2",
    "sender_number": OWNED[1],
}
PLACE = ("city", "region", "postal_code", "iso_country")


def changes_of(names: tuple[str, ...]) -> dict[str, Any]:
    """New values for these inputs, and for those that must change along with them."""
    chosen = set(names)
    if chosen & set(PLACE):
        chosen |= set(PLACE)
    if "opt_in_message" in chosen:
        chosen |= {"subscriber_opt_in"}
    return {name: NEW[name] for name in NEW if name in chosen}


# The parts whose inputs Twilio has taken by then; a verified brand takes no changes of what it was made of.
SENT = {
    "start": ("profile",),
    "profile": ("profile",),
    "trust_bundle": ("profile", "trust_bundle"),
    "brand": ("profile", "trust_bundle"),
    "otp": ("campaign",),
    "campaign": ("campaign", "number"),
    "live": ("number",),
}
KINDS = ("EndUsers", "Addresses", "Usa2p", "ServicePhoneNumbers")


def assert_at_twilio(play: Play, changes: dict[str, Any], scene: str) -> None:
    """Twilio holds the new values of the inputs that it takes at that scene."""
    held = str([play.sandbox.world.store.all(kind) for kind in KINDS])
    for name, value in changes.items():
        if FIELD_PARTS[name] in SENT[scene] and isinstance(value, str):
            for word in value.split(", ") if name.endswith("keywords") else [value]:
                assert word in held, name

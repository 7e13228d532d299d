"""The sections of the form, their fields, and the attributes of the inputs. The models define labels and limits."""

from dataclasses import dataclass

from registrations.models import Campaign, PhoneNumber, Profile, TrustBundle
from registrations.models.campaign import SAMPLE_COUNT

SAMPLE_FIELDS = tuple(f"message_sample_{n}" for n in range(1, SAMPLE_COUNT[1] + 1))
_NAME = ("first_name", "last_name", "email", "phone_number")
ADDRESS_FIELDS = ("street", "street_secondary", "city", "region", "postal_code", "iso_country")
_TEXTS = ("description", "message_flow")
_FLAGS = ("has_embedded_links", "has_embedded_phone", "age_gated", "direct_lending")
_OPT_IN = ("subscriber_opt_in", "opt_in_message", "opt_in_keywords")
_ANSWERS = ("opt_out_message", "opt_out_keywords", "help_message", "help_keywords")
_PAGES = ("privacy_policy_url", "terms_and_conditions_url")
_SENDER = ("sender_number", "area_code")

# Part of the registration -> (model, inputs an agent fills in). The key is also the Registration's attribute.
PARTS = {
    "profile": (Profile, (*_NAME, *ADDRESS_FIELDS)),
    "trust_bundle": (TrustBundle, ("mobile_phone_number", "brand_name", "vertical")),
    "campaign": (Campaign, (*_TEXTS, *_FLAGS, *_OPT_IN, *_ANSWERS, *_PAGES)),
    "phone_number": (PhoneNumber, _SENDER),
}
# Never sent to Twilio.
TEAM_FIELDS = ("label", "external_id", "owner", "notes")


@dataclass(frozen=True)
class SectionLayout:
    slug: str
    title: str
    hint: str
    fields: tuple[str, ...]


SECTIONS = (
    SectionLayout(
        "person",
        "Person",
        "The owner, as on their ID. Twilio checks name, email, and phones.",
        (*_NAME, "mobile_phone_number"),
    ),
    SectionLayout(
        "address",
        "Address",
        "Where the owner gets mail, in the US or Canada. It is checked against postal service records.",
        ADDRESS_FIELDS,
    ),
    SectionLayout(
        "brand",
        "Brand",
        "The name recipients recognize. Only for a business without a tax ID (EIN or Canadian business number).",
        ("brand_name", "vertical"),
    ),
    SectionLayout(
        "campaign",
        "Campaign",
        "What is sent, to whom, and how they opted in. A person reviews this and the linked pages.",
        (*_TEXTS, *SAMPLE_FIELDS, *_FLAGS, *_PAGES, *_OPT_IN, *_ANSWERS),
    ),
    SectionLayout(
        "sender",
        "Sender",
        "The number that sends: one you own, or an area code to buy one in. You can add it later.",
        _SENDER,
    ),
    SectionLayout("team", "For your team", "Never sent to Twilio.", TEAM_FIELDS),
)

_NAMES = {"autocapitalize": "words", "spellcheck": "false"}
_CODES = {"autocapitalize": "characters", "spellcheck": "false"}
_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}
# All have autocomplete="off" too: agents type customers' data, and browsers would suggest the agent's own.
WIDGET_ATTRS: dict[str, dict[str, str | int]] = {
    "first_name": {**_NAMES},
    "last_name": {**_NAMES},
    "email": {"inputmode": "email", **_PLAIN},
    "phone_number": {"inputmode": "tel"},
    "mobile_phone_number": {"inputmode": "tel"},
    "street": {**_NAMES},
    "street_secondary": {**_NAMES},
    "city": {**_NAMES},
    "region": {**_CODES},
    "postal_code": {**_CODES},
    "brand_name": {**_NAMES},
    "opt_in_keywords": {**_CODES},
    "opt_out_keywords": {**_CODES},
    "help_keywords": {**_CODES},
    "privacy_policy_url": {"inputmode": "url", **_PLAIN},
    "terms_and_conditions_url": {"inputmode": "url", **_PLAIN},
    "sender_number": {**_PLAIN},
    "area_code": {"inputmode": "numeric"},
    "external_id": {**_PLAIN},
    "description": {"rows": 5},
    "message_flow": {"rows": 8},
    "notes": {"rows": 3},
}
SHORT_TEXT_ROWS = 3

# The columns of an imported table, in the order of the documentation.
CSV_COLUMNS = (
    *(*_NAME, "mobile_phone_number", "brand_name", "vertical", *ADDRESS_FIELDS, *_TEXTS, *SAMPLE_FIELDS),
    *("has_embedded_links", "has_embedded_phone", "subscriber_opt_in", "age_gated", "direct_lending"),
    *("opt_in_message", "opt_in_keywords", *_ANSWERS, *_PAGES, *_SENDER, "external_id"),
)

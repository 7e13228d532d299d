"""Which model field stands in which section, and how its input looks. Labels and limits are the models'."""

from dataclasses import dataclass

from registrations.models import Campaign, PhoneNumber, Profile, Registration, TrustBundle
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

# Part of the registration -> (model, the inputs an agent fills). The key is also the Registration's attribute.
PARTS = {
    "profile": (Profile, (*_NAME, *ADDRESS_FIELDS)),
    "trust_bundle": (TrustBundle, ("mobile_phone_number", "brand_name", "vertical")),
    "campaign": (Campaign, (*_TEXTS, *_FLAGS, *_OPT_IN, *_ANSWERS, *_PAGES)),
    "phone_number": (PhoneNumber, _SENDER),
}
# Ours alone, never sent to Twilio.
CASE_FIELDS = ("label", "external_id", "owner", "notes")
CASE_MODEL = Registration


@dataclass(frozen=True)
class SectionRow:
    slug: str
    title: str
    hint: str
    fields: tuple[str, ...]


SECTIONS = (
    SectionRow(
        "person",
        "Person",
        "The human being who owns the business, as on their papers. Twilio checks name, email and phones.",
        (*_NAME, "mobile_phone_number"),
    ),
    SectionRow(
        "address",
        "Address",
        "Where this person gets mail, in the US or Canada. It is compared with the postal service's records.",
        ADDRESS_FIELDS,
    ),
    SectionRow(
        "brand",
        "Brand",
        "Whom the recipients know. Only for a business without a tax ID (EIN or Canadian business number).",
        ("brand_name", "vertical"),
    ),
    SectionRow(
        "campaign",
        "Campaign",
        "What is sent, to whom, and how they agreed to it. A person reads this and the pages in review.",
        (*_TEXTS, *SAMPLE_FIELDS, *_FLAGS, *_PAGES, *_OPT_IN, *_ANSWERS),
    ),
    SectionRow(
        "sender",
        "Sender",
        "The number that sends. Name one you own, or an area code to buy in. Either may follow later.",
        _SENDER,
    ),
    SectionRow("team", "For your team", "Never sent to Twilio.", CASE_FIELDS),
)

_NAMES = {"autocapitalize": "words", "spellcheck": "false"}
_CODES = {"autocapitalize": "characters", "spellcheck": "false"}
_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}
# Beside autocomplete="off" for all: agents type customers' data, and browsers would offer the agent's own.
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

# The columns of a CSV file, in the order of the documentation.
CSV_COLUMNS = (
    *(*_NAME, "mobile_phone_number", "brand_name", "vertical", *ADDRESS_FIELDS, *_TEXTS, *SAMPLE_FIELDS),
    *("has_embedded_links", "has_embedded_phone", "subscriber_opt_in", "age_gated", "direct_lending"),
    *("opt_in_message", "opt_in_keywords", *_ANSWERS, *_PAGES, *_SENDER, "external_id"),
)

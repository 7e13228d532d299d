"""Maps Twilio's field names to inputs of the form.

Source: docs/twilio.md sections 2 and 5.1. Twilio has not published a full list, so unknown names are kept and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .entry import FORM_FIELDS, SAMPLE_FIELDS, form_fields

_ADDRESS = ("street", "city", "region", "postal_code")

# Keys are uppercase with underscores; names that equal our own fields need no row.
TOKENS: dict[str, tuple[str, ...]] = {
    "USE_CASE_DESCRIPTION": ("description",),
    "USECASE_DESCRIPTION": ("description",),
    "CAMPAIGN_DESCRIPTION": ("description",),
    "SAMPLE_MESSAGES": ("message_samples",),
    "SAMPLES": ("message_samples",),
    "CALL_TO_ACTION": ("message_flow",),
    "OPT_IN_FLOW": ("message_flow",),
    "PRIVACY_POLICY": ("privacy_policy_url",),
    "PRIVACY_POLICY_LINK": ("privacy_policy_url",),
    "TERMS_AND_CONDITIONS": ("terms_and_conditions_url",),
    "TERMS_AND_CONDITIONS_LINK": ("terms_and_conditions_url",),
    "TERMS_OF_SERVICE_URL": ("terms_and_conditions_url",),
    "EMBEDDED_LINK": ("has_embedded_links",),
    "EMBEDDED_LINKS": ("has_embedded_links",),
    "EMBEDDED_PHONE": ("has_embedded_phone",),
    "EMBEDDED_PHONE_NUMBER": ("has_embedded_phone",),
    "SUBSCRIBER_OPTIN": ("subscriber_opt_in",),
    "OPTIN_MESSAGE": ("opt_in_message",),
    "OPTIN_KEYWORDS": ("opt_in_keywords",),
    "OPTOUT_MESSAGE": ("opt_out_message",),
    "OPTOUT_KEYWORDS": ("opt_out_keywords",),
    "ADDRESS": _ADDRESS,
    "ADDRESS_SID": _ADDRESS,
    "ADDRESS_SIDS": _ADDRESS,
    "BUSINESS_ADDRESS": _ADDRESS,
    "LOCALITY": ("city",),
    "STATE": ("region",),
    "ZIP_CODE": ("postal_code",),
    "COUNTRY": ("iso_country",),
    "SECONDARY_STREET": ("street_secondary",),
    "EMAIL_ADDRESS": ("email",),
    "PHONE": ("phone_number",),
    "MOBILE_PHONE": ("mobile_phone_number",),
    "MOBILE_NUMBER": ("mobile_phone_number",),
    "DBA": ("brand_name",),
    "DISPLAY_NAME": ("brand_name",),
}
_SAMPLE = re.compile(r"(?:SAMPLE_MESSAGE|MESSAGE_SAMPLE|SAMPLE)_?([0-9]{1,2})")


def normal(token: str) -> str:
    """One spelling for "useCaseDescription", "use-case description" and "USE_CASE_DESCRIPTION"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", token)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper()


def fields_of(token: str) -> tuple[str, ...]:
    """Form fields that one of Twilio's names means; () if the name is unknown.

    >>> fields_of("SAMPLE_MESSAGE_2"), fields_of("MessageFlow"), fields_of("SOMETHING_NEW")
    (('message_sample_2',), ('message_flow',), ())
    """
    name = normal(token)
    if sample := _SAMPLE.fullmatch(name):
        place = int(sample.group(1)) - 1
        # A number above our five samples still means the samples.
        return (SAMPLE_FIELDS[place] if 0 <= place < len(SAMPLE_FIELDS) else "message_samples",)
    if name in TOKENS:
        return TOKENS[name]
    return (name.lower(),) if name.lower() in FORM_FIELDS else ()


def inputs_of(tokens: Iterable[str]) -> tuple[str, ...]:
    """Inputs of the form for several of Twilio's names, in order, without duplicates."""
    return form_fields(tuple(field for token in tokens for field in fields_of(token)))


def unknown_tokens(tokens: Iterable[str]) -> tuple[str, ...]:
    """Twilio's names that match no input of the form, unchanged, without duplicates.

    >>> unknown_tokens(["MESSAGE_FLOW", "SOMETHING_NEW", "SOMETHING_NEW"])
    ('SOMETHING_NEW',)
    """
    return tuple(dict.fromkeys(token for token in tokens if not fields_of(token)))


_PARAMETER = re.compile(r"\b(?:[A-Z][a-z]+(?:[A-Z][a-z]+)*|[A-Z]+(?:_[A-Z0-9]+)+)(?![A-Za-z])")


def inputs_in_text(message: object) -> tuple[str, ...]:
    """Inputs whose API parameter is named in an error message, e.g. "MessageFlow" or "SAMPLE_MESSAGE_1".

    Only for messages of rejected calls (21727, 21728, 20001): reviewers use the same words in other meanings.
    Anything but a text gives ().

    >>> inputs_in_text("Invalid length of parameter MessageSamples")
    ('message_sample_1',)
    """
    return inputs_of(_PARAMETER.findall(message)) if isinstance(message, str) else ()

"""Masks personal data and secrets before anything is logged or stored.

Masks keep enough to recognize a value: `j•••@example.com`, `+1•••••4567`, `J•••`. SIDs, statuses, codes and the
texts of a campaign are not masked. Masking twice changes nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any

MASK = "•••"

_LOCAL = r"[^\s@<>\"'(),:;\[\]/=&?%]"
_EMAIL = re.compile(rf"({_LOCAL})(?:{_LOCAL}|%2B)*(@|%40)([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
# E.164 with optional separators, or ten North American digits with an optional leading 1. Not inside words, so
# that SIDs, hashes and dates are kept.
_PHONE = re.compile(
    r"(?<![\w•])(?:(?:\+|%2B)\d(?:[-.\s()]{0,2}\d){6,14}"
    r"|(?:1[-.\s]?)?(?:\(\d{3}\)\s?|\d{3}[-.\s]?)\d{3}[-.\s]?\d{4})(?!\w)",
    re.IGNORECASE,
)
# "DETAIL:  Failing row contains (Ann, Lee, 1 Main St, …)", to the end of the line.
_ROW = re.compile(r"^(\s*DETAIL:\s+).*$", re.MULTILINE)
_MASKED_PHONE = re.compile(r"(\+1?)?•+(\d{4})?")

# Keys are compared without case, underscores and hyphens, so first_name and FirstName are the same key.
_EMAIL_KEYS = {"email", "emailaddress", "notificationemail"}
_PHONE_KEYS = {"phone", "phonenumber", "mobile", "mobilephone", "mobilephonenumber", "sendernumber"}
_PHONE_KEYS |= {"nationalformat"}
_NAME_KEYS = {"firstname", "lastname", "fullname", "customername", "callername", "legalname", "companyname"}
_BRAND_KEYS = {"brandname"}  # a sole proprietor's brand is often the person's own name
_HIDDEN_KEYS = {"street", "streetsecondary", "addressline1", "addressline2", "secondarystreet"}
_HIDDEN_KEYS |= {"postalcode", "zip", "zipcode", "nationalid", "dateofbirth"}
_SECRET = re.compile(r"(token|secret|password|passwd|authorization|apikey|sharedkey|signature)$")
_NOT_SECRET = {"pagetoken", "continuationtoken"}
_VERBATIM_KEYS = {  # the campaign's texts: public, and needed to understand a rejection
    "description",
    "messageflow",
    "messagesamples",
    "optinmessage",
    "optoutmessage",
    "helpmessage",
    "optinkeywords",
    "optoutkeywords",
    "helpkeywords",
    "privacypolicyurl",
    "termsandconditionsurl",
}


def redact(value: Any) -> Any:
    """A deep copy of JSON-like data with personal values masked by key, and free text masked by pattern.

    Strings that contain JSON (Twilio's Attributes) are parsed, masked and written back as JSON. Other types are
    returned unchanged; tuples become lists.
    """
    if isinstance(value, dict):
        return {key: _by_key(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _json_text(value) or redact_text(value)
    return value


def redact_text(text: str) -> str:
    """Free text with email addresses and phone numbers masked, including their URL-encoded forms."""
    text = _EMAIL.sub(lambda found: f"{found[1]}{MASK}{found[2]}{found[3]}", text)
    return _PHONE.sub(lambda found: _mask_phone(found[0]), text)


def redact_trace(text: str) -> str:
    """A traceback or log line: like `redact_text`, and without the values of a row that PostgreSQL rejected."""
    return redact_text(_ROW.sub(rf"\1{MASK}", text))


def _by_key(key: str, value: Any) -> Any:
    name = key.lower().replace("_", "").replace("-", "")
    if name in _VERBATIM_KEYS:
        return _copy(value)
    if _SECRET.search(name) and name not in _NOT_SECRET:
        return _each(value, lambda text: MASK)
    if name == "attributes" and isinstance(value, str):
        return _json_text(value) or (value and MASK)
    if name in _HIDDEN_KEYS:
        return _each(value, lambda text: MASK)
    if name in _EMAIL_KEYS:
        return _each(value, lambda text: redact_text(text) if _EMAIL.search(text) else MASK)
    if name in _PHONE_KEYS:
        return _each(value, _mask_phone)
    if name in _NAME_KEYS:
        return _each(value, lambda text: text[0] + MASK)
    if name in _BRAND_KEYS:
        return _each(value, _initials)
    return redact(value)


def _each(value: Any, mask: Any) -> Any:
    """Apply the mask to every leaf at any depth, except None, booleans and ""."""
    if isinstance(value, dict):
        return {key: _each(item, mask) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, mask) for item in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    text = str(value)
    return mask(text) if text.strip(MASK[0]) else text


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _json_text(text: str) -> str:
    """The same JSON text, masked; "" if the text is not a JSON object or list."""
    if not text.lstrip().startswith(("{", "[")):
        return ""
    try:
        return json.dumps(redact(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _mask_phone(text: str) -> str:
    if _MASKED_PHONE.fullmatch(text):
        return text
    digits = re.sub(r"\D", "", text.upper().replace("%2B", "+"))
    if len(digits) < 7:
        return MASK
    prefix = "+1" if digits.startswith("1") and len(digits) == 11 else "+" if text[0] in "+%" else ""
    return f"{prefix}•••••{digits[-4:]}"


def _initials(text: str) -> str:
    return " ".join(f"{word[0]}." for word in text.split())

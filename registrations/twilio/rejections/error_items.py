"""Parses lists of errors: `errors` of bundles, brands, campaigns, and events, and evaluation results.

Source: docs/twilio.md sections 2, 4.1, 5.1, 6.3 and 7.3. The same data comes with different keys (error_code,
registrationerrorcode, code, …), and the SDK's type hints for it are wrong. So any input is accepted and nothing
raises. Order is kept and no item is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .entry import Failure
from .field_names import inputs_of, unknown_tokens
from .lookup import as_code, by_key, lookup, match_text

MAX_DEPTH = 8
MAX_SHOWN = 500
SUPPORTING_BUNDLE = "evaluation_supporting_bundle"


@dataclass(frozen=True)
class ErrorItem:
    """One error that Twilio reports for an object.

    code: Twilio's number or None. description: Twilio's words, may be "". url: Twilio's page or "".
    fields: Twilio's field names, unchanged. inputs: the inputs of the form that they mean; if Twilio names none
    that we know, the ones that the catalogue has for the code. raw: the item, unchanged. key: the catalogue's key
    if the kind of row decides the entry, else "".
    """

    code: int | None
    description: str
    url: str
    fields: tuple[str, ...]
    inputs: tuple[str, ...]
    raw: Any = field(default=None, hash=False, compare=False)
    key: str = ""

    @property
    def failure(self) -> Failure:
        """The catalogue's entry, or the neutral one if neither the code nor the words are known."""
        return _failure(self.code, self.description, self.fields, self.key)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """Twilio's field names that match no input of the form; () for a bundle's references to other bundles."""
        return () if self.key == SUPPORTING_BUNDLE else unknown_tokens(self.fields)


def _failure(code: int | None, description: str, fields: tuple[str, ...], key: str) -> Failure:
    if key:
        return by_key(key)
    if code is None and (matched := match_text("", description)):
        return matched
    return lookup(code, fields)


def make_item(
    code: int | None, description: str, url: str, fields: tuple[str, ...], raw: object, key: str = ""
) -> ErrorItem:
    """An item with the inputs and the link that Twilio gave, or else those of the catalogue's entry.

    A `url` that is not http or https is replaced by Twilio's page for the code, because it becomes a link.
    """
    failure = _failure(code, description, fields, key)
    inputs = inputs_of(fields) or failure.form_fields
    link = url if url.lower().startswith(("https://", "http://")) else failure.url
    return ErrorItem(code, description, link, fields, inputs, raw, key)


# --- errors[] ---------------------------------------------------------------------------------------------

_ROLES = {
    "code": "code",
    "": "description",  # the key "error" itself
    "description": "description",
    "message": "description",
    "reason": "description",
    "detail": "description",
    "text": "description",
    "title": "description",
    "url": "url",
    "moreinfo": "url",
    "link": "url",
    "fields": "fields",
    "field": "fields",
}
# "Postal code 30751" is a ZIP in Georgia: only the word "error" makes a number in prose a code.
_CODE_IN_TEXT = re.compile(
    r"/errors/(\d{4,6})\b|\berror(?:\s+code)?\s*[:#-]?\s*([1-6]\d{4})\b", re.IGNORECASE
)


def parse_error_items(items: object) -> list[ErrorItem]:
    """Every error in `items`: a list, one dict, a whole payload, JSON text, plain text, a number, or None.

    Items keep their order. None and empty values give []. Never raises: a value of an unexpected type becomes an
    item without a code whose description shows it, at most MAX_SHOWN characters.
    """
    return list(_items(items, 0))


def _items(value: object, depth: int) -> Iterator[ErrorItem]:
    if value is None or value == "" or value == []:
        return
    if depth > MAX_DEPTH:
        yield make_item(None, _shown(value), "", (), value)
    elif isinstance(value, Mapping):
        yield from _from_mapping(value, depth)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _items(one, depth + 1)
    elif isinstance(value, str):
        yield from _from_text(value, depth)
    elif (code := as_code(value)) is not None:
        yield make_item(code, "", "", (), value)
    else:
        yield make_item(None, _shown(value), "", (), value)


def _from_text(text: str, depth: int) -> Iterator[ErrorItem]:
    stripped = text.strip()
    if not stripped:
        return
    if stripped[0] in "[{":
        try:
            decoded = json.loads(stripped)
        except (ValueError, RecursionError):
            decoded = None
        if isinstance(decoded, list | dict):
            yield from _items(decoded, depth + 1)
            return
    code = as_code(stripped)
    if code is None:
        yield make_item(code_in_text(stripped), stripped, "", (), text)
    else:
        yield make_item(code, "", "", (), text)


def _from_mapping(item: Mapping[Any, Any], depth: int) -> Iterator[ErrorItem]:
    code: int | None = None
    texts: list[str] = []
    url = ""
    fields: tuple[str, ...] = ()
    recognised = False
    nested: list[object] = []
    for key, value in item.items():
        role = _role(key)
        if role == "code" and (as_code(value) is not None or value is None):
            code = as_code(value) if code is None else code
            recognised = recognised or code is not None
        elif role == "description" and isinstance(value, str):
            texts.append(value.strip())
            recognised = recognised or bool(value.strip())
        elif role == "url" and isinstance(value, str):
            url = url or value.strip()
        elif role == "fields":
            fields += _tokens(value, 0)
        elif role == "nested" or isinstance(value, Mapping | list | tuple):
            nested.append(value)
    inner = [found for value in nested for found in _items(value, depth + 1)]
    if recognised or url or fields or not inner:
        words = max(texts, key=len, default="")
        known = code is not None or words or url or fields
        code = code if code is not None else code_in_text(url or words)
        yield make_item(code, words if known else _shown(item), url, fields, item)
    yield from inner


def _role(key: object) -> str:
    name = re.sub(r"[^a-z0-9]", "", str(key).lower()) if isinstance(key, str) else "?"
    if name.endswith("errors"):
        return "nested"
    short = re.sub(r"^(?:brand|campaign)?(?:registration|vetting)?(?:error|failure)?", "", name)
    return _ROLES.get(short, "") if short or name == "error" else ""


def _tokens(value: object, depth: int) -> tuple[str, ...]:
    """Twilio's names of fields, whether they came as a list, one text or something deeper."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,;\s]+", value.strip()) if part)
    if depth > MAX_DEPTH or value is None or isinstance(value, bool):
        return ()
    if isinstance(value, Mapping):
        named = [value[key] for key in ("field", "name", "object_field") if key in value]
        return tuple(token for one in named or value.values() for token in _tokens(one, depth + 1))
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(token for one in value for token in _tokens(one, depth + 1))
    return (_shown(value),)


def code_in_text(text: str) -> int | None:
    """The code in a link to Twilio's error pages, or after the word "error" in a text; None if there is none."""
    match = _CODE_IN_TEXT.search(text)
    return as_code(match.group(1) or match.group(2)) if match else None


def _shown(value: object) -> str:
    """Text to show for a value of an unexpected type, at most MAX_SHOWN characters."""
    if value in ({}, [], ()):
        return ""
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except Exception:  # whatever it is, a page must not break over it
        text = type(value).__name__
    return text[:MAX_SHOWN]


# --- evaluation results -----------------------------------------------------------------------------------

_BUNDLE_FIELDS = {"bundle_sid", "bundle_status"}
_ADDRESS_REQUIREMENT = "customer_profile_address"


def parse_evaluation(results: object) -> list[ErrorItem]:
    """The errors of an evaluation, [] if it passed. Takes `results` or the whole response, also as JSON text.

    A row that fails gives one item, followed by one for each of its invalid fields. Never raises.
    Source: docs/twilio.md section 2.
    """
    if isinstance(results, str):
        try:
            results = json.loads(results)
        except (ValueError, RecursionError):
            return []
    if isinstance(results, Mapping):
        results = results.get("results")
    rows = results if isinstance(results, list | tuple) else []
    return [item for row in rows if isinstance(row, Mapping) for item in _evaluation_row(row)]


def _evaluation_row(row: Mapping[str, Any]) -> Iterator[ErrorItem]:
    invalid = [entry for entry in _dicts(row.get("invalid")) if not _passed(entry)]
    invalid += [entry for entry in _dicts(row.get("valid")) if entry.get("passed") is False]
    code, reason = as_code(row.get("error_code")), _text(row.get("failure_reason"))
    failed = row.get("passed") is False or code is not None or bool(reason) or bool(invalid)
    if not failed or (row.get("passed") is True and not invalid):
        return
    name = _text(row.get("requirement_friendly_name")) or _text(row.get("friendly_name"))
    if code is not None or reason or not invalid:
        requirement = _text(row.get("requirement_name")) or _text(row.get("object_type"))
        # With invalid fields below it, the row itself belongs to no single input.
        failure_key = "" if code is not None else "evaluation_noncompliant"
        fields = ("address_sids",) if requirement == _ADDRESS_REQUIREMENT else ()
        item = make_item(code, reason or name, "", fields, dict(row), failure_key)
        yield replace(item, inputs=()) if invalid else item
    for entry in invalid:
        yield _evaluation_field(entry, name)


def _evaluation_field(entry: Mapping[str, Any], requirement: str) -> ErrorItem:
    token = _text(entry.get("object_field"))
    code = as_code(entry.get("error_code"))
    name = _text(entry.get("friendly_name")) or token or requirement
    key = ""
    if token in _BUNDLE_FIELDS:
        key = SUPPORTING_BUNDLE
    elif code is None:
        key = "evaluation_noncompliant"
    fields = (token,) if token else ()
    return make_item(code, _text(entry.get("failure_reason")) or name, "", fields, dict(entry), key)


def _passed(entry: Mapping[str, Any]) -> bool:
    return entry.get("passed") is True and not entry.get("error_code")


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""

"""Reads FailureReason texts, including the address that Twilio suggests, and merges them with `errors[]`.

Source: docs/twilio.md sections 6.2 and 6.3. A text looks like
`[address_sids] - Invalid Region. Address suggestion -> Street: …. Secondary Street: …. Locality: …. Region: ….
Postal Code: …. Country: US;`, with or without the last semicolon. One text may contain several of these.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from itertools import pairwise

from . import address_parts
from .entry import Failure
from .error_items import ErrorItem, parse_error_items
from .field_names import inputs_in_text
from .lookup import find_texts, lookup


@dataclass(frozen=True)
class AddressSuggestion:
    """The address as Twilio would accept it; a part that Twilio did not name is ""."""

    street: str = ""
    street_secondary: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    iso_country: str = ""

    def as_inputs(self) -> dict[str, str]:
        """The parts that Twilio named, by form field: the values for "use the suggested address"."""
        return {field: value for field, value in asdict(self).items() if value}

    def __str__(self) -> str:
        place = " ".join(part for part in (self.region, self.postal_code) if part)
        return ", ".join(
            part for part in (self.street, self.street_secondary, self.city, place, self.iso_country) if part
        )


@dataclass(frozen=True)
class TextReason:
    """One issue from a FailureReason text.

    text: Twilio's words. failure: the catalogue's entry, None if the words are not known. suggestion: the
    address that Twilio suggests for this issue, None if there is none.
    """

    text: str
    failure: Failure | None
    suggestion: AddressSuggestion | None


@dataclass(frozen=True)
class Reason:
    """One reason for a rejection, merged from an item of `errors[]`, a FailureReason text, or both.

    failure: the catalogue's entry, the neutral one if the reason is not known. code: Twilio's number or None.
    message: all of Twilio's words about it. url: Twilio's page or "". inputs: inputs of the form it is about.
    suggestion: the address that Twilio suggests, if any. unknown_fields: Twilio's field names that match no
    input of the form.
    """

    failure: Failure
    code: int | None
    message: str
    url: str
    inputs: tuple[str, ...]
    suggestion: AddressSuggestion | None = None
    unknown_fields: tuple[str, ...] = ()


_FIELD_OF_KEY = {
    "street": "street",
    "secondary street": "street_secondary",
    "locality": "city",
    "region": "region",
    "postal code": "postal_code",
    "country": "iso_country",
}
_SUGGESTION = re.compile(r"(?:Address suggestion|Suggested address)\s*(?:->|-&gt;|→|:)?", re.IGNORECASE)
_END = re.compile(r";|\[address_sids\]", re.IGNORECASE)
# The longer key first: "Secondary Street:" contains "Street:".
_KEY = re.compile(
    r"(?<![A-Za-z])(Secondary\s+Street|Street|Locality|Region|Postal\s+Code|Country)\s*:", re.IGNORECASE
)
# What introduces the next issue belongs to none.
_TAIL = re.compile(r"\[address_sids\]\s*-?\s*$", re.IGNORECASE)
_NOTHING = {"", "null", "none", "undefined"}


def parse_address_suggestion(text: object) -> AddressSuggestion | None:
    """The first usable suggestion in a FailureReason text, or None. Never raises.

    Source: docs/twilio.md section 6.2.
    """
    if not isinstance(text, str):
        return None
    starts = [match.end() for match in _SUGGESTION.finditer(text)]
    for start, stop in pairwise([*starts, len(text)]):
        end = _END.search(text, start, stop)
        if suggestion := _read(text[start : end.start() if end else stop]):
            return suggestion
    return None


def _read(segment: str) -> AddressSuggestion | None:
    keys = list(_KEY.finditer(segment))
    values: dict[str, str] = {}
    for key, stop in zip(keys, [*(key.start() for key in keys[1:]), len(segment)], strict=False):
        value = segment[key.end() : stop].strip()
        # Exactly one period separates values; everything before it belongs to the value.
        value = value.removesuffix(".").strip()
        field = _FIELD_OF_KEY[" ".join(key.group(1).lower().split())]
        value = address_parts.SHAPES[field](value) if field in address_parts.SHAPES else value
        if value.lower() not in _NOTHING:
            values.setdefault(field, value)
    if not values:
        return None
    values["street_secondary"] = address_parts.without_last_line(
        values.get("street_secondary", ""),
        city=values.get("city", ""),
        region=values.get("region", ""),
        postal_code=values.get("postal_code", ""),
    )
    suggestion = AddressSuggestion(**values)
    return suggestion if suggestion.as_inputs() else None


def parse_failure_reason(area: str, text: object) -> list[TextReason]:
    """All issues of a FailureReason (or failure_reason) text in order; no word of it is lost. Never raises.

    `area` is as in match_texts. The part before the first known phrase, or a text without any, becomes an issue
    without an entry. Source: docs/twilio.md section 6.2.
    """
    if not isinstance(text, str) or not text.strip():
        return []
    found = find_texts(area, text)
    starts = [position for position, _ in found]
    head = text[: starts[0]] if starts else text
    pieces: list[tuple[str, Failure | None]] = [(head, None)]
    for (_, failure), (start, stop) in zip(found, pairwise([*starts, len(text)]), strict=True):
        pieces.append((text[start:stop], failure))
    reasons = []
    for piece, known in pieces:
        words = _TAIL.sub("", piece).strip(" \t\r\n;,-")
        if words:
            reasons.append(TextReason(text=words, failure=known, suggestion=parse_address_suggestion(piece)))
    return reasons


# --- texts and errors[] together --------------------------------------------------------------------------


def merge_reasons(part: str, errors: object, failure_reason: object) -> list[Reason]:
    """Every reason once: the items of `errors` in Twilio's order, then the texts that match none of them.

    A rejected bundle often says the same thing twice: 18603 "address could not be verified" in its errors, and
    "Invalid Region. Address suggestion -> …" in the callback's text. That is one reason to fix. `part` is as in
    match_texts, `errors` as in parse_error_items. Never raises.
    Source: docs/twilio.md sections 6.2 and 6.3.
    """
    items = parse_error_items(errors)
    descriptions = {item.description for item in items}
    texts = [one for one in parse_failure_reason(part, failure_reason) if one.text not in descriptions]
    homes = [_item_about(text, items) for text in texts]
    found: list[Reason] = []
    for item in items:
        closer = [text for text, home in zip(texts, homes, strict=True) if home is item]
        # The item's own words go with the first of its texts.
        merged = [_from_both(item, text, first=not n) for n, text in enumerate(closer)]
        found += merged or [_from_item(item)]
    return found + [_from_text(text) for text, home in zip(texts, homes, strict=True) if home is None]


def _item_about(text: TextReason, items: list[ErrorItem]) -> ErrorItem | None:
    """The item that says the same in less detail: the same entry, or these inputs and perhaps more."""
    known, inputs = text.failure, set(_inputs(text))
    if known:
        for item in items:
            if item.failure == known:
                return item
    for item in items:
        narrower = bool(inputs) and inputs <= set(item.inputs)
        if narrower and item.failure.area == "bundle" and (known is None or known.area == "bundle"):
            return item
    return None


def _from_both(item: ErrorItem, text: TextReason, *, first: bool) -> Reason:
    words = [item.description, text.text] if first and item.description else [text.text]
    message = " ".join(words) if words[0].endswith((".", "!", ":")) else ". ".join(words)
    failure = text.failure or item.failure
    inputs = _inputs(text) or item.inputs
    return Reason(failure, item.code, message, item.url, inputs, text.suggestion, item.unknown_fields)


def _from_item(item: ErrorItem) -> Reason:
    return Reason(
        item.failure,
        item.code,
        item.description,
        item.url,
        item.inputs,
        unknown_fields=item.unknown_fields,
    )


def _from_text(text: TextReason) -> Reason:
    failure = text.failure or lookup(None)
    return Reason(failure, failure.code, text.text, failure.url, _inputs(text), text.suggestion)


def _inputs(text: TextReason) -> tuple[str, ...]:
    known = text.failure.form_fields if text.failure else ()
    return known or inputs_in_text(text.text)

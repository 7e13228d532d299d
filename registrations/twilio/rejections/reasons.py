"""Readers for the prose of a bundle's FailureReason, including the address that Twilio suggests.

Source: Twilio facts, section 6.2. The text looks like
`[address_sids] - Invalid Region. Address suggestion -> Street: …. Secondary Street: …. Locality: …. Region: ….
Postal Code: …. Country: US;`, with or without the last semicolon, and several of these may stand in one text.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from itertools import pairwise

from . import places
from .catalogue import find_texts
from .model import Failure


@dataclass(frozen=True)
class AddressSuggestion:
    """The address as Twilio would accept it; a part that it did not name is empty."""

    street: str = ""
    street_secondary: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    iso_country: str = ""

    def as_inputs(self) -> dict[str, str]:
        """The named parts only, by form field: what "use the suggested address" writes."""
        return {field: value for field, value in asdict(self).items() if value}

    def __str__(self) -> str:
        place = " ".join(part for part in (self.region, self.postal_code) if part)
        return ", ".join(
            part for part in (self.street, self.street_secondary, self.city, place, self.iso_country) if part
        )


@dataclass(frozen=True)
class Reason:
    """One issue out of a FailureReason: Twilio's words, our entry if known, the suggested address if any."""

    text: str
    failure: Failure | None
    suggestion: AddressSuggestion | None


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
    """The first usable suggestion in a FailureReason, or None. Never raises."""
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
        # Exactly one full stop separates values; what stands before it belongs to the value.
        value = value.removesuffix(".").strip()
        field = _FIELD_OF_KEY[" ".join(key.group(1).lower().split())]
        value = places.SHAPES[field](value) if field in places.SHAPES else value
        if value.lower() not in _NOTHING:
            values.setdefault(field, value)
    if not values:
        return None
    values["street_secondary"] = places.without_last_line(
        values.get("street_secondary", ""),
        city=values.get("city", ""),
        region=values.get("region", ""),
        postal_code=values.get("postal_code", ""),
    )
    suggestion = AddressSuggestion(**values)
    return suggestion if suggestion.as_inputs() else None


def parse_failure_reason(area: str, text: object) -> list[Reason]:
    """All issues of a FailureReason (or failure_reason) in order; no word of the text is lost. Never raises.

    `area` as in match_texts. What stands before the first known clause, or a text without any, becomes an
    issue without an entry.
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
            reasons.append(Reason(text=words, failure=known, suggestion=parse_address_suggestion(piece)))
    return reasons

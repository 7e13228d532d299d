"""Readers for the prose of a bundle's FailureReason, including the address that Twilio suggests.

Source: Twilio facts, section 6.2. The text looks like
`[address_sids] - Invalid Region. Address suggestion -> Street: …. Secondary Street: …. Locality: …. Region: ….
Postal Code: …. Country: US;`, with or without the last semicolon, and several of these may stand in one text.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from itertools import pairwise

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
_SUGGESTION = re.compile(r"Address suggestion\s*(?:->|-&gt;|→|:)?", re.IGNORECASE)
_END = re.compile(r";|\[address_sids\]", re.IGNORECASE)
# The longer key first: "Secondary Street:" contains "Street:".
_KEY = re.compile(
    r"(?<![A-Za-z])(Secondary\s+Street|Street|Locality|Region|Postal\s+Code|Country)\s*:", re.IGNORECASE
)
# Without a semicolon another issue may follow the last value; these two have a known shape.
_SHAPES = {
    "postal_code": re.compile(r"\d{5}(?:-\d{4})?(?![\d-])|[A-Z]\d[A-Z][ -]?\d[A-Z]\d\b", re.IGNORECASE),
    "iso_country": re.compile(r"[A-Z]{2}\b", re.IGNORECASE),
}
_PREFIX = "[address_sids]"


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
        if (shape := _SHAPES.get(field)) and (shaped := shape.match(value)):
            value = shaped.group()
        if value and value.lower() not in ("null", "none", "undefined"):
            values.setdefault(field, value)
    if not values:
        return None
    for field in ("region", "iso_country"):
        if len(values.get(field, "")) == 2:
            values[field] = values[field].upper()
    values["street_secondary"] = _without_last_line(values)
    return AddressSuggestion(**values)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _without_last_line(values: dict[str, str]) -> str:
    """The secondary line without a repeated "city, state zip".

    Twilio's own sample puts that last line of an envelope into Secondary Street; copied into the address it
    would be rejected again. An apartment before it is kept.
    """
    secondary = values.get("street_secondary", "")
    city, region, postal = (_words(values.get(field, "")) for field in ("city", "region", "postal_code"))
    if not secondary or not (city or region or postal):
        return secondary
    words = _words(secondary)
    if words and set(words) <= {*city, *region, *postal}:
        return ""
    # The ZIP's last four digits, and the code as a whole, may be absent in either place.
    for tail in (city + region + postal, city + region + postal[:1], city + region):
        if city and region and words[-len(tail) :] == tail:
            kept = len(words) - len(tail)
            spans = [match.span() for match in re.finditer(r"[^\W_]+", secondary)]
            return secondary[: spans[kept - 1][1]].strip() if kept else ""
    return secondary


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
        words = piece.strip().removesuffix("-").strip().removesuffix(_PREFIX).strip(" \t\r\n;,-")
        if words:
            reasons.append(Reason(text=words, failure=known, suggestion=parse_address_suggestion(piece)))
    return reasons

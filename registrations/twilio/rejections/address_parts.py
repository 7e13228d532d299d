"""Converts the parts of a suggested address to what the form accepts, and cleans up its second line.

Source: docs/twilio.md section 6.2. A part that is not recognized is "": no value is better than a wrong one.
"""

from __future__ import annotations

import re
import unicodedata

_COUNTRIES = {"us": "US", "usa": "US", "united states": "US", "united states of america": "US"}
_COUNTRIES |= {"ca": "CA", "can": "CA", "canada": "CA"}
_ZIP = re.compile(r"(\d{5})(?:[- ]?(\d{4}))?(?![\d-])")
_CANADIAN = re.compile(r"([A-Z]\d[A-Z])[ -]?(\d[A-Z]\d)\b", re.IGNORECASE)
_UNIT = re.compile(r"\d|#|\b(?:apt|apartment|suite|ste|unit|floor|fl|room|rm|bldg|building|box|lot)\b", re.I)


def _folded(text: str) -> str:
    """Without case and accents, single-spaced: "Montréal" and "MONTREAL" are one."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", plain.lower()))


_NAMES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware,
DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas,
KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi,
MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York,
NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island,
SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, GU Guam, MP Northern Mariana Islands,
PR Puerto Rico, VI Virgin Islands, AA Armed Forces Americas, AE Armed Forces Europe, AP Armed Forces Pacific,
AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador,
NT Northwest Territories, NS Nova Scotia, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec,
SK Saskatchewan, YT Yukon"""
_REGIONS = {
    _folded(word): code
    for code, _, name in (row.strip().partition(" ") for row in _NAMES.split(","))
    for word in (code, name)
}


def _known(table: dict[str, str], value: str) -> str:
    """What the table has for the value, or for its beginning: without a semicolon another issue may follow."""
    words = _folded(value).split()
    found = (table.get(" ".join(words[:end])) for end in range(min(len(words), 4), 0, -1))
    return next((code for code in found if code), "")


def _region(value: str) -> str:
    return _known(_REGIONS, value)


def _country(value: str) -> str:
    return _known(_COUNTRIES, value)


def _postal_code(value: str) -> str:
    if code := _ZIP.match(value):
        return "-".join(part for part in code.groups() if part)
    if code := _CANADIAN.match(value):
        return " ".join(code.groups()).upper()
    return ""


SHAPES = {"region": _region, "postal_code": _postal_code, "iso_country": _country}


def without_last_line(secondary: str, *, city: str, region: str, postal_code: str) -> str:
    """The secondary line without a repeated "city, state zip".

    Twilio's own sample has the "city, state zip" line in Secondary Street. If it were copied into the address,
    the address would be rejected again. An apartment before it is kept. Source: docs/twilio.md section 6.2.

    >>> without_last_line("Apt 4B, Boston, MA 02215", city="Boston", region="MA", postal_code="02215-4147")
    'Apt 4B'
    """
    spans = [match.span() for match in re.finditer(r"[^\W_]+", secondary)]
    words = [_folded(secondary[start:end]) for start, end in spans]
    cities, place = _folded(city).split(), {*_folded(city).split(), *_folded(region).split()}
    code = re.sub(r"[^a-z0-9]", "", postal_code.lower())
    if words and set(words) <= place:
        return ""
    left = _before_code(words, code)
    coded = len(left) < len(words)
    stated = _before_region(left, region)
    regional, left = len(stated) < len(left), stated
    if cities and left[-len(cities) :] == cities and regional:
        left = left[: -len(cities)]
    elif coded and regional:
        # Another name of the same place, such as Brooklyn for New York, up to the comma before it.
        pieces = [piece.strip() for piece in _upto(secondary, spans, left).split(",")]
        kept = pieces[:-1] if len(pieces) > 1 else [piece for piece in pieces if _UNIT.search(piece)]
        return ", ".join(piece for piece in kept if piece)
    elif not (coded and not left):
        return secondary
    return _upto(secondary, spans, left)


def _upto(text: str, spans: list[tuple[int, int]], words: list[str]) -> str:
    """The text up to the last of the words that are left."""
    return text[: spans[len(words) - 1][1]].strip() if words else ""


def _before_code(words: list[str], code: str) -> list[str]:
    """Without a closing postal code; the ZIP's last four digits may be absent in either place."""
    for count in (2, 1):
        tail = "".join(words[-count:])
        same = tail == code or (tail.isdigit() and len(tail) in (5, 9) and tail[:5] == code[:5])
        if code and len(words) >= count and same:
            return words[:-count]
    return words


def _before_region(words: list[str], region: str) -> list[str]:
    """Without a closing state or province, by its letters or a name."""
    for count in (3, 2, 1):
        if region and len(words) >= count and _REGIONS.get(" ".join(words[-count:])) == region:
            return words[:-count]
    return words

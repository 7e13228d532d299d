"""Finds catalogue entries by code, by text, and by Twilio's status word.

Pure: no models, no HTTP. The catalogue is read once, when this module is imported. Nothing here raises: unknown
input gives a neutral entry or None, and the pages show Twilio's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .entry import Area, Failure
from .field_names import inputs_of
from .loading import load

CATALOGUE = load()
FAILURES: tuple[Failure, ...] = CATALOGUE.failures
BY_KEY: dict[str, Failure] = {failure.key: failure for failure in FAILURES}
BY_CODE: dict[int, Failure] = {one.code: one for one in FAILURES if one.code and not one.when_inputs}
BY_STATE: dict[str, Failure] = {state.casefold(): failure for failure in FAILURES for state in failure.states}
# Second meanings of a code. Which meaning applies depends on the inputs that Twilio names.
VARIANTS: tuple[Failure, ...] = tuple(failure for failure in FAILURES if failure.when_inputs)

# Part of a registration -> the areas of the catalogue that can apply to it.
AREAS_OF_PART: dict[str, tuple[Area, ...]] = {
    "profile": ("bundle", "evaluation"),
    "trust_bundle": ("bundle", "evaluation"),
    "brand": ("brand", "bundle"),
    "campaign": ("campaign", "brand"),
    "number": ("number",),
    "phone_number": ("number",),
}


def lookup(code: object, fields: Iterable[str] = ()) -> Failure:
    """The entry for Twilio's code (int or digits); `fields` are Twilio's tokens or our form fields.

    An unknown code, or none, gives a neutral entry with certain=False. If the code has a second meaning, `fields`
    decides which one applies (docs/twilio.md section 14: 30882). Never raises.
    """
    number = as_code(code)
    failure = BY_CODE.get(number) if number is not None else None
    if failure is None:
        return _unknown(number)
    inputs = set(inputs_of(fields))
    return next((one for one in VARIANTS if one.code == number and inputs & set(one.when_inputs)), failure)


def by_key(key: str) -> Failure:
    """The entry with this key, or the neutral one. Never raises."""
    return BY_KEY.get(key) or _unknown(None)


def of_state(part: str, word: str | None) -> Failure | None:
    """The entry for a status word that means a failure by itself, or None.

    `part` is a part of the registration, `word` Twilio's status, e.g. ("brand", "SUSPENDED"). Case does not matter.
    """
    part = "number" if part == "phone_number" else part
    return BY_STATE.get(f"{part}:{word or ''}".casefold())


def as_code(value: object) -> int | None:
    """Twilio's number from 30886, "30886", or 30886.0; None for anything else or out of 1 to 999,999,999."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if 0 < value < 10**9 else None
    if isinstance(value, float):
        return int(value) if 0 < value < 10**9 and value == int(value) else None
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value) or None
    return None


@lru_cache(maxsize=256)
def _unknown(code: int | None) -> Failure:
    title = f"Twilio error {code}" if code else "Unknown reason"
    return Failure(
        code=code,
        key=f"unknown_{code}" if code else "unknown",
        area=_area_of(code),
        title=title,
        explanation="This error is not in our catalog. Twilio's own words are shown with it.",
        advice="Read Twilio's message, correct what it names, and submit again. If it does not help, ask "
        "Twilio Support.",
        redo=("support",),
        certain=False,
        source="not in the Twilio facts",
    )


def _area_of(code: int | None) -> Area:
    code = code or 0
    if 18000 <= code < 19000:
        return "bundle"
    if 30700 <= code < 30800:
        return "brand"
    if 30800 <= code < 31000 or 30490 <= code < 30600:
        return "campaign"
    return "synchronous"


# --- texts without a code --------------------------------------------------------------------------------------

_CODE_IN_URL = re.compile(r"/errors/(\d{4,6})\b")


def _clause(text: str) -> re.Pattern[str]:
    """Pattern for the beginning of a text; case, spacing, punctuation, and an extra "please" do not matter."""
    words = [re.escape(word) for word in re.findall(r"[A-Za-z0-9]+", text)]
    gap = r"[^A-Za-z0-9]+(?:please[^A-Za-z0-9]+)?"
    return re.compile(r"(?<![A-Za-z0-9])" + gap.join(words) + r"(?![A-Za-z0-9])", re.IGNORECASE)


_CLAUSES: tuple[tuple[re.Pattern[str], Failure], ...] = tuple(
    (_clause(text), failure) for failure in FAILURES for text in failure.texts
)
# Values of a suggested address are not reasons.
_SUGGESTED = re.compile(
    r"Address suggestion\s*->.*?(?:Country:\s*[A-Za-z]{2}\b|;|(?=\[address_sids\])|(?=Address suggestion)|$)",
    re.IGNORECASE | re.DOTALL,
)


def find_texts(area: str, text: object) -> list[tuple[int, Failure]]:
    """(position, entry) for each known reason in a text, in order; position counts characters from 0."""
    if not isinstance(text, str) or not text:
        return []
    allowed = AREAS_OF_PART.get(area) or ((area,) if area else None)
    searched = _SUGGESTED.sub(lambda match: " " * len(match.group()), text)
    found: dict[int, Failure] = {}
    for pattern, failure in _CLAUSES:
        if allowed and failure.area not in allowed:
            continue
        for match in pattern.finditer(searched):
            found.setdefault(match.start(), failure)
    for match in _CODE_IN_URL.finditer(text):
        found.setdefault(match.start(), lookup(match.group(1)))
    return sorted(found.items())


def match_texts(area: str, text: object) -> list[Failure]:
    """Every known reason in a FailureReason or failure_reason text, each once, in order; [] if there is none.

    `area` is a part of the registration ("profile", "brand", …), an area of the catalogue, or "" for all.
    """
    return list(dict.fromkeys(failure for _, failure in find_texts(area, text)))


def match_text(area: str, text: object) -> Failure | None:
    """The first known reason in a text, or None if there is none; then show the text itself."""
    found = match_texts(area, text)
    return found[0] if found else None

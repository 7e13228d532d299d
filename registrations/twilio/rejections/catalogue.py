"""All known failures in one place: by code, by text, by upstream status word.

Pure data: no models, no HTTP. Nothing here raises on unknown input; what we do not know is said to be unknown
and Twilio's own words are shown beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from . import (
    brand,
    bundle,
    campaign,
    campaign_content,
    campaign_evidence,
    campaign_review,
    campaign_shared,
    evaluation,
    http_codes,
    number,
    synchronous,
)
from .model import Area, Failure
from .tokens import inputs_of

MODULES = (
    evaluation,
    bundle,
    brand,
    campaign,
    campaign_evidence,
    campaign_content,
    campaign_review,
    campaign_shared,
    number,
    synchronous,
    http_codes,
)
FAILURES: tuple[Failure, ...] = tuple(failure for module in MODULES for failure in module.FAILURES)
BY_KEY: dict[str, Failure] = {failure.key: failure for failure in FAILURES}
BY_CODE: dict[int, Failure] = {int(key): failure for key, failure in BY_KEY.items() if key.isdigit()}
BY_STATE: dict[str, Failure] = {state.casefold(): failure for failure in FAILURES for state in failure.states}

# The parts of a case, as the rest of the project names them, and the catalogue's areas that speak about them.
AREAS_OF_PART: dict[str, tuple[Area, ...]] = {
    "profile": ("bundle", "evaluation"),
    "trust_bundle": ("bundle", "evaluation"),
    "brand": ("brand", "bundle"),
    "campaign": ("campaign", "brand"),
    "number": ("number",),
    "phone_number": ("number",),
}


def _terms_variant(failure: Failure, inputs: tuple[str, ...]) -> Failure:
    """30882 is a policy violation by Twilio's guide, and a missing or bad terms page in the field.

    Source: Twilio facts, section 14: only `fields` can tell the two apart.
    """
    url_fields = {"terms_and_conditions_url", "privacy_policy_url"}
    return BY_KEY["30882_url"] if url_fields & set(inputs) else failure


def lookup(code: object, fields: Iterable[str] = ()) -> Failure:
    """The entry for Twilio's code (int or digits); `fields` are Twilio's tokens or our form fields.

    An unknown code, or none, gives a neutral entry with certain=False. Never raises.
    """
    number_ = as_code(code)
    failure = BY_CODE.get(number_) if number_ is not None else None
    if failure is None:
        return _unknown(number_)
    if failure.code == 30882:
        return _terms_variant(failure, inputs_of(fields))
    return failure


def by_key(key: str) -> Failure:
    """The entry of that key, or the neutral one."""
    return BY_KEY.get(key) or _unknown(None)


def of_state(part: str, word: str | None) -> Failure | None:
    """What an upstream status word means when it is a failure in itself, e.g. ("brand", "SUSPENDED")."""
    part = "number" if part == "phone_number" else part
    return BY_STATE.get(f"{part}:{word or ''}".casefold())


def as_code(value: object) -> int | None:
    """Twilio's number out of 30886, "30886" or 30886.0; None for anything else."""
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
    title = f"Twilio error {code}" if code else "Reason not known to us"
    return Failure(
        code=code,
        key=f"unknown_{code}" if code else "unknown",
        area=_area_of(code),
        title=title,
        explanation="This is not in our catalogue; Twilio's own words are shown with it.",
        advice="Read Twilio's words, correct what they name and submit again; if they do not help, ask "
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


# --- code-less texts --------------------------------------------------------------------------------------

_CODE_IN_URL = re.compile(r"/errors/(\d{4,6})\b")


def _clause(text: str) -> re.Pattern[str]:
    """Pattern for a leading clause: case, spacing, punctuation and a stray "please" do not matter."""
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
    """(position, entry) of each known reason in a text, in the text's order."""
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
    """Every known reason in a FailureReason or failure_reason text, each once, in order; [] if none.

    `area` is a part of the case ("profile", "brand", …), an area of the catalogue, or "" for all.
    """
    return list(dict.fromkeys(failure for _, failure in find_texts(area, text)))


def match_text(area: str, text: object) -> Failure | None:
    """The first known reason in a text, or None: then show the text as it came."""
    found = match_texts(area, text)
    return found[0] if found else None

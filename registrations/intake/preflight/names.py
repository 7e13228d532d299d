"""Whether a text names the brand, in any of the ways people write the name of their business."""

import re
import unicodedata
from functools import cached_property
from typing import Literal

from .text_scan import word_set

Mention = Literal["full", "part", "none"]

# A company suffix is not part of the name that people use.
SUFFIX = re.compile(
    r"[\s,]*\b(p\.?l\.?l\.?c|l\.?l\.?c|l\.?l\.?p|l\.?p|inc|incorporated|corp|corporation|ltd|limited)\.?\s*$",
    re.IGNORECASE,
)
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"(?<=\w)['’‘`´](?=\w)|(?<=s)['’‘`´](?=\s|$)")
# Words that many business names share: alone, they do not identify a business.
_COMMON = word_set(
    """
    the a an and of for by at in on to with my our your mr mrs ms dr service services company co shop
    store studio salon bar care group club center house home family kids pet cleaning cleaners repair
    repairs lessons lesson tutoring coaching training trainer photography catering plumbing lawn garden
    yoga fitness church hair nails nail beauty auto mobile music art dance piano guitar math language
    school academy therapy massage dental tax notary realty real estate consulting design designs works
    clinic appointment reminder team local new best good fresh first little big city personal
    alterations bakery kitchen food truck cake cakes flowers florals dog dogs bike bikes book
    """
)
_SHORT = 5  # letters; a shorter name must be a whole word


def normalize(text: str) -> str:
    """Lower case, without accents and apostrophes; "&" and "+" are "and".

    >>> normalize("José’s Café & Bar")
    'joses cafe and bar'
    """
    text = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text.casefold())).translate(_LETTERS)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.replace("&", " and ").replace("+", " and ").replace("  ", " ")


def words_of(text: str) -> list[str]:
    return _WORD.findall(normalize(text))


class BrandName:
    """A brand name; `named_in` says how a text calls it."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()

    def __bool__(self) -> bool:
        return bool(self.words)

    @cached_property
    def words(self) -> list[str]:
        found = words_of(SUFFIX.sub("", self.text))
        if len(found) > 1 and found[-1] in ("co", "company"):
            found.pop()
        return found[1:] if len(found) > 1 and found[0] == "the" else found

    @cached_property
    def _joined(self) -> tuple[str, str]:
        """Without spaces, with and without "and": "Mike's P & D" is also written "Mikes P+D" and "mikespd.com"."""
        return "".join(self.words), "".join(word for word in self.words if word != "and")

    @cached_property
    def _distinctive(self) -> frozenset[str]:
        own = [word for word in self.words if word not in _COMMON and len(word) > 1]
        return frozenset(own + [word.removesuffix("s") for word in own if len(word) > 3])

    @cached_property
    def _short_forms(self) -> list[str]:
        """People shorten names at the end: "Tio Beto's Tacos" for "Tio Beto's Tacos and Catering"."""
        sizes = range(max(2, (len(self.words) + 1) // 2), len(self.words))
        short_forms = (self.words[:n] for n in sizes)
        return [
            "".join(form)
            for form in short_forms
            if self._distinctive & set(form) and len("".join(form)) > _SHORT
        ]

    @cached_property
    def _initials(self) -> str:
        return "".join(word[0] for word in self.words if word != "and")

    def mention_in(self, text: str, words: list[str] | None = None) -> Mention:
        """How `text` names the brand. words: the normalized words of `text`, if they are known already.

        >>> BrandName("Bella's Nail Bar LLC").mention_in("BELLAS NAIL BAR: see you at 2")
        'full'
        >>> BrandName("Bella's Nail Bar").mention_in("It's Bella, see you at 2")
        'part'
        >>> BrandName("Bella's Nail Bar").mention_in("Your nail appointment is at 2")
        'none'
        """
        if not self:
            return "full"
        words = words_of(text) if words is None else words
        if self._in_full(words):
            return "full"
        if self._distinctive & set(words) or any(
            self._joined[1] in word for word in words if len(word) > _SHORT
        ):
            return "part"
        if len(self._initials) > 2 and re.search(rf"\b{re.escape(self._initials)}\b", text, re.IGNORECASE):
            return "part"
        return "none"

    def _in_full(self, words: list[str]) -> bool:
        size = len(self.words)
        if len(self._joined[0]) < _SHORT or size == 1:
            runs = (words[at : at + size] for at in range(len(words) - size + 1))
            close = size == 1 and len(self._joined[0]) > _SHORT and self._joined[0] in "".join(words)
            return self.words in list(runs) or close
        text = "".join(words)
        if any(form in text for form in self._short_forms):
            return True
        return self._joined[0] in text or self._joined[1] in text.replace("and", "")

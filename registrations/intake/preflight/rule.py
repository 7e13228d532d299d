"""What a rule is, what it reads (Draft) and what it finds (Finding)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from .names import BrandName, Mention, words_of
from .text_scan import Link, Phone, is_negated, links_in, phones_in

Severity = Literal["error", "warning"]
ERROR: Severity = "error"
WARNING: Severity = "warning"
Parts = dict[str, dict[str, Any]]
MAX_SAMPLES = 5
EXCERPT_LENGTH = 80
STEM_LENGTH = 6  # letters


@dataclass(frozen=True)
class Hit:
    """What a rule found in one form field. text: what to do about it. severity: overrides the rule's."""

    field: str
    text: str
    excerpt: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Rule:
    """One thing that Twilio's reviewers reject and that can be detected in the inputs.

    codes: the rejections it prevents. fields: the form fields it reads. why, example: shown to the agent; the
    example passes. source_row: the row of docs/twilio.md section 12. blocks_saving: Twilio cannot accept it at all,
    so the form does not save it. skip_while_typing: it is about something missing, so it waits for the whole form.
    """

    slug: str
    codes: tuple[int, ...]
    severity: Severity
    fields: tuple[str, ...]
    title: str
    why: str
    example: str
    check: Callable[["Draft"], Iterable[Hit]]
    source_row: int
    blocks_saving: bool = False
    skip_while_typing: bool = False


@dataclass(frozen=True)
class Finding:
    """What a rule says about one field. excerpt: the words that caused it, "" if something is missing."""

    rule: Rule
    severity: Severity
    field: str
    text: str
    excerpt: str = ""

    @property
    def slug(self) -> str:
        return self.rule.slug

    @property
    def codes(self) -> tuple[int, ...]:
        return self.rule.codes

    @property
    def key(self) -> str:
        """Identifies this finding across checks: what a person has seen or overridden."""
        return f"{self.rule.slug}@{self.field}"

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    @property
    def excerpt_adds_detail(self) -> bool:
        return bool(self.excerpt) and self.excerpt not in self.text


class Draft:
    """The inputs under check, prepared once for all rules. Missing inputs are empty."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._words: dict[str, list[str]] = {}

    def text(self, field: str) -> str:
        """The value of a text field of any part, or ""."""
        for inputs in self.parts.values():
            if (value := inputs.get(field)) is not None:
                return str(value).strip()
        return ""

    def flag(self, field: str) -> bool:
        return bool(self.parts.get("campaign", {}).get(field))

    def keywords(self, field: str) -> list[str]:
        value = self.parts.get("campaign", {}).get(field) or ""
        words = value if isinstance(value, list) else str(value).replace(",", " ").split()
        return [str(word).upper() for word in words]

    @cached_property
    def samples(self) -> list[tuple[str, str]]:
        """(form field, text) of each sample message that is not empty."""
        campaign = self.parts.get("campaign", {})
        listed = campaign.get("message_samples") or []
        texts = {f"message_sample_{n}": str(text) for n, text in enumerate(listed, start=1)}
        single = (f"message_sample_{n}" for n in range(1, MAX_SAMPLES + 1))
        texts |= {name: str(campaign[name]) for name in single if campaign.get(name)}
        return [(name, text.strip()) for name, text in sorted(texts.items()) if text.strip()]

    @cached_property
    def brand(self) -> BrandName:
        return BrandName(self.text("brand_name"))

    def words(self, text: str) -> list[str]:
        """The normalized words of a text, cached."""
        if text not in self._words:
            self._words[text] = words_of(text)
        return self._words[text]

    def brand_mention(self, text: str) -> Mention:
        """How a text names the brand."""
        return self.brand.mention_in(text, self.words(text))

    @cached_property
    def stems(self) -> frozenset[str]:
        """The first 2 to STEM_LENGTH letters of all words that reviewers read: a quick test before slow patterns."""
        texts = [self.text("brand_name"), *(text for _, text in self.read_by_reviewers())]
        words = {word for text in texts for word in self.words(text)}
        return frozenset(word[:n] for word in words for n in range(2, STEM_LENGTH + 1))

    @cached_property
    def description(self) -> str:
        return self.text("description")

    @cached_property
    def flow(self) -> str:
        return self.text("message_flow")

    def read_by_recipients(self) -> Iterator[tuple[str, str]]:
        """(form field, text) of everything recipients get: samples and automatic replies."""
        yield from self.samples
        for field in ("opt_in_message", "opt_out_message", "help_message"):
            if text := self.text(field):
                yield field, text

    def read_by_reviewers(self) -> Iterator[tuple[str, str]]:
        """(form field, text) of everything reviewers read."""
        for field in ("description", "message_flow"):
            if text := self.text(field):
                yield field, text
        yield from self.read_by_recipients()

    @cached_property
    def links(self) -> dict[str, list[Link]]:
        return {field: links_in(text) for field, text in self.read_by_reviewers()}

    @cached_property
    def phones(self) -> dict[str, list[Phone]]:
        return {field: phones_in(text) for field, text in self.read_by_reviewers()}


def excerpt(text: str, start: int, end: int, around: int = 12) -> str:
    """The words at fault with some context, about EXCERPT_LENGTH characters at most."""
    end = min(end, start + EXCERPT_LENGTH)
    low, high = max(0, start - around), min(len(text), end + around)
    words = " ".join(text[low:high].split())
    return f"{'…' if low else ''}{words}{'…' if high < len(text) else ''}"


def forbids(pattern: re.Pattern[str], text: str, *fields: str) -> Callable[[Draft], Iterator[Hit]]:
    """A check that finds a pattern in these fields unless it is negated; one hit a field."""

    def check(draft: Draft) -> Iterator[Hit]:
        for field in fields:
            words = draft.text(field)
            for found in pattern.finditer(words):
                if not is_negated(words, found.start()):
                    yield Hit(field, text, excerpt(words, *found.span()))
                    break

    return check

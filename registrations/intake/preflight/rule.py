"""The shape of a rule, of what it finds, and of what it reads."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from .names import Name, Naming, words_of
from .text_scan import Link, Phone, links_in, phones_in

Severity = Literal["error", "warning"]
ERROR: Severity = "error"
WARNING: Severity = "warning"
Parts = dict[str, dict[str, Any]]
MOST_SAMPLES = 5
EXCERPT = 80
STEM = 6  # letters


@dataclass(frozen=True)
class Hit:
    """What a rule's check found in one field. text: what to do about it. severity: else the rule's own."""

    field: str
    text: str
    excerpt: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Rule:
    """One thing that Twilio's reviewers reject and a machine can see.

    codes: the rejections that it prevents. fields: the form fields it reads. why, example: for the person;
    the example is one that passes. hard: Twilio cannot take it at all, so that the form does not save it.
    missing: it speaks of something that is not there, which is no news while somebody is still typing.
    source: the row of Twilio's docs/twilio.md section 12.
    """

    slug: str
    codes: tuple[int, ...]
    severity: Severity
    fields: tuple[str, ...]
    title: str
    why: str
    example: str
    check: Callable[["Case"], Iterable[Hit]]
    source: int
    hard: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule's word on one field of one case. excerpt: the words that caused it, "" when something is "
    "missing."""

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
        """Names this finding across checks, for what a person has seen or agreed to."""
        return f"{self.rule.slug}@{self.field}"

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    @property
    def also(self) -> bool:
        """Whether the excerpt tells more than the sentence."""
        return bool(self.excerpt) and self.excerpt not in self.text


class Case:
    """One case's inputs, read once for all rules. Missing inputs are empty; nothing is changed or saved."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._words: dict[str, list[str]] = {}

    def text(self, field: str) -> str:
        """The value of a text field of any part, "" when it is not given."""
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
        """(form field, text) of each sample that is not empty."""
        campaign = self.parts.get("campaign", {})
        listed = campaign.get("message_samples") or []
        texts = {f"message_sample_{n}": str(text) for n, text in enumerate(listed, start=1)}
        single = (f"message_sample_{n}" for n in range(1, MOST_SAMPLES + 1))
        texts |= {name: str(campaign[name]) for name in single if campaign.get(name)}
        return [(name, text.strip()) for name, text in sorted(texts.items()) if text.strip()]

    @cached_property
    def name(self) -> Name:
        return Name(self.text("brand_name"))

    def words(self, text: str) -> list[str]:
        """The words of a text, plain and lower case; split once."""
        if text not in self._words:
            self._words[text] = words_of(text)
        return self._words[text]

    def naming(self, text: str) -> Naming:
        """How a text calls the brand."""
        return self.name.named_in(text, self.words(text))

    @cached_property
    def stems(self) -> frozenset[str]:
        """All beginnings of 2 to STEM letters of the words that reviewers read; see topics.py."""
        texts = [self.text("brand_name"), *(text for _, text in self.told())]
        words = {word for text in texts for word in self.words(text)}
        return frozenset(word[:n] for word in words for n in range(2, STEM + 1))

    @cached_property
    def description(self) -> str:
        return self.text("description")

    @cached_property
    def flow(self) -> str:
        return self.text("message_flow")

    def sent(self) -> Iterator[tuple[str, str]]:
        """Everything that recipients get: the samples and our own answers."""
        yield from self.samples
        for field in ("opt_in_message", "opt_out_message", "help_message"):
            if text := self.text(field):
                yield field, text

    def told(self) -> Iterator[tuple[str, str]]:
        """Everything that reviewers read."""
        for field in ("description", "message_flow"):
            if text := self.text(field):
                yield field, text
        yield from self.sent()

    @cached_property
    def links(self) -> dict[str, list[Link]]:
        return {field: links_in(text) for field, text in self.told()}

    @cached_property
    def phones(self) -> dict[str, list[Phone]]:
        return {field: phones_in(text) for field, text in self.told()}


def excerpt(text: str, start: int, end: int, around: int = 12) -> str:
    """The words at fault with a little of their surroundings, at most about EXCERPT characters."""
    end = min(end, start + EXCERPT)
    low, high = max(0, start - around), min(len(text), end + around)
    words = " ".join(text[low:high].split())
    return f"{'…' if low else ''}{words}{'…' if high < len(text) else ''}"

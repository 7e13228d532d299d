"""Reads the catalogue's TOML files into frozen entries, and names every mistake in them.

What a file may contain is described for authors in catalogue/README.md. A mistake never raises. The rejection
that contains it is left out, and registrations/checks.py reports it as an error of `manage.py check`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from .entry import FORM_FIELDS, SCOPES, Area, Failure, Fee, Resubmittable, Who

CATALOGUE_DIR = Path(__file__).resolve().parent / "catalogue"


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in the catalogue.

    file: the file's name. entry: the rejection's code or key, "template <name>", "defaults", or "" for the file
    as a whole. field: the name of the field, or "". text: what is wrong with it.
    """

    file: str
    entry: str
    field: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.entry, self.field, self.text) if part)


@dataclass(frozen=True)
class Section:
    """One file of the catalogue.

    name: the file's name without ".toml". heading: its heading in docs/failures.md. position: its place among
    the sections. failures: its entries, in the file's order.
    """

    name: str
    heading: str
    position: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Catalogue:
    """All sections in order of position, and the mistakes that were found while reading them."""

    sections: tuple[Section, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every entry of every section."""
        return tuple(failure for section in self.sections for failure in section.failures)


def load(folder: Path = CATALOGUE_DIR) -> Catalogue:
    """Every `*.toml` file of a folder. Never raises: what cannot be used is left out and named in `mistakes`."""
    mistakes: list[Mistake] = []
    sections = [_File(path, mistakes).section() for path in sorted(folder.glob("*.toml"))]
    if not sections:
        mistakes.append(Mistake(folder.name, "", "", "there is no .toml file in this folder"))
    sections.sort(key=lambda section: section.position)
    mistakes += _repeated_positions(sections)
    return Catalogue(tuple(_without_repeats(sections, mistakes)), tuple(mistakes))


# --- values -----------------------------------------------------------------------------------------------

Reader = Callable[[object], Any]  # takes what TOML holds, returns what Failure holds; raises ValueError


def _text(value: object) -> str:
    """A text, written over as many lines as its author likes: line breaks become spaces."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return " ".join(value.split())


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _code(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError("must be a number above 0")
    return value


def _one_of(words: Iterable[str]) -> Reader:
    known = tuple(words)

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{value!r} is unknown; {_known(value, known)}")
        return value

    return read


def _list_of(read_one: Reader, *, empty: bool = False) -> Reader:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not (value or empty):
            raise ValueError("must be a list" + ("" if empty else " that is not empty"))
        found = tuple(read_one(one) for one in value)
        if len(set(found)) < len(found):
            raise ValueError("names the same thing twice")
        return found

    return read


def _state(value: object) -> str:
    part, colon, word = value.partition(":") if isinstance(value, str) else ("", "", "")
    if part not in STATE_PARTS or not colon or not word.strip():
        raise ValueError(f"{value!r} must be part:word, the part being one of {', '.join(STATE_PARTS)}")
    return str(value)


def _known(value: object, words: Iterable[str]) -> str:
    """A hint at the word that was meant."""
    words = sorted(words)
    close = get_close_matches(str(value), words, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(words)}"


STATE_PARTS = ("profile", "trust_bundle", "brand", "campaign", "number", "evaluation")
PROSE = ("title", "explanation", "advice")
REQUIRED = (*PROSE, "area", "source")
SUBJECT = "{subject}"

# What several rejections may share, in [defaults] or a [template.x].
SHARED: dict[str, Reader] = {
    "title": _text,
    "explanation": _text,
    "advice": _text,
    "source": _text,
    "area": _one_of(get_args(Area)),
    "fields": _list_of(_one_of(FORM_FIELDS), empty=True),
    "resubmittable": _one_of(get_args(Resubmittable)),
    "redo": _list_of(_one_of(SCOPES)),
    "fee": _one_of(get_args(Fee)),
    "who": _one_of(get_args(Who)),
    "certain": _flag,
}
# What belongs to a single rejection.
OWN: dict[str, Reader] = {
    "code": _code,
    "codes": _list_of(_code),
    "key": _text,
    "when_inputs": _list_of(_one_of(FORM_FIELDS)),
    "texts": _list_of(_text),
    "states": _list_of(_state),
    "template": _text,
    "subject": _text,
}
TOP_LEVEL = ("heading", "position", "defaults", "template", "rejection")


# --- one file ---------------------------------------------------------------------------------------------


class _File:
    """One file while it is read; mistakes go to the list that it was given."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        self.name = path.name
        self.stem = path.stem
        self.mistakes = mistakes
        self.table = self._parsed(path)
        self.defaults: dict[str, Any] | None = {}
        self.templates: dict[str, dict[str, Any] | None] = {}
        self.used: set[str] = set()

    def section(self) -> Section:
        """The file's section; without entries if the file is no TOML at all."""
        if self.table is None:
            return Section(self.stem, self.stem, 0, ())
        for name in self.table:
            if name not in TOP_LEVEL:
                self._wrong("", name, f"is unknown; {_known(name, TOP_LEVEL)}")
        heading = self._read("", "heading", self.table.get("heading"), _text) or self.stem
        position = self._read("", "position", self.table.get("position"), _code) or 0
        self.defaults = self._shared("defaults", self.table.get("defaults", {}))
        for name, template in self._tables("template").items():
            self.templates[name] = self._shared(f"template {name}", template)
        failures = tuple(
            failure for place, table in self._rejections() for failure in self._entries(place, table)
        )
        for name in self.templates.keys() - self.used:
            self._wrong(f"template {name}", "", "no rejection uses it")
        return Section(self.stem, heading, position, failures)

    def _parsed(self, path: Path) -> dict[str, Any] | None:
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            self._wrong("", "", f"cannot be read: {error}")
            return None

    def _tables(self, name: str) -> dict[str, Any]:
        tables = (self.table or {}).get(name, {})
        if isinstance(tables, dict):
            return tables
        self._wrong("", name, f"must be written as [{name}.x]")
        return {}

    def _rejections(self) -> Iterator[tuple[str, dict[str, Any]]]:
        tables = (self.table or {}).get("rejection", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._wrong("", "rejection", "must be written as [[rejection]]")
            return
        for number, table in enumerate(tables, start=1):
            yield _place(table, number), table

    def _shared(self, place: str, table: object) -> dict[str, Any] | None:
        """The fields of defaults or a template; None if one of them cannot be used."""
        if not isinstance(table, dict):
            self._wrong(place, "", "must be a table")
            return None
        return self._fields(place, table, SHARED)

    def _fields(
        self, place: str, table: Mapping[str, Any], readers: Mapping[str, Reader]
    ) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        good = True
        for name, value in table.items():
            if name in readers:
                found[name] = self._read(place, name, value, readers[name])
                good = good and found[name] is not None
            else:
                elsewhere = "belongs to a single rejection" if name in OWN else ""
                self._wrong(place, name, elsewhere or f"is unknown; {_known(name, readers)}")
                good = False
        return found if good else None

    def _entries(self, place: str, table: dict[str, Any]) -> list[Failure]:
        """The entries of one [[rejection]]: one, or one for each of its `codes`; none if it has a mistake."""
        own = self._fields(place, table, OWN | SHARED)
        if "template" in table:
            self.used.add(str(table["template"]))
        if own is None or self.defaults is None:
            return []
        template = self._template(place, own.pop("template", None))
        if template is None:
            return []
        values = self.defaults | template | own
        if not self._identified(place, values) or not self._complete(place, values):
            return []
        if not self._filled(place, values):
            return []
        codes = values.pop("codes", None) or (values.pop("code", None),)
        return [Failure(code=code, **values) for code in codes]

    def _template(self, place: str, name: str | None) -> dict[str, Any] | None:
        if name is None:
            return {}
        if name not in self.templates:
            self._wrong(place, "template", f"{name!r} is unknown; {_known(name, self.templates)}")
        return self.templates.get(name)

    def _identified(self, place: str, values: Mapping[str, Any]) -> bool:
        """Whether the rejection has a code, several, or a key, in a combination that can be looked up."""
        named = {"code", "codes", "key"} & values.keys()
        if not named:
            return self._wrong(place, "code", "is missing; a rejection without a code needs a key")
        if {"code", "codes"} <= named:
            return self._wrong(place, "codes", "cannot be given together with code")
        if "when_inputs" in values and named != {"code", "key"}:
            return self._wrong(place, "when_inputs", "needs a code and a key of its own")
        if "key" in named and len(named) > 1 and "when_inputs" not in values:
            return self._wrong(place, "key", "the code is the key, unless when_inputs is given")
        return True

    def _complete(self, place: str, values: Mapping[str, Any]) -> bool:
        missing = [name for name in REQUIRED if name not in values]
        for name in missing:
            self._wrong(place, name, "is missing")
        return not missing

    def _filled(self, place: str, values: dict[str, Any]) -> bool:
        """Puts the subject into the texts that have a place for it."""
        subject = values.pop("subject", None)
        if subject is None and any(SUBJECT in values[name] for name in PROSE):
            return self._wrong(place, "subject", f"is missing; the texts contain {SUBJECT}")
        if subject is not None and not any(SUBJECT in values[name] for name in PROSE):
            return self._wrong(place, "subject", f"is given, but no text contains {SUBJECT}")
        for name in PROSE:
            values[name] = values[name].replace(SUBJECT, subject or "")
            if "{" in values[name] or "}" in values[name]:
                return self._wrong(place, name, f"contains a brace; the only placeholder is {SUBJECT}")
        return True

    def _read(self, place: str, name: str, value: object, reader: Reader) -> Any:
        """The value as Failure holds it; None if it cannot be used."""
        if value is None:
            self._wrong(place, name, "is missing")
            return None
        try:
            return reader(value)
        except ValueError as error:
            self._wrong(place, name, str(error))
            return None

    def _wrong(self, place: str, field: str, text: str) -> bool:
        """Notes a mistake; always False."""
        self.mistakes.append(Mistake(self.name, place, field, text))
        return False


def _place(table: Mapping[str, Any], number: int) -> str:
    """How to find a rejection in its file: by key or code, or by its place if it has neither."""
    codes = table.get("codes")
    listed = ", ".join(map(str, codes)) if isinstance(codes, list) else ""
    return str(table.get("key") or table.get("code") or listed or f"rejection {number} of the file")


# --- across files -----------------------------------------------------------------------------------------


def _repeated_positions(sections: Iterable[Section]) -> Iterator[Mistake]:
    taken: dict[int, str] = {}
    for section in sections:
        first = taken.setdefault(section.position, section.name)
        if first != section.name and section.position:
            yield Mistake(f"{section.name}.toml", "", "position", f"{first}.toml has the same")


def _without_repeats(sections: Iterable[Section], mistakes: list[Mistake]) -> Iterator[Section]:
    """The sections without entries that could never be found, because an earlier one has their place."""
    sections = list(sections)
    codes = {one.code for section in sections for one in section.failures if not one.when_inputs}
    taken: dict[tuple[str, str], str] = {}
    for section in sections:
        kept = []
        for failure in section.failures:
            place = f"{section.name}.toml"
            wrong = [
                Mistake(place, failure.key, field, f"{value} is already in {taken[field, value.casefold()]}")
                for field, value in _claims(failure)
                if (field, value.casefold()) in taken
            ]
            if failure.when_inputs and failure.code not in codes:
                text = f"no rejection has the code {failure.code} for other inputs"
                wrong.append(Mistake(place, failure.key, "when_inputs", text))
            mistakes += wrong
            if not wrong:
                kept.append(failure)
                taken |= {(field, value.casefold()): place for field, value in _claims(failure)}
        yield Section(section.name, section.heading, section.position, tuple(kept))


def _claims(failure: Failure) -> Iterator[tuple[str, str]]:
    """(field, value) pairs that only one entry of the catalogue may have."""
    yield ("code" if failure.key == str(failure.code) else "key"), failure.key
    yield from (("texts", text) for text in failure.texts)
    yield from (("states", state) for state in failure.states)

"""Rules about the sample messages, alone and among each other."""

import re
from collections.abc import Iterator
from itertools import combinations

from .rule import ERROR, WARNING, Case, Hit, Rule, excerpt
from .text_scan import LINK_PLACEHOLDER, PHONE_PLACEHOLDER, opt_out_in, says_stop

_FIRST = "message_sample_1"
# Two samples with this share of common words are one text to a reviewer.
_NEAR = 0.7
_FEW_WORDS = 5
_VARIABLE = re.compile(
    r"\{\{?\s*[\w .-]+\s*\}?\}|<[A-Za-z][\w ]*>|%[A-Za-z_]{2,}%|\$\{[\w.]+\}|_{3,}|\b[Xx]{3,}\b|\bXX[/:]XX\b"
)
_FILLER = re.compile(
    r"lorem ipsum|dolor sit amet|\basdf\w*|\bblah blah\b|\binsert (?:\w+ ){0,3}here\b|\bfoo bar\b|\bqwerty\b|"
    r"\b(?:this is )?(?:a |just a )?(?:test|sample|example|dummy) (?:message|text|sms)\b",
    re.IGNORECASE,
)
_FILLER_STEMS = frozenset(
    ["lorem", "dolor", "asdf", "blah", "insert", "foo", "qwerty", "test", "sample", "exampl", "dummy"]
)
_NAMELESS = re.compile(
    r"[\[{<]\s*(?:your |the |my )?(?:business|company|brand|shop|store|salon|organi[sz]ation|church|"
    r"studio|sender)"
    r"(?:[ _]name)?\s*[\]}>]|\byour (?:business|company|brand) name\b",
    re.IGNORECASE,
)
_BOILERPLATE = frozenset(
    [
        "reply",
        "text",
        "txt",
        "stop",
        "to",
        "opt",
        "out",
        "end",
        "quit",
        "unsubscribe",
        "help",
        "for",
        "the",
        "a",
        "and",
        "of",
        "is",
        "you",
        "your",
    ]
)


def _brand(case: Case) -> Iterator[Hit]:
    if len(case.samples) < 2 or not case.name:
        return
    named = {case.naming(text) for _, text in case.samples}
    hosts = (link.host.replace("-", "") for links in case.links.values() for link in links)
    if "full" in named or any(
        case.name.named_in(host.split(".")[-2]) == "full" for host in hosts if "." in host
    ):
        if "full" not in named and named == {"none"}:
            yield Hit(
                _FIRST, f"Name “{case.name.brand}” in at least one sample, better in each.", severity=WARNING
            )
        return
    if "part" in named:
        yield Hit(
            _FIRST,
            f"No sample gives the brand name in full. Write “{case.name.brand}” in at least one.",
            severity=WARNING,
        )
    else:
        yield Hit(_FIRST, f"No sample names “{case.name.brand}”. Put it into at least one, better into each.")


def _opt_out(case: Case) -> Iterator[Hit]:
    if len(case.samples) < 2 or any(opt_out_in(text) for _, text in case.samples):
        return
    stops = next(((name, text) for name, text in case.samples if says_stop(text)), None)
    if stops:
        yield Hit(
            stops[0],
            "It says “stop”, but not how to opt out. Write “Reply STOP to opt out”.",
            severity=WARNING,
        )
    else:
        yield Hit(_FIRST, "No sample tells how to opt out. Add “Reply STOP to opt out” to at least one.")


def _filler(case: Case) -> Iterator[Hit]:
    if not _FILLER_STEMS & case.stems:
        return
    for field, text in case.told():
        if found := _FILLER.search(text):
            doubtful = found.group().lower().endswith(("message", "text", "sms"))
            yield Hit(
                field,
                "This reads like a placeholder. Write a text that is really sent.",
                excerpt(text, *found.span()),
                severity=WARNING if doubtful else None,
            )


def _nameless(case: Case) -> Iterator[Hit]:
    for field, text in case.told():
        if found := _NAMELESS.search(text):
            yield Hit(
                field,
                "Write the brand's name itself: it does not vary.",
                excerpt(text, *found.span(), around=0),
            )


def _variables(case: Case) -> Iterator[Hit]:
    for field, text in case.samples:
        if found := _VARIABLE.search(text):
            yield Hit(
                field,
                f"Put what varies into [square brackets], like [date], instead of “{found.group().strip()}”.",
                found.group().strip(),
            )


def _heart(text: str, case: Case) -> frozenset[str]:
    """The words that make a text this text: without the name and how to opt out."""
    return frozenset(case.words(text)) - frozenset(case.name.words) - _BOILERPLATE


def _same(case: Case) -> Iterator[Hit]:
    texts = [("description", case.description), ("message_flow", case.flow), *case.samples]
    texts = [(field, text) for field, text in texts if text]
    words = {field: case.words(text) for field, text in texts}
    hearts = {field: _heart(text, case) for field, text in texts}
    told: set[str] = set()
    for (first, _), (second, _) in combinations(texts, 2):
        if second in told:
            continue
        if words[first] == words[second] and words[first]:
            told.add(second)
            yield Hit(second, f"This is the same text as {_NAMES[first]}. Every text must be its own.")
            continue
        one, other = hearts[first], hearts[second]
        few = min(len(one), len(other)) < _FEW_WORDS
        if not few and len(one & other) >= _NEAR * len(one | other):
            told.add(second)
            yield Hit(
                second, f"This is nearly the same as {_NAMES[first]}. Show another kind.", severity=WARNING
            )


_NAMES = {"description": "the description", "message_flow": "the text about opting in"} | {
    f"message_sample_{n}": f"sample {n}" for n in range(1, 6)
}


def _links_flag(case: Case) -> Iterator[Hit]:
    if len(case.samples) < 1:
        return
    links = [link for field, _ in case.samples for link in case.links[field]]
    holder = next((found for _, text in case.samples if (found := LINK_PLACEHOLDER.search(text))), None)
    sure = next((link for link in links if link.sure), None)
    if case.flag("has_embedded_links"):
        if not links and not holder and len(case.samples) > 1:
            yield Hit(
                "has_embedded_links",
                "Ticked, but no sample has a link. Show one, or untick it.",
                severity=WARNING,
            )
    elif sure:
        yield Hit("has_embedded_links", f"Tick this: a sample has the link {sure.text}.", sure.text)
    elif links or holder:
        text = links[0].text if links else holder.group() if holder else ""
        yield Hit("has_embedded_links", f"Tick this if “{text}” is a link.", text, severity=WARNING)


def _phone_flag(case: Case) -> Iterator[Hit]:
    if len(case.samples) < 1:
        return
    phones = [phone for field, _ in case.samples for phone in case.phones[field]]
    holder = next((found for _, text in case.samples if (found := PHONE_PLACEHOLDER.search(text))), None)
    sure = next((phone for phone in phones if phone.sure), None)
    if case.flag("has_embedded_phone"):
        if not phones and not holder and len(case.samples) > 1:
            yield Hit(
                "has_embedded_phone",
                "Ticked, but no sample has a phone number. Show one, or untick it.",
                severity=WARNING,
            )
    elif sure:
        yield Hit("has_embedded_phone", f"Tick this: a sample has the phone number {sure.text}.", sure.text)
    elif phones or holder:
        text = phones[0].text if phones else holder.group() if holder else ""
        yield Hit("has_embedded_phone", f"Tick this if “{text}” is a phone number.", text, severity=WARNING)


RULES = (
    Rule(
        "sample-brand",
        (30893, 30914),
        ERROR,
        ("brand_name", "message_samples"),
        "The brand is named in no sample",
        "Recipients must see who writes, and the name must be the registered one.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        _brand,
        4,
    ),
    Rule(
        "sample-opt-out",
        (30893, 30887),
        ERROR,
        ("message_samples",),
        "No sample tells how to opt out",
        "At least one sample must show it.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        _opt_out,
        5,
    ),
    Rule(
        "filler",
        (30893,),
        ERROR,
        ("description", "message_flow", "message_samples"),
        "A placeholder instead of a text",
        "Reviewers reject samples that nobody would send.",
        "Ann Lee Nails: your booking of [date] is confirmed.",
        _filler,
        6,
    ),
    Rule(
        "nameless",
        (30893, 30914),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "A placeholder stands for the brand",
        "The brand is one and known; only what varies from recipient to recipient stands in brackets.",
        "Ann Lee Nails: see you on [date].",
        _nameless,
        6,
    ),
    Rule(
        "sample-variables",
        (30893,),
        WARNING,
        ("message_samples",),
        "What varies stands in square brackets",
        "Reviewers know [brackets]; other marks look like a mistake in the message.",
        "Hi [first name], see you on [date].",
        _variables,
        6,
    ),
    Rule(
        "same-texts",
        (30911,),
        ERROR,
        ("description", "message_flow", "message_samples"),
        "Two texts are the same",
        "Each field must be its own text; samples must show different messages.",
        "one sample a reminder, the other a confirmation",
        _same,
        7,
    ),
    Rule(
        "links-flag",
        (30892, 30893),
        ERROR,
        ("has_embedded_links", "message_samples"),
        "Links and their tick do not agree",
        "The tick is compared with the samples.",
        "ticked, and a sample with https://annlee.example.com/book",
        _links_flag,
        8,
    ),
    Rule(
        "phone-flag",
        (30889,),
        ERROR,
        ("has_embedded_phone", "message_samples"),
        "Phone numbers and their tick do not agree",
        "The tick is compared with the samples.",
        "ticked, and a sample with “Call (415) 555-0123”",
        _phone_flag,
        8,
    ),
)

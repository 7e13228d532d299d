"""Rules about the sample messages, each alone and compared with one another."""

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from .rule import ERROR, MAX_SAMPLES, WARNING, Draft, Hit, Rule, excerpt
from .text_scan import LINK_PLACEHOLDER, PHONE_PLACEHOLDER, Link, Phone, has_opt_out, says_stop, word_set

_FIRST = "message_sample_1"
# Reviewers take two samples with this share of common words for the same text.
_SIMILAR = 0.7
_FEW_WORDS = 5
_VARIABLE = re.compile(
    r"\{\{?\s*[\w .-]+\s*\}?\}|<[A-Za-z][\w ]*>|%[A-Za-z_]{2,}%|\$\{[\w.]+\}|_{3,}|\b[Xx]{3,}\b|\bXX[/:]XX\b"
)
_FILLER = re.compile(
    r"lorem ipsum|dolor sit amet|\basdf\w*|\bblah blah\b|\binsert (?:\w+ ){0,3}here\b|\bfoo bar\b|\bqwerty\b|"
    r"\b(?:this is )?(?:a |just a )?(?:test|sample|example|dummy) (?:message|text|sms)\b",
    re.IGNORECASE,
)
_FILLER_STEMS = word_set(
    """
    lorem dolor asdf blah insert foo qwerty test sample exampl dummy
    """
)
_NAMELESS = re.compile(
    r"[\[{<]\s*(?:your |the |my )?(?:business|company|brand|shop|store|salon|organi[sz]ation|church|"
    r"studio|sender)"
    r"(?:[ _]name)?\s*[\]}>]|\byour (?:business|company|brand) name\b",
    re.IGNORECASE,
)
_BOILERPLATE = word_set(
    """
    reply text txt stop to opt out end quit unsubscribe help for the a and of is you your
    """
)


def _brand(draft: Draft) -> Iterator[Hit]:
    if len(draft.samples) < 2 or not draft.brand:
        return
    named = {draft.brand_mention(text) for _, text in draft.samples}
    hosts = (link.host.replace("-", "") for links in draft.links.values() for link in links)
    if "full" in named or any(
        draft.brand.mention_in(host.split(".")[-2]) == "full" for host in hosts if "." in host
    ):
        if "full" not in named and named == {"none"}:
            yield Hit(
                _FIRST,
                f"Name “{draft.brand.text}” in at least one sample, or better in each.",
                severity=WARNING,
            )
        return
    if "part" in named:
        yield Hit(
            _FIRST,
            f"No sample contains the full brand name. Add “{draft.brand.text}” to at least one.",
            severity=WARNING,
        )
    else:
        yield Hit(_FIRST, f"No sample names “{draft.brand.text}”. Add it to at least one, or better to each.")


def _opt_out(draft: Draft) -> Iterator[Hit]:
    if len(draft.samples) < 2 or any(has_opt_out(text) for _, text in draft.samples):
        return
    stops = next(((name, text) for name, text in draft.samples if says_stop(text)), None)
    if stops:
        yield Hit(
            stops[0],
            "It says “stop” but not how to opt out. Add “Reply STOP to opt out”.",
            severity=WARNING,
        )
    else:
        yield Hit(_FIRST, "No sample says how to opt out. Add “Reply STOP to opt out” to at least one.")


def _filler(draft: Draft) -> Iterator[Hit]:
    if not _FILLER_STEMS & draft.stems:
        return
    for field, text in draft.read_by_reviewers():
        if found := _FILLER.search(text):
            maybe_real = found.group().lower().endswith(("message", "text", "sms"))
            yield Hit(
                field,
                "This reads like a placeholder. Use a text that will actually be sent.",
                excerpt(text, *found.span()),
                severity=WARNING if maybe_real else None,
            )


def _nameless(draft: Draft) -> Iterator[Hit]:
    for field, text in draft.read_by_reviewers():
        if found := _NAMELESS.search(text):
            yield Hit(
                field,
                "Write the actual brand name: it does not vary.",
                excerpt(text, *found.span(), around=0),
            )


def _variables(draft: Draft) -> Iterator[Hit]:
    for field, text in draft.samples:
        if found := _VARIABLE.search(text):
            yield Hit(
                field,
                f"Put variable parts in [square brackets], like [date], instead of “{found.group().strip()}”.",
                found.group().strip(),
            )


def _content_words(text: str, draft: Draft) -> frozenset[str]:
    """The words that set a text apart: without the brand name and how to opt out."""
    return frozenset(draft.words(text)) - frozenset(draft.brand.words) - _BOILERPLATE


def _same(draft: Draft) -> Iterator[Hit]:
    texts = [("description", draft.description), ("message_flow", draft.flow), *draft.samples]
    texts = [(field, text) for field, text in texts if text]
    words = {field: draft.words(text) for field, text in texts}
    content = {field: _content_words(text, draft) for field, text in texts}
    reported: set[str] = set()
    for (first, _), (second, _) in combinations(texts, 2):
        if second in reported:
            continue
        if words[first] == words[second] and words[first]:
            reported.add(second)
            yield Hit(second, f"This is the same text as {_NAMES[first]}. Each text must be different.")
            continue
        one, other = content[first], content[second]
        is_short = min(len(one), len(other)) < _FEW_WORDS
        if not is_short and len(one & other) >= _SIMILAR * len(one | other):
            reported.add(second)
            yield Hit(
                second, f"This is almost the same as {_NAMES[first]}. Show another message.", severity=WARNING
            )


_NAMES = {"description": "the description", "message_flow": "the opt-in text"} | {
    f"message_sample_{n}": f"sample {n}" for n in range(1, MAX_SAMPLES + 1)
}


def _flag(
    field: str,
    noun: str,
    placeholder: re.Pattern[str],
    found_in: Callable[[Draft], dict[str, list[Link]] | dict[str, list[Phone]]],
) -> Callable[[Draft], Iterator[Hit]]:
    """A check that compares a checkbox with what the samples contain."""

    def check(draft: Draft) -> Iterator[Hit]:
        found = [item for name, _ in draft.samples for item in found_in(draft)[name]]
        holder = next((match for _, text in draft.samples if (match := placeholder.search(text))), None)
        sure = next((item for item in found if item.sure), None)
        if draft.flag(field):
            if not found and not holder and len(draft.samples) > 1:
                yield Hit(
                    field,
                    f"Checked, but no sample contains a {noun}. Add one, or clear this box.",
                    severity=WARNING,
                )
        elif sure:
            yield Hit(field, f"Check this box: a sample contains the {noun} {sure.text}.", sure.text)
        elif found or holder:
            text = found[0].text if found else holder.group() if holder else ""
            yield Hit(field, f"Check this box if “{text}” is a {noun}.", text, severity=WARNING)

    return check


_links_flag = _flag("has_embedded_links", "link", LINK_PLACEHOLDER, lambda draft: draft.links)
_phone_flag = _flag("has_embedded_phone", "phone number", PHONE_PLACEHOLDER, lambda draft: draft.phones)


RULES = (
    Rule(
        "sample-brand",
        (30893, 30914),
        ERROR,
        ("brand_name", "message_samples"),
        "No sample names the brand",
        "Recipients must see who is writing, under the registered name.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        _brand,
        4,
    ),
    Rule(
        "sample-opt-out",
        (30893, 30887),
        ERROR,
        ("message_samples",),
        "No sample says how to opt out",
        "At least one sample must say it.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        _opt_out,
        5,
    ),
    Rule(
        "filler",
        (30893,),
        ERROR,
        ("description", "message_flow", "message_samples"),
        "A placeholder instead of a real text",
        "Reviewers reject samples that are not real messages.",
        "Ann Lee Nails: your booking on [date] is confirmed.",
        _filler,
        6,
    ),
    Rule(
        "nameless",
        (30893, 30914),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "A placeholder instead of the brand",
        "The brand is known. Only what varies by recipient belongs in brackets.",
        "Ann Lee Nails: see you on [date].",
        _nameless,
        6,
    ),
    Rule(
        "sample-variables",
        (30893,),
        WARNING,
        ("message_samples",),
        "Variable parts need square brackets",
        "Reviewers know [brackets]; other marks look like mistakes.",
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
        "Each field needs its own text; samples must show different messages.",
        "one sample is a reminder, the other a confirmation",
        _same,
        7,
    ),
    Rule(
        "links-flag",
        (30892, 30893),
        ERROR,
        ("has_embedded_links", "message_samples"),
        "The links box does not match the samples",
        "Reviewers compare the box with the samples.",
        "box checked, and a sample with https://annlee.example.com/book",
        _links_flag,
        8,
    ),
    Rule(
        "phone-flag",
        (30889,),
        ERROR,
        ("has_embedded_phone", "message_samples"),
        "The phone numbers box does not match the samples",
        "Reviewers compare the box with the samples.",
        "box checked, and a sample with “Call (415) 555-0123”",
        _phone_flag,
        8,
    ),
)

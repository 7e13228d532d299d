"""Finds links, phone numbers, ways to opt out, and negations in the texts of a campaign."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from linkify_it import LinkifyIt
from linkify_it.tlds import TLDS


def word_set(words: str) -> frozenset[str]:
    """The words of a text, for lists that would fill a page with one word a line."""
    return frozenset(words.split())


# Top-level domains that are everyday words: "today.call us" is a missing space, "annlee.care/book" is a link.
_EVERYDAY_WORDS = word_set(
    """
    am as best book by call care cars cash contact cool credit data date day deals direct do drive
    events family fans fit food free fun gift gifts here homes house how id in is it life live love me
    men mobile money my new next no now one open party pay play read rest review reviews run sale save
    search show so support tips today travel watch win work works world you
    """
)
_COMMON_DOMAINS = frozenset({"com", "net", "org", "edu", "gov"})
_MAY_HAVE_LINK = re.compile(r"\w\.\w|//")
_ADDRESS = re.compile(r"//[^\s<>\"'“”‘’`]+")
_TRAILING = ".,;:!?)]}*"
# [link] in a sample stands for an address.
LINK_PLACEHOLDER = re.compile(r"\[[^\[\]]*\b(link|url|website|web page|webpage)\b[^\[\]]*\]", re.IGNORECASE)
PHONE_PLACEHOLDER = re.compile(
    r"\[[^\[\]]*\b(phone|telephone|callback number|call[- ]back|tel)\b[^\[\]]*\]", re.IGNORECASE
)


@dataclass(frozen=True)
class Link:
    """scheme: "http", "https" or "" if none is written. sure: certainly a link, not perhaps a missing space."""

    text: str
    scheme: str
    host: str
    path: str
    start: int
    end: int
    sure: bool = True


def links_in(text: str) -> list[Link]:
    """
    >>> [(link.host, link.sure) for link in links_in("See annlee.com/book or write to ann@annlee.com.")]
    [('annlee.com', True)]
    """
    return list(_links(text)) if _MAY_HAVE_LINK.search(text) else []


@cache
def _finder() -> LinkifyIt:
    """Knows every top-level domain. Built on first use: it takes about 0.15 seconds."""
    schemes = {
        "http:": {"validate": _address_length},
        "https:": "http:",
        "ftp:": None,
        "mailto:": None,
        "//": None,
    }
    return LinkifyIt(schemes, {"fuzzy_email": False}).tlds([*TLDS, "kids", "music"])  # newer than its list


def _address_length(_: LinkifyIt, text: str, start: int) -> int:
    """The length of what follows "https:". An address with a scheme is a link, whatever else it contains."""
    found = _ADDRESS.match(text, start)
    return len(found.group().rstrip(_TRAILING)) if found else 0


def _links(text: str) -> Iterator[Link]:
    for found in _finder().match(text) or []:
        written = found.raw.rstrip(_TRAILING)
        scheme = found.schema.removesuffix(":")
        host, slash, path = (
            written.removeprefix(found.raw[: len(found.schema)]).removeprefix("//").partition("/")
        )
        host = host.rpartition("@")[2].partition("?")[0].partition("#")[0]
        name = host.partition(":")[0].rstrip(".")
        alone = not scheme and not path and not name.lower().startswith("www.")
        if alone and _is_missing_space(name):
            continue
        end = found.index + len(written)
        yield Link(written, scheme, name.lower(), slash + path, found.index, end, sure=not alone)


def _is_missing_space(name: str) -> bool:
    """Whether a bare name is rather the end of one sentence and the start of the next.

    >>> _is_missing_space("tomorrow.Call"), _is_missing_space("late.call"), _is_missing_space("AnnLee.Com")
    (True, True, False)
    """
    domain = name.rpartition(".")[2]
    if domain.lower() in _COMMON_DOMAINS:
        return False
    return domain.lower() in _EVERYDAY_WORDS or (domain[0].isupper() and name != name.upper())


@dataclass(frozen=True)
class Phone:
    text: str
    start: int
    end: int
    sure: bool = True


_PHONE = re.compile(
    r"(?<![\w$#/.-])(?:"
    r"(?P<spaced>(?:\+?1[\s.-]?)?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[\s.-])[2-9]\d{2}[\s.-]?\d{4})"
    r"|(?P<plus>\+1[2-9]\d{9})"
    r"|(?P<ten>1?[2-9]\d{2}[2-9]\d{6})"
    r"|(?P<vanity>1-8\d{2}-[A-Z0-9][A-Z0-9-]{5,9})"
    r"|(?P<seven>[2-9]\d{2}[-.]\d{4})"
    r")(?![\w]|[-./]\d)"
)
_CALLING = re.compile(
    r"\b(call|calls|calling|phone|telephone|tel|text|txt|dial|ring|cell|mobile|sms|reach|contact|"
    r"voicemail|fax)\b"
    r"[^.!?]{0,30}$",
    re.IGNORECASE,
)


def phones_in(text: str) -> list[Phone]:
    """Phone numbers as people write them; digits without separators only after a word like "call".

    >>> [phone.text for phone in phones_in("Order 4155550123 on 2026-11-20. Call (415) 555-0123.")]
    ['(415) 555-0123']
    """
    if not any(c.isdigit() for c in text):
        return []
    for link in reversed(links_in(text)):
        text = text[: link.start] + "¤" * (link.end - link.start) + text[link.end :]
    found = []
    for number in _PHONE.finditer(text):
        called = _CALLING.search(text[max(0, number.start() - 40) : number.start()])
        if number["ten"] or number["seven"]:
            if not called:
                continue
            sure = bool(number["ten"])
        else:
            sure = not number["vanity"]
        found.append(Phone(number.group(), number.start(), number.end(), sure))
    return found


_QUIT = r"stop|end|quit|cancel|remove|unsubscribe|unsub|optout|opt-out|stopall|arret"
OPT_OUT = re.compile(
    r"\bopt(?:s|ed|ing)?[- ]?out\b|\bunsub(?:scribe[sd]?)?\b"
    rf"|\b(?:reply|replying|text|txt|send|respond|answer|type|write|message|say|with|word|or|"
    rf"enter)\s*(?:back\s*)?"
    rf"(?:with\s*|the word\s*)?[\"'“”‘’*(\[:=>]*\s*(?:{_QUIT})\b(?!\s+(?:by|in)\b)"
    rf"|[\"'“‘*\[(](?:{_QUIT})[\"'”’*\])]"
    r"|\bstop\s*(?:2|=|:|->|→)\s*(?:end|stop|quit|cancel|opt|unsub|leave)?"
    r"|\bstop\s+(?:to|2|for|and)\s+(?:\w+\s+)?(?:end|stop|quit|cancel|opt|leave|unsub|be removed|no\b|"
    r"discontinue)"
    r"|\bstop\s+(?:receiving|getting|these|all|any|messages|texts|msgs|alerts|ends|cancels|unsubscribes|opts)"
    r"|\b(?:rply|rep|txt)\s?(?:w/\s?)?stop\b",
    re.IGNORECASE,
)
# In capitals it is the keyword; "STOP BY" is an invitation.
_IN_CAPITALS = re.compile(r"(?<![\w-])(?:STOP|UNSUBSCRIBE|STOPALL)\b(?!\s+(?:BY|IN|AT|OVER|[A-Z]{3,}))")
_STOP_SOMEWHERE = re.compile(r"\bstop\b", re.IGNORECASE)


def has_opt_out(text: str) -> bool:
    """Whether a text says how to opt out.

    >>> has_opt_out("Txt STOP to end"), has_opt_out("Stop by our shop!"), has_opt_out("STOP BY TODAY")
    (True, False, False)
    """
    return bool(OPT_OUT.search(text) or _IN_CAPITALS.search(text))


def says_stop(text: str) -> bool:
    return bool(_STOP_SOMEWHERE.search(text))


HELP = re.compile(
    r"\bHELP\b|(?i:\b(?:reply|text|txt|send|type|say|word)\s+[\"'“]?help\b|[\"'“]help[\"'”]|"
    r"\bfor\s+(?:help|assistance|info)\b)"
)

_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|don.?t|doesn.?t|isn.?t|aren.?t|"
    r"won.?t|wouldn.?t|"
    r"can.?t|didn.?t|non|free of|instead of|rather than|avoid|prohibit\w*|exclud\w*|forbid\w*|against|"
    r"quit|quitting)\b",
    re.IGNORECASE,
)
# A negation does not reach into a new clause with its own subject.
_SENTENCE_END = re.compile(r"[.!?;:]\s|\n|,? but | and (?:the|we|a|an|it|they|all|our|their) ", re.IGNORECASE)


def is_negated(text: str, start: int, reach: int = 60) -> bool:
    """Whether the words at `start` are negated in their sentence: "we never share", "is not pre-checked".

    >>> text = "Boxes are empty. They are not pre-checked."
    >>> is_negated(text, text.index("pre-checked")), is_negated(text, text.index("empty"))
    (True, False)
    """
    before = text[max(0, start - reach) : start]
    ends = list(_SENTENCE_END.finditer(before))
    return bool(_NEGATION.search(before[ends[-1].end() :] if ends else before))

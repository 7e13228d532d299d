"""Subjects that carriers don't accept. Clear offers are errors; words that may be harmless are warnings.

Source: docs/twilio.md section 12, rows 20 to 22, and the codes of section 5.2.
"""

import re
from collections.abc import Iterator

from .prohibited_topics import TOPICS, Topic
from .rule import ERROR, WARNING, Draft, Hit, Rule, excerpt
from .text_scan import is_negated, word_set

_FIELDS = ("brand_name", "description", "message_flow", "message_samples", "opt_in_message")
# Words before or after which a possible match means something else.
_BEFORE = re.compile(
    r"(?:glue|nail|massage|heat|spray|water|nerf|staple|caulk|paint|bubble|label|top|tattoo|root|ginger|birch|rv|gas|"
    r"baby|bridal|wedding|smoke|nicotine|tobacco|alcohol|drug|cbd|thc|quit|stop|back in|in|low|out of|full|rolling|"
    r"live|chicken|vegetable|soup|bone)[\s-]+$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^[\s-]*(?:free\b|cessation|glass(?:es)?\b|cork|barrel|rack|red\b|bottle painting|butter|vinegar|"
    r"sauce|batter(?:ed)?|"
    r"wash(?:ed)?\b|battered|cabinet|safe\b|squats?|salt|hound|dogs?\b|run\b|patch(?:es)?\b|gum\b|pecan|vanilla|"
    r"glaze|caramel|maple|dress(?:es)?|attire|ring|skirt|bread|"
    r"brats?|braised|reduction)",
    re.IGNORECASE,
)


_ALCOHOL = re.compile(
    r"\b(?:alcohol\w*|beers?|wines?|liquor|vodka|whisk(?:e)?y|tequila|bourbon|rum punch|cocktails?|"
    r"mimosas?|margaritas?|"
    r"happy hour|prosecco|champagne|spirits tasting|open bar)\b",
    re.IGNORECASE,
)
_ALCOHOL_STEMS = word_set(
    """
    alcoho beer wine liquor vodka whisky whiske tequil bourbo rum cockta mimosa margar happy prosec
    champa spirit open
    """
)
_LENDING = re.compile(
    r"\b(?:loans?\b(?! (?:of|out|closet|library|desk|documents?|signings?|paperwork)\b)|payday|cash advances?|"
    r"lenders?|direct lending|mortgages?|refinanc\w+)",
    re.IGNORECASE,
)
_LENDING_STEMS = frozenset(["loan", "payday", "cash", "lender", "direct", "mortga", "refina"])
_GATE = re.compile(r"\b(?:age|birth|born|dob|21|18|years old|of legal)\b", re.IGNORECASE)


def _is_harmless(text: str, start: int, end: int) -> bool:
    return bool(_BEFORE.search(text[max(0, start - 20) : start]) or _AFTER.search(text[end : end + 20]))


def _all_texts(draft: Draft) -> Iterator[tuple[str, str]]:
    if brand := draft.text("brand_name"):
        yield "brand_name", brand
    yield from draft.read_by_reviewers()


def _find(
    draft: Draft, pattern: re.Pattern[str], *, skip_harmless: bool = True
) -> tuple[str, str, str] | None:
    """(form field, words, excerpt) of the first match that is not negated.

    skip_harmless: also ignore words that mean something else next to their neighbors ("glue gun").
    """
    for field, text in _all_texts(draft):
        for found in pattern.finditer(text):
            if is_negated(text, found.start()) or (skip_harmless and _is_harmless(text, *found.span())):
                continue
            return field, found.group(), excerpt(text, *found.span())
    return None


def _rule(topic: Topic) -> Rule:
    certain = re.compile(rf"(?<![\w@.-])(?:{topic.certain})(?!\w)", re.IGNORECASE)
    possible = re.compile(rf"(?<![\w@.-])(?:{topic.possible})(?!\w)", re.IGNORECASE)
    stems = word_set(topic.stems)

    def check(draft: Draft) -> Iterator[Hit]:
        if not stems & draft.stems:
            return
        if found := _find(draft, certain, skip_harmless=False):
            field, _, words = found
            yield Hit(field, f"This reads like {topic.subject}, which carriers don't accept.", words)
        elif found := _find(draft, possible):
            field, match, words = found
            yield Hit(field, f"“{match}” could be read as {topic.subject}. Is it?", words, WARNING)

    return Rule(
        f"topic-{topic.slug}",
        topic.codes,
        ERROR,
        _FIELDS,
        f"Not allowed: {topic.subject}",
        "Carriers reject this content from every sender. If it means something else, reword it.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        check,
        20,
    )


def _alcohol(draft: Draft) -> Iterator[Hit]:
    if draft.flag("age_gated") or not _ALCOHOL_STEMS & draft.stems:
        return
    if found := _find(draft, _ALCOHOL):
        field, match, words = found
        yield Hit(
            field,
            f"“{match}”: content about alcohol needs an age gate. If alcohol is sold or advertised, check "
            "“age-gated content” and describe the gate.",
            words,
        )


def _age_gate(draft: Draft) -> Iterator[Hit]:
    if draft.flag("age_gated") and draft.flow and not _GATE.search(draft.flow):
        yield Hit(
            "message_flow", "Describe the age gate: people enter their date of birth before they opt in."
        )


def _lending(draft: Draft) -> Iterator[Hit]:
    if draft.flag("direct_lending") or not _LENDING_STEMS & draft.stems:
        return
    if found := _find(draft, _LENDING):
        _, match, words = found
        yield Hit(
            "direct_lending",
            f"“{match}” in the texts: check this if the customer lends money, even if the messages are not about it.",
            words,
        )


def _vertical(draft: Draft) -> Iterator[Hit]:
    if draft.text("vertical") == "GAMBLING":
        yield Hit("vertical", "Carriers don't accept gambling.")


RULES = (
    *(_rule(topic) for topic in TOPICS),
    Rule(
        "topic-alcohol",
        (30955, 30956, 30888),
        WARNING,
        _FIELDS,
        "Alcohol without an age gate",
        "Alcohol ads need a gate that asks for the date of birth; a yes/no question is not enough.",
        "box checked, and “visitors enter their date of birth before the form opens”",
        _alcohol,
        22,
    ),
    Rule(
        "age-gate",
        (30888, 30956),
        WARNING,
        ("age_gated", "message_flow"),
        "The age gate is not described",
        "Reviewers look for a question about the date of birth.",
        "Visitors enter their date of birth before the form opens.",
        _age_gate,
        22,
    ),
    Rule(
        "lending-flag",
        (30895,),
        WARNING,
        ("direct_lending", "description", "message_samples"),
        "Direct lending is not checked",
        "Lenders must say so, even for one-time passcodes.",
        "box checked, and “direct lending” in the description",
        _lending,
        21,
    ),
    Rule(
        "vertical-gambling",
        (30944,),
        WARNING,
        ("vertical",),
        "Gambling",
        "Carriers reject it from every sender.",
        "Entertainment",
        _vertical,
        20,
    ),
)

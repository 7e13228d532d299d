"""Subjects that carriers do not take. Plain offers are errors; words that may be innocent are warnings.

Source: docs/twilio.md section 12, rows 20 to 22, and the codes of section 5.2.
"""

import re
from collections.abc import Iterator

from .prohibited_topics import TOPICS, Topic
from .rule import ERROR, WARNING, Case, Hit, Rule, excerpt
from .text_scan import denied

_TELLS = ("brand_name", "description", "message_flow", "message_samples", "opt_in_message")
# Words before or behind which the weak word means something else.
_BEFORE = re.compile(
    r"(?:glue|nail|massage|heat|spray|water|nerf|staple|caulk|paint|bubble|label|top|tattoo|root|ginger|birch|rv|gas|"
    r"baby|bridal|wedding|smoke|nicotine|tobacco|alcohol|drug|cbd|thc|quit|stop|back in|in|low|out of|full|rolling|"
    r"live|chicken|vegetable|soup|bone)[\s-]+$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
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
_ALCOHOL_STEMS = frozenset(
    [
        "alcoho",
        "beer",
        "wine",
        "liquor",
        "vodka",
        "whisky",
        "whiske",
        "tequil",
        "bourbo",
        "rum",
        "cockta",
        "mimosa",
        "margar",
        "happy",
        "prosec",
        "champa",
        "spirit",
        "open",
    ]
)
_LENDING = re.compile(
    r"\b(?:loans?\b(?! (?:of|out|closet|library|desk|documents?|signings?|paperwork)\b)|payday|cash advances?|"
    r"lenders?|direct lending|mortgages?|refinanc\w+)",
    re.IGNORECASE,
)
_LENDING_STEMS = frozenset(["loan", "payday", "cash", "lender", "direct", "mortga", "refina"])
_GATE = re.compile(r"\b(?:age|birth|born|dob|21|18|years old|of legal)\b", re.IGNORECASE)


def _innocent(text: str, start: int, end: int) -> bool:
    return bool(_BEFORE.search(text[max(0, start - 20) : start]) or _BEHIND.search(text[end : end + 20]))


def _read(case: Case) -> Iterator[tuple[str, str]]:
    if brand := case.text("brand_name"):
        yield "brand_name", brand
    yield from case.told()


def _rule(topic: Topic) -> Rule:
    plain = re.compile(rf"(?<![\w@.-])(?:{topic.plain})(?!\w)", re.IGNORECASE)
    maybe = re.compile(rf"(?<![\w@.-])(?:{topic.maybe})(?!\w)", re.IGNORECASE)

    stems = frozenset(topic.stems.split())

    def check(case: Case) -> Iterator[Hit]:
        if not stems & case.stems:
            return
        for field, text in _read(case):
            for found in plain.finditer(text):
                if not denied(text, found.start()):
                    said = f"This reads like {topic.subject}, which carriers do not take."
                    yield Hit(field, said, excerpt(text, *found.span()))
                    return
        for field, text in _read(case):
            for found in maybe.finditer(text):
                if not denied(text, found.start()) and not _innocent(text, *found.span()):
                    said = f"“{found.group()}” may be read as {topic.subject}. Is it meant so?"
                    yield Hit(field, said, excerpt(text, *found.span()), WARNING)
                    return

    return Rule(
        f"topic-{topic.slug}",
        topic.codes,
        ERROR,
        _TELLS,
        f"Not allowed: {topic.subject}",
        "Carriers refuse this content from everybody. If it is not meant so, reword it.",
        "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
        check,
        20,
    )


def _alcohol(case: Case) -> Iterator[Hit]:
    if not _ALCOHOL_STEMS & case.stems:
        return
    for field, text in _read(case):
        for found in _ALCOHOL.finditer(text):
            if denied(text, found.start()) or _innocent(text, *found.span()):
                continue
            if not case.flag("age_gated"):
                yield Hit(
                    field,
                    f"“{found.group()}”: content about alcohol needs an age gate. If it is sold or "
                    f"advertised, tick "
                    "“age-gated content” and describe the gate.",
                    excerpt(text, *found.span()),
                )
            return


def _age_gate(case: Case) -> Iterator[Hit]:
    if case.flag("age_gated") and case.flow and not _GATE.search(case.flow):
        yield Hit(
            "message_flow", "Describe the age gate: people give their date of birth before they opt in."
        )


def _lending(case: Case) -> Iterator[Hit]:
    if case.flag("direct_lending") or not _LENDING_STEMS & case.stems:
        return
    for _, text in _read(case):
        for found in _LENDING.finditer(text):
            if not denied(text, found.start()) and not _innocent(text, *found.span()):
                yield Hit(
                    "direct_lending",
                    f"“{found.group()}” in the texts: tick this if the customer lends money, even if "
                    f"the messages are "
                    "not about it.",
                    excerpt(text, *found.span()),
                )
                return


def _vertical(case: Case) -> Iterator[Hit]:
    if case.text("vertical") == "GAMBLING":
        yield Hit("vertical", "Gambling is content that carriers do not take.")


RULES = (
    *(_rule(topic) for topic in TOPICS),
    Rule(
        "topic-alcohol",
        (30955, 30956, 30888),
        WARNING,
        _TELLS,
        "Alcohol without an age gate",
        "Advertising alcohol needs a gate that asks for the date of birth; a yes/no question is not enough.",
        "ticked, and “visitors give their date of birth before the form opens”",
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
        "Visitors give their date of birth before the form opens.",
        _age_gate,
        22,
    ),
    Rule(
        "lending-flag",
        (30895,),
        WARNING,
        ("direct_lending", "description", "message_samples"),
        "Lending is not ticked",
        "Lenders must say so, even for one-time codes.",
        "ticked, and “direct lending” in the description",
        _lending,
        21,
    ),
    Rule(
        "vertical-gambling",
        (30944,),
        WARNING,
        ("vertical",),
        "Gambling",
        "Carriers refuse it from everybody.",
        "Entertainment",
        _vertical,
        20,
    ),
)

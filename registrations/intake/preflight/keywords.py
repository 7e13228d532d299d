"""Rules about keywords and our own answers to them."""

import re
from collections.abc import Iterator

from .rule import ERROR, WARNING, Case, Hit, Rule
from .text_scan import HELP, links_in, opt_out_in, phones_in

# Twilio's own lists (docs/twilio.md section 12, row 18).
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
HELP_WORDS = frozenset({"HELP", "INFO"})
_START_WORDS = frozenset({"START", "YES", "UNSTOP", "JOIN", "SUBSCRIBE"})
_JOINING = re.compile(
    r"\b(?:[Tt]ext|TEXT|[Ss]end|SMS|[Mm]essage)(?:s|ing)?\s+(?:the\s+(?:key)?word\s+|keyword\s+|us\s+)?"
    r"[\"'“‘*]?([A-Z][A-Z0-9]{2,15})[\"'”’*]?\s+(?:to|at)\s+(?:\(?\+?\d|our|the|my|us|this|\[)"
)
_MAIL = re.compile(r"\S@\S+\.\S")
_NO_MORE = re.compile(
    r"no (?:more|further|longer)|unsubscribed|opted[ -]out|removed|stopped|won.?t (?:receive|get|text|"
    r"send|hear)|not (?:receive|"
    r"get|be texted)|will not|end(?:ed)?\b|last (?:message|text)",
    re.IGNORECASE,
)
_FIELDS = ("opt_in_keywords", "opt_out_keywords", "help_keywords")


def _reserved(case: Case) -> Iterator[Hit]:
    wrong = {
        "opt_in_keywords": (STOP_WORDS | HELP_WORDS, "means stopping or help, everywhere"),
        "opt_out_keywords": (_START_WORDS | HELP_WORDS, "does not mean stopping"),
        "help_keywords": (STOP_WORDS | _START_WORDS, "does not ask for help"),
    }
    seen: dict[str, str] = {}
    for field in _FIELDS:
        words, why = wrong[field]
        for word in case.keywords(field):
            if word in words:
                yield Hit(field, f"{word} {why}. Choose another keyword.", word)
            elif word in seen and seen[word] != field:
                yield Hit(field, f"{word} stands in two lists. A keyword can mean one thing only.", word)
            seen.setdefault(word, field)


def _own_answers(case: Case) -> Iterator[Hit]:
    outs, message = case.keywords("opt_out_keywords"), case.text("opt_out_message")
    if outs and "STOP" not in outs:
        yield Hit("opt_out_keywords", "STOP must always work: put it into the list.", ", ".join(outs))
    if bool(outs) != bool(message):
        field = "opt_out_message" if outs else "opt_out_keywords"
        yield Hit(
            field,
            "Own opt-out keywords and their answer belong together: give both, or leave both to Twilio.",
        )
    helps, answer = case.keywords("help_keywords"), case.text("help_message")
    if helps and "HELP" not in helps:
        yield Hit("help_keywords", "HELP must always work: put it into the list.", ", ".join(helps))
    if bool(helps) != bool(answer):
        field = "help_message" if helps else "help_keywords"
        yield Hit(
            field, "Own help keywords and their answer belong together: give both, or leave both to Twilio."
        )


def _opt_out_message(case: Case) -> Iterator[Hit]:
    text = case.text("opt_out_message")
    if text and not _NO_MORE.search(text):
        yield Hit("opt_out_message", "Say that no more messages will come.")


def _help_message(case: Case) -> Iterator[Hit]:
    text = case.text("help_message")
    if not text:
        return
    if case.naming(text) == "none":
        yield Hit("help_message", f"Name “{case.name.brand}”.")
    if not _MAIL.search(text) and not phones_in(text) and not links_in(text):
        yield Hit("help_message", "Give a phone number or an email address for help.")


def _opt_in_message(case: Case) -> Iterator[Hit]:
    text = case.text("opt_in_message")
    if not text:
        return
    lacks = []
    if case.naming(text) == "none":
        lacks.append(f"“{case.name.brand}”")
    if not opt_out_in(text):
        lacks.append("how to opt out (STOP)")
    if not HELP.search(text):
        lacks.append("how to get help (HELP)")
    if lacks:
        yield Hit("opt_in_message", f"It confirms the subscription; add {', '.join(lacks)}.")


def _needs_tick(case: Case) -> Iterator[Hit]:
    if case.text("opt_in_message") and not case.flag("subscriber_opt_in"):
        yield Hit(
            "subscriber_opt_in",
            "An opt-in message needs this ticked (30709). Tick it, or empty the opt-in message.",
        )


def _text_to_join(case: Case) -> Iterator[Hit]:
    keywords = case.keywords("opt_in_keywords")
    if case.flag("subscriber_opt_in"):
        if not case.text("opt_in_message"):
            yield Hit(
                "opt_in_message",
                "People opt in by text: give the message that confirms it, and the keywords (30896, 30909).",
            )
        elif not keywords:
            yield Hit("opt_in_keywords", "People opt in by text: give the keyword that they send.")
    elif keywords:
        yield Hit("subscriber_opt_in", "There are opt-in keywords: do people opt in by text? (30709)")
    for word in dict.fromkeys(_JOINING.findall(case.flow)):
        if word in STOP_WORDS | HELP_WORDS or word in keywords:
            continue
        if keywords:
            yield Hit("opt_in_keywords", f"People are told to text {word}; it is not in this list.", word)
        else:
            yield Hit(
                "opt_in_keywords", f"People are told to text {word}: give it here, with its answer.", word
            )
        break


RULES = (
    Rule(
        "keyword-meaning",
        (30887, 30890, 30896),
        ERROR,
        _FIELDS,
        "A keyword in the wrong list",
        "STOP and HELP mean the same for every sender.",
        "START, JOIN to opt in; STOP, CANCEL to opt out; HELP for help",
        _reserved,
        18,
    ),
    Rule(
        "own-answers",
        (30887, 30890),
        WARNING,
        ("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
        "Own answers are incomplete",
        "Who answers STOP and HELP oneself answers all of it.",
        "all four left empty: Twilio answers",
        _own_answers,
        18,
    ),
    Rule(
        "opt-out-message",
        (30887,),
        WARNING,
        ("opt_out_message",),
        "The answer to STOP does not confirm it",
        "It must say that no more messages come.",
        "Ann Lee Nails: you are unsubscribed and will get no more messages.",
        _opt_out_message,
        18,
    ),
    Rule(
        "help-message",
        (30890,),
        WARNING,
        ("help_message",),
        "The answer to HELP does not help",
        "It must name the brand and a way to reach it.",
        "Ann Lee Nails: call (415) 555-0123 for help. Reply STOP to opt out.",
        _help_message,
        18,
    ),
    Rule(
        "opt-in-message",
        (30896, 30909),
        WARNING,
        ("opt_in_message",),
        "The confirmation lacks something",
        "It must name the brand, STOP and HELP.",
        "Ann Lee Nails: you are subscribed to reminders. Reply HELP for help, STOP to opt out.",
        _opt_in_message,
        17,
    ),
    Rule(
        "opt-in-tick",
        (30709,),
        ERROR,
        ("subscriber_opt_in", "opt_in_message"),
        "An opt-in message without opt-in by text",
        "Twilio refuses one without the other.",
        "both, or neither",
        _needs_tick,
        17,
        hard=True,
    ),
    Rule(
        "text-to-join",
        (30896, 30909, 30709),
        WARNING,
        ("subscriber_opt_in", "opt_in_message", "opt_in_keywords", "message_flow"),
        "Opting in by text is not complete",
        "The keyword, its answer and the tick belong together.",
        "“Text NAILS to …”, keyword NAILS, a confirmation, ticked",
        _text_to_join,
        17,
    ),
)

"""Rules about keywords and the automatic replies to them."""

import re
from collections.abc import Iterator

from .rule import ERROR, WARNING, Draft, Hit, Rule
from .text_scan import HELP, has_opt_out, links_in, phones_in

# Twilio's lists (docs/twilio.md section 12, row 18).
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
HELP_WORDS = frozenset({"HELP", "INFO"})
_START_WORDS = frozenset({"START", "YES", "UNSTOP", "JOIN", "SUBSCRIBE"})
_TEXT_TO_JOIN = re.compile(
    r"\b(?:[Tt]ext|TEXT|[Ss]end|SMS|[Mm]essage)(?:s|ing)?\s+(?:the\s+(?:key)?word\s+|keyword\s+|us\s+)?"
    r"[\"'“‘*]?([A-Z][A-Z0-9]{2,15})[\"'”’*]?\s+(?:to|at)\s+(?:\(?\+?\d|our|the|my|us|this|\[)"
)
_EMAIL = re.compile(r"\S@\S+\.\S")
_CONFIRMS_OPT_OUT = re.compile(
    r"no (?:more|further|longer)|unsubscribed|opted[ -]out|removed|stopped|won.?t (?:receive|get|text|"
    r"send|hear)|not (?:receive|"
    r"get|be texted)|will not|end(?:ed)?\b|last (?:message|text)",
    re.IGNORECASE,
)
_FIELDS = ("opt_in_keywords", "opt_out_keywords", "help_keywords")


def _reserved(draft: Draft) -> Iterator[Hit]:
    wrong = {
        "opt_in_keywords": (STOP_WORDS | HELP_WORDS, "always means opting out or help"),
        "opt_out_keywords": (_START_WORDS | HELP_WORDS, "does not mean opting out"),
        "help_keywords": (STOP_WORDS | _START_WORDS, "does not mean help"),
    }
    seen: dict[str, str] = {}
    for field in _FIELDS:
        words, why = wrong[field]
        for word in draft.keywords(field):
            if word in words:
                yield Hit(field, f"{word} {why}. Choose another keyword.", word)
            elif word in seen and seen[word] != field:
                yield Hit(field, f"{word} is in two lists. A keyword can have only one meaning.", word)
            seen.setdefault(word, field)


def _custom_replies(draft: Draft) -> Iterator[Hit]:
    opt_outs, message = draft.keywords("opt_out_keywords"), draft.text("opt_out_message")
    if opt_outs and "STOP" not in opt_outs:
        yield Hit("opt_out_keywords", "STOP must always work: add it to the list.", ", ".join(opt_outs))
    if bool(opt_outs) != bool(message):
        field = "opt_out_message" if opt_outs else "opt_out_keywords"
        yield Hit(
            field,
            "Custom opt-out keywords and their reply go together: enter both, or leave both empty for Twilio's.",
        )
    helps, reply = draft.keywords("help_keywords"), draft.text("help_message")
    if helps and "HELP" not in helps:
        yield Hit("help_keywords", "HELP must always work: add it to the list.", ", ".join(helps))
    if bool(helps) != bool(reply):
        field = "help_message" if helps else "help_keywords"
        yield Hit(
            field,
            "Custom help keywords and their reply go together: enter both, or leave both empty for Twilio's.",
        )


def _opt_out_message(draft: Draft) -> Iterator[Hit]:
    text = draft.text("opt_out_message")
    if text and not _CONFIRMS_OPT_OUT.search(text):
        yield Hit("opt_out_message", "Say that no more messages will be sent.")


def _help_message(draft: Draft) -> Iterator[Hit]:
    text = draft.text("help_message")
    if not text:
        return
    if draft.brand_mention(text) == "none":
        yield Hit("help_message", f"Name “{draft.brand.text}”.")
    if not _EMAIL.search(text) and not phones_in(text) and not links_in(text):
        yield Hit("help_message", "Add a phone number or an email address for help.")


def _opt_in_message(draft: Draft) -> Iterator[Hit]:
    text = draft.text("opt_in_message")
    if not text:
        return
    missing = []
    if draft.brand_mention(text) == "none":
        missing.append(f"“{draft.brand.text}”")
    if not has_opt_out(text):
        missing.append("how to opt out (STOP)")
    if not HELP.search(text):
        missing.append("how to get help (HELP)")
    if missing:
        yield Hit("opt_in_message", f"It confirms the subscription; add {', '.join(missing)}.")


def _box_missing(draft: Draft) -> Iterator[Hit]:
    if draft.text("opt_in_message") and not draft.flag("subscriber_opt_in"):
        yield Hit(
            "subscriber_opt_in",
            "An opt-in message requires this box (30709). Check it, or clear the opt-in message.",
        )


def _text_to_join(draft: Draft) -> Iterator[Hit]:
    keywords = draft.keywords("opt_in_keywords")
    if draft.flag("subscriber_opt_in"):
        if not draft.text("opt_in_message"):
            yield Hit(
                "opt_in_message",
                "People opt in by text: enter the message that confirms it, and the keywords (30896, 30909).",
            )
        elif not keywords:
            yield Hit("opt_in_keywords", "People opt in by text: enter the keyword they send.")
    elif keywords:
        yield Hit("subscriber_opt_in", "There are opt-in keywords: do people opt in by text? (30709)")
    for word in dict.fromkeys(_TEXT_TO_JOIN.findall(draft.flow)):
        if word in STOP_WORDS | HELP_WORDS or word in keywords:
            continue
        if keywords:
            yield Hit(
                "opt_in_keywords", f"People are asked to text {word}, but it is not in this list.", word
            )
        else:
            yield Hit(
                "opt_in_keywords", f"People are asked to text {word}: enter it here, and its reply.", word
            )
        break


RULES = (
    Rule(
        "keyword-meaning",
        (30887, 30890, 30896),
        ERROR,
        _FIELDS,
        "A keyword in the wrong list",
        "STOP and HELP mean the same thing for every sender.",
        "START, JOIN to opt in; STOP, CANCEL to opt out; HELP for help",
        _reserved,
        18,
    ),
    Rule(
        "own-answers",
        (30887, 30890),
        WARNING,
        ("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
        "Custom replies are incomplete",
        "Custom replies to STOP or HELP need both the keywords and the message.",
        "all four left empty: Twilio replies",
        _custom_replies,
        18,
    ),
    Rule(
        "opt-out-message",
        (30887,),
        WARNING,
        ("opt_out_message",),
        "The reply to STOP does not confirm it",
        "It must say that no more messages will be sent.",
        "Ann Lee Nails: you are unsubscribed and will get no more messages.",
        _opt_out_message,
        18,
    ),
    Rule(
        "help-message",
        (30890,),
        WARNING,
        ("help_message",),
        "The reply to HELP does not help",
        "It must name the brand and a way to contact it.",
        "Ann Lee Nails: call (415) 555-0123 for help. Reply STOP to opt out.",
        _help_message,
        18,
    ),
    Rule(
        "opt-in-message",
        (30896, 30909),
        WARNING,
        ("opt_in_message",),
        "The opt-in confirmation is incomplete",
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
        "Twilio rejects one without the other.",
        "both, or neither",
        _box_missing,
        17,
        blocks_saving=True,
    ),
    Rule(
        "text-to-join",
        (30896, 30909, 30709),
        WARNING,
        ("subscriber_opt_in", "opt_in_message", "opt_in_keywords", "message_flow"),
        "Opt-in by text is incomplete",
        "The keyword, its reply and the box go together.",
        "“Text NAILS to …”, keyword NAILS, a confirmation, box checked",
        _text_to_join,
        17,
    ),
)

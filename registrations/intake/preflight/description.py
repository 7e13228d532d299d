"""Rules about the description, and about the language of all texts."""

import re
from collections.abc import Iterator

from .rule import WARNING, Case, Hit, Rule, excerpt
from .text_scan import denied

FIELD = "description"
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_SENDING = re.compile(
    r"\b(?:text|sms|messag|send|sent|remind|notif|confirm|alert|updat|inform|tell|told|let|receiv|get|"
    r"gets|reply|repl|"
    r"announc|invit|ask|share|news|offer|promo|keep|hear|know|heads)\w*",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"\b(?:on behalf of|for) (?:our|many|multiple|several|various|different|other) (?:\w+ )?(?:clients|"
    r"businesses|companies|"
    r"brands|customers' customers|merchants|vendors)\b|\b(?:our|my) (?:clients|customers|tenants)['’]s? "
    r"(?:own )?(?:customers|"
    r"clients|patients|members|guests)\b|\b(?:multiple|several|various|many|different|all our) "
    r"(?:brands|businesses|companies|"
    r"merchants|franchises|sister companies)\b|\b(?:our|the) (?:platform|software|saas|app) (?:lets|"
    r"allows|enables|sends|is used)\b|"
    r"\bwhite[- ]label\w*|\bmarketing agency\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:chat|talk|converse|text|stay in touch) (?:with|to) (?:my |our |his |her |their )?(?:friends?|"
    r"family|relatives|"
    r"each other|one another)\b|\bperson[- ]to[- ]person\b|\bpersonal (?:use|conversations?|texting|"
    r"texts)\b|\bpeer[- ]to[- ]peer\b",
    re.IGNORECASE,
)
_INFLUENCER = re.compile(
    r"\binfluencers?\b|\bcelebrit\w+|\bmy (?:fans|followers)\b[^.]{0,40}\b(?:instagram|tiktok|youtube|"
    r"twitch|onlyfans)|"
    r"\bpublic figure\b|\bcontent creator\b",
    re.IGNORECASE,
)
_EMERGENCY = re.compile(
    r"\b(?:emergency|evacuation|amber|tornado|earthquake|active shooter|disaster|911) (?:alert|warning|"
    r"notification|broadcast|"
    r"message|dispatch)\w*",
    re.IGNORECASE,
)
_ENGLISH = frozenset(
    [
        "the",
        "and",
        "to",
        "of",
        "a",
        "in",
        "for",
        "is",
        "are",
        "we",
        "our",
        "you",
        "your",
        "on",
        "at",
        "by",
        "with",
        "or",
        "it",
        "this",
        "that",
        "be",
        "from",
        "they",
        "their",
        "when",
        "who",
        "will",
        "as",
        "may",
        "have",
        "has",
        "not",
        "can",
        "if",
        "an",
        "all",
        "text",
        "texts",
        "message",
        "messages",
        "reply",
        "data",
        "rates",
    ]
)
_OTHER = frozenset(
    [
        "el",
        "la",
        "los",
        "las",
        "de",
        "del",
        "y",
        "que",
        "en",
        "un",
        "una",
        "para",
        "por",
        "con",
        "su",
        "sus",
        "se",
        "es",
        "son",
        "al",
        "lo",
        "como",
        "o",
        "nuestros",
        "nuestras",
        "mensajes",
        "clientes",
        "usted",
        "ustedes",
        "cuando",
        "le",
        "les",
        "et",
        "est",
        "sont",
        "pour",
        "avec",
        "vous",
        "nous",
        "dans",
        "sur",
        "qui",
        "des",
        "du",
        "une",
        "ne",
        "pas",
        "votre",
        "vos",
        "nos",
        "aux",
        "und",
        "der",
        "die",
        "das",
        "ist",
        "sind",
        "mit",
        "wir",
        "sie",
        "ihre",
        "unsere",
        "nicht",
        "von",
        "zu",
        "den",
        "ein",
        "eine",
        "auf",
        "os",
        "as",
        "uma",
        "dos",
        "das",
        "nao",
        "para",
        "voce",
        "seu",
        "sua",
        "com",
        "em",
        "il",
        "che",
        "di",
        "per",
        "non",
        "sono",
        "gli",
        "della",
        "nostri",
    ]
)


def _brand(case: Case) -> Iterator[Hit]:
    if case.description and case.naming(case.description) == "none":
        yield Hit(FIELD, f"Say who sends: name “{case.name.brand}”.")


def _purpose(case: Case) -> Iterator[Hit]:
    if case.description and not _SENDING.search(case.description):
        yield Hit(FIELD, "Say what is sent to whom, and why.")


def _private(case: Case) -> Iterator[Hit]:
    found = _MAIL.search(case.description)
    span = (
        found.span()
        if found
        else next(((p.start, p.end) for p in case.phones.get(FIELD, []) if p.sure), None)
    )
    if span:
        yield Hit(
            FIELD,
            "Leave phone numbers and email addresses out of the description.",
            excerpt(case.description, *span, 0),
        )


def _language(case: Case) -> Iterator[Hit]:
    for field, text in case.told():
        words = case.words(text)
        if len(words) < 5:
            continue
        other = sum(word in _OTHER for word in words)
        unlike = other >= 3 and other > 0.12 * len(words) and other > sum(word in _ENGLISH for word in words)
        if unlike or (not text.isascii() and sum(not word.isascii() for word in words) > 0.4 * len(words)):
            yield Hit(field, "Write it in English, or add a translation.")


def _who(pattern: re.Pattern[str], text: str):
    def check(case: Case) -> Iterator[Hit]:
        for field in (FIELD, "message_flow"):
            words = case.text(field)
            for found in pattern.finditer(words):
                if not denied(words, found.start()):
                    yield Hit(field, text, excerpt(words, *found.span()))
                    break

    return check


_TEXTS = (FIELD, "message_flow")

RULES = (
    Rule(
        "description-brand",
        (30886, 30894, 30914),
        WARNING,
        ("brand_name", FIELD),
        "The description does not name the brand",
        "It must say who sends, and name the customer's business, not yours.",
        "Ann Lee Nails sends appointment reminders to clients who booked online.",
        _brand,
        2,
    ),
    Rule(
        "description-purpose",
        (30886,),
        WARNING,
        (FIELD,),
        "The description does not say what is sent",
        "It must say who sends, who receives and why.",
        "Ann Lee Nails sends appointment reminders to clients who booked online.",
        _purpose,
        2,
    ),
    Rule(
        "description-private",
        (30886,),
        WARNING,
        (FIELD,),
        "Personal data in the description",
        "Phone numbers and addresses of people do not belong there.",
        "Clients can ask questions at the shop.",
        _private,
        3,
    ),
    Rule(
        "english",
        (30910,),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "Not in English",
        "Reviewers read English; other texts need a translation.",
        "Ann Lee Nails: nos vemos el [date] (see you on [date]). Reply STOP to opt out.",
        _language,
        19,
    ),
    Rule(
        "one-company",
        (30926, 30912, 30916),
        WARNING,
        _TEXTS,
        "Several companies in one campaign",
        "Each business registers its own campaign.",
        "Ann Lee Nails sends … to its own clients.",
        _who(_MANY, "A campaign is one business writing to its own customers."),
        25,
    ),
    Rule(
        "person-to-person",
        (30912,),
        WARNING,
        _TEXTS,
        "Private conversation",
        "A2P numbers are for a business writing to people, not for private chat.",
        "Ann Lee Nails sends appointment reminders.",
        _who(_PERSON, "Private chat cannot be registered."),
        26,
    ),
    Rule(
        "influencer",
        (30928,),
        WARNING,
        _TEXTS,
        "An influencer or public figure",
        "Carriers do not take these campaigns.",
        "Ann Lee Nails sends appointment reminders.",
        _who(_INFLUENCER, "Messages of influencers and public figures are not taken."),
        26,
    ),
    Rule(
        "emergency",
        (30929,),
        WARNING,
        _TEXTS,
        "Emergency alerts",
        "These belong to public authorities and other routes.",
        "Ann Lee Nails sends appointment reminders.",
        _who(_EMERGENCY, "Emergency alerts cannot be sent this way."),
        26,
    ),
)

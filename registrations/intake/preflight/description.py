"""Rules about the description, and about the language of all texts."""

import re
from collections.abc import Iterator

from .rule import WARNING, Draft, Hit, Rule, excerpt, forbids
from .text_scan import word_set

FIELD = "description"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_ABOUT_MESSAGES = re.compile(
    r"\b(?:text|sms|messag|send|sent|remind|notif|confirm|alert|updat|inform|tell|told|let|receiv|get|"
    r"gets|reply|repl|"
    r"announc|invit|ask|share|news|offer|promo|keep|hear|know|heads)\w*",
    re.IGNORECASE,
)
_SEVERAL_BUSINESSES = re.compile(
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
_PRIVATE_CHAT = re.compile(
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
_ENGLISH = word_set(
    """
    the and to of a in for is are we our you your on at by with or it this that be from they their when
    who will as may have has not can if an all text texts message messages reply data rates
    """
)
_OTHER_LANGUAGES = word_set(
    """
    el la los las de del y que en un una para por con su sus se es son al lo como o nuestros nuestras
    mensajes clientes usted ustedes cuando le les et est sont pour avec vous nous dans sur qui des du
    une ne pas votre vos nos aux und der die das ist sind mit wir sie ihre unsere nicht von zu den ein
    eine auf os as uma dos nao voce seu sua com em il che di per non sono gli della nostri
    """
)


def _brand(draft: Draft) -> Iterator[Hit]:
    if draft.description and draft.brand_mention(draft.description) == "none":
        yield Hit(FIELD, f"Say who sends the messages: name “{draft.brand.text}”.")


def _purpose(draft: Draft) -> Iterator[Hit]:
    if draft.description and not _ABOUT_MESSAGES.search(draft.description):
        yield Hit(FIELD, "Say what is sent, to whom and why.")


def _personal_data(draft: Draft) -> Iterator[Hit]:
    found = _EMAIL.search(draft.description)
    span = (
        found.span()
        if found
        else next(((p.start, p.end) for p in draft.phones.get(FIELD, []) if p.sure), None)
    )
    if span:
        yield Hit(
            FIELD,
            "Remove phone numbers and email addresses from the description.",
            excerpt(draft.description, *span, 0),
        )


def _language(draft: Draft) -> Iterator[Hit]:
    for field, text in draft.read_by_reviewers():
        words = draft.words(text)
        if len(words) < 5:
            continue
        other = sum(word in _OTHER_LANGUAGES for word in words)
        unlike = other >= 3 and other > 0.12 * len(words) and other > sum(word in _ENGLISH for word in words)
        if unlike or (not text.isascii() and sum(not word.isascii() for word in words) > 0.4 * len(words)):
            yield Hit(field, "Write it in English, or add a translation.")


_TEXTS = (FIELD, "message_flow")

RULES = (
    Rule(
        "description-brand",
        (30886, 30894, 30914),
        WARNING,
        ("brand_name", FIELD),
        "The description does not name the brand",
        "It must name the customer's business, not yours, as the sender.",
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
        "It must say who sends, who receives, and why.",
        "Ann Lee Nails sends appointment reminders to clients who booked online.",
        _purpose,
        2,
    ),
    Rule(
        "description-private",
        (30886,),
        WARNING,
        (FIELD,),
        "Contact details in the description",
        "Phone numbers and email addresses don't belong there.",
        "Clients can ask questions at the shop.",
        _personal_data,
        3,
    ),
    Rule(
        "english",
        (30910,),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "Not in English",
        "Reviewers read English; texts in other languages need a translation.",
        "Ann Lee Nails: nos vemos el [date] (see you on [date]). Reply STOP to opt out.",
        _language,
        19,
    ),
    Rule(
        "one-company",
        (30926, 30912, 30916),
        WARNING,
        _TEXTS,
        "Several businesses in one campaign",
        "Each business registers its own campaign.",
        "Ann Lee Nails sends … to its own clients.",
        forbids(_SEVERAL_BUSINESSES, "A campaign is for one business writing to its own customers.", *_TEXTS),
        25,
    ),
    Rule(
        "person-to-person",
        (30912,),
        WARNING,
        _TEXTS,
        "Private conversations",
        "A2P numbers are for business messages, not for private chat.",
        "Ann Lee Nails sends appointment reminders.",
        forbids(_PRIVATE_CHAT, "Private chat can't be registered.", *_TEXTS),
        26,
    ),
    Rule(
        "influencer",
        (30928,),
        WARNING,
        _TEXTS,
        "An influencer or public figure",
        "Carriers don't accept these campaigns.",
        "Ann Lee Nails sends appointment reminders.",
        forbids(_INFLUENCER, "Carriers don't accept messages from influencers and public figures.", *_TEXTS),
        26,
    ),
    Rule(
        "emergency",
        (30929,),
        WARNING,
        _TEXTS,
        "Emergency alerts",
        "They are for public authorities, which use other channels.",
        "Ann Lee Nails sends appointment reminders.",
        forbids(_EMERGENCY, "Emergency alerts can't be sent this way.", *_TEXTS),
        26,
    ),
)

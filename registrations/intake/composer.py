"""Writes campaign texts from a few choices: the business, what is sent, and how people opt in.

Pure. The texts pass the pre-flight as they are; a person reads and edits them before they are used.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Business:
    """activity: follows the brand name. audience: the recipients. visit: what they come for.

    progress: the middle of two samples for the purpose "progress".
    """

    key: str
    label: str
    activity: str
    audience: str
    visit: str
    progress: tuple[str, str]


@dataclass(frozen=True)
class Purpose:
    """content: follows "to receive". frequency: a sentence. summary: ends the description. samples: follow the name."""

    key: str
    label: str
    content: str
    frequency: str
    summary: str
    samples: tuple[str, str]


@dataclass(frozen=True)
class OptIn:
    """page: what the URL must show. flow: a template for `_fill`."""

    key: str
    label: str
    page: str
    flow: str


BUSINESSES: tuple[Business, ...] = (
    Business(
        "appointments",
        "Works by appointment (salon, barber, practice, studio)",
        "works by appointment",
        "clients",
        "appointment",
        (
            "we are running about [minutes] minutes late today. Thank you for your patience!",
            "we are ready for you, please come in.",
        ),
    ),
    Business(
        "lessons",
        "Lessons, classes and coaching",
        "teaches students in lessons and classes",
        "students",
        "lesson",
        (
            "the material for your next lesson is ready: [title].",
            "well done! You have finished [number] of [number] lessons.",
        ),
    ),
    Business(
        "home",
        "Works at people's homes (repair, cleaning, yard work)",
        "works at the homes of its customers",
        "customers",
        "visit",
        (
            "we are on our way and will be with you at about [time].",
            "the work at your home is done. Thank you for having us!",
        ),
    ),
    Business(
        "shop",
        "Shop, food or crafts",
        "sells its goods to local customers",
        "customers",
        "order",
        (
            "your order [order number] is ready. Pick it up any time until [time].",
            "your order [order number] was delivered today. Enjoy!",
        ),
    ),
    Business(
        "group",
        "Club, church or community group",
        "is a small community group",
        "members",
        "meeting",
        (
            "the doors are open, and we begin at [time].",
            "thank you all for coming today. The photos are up: [title].",
        ),
    ),
    Business(
        "pets",
        "Pet care",
        "takes care of pets for their owners",
        "pet owners",
        "booking",
        (
            "[pet name] has had a walk and a meal, and all is well.",
            "[pet name] can be picked up any time after [time].",
        ),
    ),
    Business(
        "children",
        "Childcare and camps",
        "takes care of children for their families",
        "parents",
        "day of care",
        (
            "today the children [activity]. Everyone had a good day.",
            "please pick up [child's name] at [place] today, not at the usual place.",
        ),
    ),
)

PURPOSES: tuple[Purpose, ...] = (
    Purpose(
        "reminders",
        "Confirmations and reminders",
        "confirmations and reminders",
        "About 2 messages per {visit}.",
        "The texts confirm each {visit} and send a reminder the day before.",
        (
            "hi [first name], this is a reminder of your {visit} on [date] at [time].",
            "your {visit} on [date] is confirmed. We look forward to it!",
        ),
    ),
    Purpose(
        "changes",
        "Changes and open spots",
        "news about changes and open spots",
        "Message frequency varies.",
        "The texts say when a {visit} has to be moved and when a spot opens up.",
        (
            "your {visit} on [date] has to move to [new date]. Sorry for the inconvenience!",
            "a spot has opened up on [date] at [time]. Reply YES if you would like it.",
        ),
    ),
    Purpose(
        "progress",
        "Progress updates",
        "progress updates",
        "1 to 3 messages per {visit}.",
        "The texts report progress on the day of the {visit}.",
        ("", ""),
    ),
    Purpose(
        "news",
        "News and offers (marketing)",
        "news and offers",
        "Up to 4 messages a month.",
        "The texts announce new dates, monthly offers and special events.",
        (
            "this month: [offer], until [date].",
            "starting [date]: [news]. We would love to see you there.",
        ),
    ),
    Purpose(
        "bills",
        "Invoices and receipts",
        "invoices and receipts",
        "1 or 2 messages per invoice.",
        "The texts say when an invoice is ready and when a payment has arrived.",
        (
            "your invoice for [month] is ready: [amount], due on [date].",
            "we received your payment of [amount]. Thank you!",
        ),
    ),
)

_NOTICE = (
    "“I agree to receive {content} by text from {brand}. {frequency} Message and data rates may apply. "
    "Reply STOP to opt out, HELP for help. Consent is not a condition of any purchase.”"
)
_PAGES = "Privacy policy: {privacy} Terms: {terms}"

OPT_INS: tuple[OptIn, ...] = (
    OptIn(
        "web",
        "They check a box on a web page",
        "The page with the box",
        "{Audience} enter their mobile number on the page of {brand} at {page} and may check a box that is for texts "
        f"only and is unchecked by default. It says: {_NOTICE} Links to the privacy policy and the terms are next to "
        f"the box. Anyone who leaves it unchecked gets no texts. {_PAGES}",
    ),
    OptIn(
        "keyword",
        "They text a keyword to the number",
        "The public page that shows the keyword and the notice",
        "{Audience} text {keyword} to the number of {brand}, which is shown on {page} with this notice: “Text "
        "{keyword} to receive {content} from {brand}. {frequency} Message and data rates may apply. Reply STOP to opt "
        "out, HELP for help. Consent is not a condition of any purchase.” The reply confirms the subscription. Links "
        f"to the privacy policy and the terms are next to the notice. {_PAGES}",
    ),
    OptIn(
        "paper",
        "They sign a paper card",
        "A public page with a photo of the card",
        "{Audience} can fill out a paper card of {brand} with their name and mobile number and check an empty box for "
        f"texts. A photo of the card is on {{page}}. It says: {_NOTICE} They sign and date it. Anyone who leaves the "
        f"box empty gets no texts. The card lists the URLs of the privacy policy and the terms. {_PAGES}",
    ),
    OptIn(
        "verbal",
        "They say yes in person or on the phone",
        "A public page with the script",
        "We ask {audience} in person or on the phone, reading a script that is on {page}: “Would you like to receive "
        "{content} by text from {brand}? {frequency} Message and data rates may apply. You can reply STOP to opt out "
        "and HELP for help. Saying no changes nothing: consent is not a condition of any purchase.” We record the "
        "date of each yes; anyone who says no gets no texts. The script lists the URLs of the privacy policy and the "
        f"terms. {_PAGES}",
    ),
)

_BUSINESS = {business.key: business for business in BUSINESSES}
_PURPOSE = {purpose.key: purpose for purpose in PURPOSES}
_OPT_IN = {opt_in.key: opt_in for opt_in in OPT_INS}
KEYWORD = "JOIN"


@dataclass(frozen=True)
class Choices:
    """business, purpose, opt_in: keys of the tables. page: https URL that shows the opt-in."""

    brand: str
    business: str
    purpose: str
    opt_in: str
    page: str
    privacy: str
    terms: str
    keyword: str = KEYWORD


def compose(choices: Choices) -> dict[str, Any]:
    """The campaign inputs by form field, samples as message_sample_1 and _2. Raises KeyError for unknown keys."""
    business, purpose = _BUSINESS[choices.business], _PURPOSE[choices.purpose]
    opt_in = _OPT_IN[choices.opt_in]
    words = {
        "brand": choices.brand,
        "audience": business.audience,
        "Audience": business.audience.capitalize(),
        "visit": business.visit,
        "content": purpose.content,
        "frequency": _fill(purpose.frequency, visit=business.visit),
        "page": choices.page,
        "privacy": choices.privacy,
        "terms": choices.terms,
        "keyword": choices.keyword.upper(),
    }
    first, second = business.progress if purpose.key == "progress" else purpose.samples
    by_text = opt_in.key == "keyword"
    return {
        "description": _fill(
            f"{{brand}} {business.activity}. {{Audience}} who opted in receive {{content}} by text. {purpose.summary}",
            **words,
        ),
        "message_flow": _fill(opt_in.flow, **words),
        "message_sample_1": _fill(f"{{brand}}: {first} Reply STOP to opt out.", **words),
        "message_sample_2": _fill(f"{{brand}}: {second}", **words),
        "has_embedded_links": False,
        "has_embedded_phone": False,
        "subscriber_opt_in": by_text,
        "opt_in_message": _fill(
            "{brand}: you will now receive {content}. {frequency} Message and data rates may apply. Reply HELP for "
            "help, STOP to opt out.",
            **words,
        )
        if by_text
        else "",
        "opt_in_keywords": words["keyword"] if by_text else "",
        "privacy_policy_url": choices.privacy,
        "terms_and_conditions_url": choices.terms,
    }


def _fill(text: str, **words: str) -> str:
    """Fill in our own placeholders, once: a brand like "{audience}" stays as it is."""
    parts = text.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        filled.append(words[name] + rest)
    return "".join(filled)

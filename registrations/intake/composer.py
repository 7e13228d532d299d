"""Texts of a campaign from a few choices: the customer's business, what is sent, and how people agree to it.

Pure. The texts are a start for a person to read and change; they pass the pre-flight as they come.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Business:
    """does: follows the brand's name. who: the people written to. visit: what they come for. progress: two
    samples' hearts for "how it is coming along"."""

    key: str
    label: str
    does: str
    who: str
    visit: str
    progress: tuple[str, str]


@dataclass(frozen=True)
class Purpose:
    """what: follows "to receive". often: a sentence. about: ends the description. samples: hearts, after the name."""

    key: str
    label: str
    what: str
    often: str
    about: str
    samples: tuple[str, str]


@dataclass(frozen=True)
class OptIn:
    """page: what the address must show. flow: the text, filled from `_fill`."""

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
        "Works at people's homes (repair, cleaning, garden)",
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
        "looks after pets for their owners",
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
        "looks after children for their families",
        "parents",
        "day of care",
        (
            "today the children [activity]. Everybody had a good day.",
            "please pick up [child's name] at [place], not at the usual door.",
        ),
    ),
)

PURPOSES: tuple[Purpose, ...] = (
    Purpose(
        "reminders",
        "Confirmations and reminders",
        "confirmations and reminders",
        "About 2 messages per {visit}.",
        "The texts confirm each {visit} and remind people of it the day before.",
        (
            "hi [first name], this is a reminder of your {visit} on [date] at [time].",
            "your {visit} on [date] is confirmed. We look forward to it!",
        ),
    ),
    Purpose(
        "changes",
        "Changes and open spots",
        "news of changes and open spots",
        "Message frequency varies.",
        "The texts say when a {visit} has to move and when a spot opens up.",
        (
            "your {visit} on [date] has to move to [new date]. Sorry for the trouble!",
            "a spot has opened up on [date] at [time]. Reply YES if you would like it.",
        ),
    ),
    Purpose(
        "progress",
        "How things are coming along",
        "updates on how things are coming along",
        "1 to 3 messages per {visit}.",
        "The texts say how things are going, on the day of the {visit} itself.",
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
            "your invoice of [amount] for [month] is ready. It is due on [date].",
            "we received your payment of [amount]. Thank you!",
        ),
    ),
)

_NOTICE = (
    "“I agree to receive {what} by text from {brand}. {often} Message and data rates may apply. Reply STOP to opt "
    "out, HELP for help. Consent is not a condition of any purchase.”"
)
_PAGES = "Privacy policy: {privacy} Terms: {terms}"

OPT_INS: tuple[OptIn, ...] = (
    OptIn(
        "web",
        "They tick a box on a web page",
        "The page with the box",
        "{Who} enter their mobile number on the page of {brand} at {page} and may tick a box that is for texts only "
        f"and is empty by default. It says: {_NOTICE} Links to the privacy policy and the terms are next to the box. "
        f"Anyone who leaves it empty gets no texts. {_PAGES}",
    ),
    OptIn(
        "keyword",
        "They text a keyword to the number",
        "The public page that shows the keyword and the notice",
        "{Who} text {keyword} to the number of {brand}, which is shown on {page} with this notice: “Text {keyword} to "
        "receive {what} from {brand}. {often} Message and data rates may apply. Reply STOP to opt out, HELP for help. "
        "Consent is not a condition of any purchase.” The answer confirms the subscription. Links to the privacy "
        f"policy and the terms are next to the notice. {_PAGES}",
    ),
    OptIn(
        "paper",
        "They sign a paper card",
        "A public page with a photo of the card",
        "{Who} can fill in a paper card of {brand} with their name and mobile number and tick an empty box for texts. "
        f"A photo of the card is on {{page}}. It says: {_NOTICE} They sign and date it. Anyone who leaves the box "
        f"empty gets no texts. The card names the addresses of the privacy policy and the terms. {_PAGES}",
    ),
    OptIn(
        "verbal",
        "They say yes when asked in person or on the phone",
        "A public page with the script",
        "We ask {who} in person or on the phone, reading a script that is on {page}: “Would you like to receive {what} "
        "by text from {brand}? {often} Message and data rates may apply. You can reply STOP to opt out and HELP for "
        "help. Saying no changes nothing: consent is not a condition of any purchase.” We note the date of each yes; "
        "anyone who says no gets no texts. The script names the addresses of the privacy policy and the terms. "
        f"{_PAGES}",
    ),
)

_BUSINESS = {row.key: row for row in BUSINESSES}
_PURPOSE = {row.key: row for row in PURPOSES}
_OPT_IN = {row.key: row for row in OPT_INS}
KEYWORD = "JOIN"


@dataclass(frozen=True)
class Choices:
    """business, purpose, opt_in: keys of the tables. page: https address where the opt-in can be seen."""

    brand: str
    business: str
    purpose: str
    opt_in: str
    page: str
    privacy: str
    terms: str
    keyword: str = KEYWORD


def compose(choices: Choices) -> dict[str, Any]:
    """The campaign's inputs by form field; samples as message_sample_1 and _2. Raises KeyError for unknown keys."""
    business, purpose = _BUSINESS[choices.business], _PURPOSE[choices.purpose]
    opt_in = _OPT_IN[choices.opt_in]
    words = {
        "brand": choices.brand,
        "who": business.who,
        "Who": business.who.capitalize(),
        "visit": business.visit,
        "what": purpose.what,
        "often": _fill(purpose.often, visit=business.visit),
        "page": choices.page,
        "privacy": choices.privacy,
        "terms": choices.terms,
        "keyword": choices.keyword.upper(),
    }
    first, second = business.progress if purpose.key == "progress" else purpose.samples
    by_text = opt_in.key == "keyword"
    return {
        "description": _fill(
            f"{{brand}} {business.does}. {{Who}} who opted in receive {{what}} by text. {purpose.about}",
            **words,
        ),
        "message_flow": _fill(opt_in.flow, **words),
        "message_sample_1": _fill(f"{{brand}}: {first} Reply STOP to opt out.", **words),
        "message_sample_2": _fill(f"{{brand}}: {second}", **words),
        "has_embedded_links": False,
        "has_embedded_phone": False,
        "subscriber_opt_in": by_text,
        "opt_in_message": _fill(
            "{brand}: you will now receive {what}. {often} Message and data rates may apply. Reply HELP for help, "
            "STOP to opt out.",
            **words,
        )
        if by_text
        else "",
        "opt_in_keywords": words["keyword"] if by_text else "",
        "privacy_policy_url": choices.privacy,
        "terms_and_conditions_url": choices.terms,
    }


def _fill(text: str, **words: str) -> str:
    """Only our own names are filled in, once: a brand like "{who}" stays what it is."""
    parts = text.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        filled.append(words[name] + rest)
    return "".join(filled)

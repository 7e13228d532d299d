"""Rules about how people opt in: what the text must say, and what it must not say.

Nearly all are warnings: there are many ways to say the same thing, and a reviewer reads for meaning.
"""

import re
from collections.abc import Callable, Iterator

from .rule import ERROR, WARNING, Draft, Hit, Rule, Severity, excerpt, forbids
from .text_scan import HELP, has_opt_out, says_stop

FIELD = "message_flow"
_ANY = re.IGNORECASE

_RATES = re.compile(
    r"\b(?:data|messag\w*|msgs?|sms|carrier|texting|text|standard)\b[^.;]{0,40}?\b(?:rates?|charges?|"
    r"fees?|costs?)\b"
    r"[^.;]{0,15}?\b(?:appl\w+|incur\w*|may|might)\b|\brates? (?:may|might|could|can|will)?\s?apply|"
    r"\b(?:carrier|provider|operator)\b[^.]{0,20}\b(?:may|might|could) charge",
    _ANY,
)
_UNIT = r"(?:texts?|messages?|msgs?|sms|reminders?|notifications?|alerts?|updates?|times?)"
_FREQUENCY = re.compile(
    r"frequen|\bfreq\b|\bvar(?:y|ies|ying)\b|\brecurring\b|\b(?:daily|weekly|bi-?weekly|monthly|once|"
    r"twice|yearly|"
    r"annually|quarterly|occasional\w*|one-time)\b|\bhow often\b|"
    rf"\b(?:per|each|every|a|an)\s(?:day|week|month|year|visit|order|appointment|lesson|class|session|"
    rf"job)\b|/\s?(?:day|"
    rf"wk|week|mo|month|year)\b|\b(?:number|amount) of {_UNIT}|"
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|single|few|several|"
    r"only)\b(?:\s?(?:-|–|to|or)\s?"
    rf"\w+)?(?:\s\w+){{0,3}}\s{_UNIT}\b|\b(?:\d+|once|twice)(?:\s?(?:-|–|to|or)\s?\d+)?\s(?:per|a|each|"
    rf"every)\s\w+|\bup to \d+|\bmax(?:imum)?\b|\b{_UNIT} (?:per|vary|each|every)\b",
    _ANY,
)
_PRIVACY = re.compile(r"\bprivacy\b", _ANY)
_TERMS = re.compile(r"\bterms\b|\bconditions\b|\bt ?(?:&|and|\+|n) ?cs?\b|\bto[su]\b", _ANY)
_CONSENT = re.compile(
    r"\b(?:un)?(?:check|tick|select|mark)\w*|\bopt\w*[ -]?in\w*|\bagree\w*|\bconsent\w*|\bsubscri\w+|"
    r"\bsign\w*[ -]?up|"
    r"\bsign\w*\b|\bjoin\w*|\benroll?\w*|\btext(?:s|ing)? (?:the (?:key)?word )?[\"'“]?[A-Z]{2,}|"
    r"\bswitch\w* on|\bask(?:s|ed)?"
    r"\b[^.]{0,30}\b(?:text|sms|message)|\bbox\b|\btoggle\w*|\brequest(?:s|ed)? (?:texts|messages|sms)",
    _ANY,
)
_OFFLINE = re.compile(
    r"\b(?:verbal\w*|oral\w*|over the phone|by phone|on the phone|phone call|in[- ]person|face[- ]to[- "
    r"]face|paper|"
    r"clipboard|sign-?in sheet|sign-?up sheet|business cards?|printed|at the (?:counter|desk|register|"
    r"front desk)|"
    r"in (?:the|our|my) (?:shop|store|salon|office|studio)|log ?in|signed in|member(?:s)? (?:area|portal))\b",
    _ANY,
)


def _requires(pattern: re.Pattern[str], text: str) -> Callable[[Draft], Iterator[Hit]]:
    def check(draft: Draft) -> Iterator[Hit]:
        if draft.flow and not pattern.search(draft.flow):
            yield Hit(FIELD, text)

    return check


def _stop(draft: Draft) -> Iterator[Hit]:
    if draft.flow and not has_opt_out(draft.flow) and not re.search(r"\bSTOP\b", draft.flow):
        capitals = " Write STOP in capitals." if says_stop(draft.flow) else ""
        yield Hit(FIELD, f"Say that replying STOP ends the messages.{capitals}")


def _brand(draft: Draft) -> Iterator[Hit]:
    if draft.flow and draft.brand_mention(draft.flow) == "none":
        yield Hit(FIELD, f"Say whose messages people agree to receive: name “{draft.brand.text}”.")


def _place(draft: Draft) -> Iterator[Hit]:
    if not draft.flow or draft.links.get(FIELD):
        return
    if found := _OFFLINE.search(draft.flow):
        yield Hit(
            FIELD,
            "Opt-in outside a public web page needs evidence: put a photo or the script on a web page, and "
            "its URL here.",
            excerpt(draft.flow, *found.span()),
        )
    else:
        yield Hit(FIELD, "Add the https URL of the page where people opt in.")


_PRECHECKED = re.compile(
    r"\b(?:pre-?\s?(?:checked|ticked|selected|filled|marked)|(?:checked|ticked|selected|enabled|on|marked) "
    r"(?:by default|in advance|already|automatically)|already (?:checked|ticked|selected)|"
    r"defaults? to (?:checked|yes|on|ticked))\b",
    _ANY,
)
_AUTOMATIC = re.compile(
    r"\b(?:automatically|auto-?)\s?(?:opted|enroll?ed|subscribed|signed|added|receive|get|consent|opt)\w*|"
    r"\b(?:is|are|were|will be) (?:added|enroll?ed|subscribed|opted[ -]in) (?:automatically|by default|"
    r"without)|"
    r"\bimplied consent\b|\bopt(?:ed)?[ -]in by default\b|\bconsent is (?:implied|assumed)|\bassum\w+ consent|"
    r"\b(?:everyone|everybody|anyone|all (?:of )?(?:our |my |past |existing )*(?:customers|clients|"
    r"members|patients|"
    r"contacts|leads))\b[^.]{0,40}\b(?:gets?|receives?|are (?:added|texted|on))\b(?! (?:no|none|nothing)\b)",
    _ANY,
)
_NOT_ASKED = re.compile(
    r"\b(?:purchased|bought|rented|scraped|harvested)(?: \w+){0,2} (?:lists?|numbers?|contacts|"
    r"databases?|data)\b|"
    r"\b(?:buys?|buying|purchas(?:es?|ing)|rents?|renting|scrap(?:es?|ing)|harvests?|harvesting) (?:\w+ "
    r"){0,3}(?:lists?|leads|contacts|phone numbers)\b|"
    r"\b(?:data|list|lead) (?:broker|provider|vendor)s?\b|\bthird[- ]party (?:lead|list)s?\b|"
    r"\bcold (?:text|outreach|lead|call|sms|contact)\w*|\bwithout (?:their |any |prior |asking for "
    r")?(?:consent|permission|"
    r"opt[- ]?in)\b|\bno opt[- ]?in\b|\b(?:google|yelp|public) (?:directories|directory|listings?|records)\b|"
    r"\bnumbers? (?:we|i) (?:found|find|collected from)\b|\bgenerate\w* leads\b",
    _ANY,
)
_SOLICITED = re.compile(
    r"\b(?:we|i)\b(?: \w+){0,2} (?:text|sms|message)s?\b[^.;]{0,50}\b(?:asking|to ask|ask them|invit\w+|"
    r"whether they|"
    r"if they (?:want|would|wish))\b",
    _ANY,
)
_FORCED = re.compile(
    r"\b(?:must|required? to|have to|has to|need(?:s|ed)? to|mandatory to|obliged "
    r"to)\b[^.;]{0,50}\b(?:agree|consent|"
    r"opt[- ]?in|accept|receiv\w+)\b[^.;]{0,40}\b(?:texts?|sms|messages?|messaging)\b|"
    r"\b(?:sms |text |this |opt[- ]?in )?(?:consent|opt[- ]?in|agreement) is (?:required|mandatory|"
    r"compulsory|necessary|"
    r"a condition)\b|\brequired (?:check ?box|box|consent|field for sms)|"
    r"\b(?:cannot|can't|unable to) (?:book|order|register|sign up|buy|check ?out|continue|"
    r"use)\b[^.;]{0,40}\b(?:without|"
    r"unless)\b[^.;]{0,40}\b(?:agree|consent|opt|text|sms)",
    _ANY,
)
_BUNDLED = re.compile(
    r"\bby (?:accepting|agreeing to|creating an account|registering|purchasing|placing an order|using|visiting|"
    r"making a purchase|buying)\b[^.;]{0,80}\b(?:agree|agrees|consent|consents|opt in|opted|accept|accepts)\b"
    r"[^.;]{0,60}\b(?:text|texts|sms|messages?)\b|"
    r"\b(?:one|same|single) (?:check ?box|box)\b[^.;]{0,60}\b(?:terms|privacy|e-?mail|calls?|marketing)\b|"
    r"\bterms (?:of (?:service|use) )?(?:include|contain|cover)s?\b[^.;]{0,40}\b(?:consent|sms|texts?)\b",
    _ANY,
)
_SHARED = re.compile(
    r"\b(?:shar(?:e|es|ed|ing)|sell|sells|sold|selling|rent|rents|rented|transfer|transfers|transferred|"
    r"disclos\w+|pass(?:ed)? on|"
    r"provid\w+|giv(?:e|es|en))\b(?! \w+ (?:consent|permission))[^.;]{0,50}?\b(?:to|with)\b (?!no\b|"
    r"none\b|nobody\b|anyone\b)"
    r"[^.;]{0,40}\b(?:partners?|third[- ]part(?:y|ies)|affiliates?|advertisers?|sponsors?|marketers?|marketing "
    r"(?:companies|agencies)|other (?:companies|businesses))\b",
    _ANY,
)


def _rule(
    slug: str,
    codes: tuple[int, ...],
    title: str,
    why: str,
    example: str,
    check: Callable[[Draft], Iterator[Hit]],
    source_row: int,
    severity: Severity = WARNING,
) -> Rule:
    return Rule(slug, codes, severity, (FIELD,), title, why, example, check, source_row)


_DISCLOSED = "Reviewers look for this sentence in the opt-in and in this text."
_TEXTS = ("description", FIELD)

RULES = (
    _rule(
        "flow-brand",
        (30896, 30927),
        "The opt-in does not name the brand",
        "People consent to messages from one business, by name.",
        "I agree to get texts from Ann Lee Nails.",
        _brand,
        13,
    ),
    _rule(
        "flow-place",
        (30909, 30919, 30891),
        "The place where people opt in is missing",
        "Reviewers must be able to see the form, poster or script.",
        "Clients book on https://annlee.example.com/book",
        _place,
        14,
    ),
    _rule(
        "flow-consent",
        (30896, 30917),
        "How people agree is missing",
        "Giving a number is not consent: say what people check, sign or send.",
        "They check a box that is unchecked by default.",
        _requires(_CONSENT, "Say how people agree: check a box, send a keyword, sign a card."),
        13,
    ),
    _rule(
        "flow-frequency",
        (30924, 30909),
        "Message frequency is missing",
        _DISCLOSED,
        "Up to 4 messages a month.",
        _requires(_FREQUENCY, "Say how often messages are sent, or that message frequency varies."),
        13,
    ),
    _rule(
        "flow-rates",
        (30924, 30909),
        "“Message and data rates may apply” is missing",
        _DISCLOSED,
        "Message and data rates may apply.",
        _requires(_RATES, "Say that message and data rates may apply."),
        13,
    ),
    _rule(
        "flow-stop",
        (30924, 30896),
        "STOP is missing from the opt-in",
        _DISCLOSED,
        "Reply STOP to opt out.",
        _stop,
        13,
    ),
    _rule(
        "flow-help",
        (30924, 30896),
        "HELP is missing from the opt-in",
        _DISCLOSED,
        "Reply HELP for help.",
        _requires(HELP, "Say that people can reply HELP for help."),
        13,
    ),
    _rule(
        "flow-privacy",
        (30896, 30908),
        "The privacy policy is not mentioned",
        "The opt-in must link to it.",
        "Privacy policy: https://annlee.example.com/privacy",
        _requires(_PRIVACY, "Say that the opt-in links to the privacy policy, or add its URL."),
        13,
    ),
    _rule(
        "flow-terms",
        (30896, 30882),
        "The terms are not mentioned",
        "The opt-in must link to them.",
        "Terms: https://annlee.example.com/terms",
        _requires(_TERMS, "Say that the opt-in links to the terms, or add their URL."),
        13,
    ),
    _rule(
        "pre-checked",
        (30925,),
        "The box is checked by default",
        "People must check it themselves.",
        "The box is unchecked by default.",
        forbids(
            _PRECHECKED,
            "A pre-checked box is not consent. Ask for the form to be changed, then change this text.",
            FIELD,
        ),
        15,
        ERROR,
    ),
    _rule(
        "automatic-opt-in",
        (30896, 30923),
        "People are opted in automatically",
        "Being a customer is not consent to texts.",
        "Clients can check an unchecked box.",
        forbids(_AUTOMATIC, "People can't be opted in automatically: each person must agree.", *_TEXTS),
        15,
    ),
    _rule(
        "unasked",
        (30896, 30951),
        "Numbers of people who did not agree",
        "Purchased, scraped or cold contacts have not agreed to this brand's messages.",
        "Only clients who checked the box get texts.",
        forbids(_NOT_ASKED, "Text only people who agreed to this brand's messages.", *_TEXTS),
        16,
    ),
    _rule(
        "solicited-by-text",
        (30896,),
        "Consent is requested by text",
        "Even the first text needs consent.",
        "Clients check a box on the booking page.",
        forbids(_SOLICITED, "Don't ask for consent by text. Ask where people give their number.", FIELD),
        16,
    ),
    _rule(
        "forced-consent",
        (30923, 30931),
        "Consent is required",
        "People must be able to decline and still get the service.",
        "Consent is not a condition of purchase.",
        forbids(_FORCED, "Make texts optional, and say so.", FIELD),
        15,
    ),
    _rule(
        "bundled-consent",
        (30931, 30913, 30924),
        "Consent to texts is bundled with something else",
        "Agreeing to terms, an account or emails is not consent to texts.",
        "A separate box for texts, apart from the terms.",
        forbids(_BUNDLED, "Use a separate box for texts.", FIELD),
        15,
    ),
    _rule(
        "shared-numbers",
        (30908, 30932, 30896),
        "Numbers may be shared",
        "Mobile numbers and consent must not be shared for marketing.",
        "Mobile numbers are not shared with third parties.",
        forbids(_SHARED, "Numbers must not be shared with partners or third parties for marketing.", *_TEXTS),
        12,
    ),
)

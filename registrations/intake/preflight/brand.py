"""Rules about the brand and the person: name, email, mobile."""

import re
from collections.abc import Iterator

from .email_domains import COMMON_TYPOS, is_disposable
from .names import SUFFIX
from .rule import ERROR, WARNING, Case, Hit, Rule, excerpt
from .text_scan import denied

_ACCOUNT = re.compile(r"\S@\S+\.\S|^[A-Z]{2}[0-9a-f]{32}$")
_CO = re.compile(r"\b(co|company)\.?$", re.IGNORECASE)
# Case counts: "inc." is also short for "including".
_COMPANY = re.compile(
    r"(?<=[\w,.] )(LLC|L\.L\.C\.|PLLC|LLP|Inc\.?|Incorporated|Corp\.?|Corporation|Ltd\.?)(?!\w)"
)
_TAX_ID = re.compile(
    r"\b(EIN|FEIN|employer identification number|federal tax id(?:entification)?|tax id number|501 ?\(c\)|"
    r"our corporation|incorporated (?:in|as)|registered (?:company|corporation)|limited liability company)"
    r"(?:\b|(?<=\)))"
)
_NO_REPLY = re.compile(r"^(no-?reply|do-?not-?reply|test\d*|asdf\w*|none|na|abc\d*)@", re.IGNORECASE)


def _suffix(case: Case) -> Iterator[Hit]:
    if found := SUFFIX.search(case.text("brand_name")):
        word = found.group().strip(" ,")
        yield Hit(
            "brand_name",
            f"“{word}” marks a company with a tax ID, which cannot register as Sole Proprietor (30915). "
            f"Give the "
            "person's name or the DBA without it, or register a Standard brand instead.",
            word,
        )


def _account(case: Case) -> Iterator[Hit]:
    name = case.text("brand_name")
    if _ACCOUNT.search(name):
        yield Hit("brand_name", "Give the name customers know, not an email address or an account ID.", name)


def _co(case: Case) -> Iterator[Hit]:
    name = case.text("brand_name")
    if found := _CO.search(name):
        yield Hit(
            "brand_name",
            f"“{found.group()}” can read as a company with a tax ID (30915). Is it part of the DBA?",
            found.group(),
        )


def _company_in_texts(case: Case) -> Iterator[Hit]:
    for field, text in [*case.told(), ("brand_name", case.text("brand_name"))]:
        kinds = (_TAX_ID,) if field == "brand_name" else (_COMPANY, _TAX_ID)
        found = next((m for kind in kinds for m in kind.finditer(text) if not denied(text, m.start())), None)
        if found:
            yield Hit(
                field,
                f"“{found.group()}” speaks of a company with a tax ID. If the customer has one, Sole "
                f"Proprietor is "
                "the wrong registration; if not, take it out.",
                excerpt(text, *found.span()),
            )


def _disposable(case: Case) -> Iterator[Hit]:
    email = case.text("email").lower()
    domain = email.rpartition("@")[2]
    # The list also holds typos of large providers; those are the other rule's.
    if is_disposable(domain) and domain not in COMMON_TYPOS:
        yield Hit("email", f"{domain} gives out throw-away addresses. Ask for the customer's own.", domain)


def _doubtful_email(case: Case) -> Iterator[Hit]:
    email = case.text("email").lower()
    domain = email.rpartition("@")[2]
    if meant := COMMON_TYPOS.get(domain):
        yield Hit("email", f"Is {domain} meant to be {meant}?", domain)
    elif _NO_REPLY.search(email):
        yield Hit("email", "Nobody seems to read this address. Twilio and the registry may write to it.")


def _own_sender(case: Case) -> Iterator[Hit]:
    mobile = re.sub(r"\D", "", case.text("mobile_phone_number"))[-10:]
    sender = case.text("sender_number")
    if mobile and not sender.upper().startswith("PN") and re.sub(r"\D", "", sender)[-10:] == mobile:
        yield Hit(
            "mobile_phone_number",
            "This is the sender's own number at Twilio. The OTP text goes to a real mobile only.",
        )


RULES = (
    Rule(
        "company-suffix",
        (30915, 30903),
        ERROR,
        ("brand_name",),
        "The brand name marks a company",
        "A business with a tax ID must register as a Standard or Low-Volume brand; all fees are paid again.",
        "Ann Lee Nails",
        _suffix,
        23,
        hard=True,
    ),
    Rule(
        "brand-not-a-name",
        (30894,),
        ERROR,
        ("brand_name",),
        "The brand name is no name",
        "Reviewers compare the name with messages and pages.",
        "Ann Lee Nails",
        _account,
        24,
        hard=True,
    ),
    Rule(
        "company-co",
        (30915,),
        WARNING,
        ("brand_name",),
        "“Co” may mark a company",
        "Unincorporated owners may use it, but reviewers look twice.",
        "Ann Lee Nails",
        _co,
        23,
    ),
    Rule(
        "company-in-texts",
        (30915, 30903),
        WARNING,
        ("brand_name", "description", "message_flow", "message_samples"),
        "The texts speak of a company",
        "Reviewers search pages and texts for signs of a legal entity.",
        "Ann Lee Nails is run by Ann Lee.",
        _company_in_texts,
        23,
    ),
    Rule(
        "disposable-email",
        (30701,),
        ERROR,
        ("email",),
        "A throw-away email address",
        "Twilio rejects the profile: suspected disposable address.",
        "ann.lee@gmail.com",
        _disposable,
        28,
    ),
    Rule(
        "doubtful-email",
        (30701,),
        WARNING,
        ("email",),
        "The email address may be wrong",
        "An address that cannot be reached fails the check of the contact.",
        "ann.lee@gmail.com",
        _doubtful_email,
        28,
    ),
    Rule(
        "mobile-is-sender",
        (30751,),
        ERROR,
        ("mobile_phone_number", "sender_number"),
        "The mobile is a Twilio number",
        "Numbers of Twilio or any VoIP provider cannot get the OTP text.",
        "the owner's own cell phone",
        _own_sender,
        28,
    ),
)

"""Rules about the brand and the person: name, email, mobile."""

import re
from collections.abc import Iterator

from .email_domains import COMMON_TYPOS, is_disposable
from .names import SUFFIX
from .rule import ERROR, WARNING, Draft, Hit, Rule, excerpt
from .text_scan import is_negated

_ACCOUNT = re.compile(r"\S@\S+\.\S|^[A-Z]{2}[0-9a-f]{32}$")
_CO = re.compile(r"\b(co|company)\.?$", re.IGNORECASE)
# Case matters: "inc." is also short for "including".
_COMPANY = re.compile(
    r"(?<=[\w,.] )(LLC|L\.L\.C\.|PLLC|LLP|Inc\.?|Incorporated|Corp\.?|Corporation|Ltd\.?)(?!\w)"
)
_TAX_ID = re.compile(
    r"\b(EIN|FEIN|employer identification number|federal tax id(?:entification)?|tax id number|501 ?\(c\)|"
    r"our corporation|incorporated (?:in|as)|registered (?:company|corporation)|limited liability company)"
    r"(?:\b|(?<=\)))"
)
_NO_REPLY = re.compile(r"^(no-?reply|do-?not-?reply|test\d*|asdf\w*|none|na|abc\d*)@", re.IGNORECASE)


def _company_suffix(draft: Draft) -> Iterator[Hit]:
    if found := SUFFIX.search(draft.text("brand_name")):
        word = found.group().strip(" ,")
        yield Hit(
            "brand_name",
            f"“{word}” means a company with a tax ID, which can't register as a Sole Proprietor (30915). "
            "Enter the owner's name or the DBA without it, or register a Standard brand instead.",
            word,
        )


def _not_a_name(draft: Draft) -> Iterator[Hit]:
    name = draft.text("brand_name")
    if _ACCOUNT.search(name):
        yield Hit("brand_name", "Enter the name customers know, not an email address or an account ID.", name)


def _ends_in_co(draft: Draft) -> Iterator[Hit]:
    name = draft.text("brand_name")
    if found := _CO.search(name):
        yield Hit(
            "brand_name",
            f"“{found.group()}” can look like a company with a tax ID (30915). Is it part of the DBA?",
            found.group(),
        )


def _company_in_texts(draft: Draft) -> Iterator[Hit]:
    for field, text in [*draft.read_by_reviewers(), ("brand_name", draft.text("brand_name"))]:
        kinds = (_TAX_ID,) if field == "brand_name" else (_COMPANY, _TAX_ID)
        found = next(
            (m for kind in kinds for m in kind.finditer(text) if not is_negated(text, m.start())), None
        )
        if found:
            yield Hit(
                field,
                f"“{found.group()}” refers to a company with a tax ID. If the customer has one, Sole Proprietor is "
                "the wrong registration. If not, remove it.",
                excerpt(text, *found.span()),
            )


def _disposable(draft: Draft) -> Iterator[Hit]:
    email = draft.text("email").lower()
    domain = email.rpartition("@")[2]
    # The list also holds typos of large providers; those are the other rule's.
    if is_disposable(domain) and domain not in COMMON_TYPOS:
        yield Hit(
            "email",
            f"{domain} provides disposable addresses. Ask for the customer's own email address.",
            domain,
        )


def _doubtful_email(draft: Draft) -> Iterator[Hit]:
    email = draft.text("email").lower()
    domain = email.rpartition("@")[2]
    if meant := COMMON_TYPOS.get(domain):
        yield Hit("email", f"Did you mean {meant} instead of {domain}?", domain)
    elif _NO_REPLY.search(email):
        yield Hit("email", "Nobody seems to read this address. Twilio and the registry may send email to it.")


def _mobile_is_sender(draft: Draft) -> Iterator[Hit]:
    mobile = re.sub(r"\D", "", draft.text("mobile_phone_number"))[-10:]
    sender = draft.text("sender_number")
    if mobile and not sender.upper().startswith("PN") and re.sub(r"\D", "", sender)[-10:] == mobile:
        yield Hit(
            "mobile_phone_number",
            "This is the Twilio sender number. The OTP text can only reach a real cell phone.",
        )


RULES = (
    Rule(
        "company-suffix",
        (30915, 30903),
        ERROR,
        ("brand_name",),
        "The brand name is a company's",
        "A business with a tax ID must register as a Standard or Low-Volume brand and pay all fees again.",
        "Ann Lee Nails",
        _company_suffix,
        23,
        blocks_saving=True,
    ),
    Rule(
        "brand-not-a-name",
        (30894,),
        ERROR,
        ("brand_name",),
        "The brand name is not a name",
        "Reviewers compare the name with the messages and web pages.",
        "Ann Lee Nails",
        _not_a_name,
        24,
        blocks_saving=True,
    ),
    Rule(
        "company-co",
        (30915,),
        WARNING,
        ("brand_name",),
        "“Co” may mean a company",
        "Unincorporated owners may use it, but reviewers look more closely.",
        "Ann Lee Nails",
        _ends_in_co,
        23,
    ),
    Rule(
        "company-in-texts",
        (30915, 30903),
        WARNING,
        ("brand_name", "description", "message_flow", "message_samples"),
        "The texts refer to a company",
        "Reviewers search web pages and texts for signs of a legal entity.",
        "Ann Lee Nails is run by Ann Lee.",
        _company_in_texts,
        23,
    ),
    Rule(
        "disposable-email",
        (30701,),
        ERROR,
        ("email",),
        "Disposable email address",
        "Twilio rejects the profile because of the address.",
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
        "An address that does not work fails the contact check.",
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
        "Numbers from Twilio or any VoIP provider can't receive the OTP text.",
        "the owner's own cell phone",
        _mobile_is_sender,
        28,
    ),
)

"""Magic inputs: what to type to get each outcome. Ordinary inputs succeed.

``MAGIC`` is the table in docs/sandbox.md; the functions below implement it. The texts of rejections follow
docs/twilio.md section 6.2.
"""

from __future__ import annotations

import re

from .store import Obj

# (field, input, result)
MAGIC: list[tuple[str, str, str]] = [
    (
        "email, local part",
        "contains `bad-syntax`",
        "profile rejected: Email domain has an invalid address syntax.",
    ),
    ("email, local part", "contains `bad-domain`", "profile rejected: Unknown email domain."),
    (
        "email",
        "contains `disposable`, or domain `mailinator.com`",
        "profile rejected: Email is a suspected disposable address.",
    ),
    ("email, local part", "contains `bad-email`", "profile rejected: Email is invalid."),
    (
        "email, local part",
        "contains `code-18602` (any 18xxx)",
        "profile rejected with `errors: [{code: 18602}]` and no FailureReason",
    ),
    (
        "email or second address line",
        "contains `callback-only`",
        "a rejection sends its FailureReason by callback; `errors` stays null",
    ),
    (
        "email or second address line",
        "contains `poll-only`",
        "a rejection sets codes in `errors`; the callback has no FailureReason",
    ),
    ("postal code", "`00000` or `K1A 0A0`", "profile rejected: Invalid Postal Code, with a suggestion"),
    ("street", "contains `Wrong`", "profile rejected: Invalid Street, with a suggestion (no closing `;`)"),
    ("city", "`Nowhere`", "profile rejected: Invalid Locality, with a suggestion"),
    (
        "second address line",
        "`fail region` (also `fail postal`, `fail street`, `fail locality`, `fail house`, `fail missing`, or several: "
        "`fail postal fail street`)",
        "profile rejected for those reasons, in one text",
    ),
    ("street", "starts with house number `0` or `99999`", "profile rejected: Invalid House Number"),
    (
        "country of the address",
        "neither US nor CA",
        "profile rejected: The provided address is not a valid US or Canada address",
    ),
    ("street", "contains `Unfindable`", "address rejected with 21628"),
    (
        "street",
        "contains `Misspelt`",
        "address rejected with 21629 if AutoCorrectAddress is false, corrected if true",
    ),
    ("phone number of the person", "not E.164", "profile rejected with `errors: [{code: 18054}]`"),
    (
        "brand name",
        "contains `bundle 18602` (any 18xxx)",
        "trust bundle rejected with that code",
    ),
    (
        "brand name or last name",
        "contains `fail 30751` (any 307xx; `Fail-30799` works too)",
        "brand FAILED with that code while the text is there",
    ),
    (
        "brand name or last name",
        "contains `fail once 30791`",
        "brand FAILED with that code at the first review only",
    ),
    ("brand name", "contains `event style`", "its `errors[]` items use the `registrationerror…` spelling"),
    ("brand name", "contains `self declared`", "identity_status SELF_DECLARED instead of UNVERIFIED"),
    ("brand name", "contains `suspend later`", "brand SUSPENDED 60 s after its verification"),
    (
        "brand name",
        "contains `enforce deadline`",
        "brand EXPIRED (a status outside the enum) if not verified within 30 days of its creation",
    ),
    (
        "brand name",
        "contains `fixed mobile`",
        "OTP texts always go to the mobile the brand was registered with, even if the bundle has a new one",
    ),
    ("mobile number", "ends in `0750`", "brand FAILED with 30750 (used too often)"),
    (
        "mobile number",
        "ends in `0751` (VoIP), `0753` (landline), is toll-free, or is a number of this account",
        "brand FAILED with 30751; Lookup returns the line type",
    ),
    (
        "mobile number",
        "ends in `0752`",
        "the first OTP text does not arrive and fails with 30752 after 24 h; the second one arrives",
    ),
    ("mobile number", "ends in `9999`", "replies YES automatically 10 s after each OTP text"),
    ("mobile number", "ends in `9998`", "replies NO automatically 10 s after each OTP text"),
    (
        "campaign description, samples or message flow",
        "contains `[[30886:USE_CASE_DESCRIPTION]]` (can be repeated; separate several fields with commas)",
        "campaign FAILED with these `errors[]` items while the text is there",
    ),
    (
        "campaign description, samples or message flow",
        "contains `[[once 30893:SAMPLE_MESSAGE_1]]`",
        "campaign FAILED at the first review only",
    ),
    (
        "campaign description, samples or message flow",
        "contains `[[suspend]]`",
        "campaign SUSPENDED 60 s after its approval",
    ),
    ("campaign URLs", "missing in a v1.2 call", "campaign FAILED with 30933 and/or 30934 after 1 s"),
    ("campaign URLs", "call without the v1.2 header", "campaign FAILED with 30908 and 30882 after 1 s"),
    (
        "opt-in message",
        "set while SubscriberOptIn is not true",
        "campaign FAILED with 30709",
    ),
    ("sender number", "ends in `0666`", "its registration fails (event only)"),
    ("sender number", "ends in `0715`", "voice only: the service rejects it with 21715"),
]

EMAILS = [
    ("bad-syntax", "Email domain has an invalid address syntax."),
    ("bad-domain", "Unknown email domain."),
    ("disposable", "Email is a suspected disposable address."),
    ("mailinator.com", "Email is a suspected disposable address."),
    ("bad-email", "Email is invalid."),
]
E164 = re.compile(r"\+[1-9]\d{6,14}")
NANP = re.compile(r"\+1[2-9]\d{2}[2-9]\d{6}")
TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")
CANADA = re.findall(
    r"\d{3}",
    "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 "
    "474 506 514 519 548 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 "
    "867 873 879 902 905",
)


# -- profile -----------------------------------------------------------------------------------------------


def profile_problem(end_user: Obj, address: Obj | None, address_sid: str) -> tuple[str, list[int]]:
    """Why the checks after submission reject a profile: (FailureReason, codes). Both empty if they accept it."""
    reasons: list[str] = []
    codes: list[int] = []
    email = str(end_user.get("email") or "")
    found = next((text for token, text in EMAILS if token in email.lower()), "")
    if found:
        reasons.append(found)
        codes.append(18055)
    address_reasons = _address_reasons(address, address_sid)
    if address_reasons:
        reasons.extend(address_reasons)
        codes.append(18603)
    if not E164.fullmatch(str(end_user.get("phone_number") or "")):
        codes.append(18054)
    codes.extend(int(code) for code in re.findall(r"code-(18\d{3})", email))
    text = f"{email} {(address or {}).get('street_secondary') or ''}".lower()
    if "callback-only" in text:
        codes = []
    if "poll-only" in text:
        reasons = []
    return " ".join(reasons), codes


def _address_reasons(address: Obj | None, address_sid: str) -> list[str]:
    if address is None:
        return [f"Address not found with sid {address_sid}"]
    second = (address.get("street_secondary") or "").lower()
    if "fail missing" in second:
        return [f"Address not found with sid {address_sid}"]
    if address["iso_country"] not in ("US", "CA"):
        return ["The provided address is not a valid US or Canada address"]
    found = []
    if address["postal_code"].upper() in ("00000", "K1A 0A0") or "fail postal" in second:
        found.append("Invalid Postal Code" + _suggestion(address, ";"))
    if "wrong" in address["street"].lower() or "fail street" in second:
        found.append("Invalid Street" + _suggestion(address, ""))
    if address["city"].lower() == "nowhere" or "fail locality" in second:
        found.append("Invalid Locality" + _suggestion(address, ";"))
    if "fail region" in second:
        found.append("Invalid Region" + _suggestion(address, ";"))
    if address["street"].split()[0] in ("0", "99999") or "fail house" in second:
        found.append("Invalid House Number")
    return [f"[address_sids] - {text}" for text in found]


def _suggestion(address: Obj, end: str) -> str:
    us = address["iso_country"] == "US"
    street, city, region, postal = (
        ("1 Jersey St", "Boston", "MA", "02215-4147")
        if us
        else ("111 Wellington St", "Ottawa", "ON", "K1A 0A9")
    )
    return (
        f". Address suggestion -> Street: {street}. Secondary Street: {city}, {region} {postal}. "
        f"Locality: {city}. Region: {region}. Postal Code: {postal}. Country: {address['iso_country']}{end}"
    )


def address_problem(fields: Obj) -> str:
    """What the address resource itself rejects: "unknown", "misspelt" or ""."""
    street = fields["street"].lower()
    return "unknown" if "unfindable" in street else "misspelt" if "misspelt" in street else ""


def corrected_street(street: str) -> str:
    """The street after AutoCorrectAddress: postal abbreviations and single spaces."""
    street = re.sub(r"(?i)\s*\bmisspelt\b", "", street)
    street = re.sub(r"\s+", " ", street).strip()
    for word, short in (("Street", "St"), ("Avenue", "Ave"), ("Boulevard", "Blvd"), ("Road", "Rd")):
        street = re.sub(rf"\b{word}\b", short, street)
    return street


def bundle_codes(end_user: Obj) -> list[int]:
    """The codes that reject a trust bundle."""
    return [int(code) for code in re.findall(r"bundle (18\d{3})", str(end_user.get("brand_name") or ""))]


# -- numbers -----------------------------------------------------------------------------------------------


def country_of(number: str) -> str | None:
    """US or CA for a valid North American number, otherwise None."""
    if not NANP.fullmatch(number):
        return None
    return "CA" if number[2:5] in CANADA else "US"


def line_type(number: str, owned: bool = False) -> str:
    """The line type as in Lookup."""
    if number[2:5] in TOLL_FREE:
        return "tollFree"
    if owned or number.endswith("0751"):
        return "nonFixedVoip"
    return "landline" if number.endswith("0753") else "mobile"


def auto_reply(mobile: str) -> str:
    return "YES" if mobile.endswith("9999") else "NO" if mobile.endswith("9998") else ""


def otp_arrives(mobile: str, sent: int) -> bool:
    """Whether an OTP text arrives: only on mobiles, and on ``0752`` not the first one."""
    textable = country_of(mobile) is not None and line_type(mobile) == "mobile"
    return textable and not (mobile.endswith("0752") and sent == 1)


# -- brand and campaign ------------------------------------------------------------------------------------


def brand_codes(trust_user: Obj, profile_user: Obj, round_: int, owned: bool) -> list[int]:
    """The codes with which TCR fails a brand, from its submitted data. ``round_`` is 1 for the first review."""
    texts = [str(trust_user.get("brand_name") or ""), str(profile_user.get("last_name") or "")]
    codes: list[int] = []
    for text in texts:
        for once, code in re.findall(r"fail[ -](once[ -])?(30\d{3})", text.lower()):
            if not once or round_ == 1:
                codes.append(int(code))
    mobile = str(trust_user.get("mobile_phone_number") or "")
    if country_of(mobile) is None:
        codes.append(30755 if E164.fullmatch(mobile) and not mobile.startswith("+1") else 30751)
    elif mobile.endswith("0750"):
        codes.append(30750)
    elif line_type(mobile, owned) != "mobile":
        codes.append(30751)
    return list(dict.fromkeys(codes))


def brand_has(trust_user: Obj, token: str) -> bool:
    return token in str(trust_user.get("brand_name") or "").lower()


def campaign_errors(campaign: Obj, round_: int) -> list[tuple[int, list[str]]]:
    """(code, fields) of each rejection that the campaign's texts request."""
    texts = "\n".join([campaign["description"], campaign["message_flow"], *campaign["message_samples"]])
    found = []
    for once, code, fields in re.findall(r"\[\[(once )?(30\d{3})(?::([A-Z0-9_,]*))?\]\]", texts):
        if not once or round_ == 1:
            found.append((int(code), [name for name in fields.split(",") if name]))
    if campaign.get("opt_in_message") and campaign["_opt_in_given"] and not campaign["subscriber_opt_in"]:
        found.append((30709, []))
    return found


def campaign_suspends(campaign: Obj) -> bool:
    return "[[suspend]]" in campaign["description"] + campaign["message_flow"] + "".join(
        campaign["message_samples"]
    )


def number_fails(number: str) -> bool:
    return number.endswith("0666")


def number_sms(number: str) -> bool:
    return not number.endswith("0715")


TITLES: dict[int, str] = {
    30701: "Invalid input parameters",
    30709: "Subscribers must be opted in when providing an opt-in message",
    30747: "Address duplicate threshold reached",
    30748: "Phone number duplicate threshold reached",
    30749: "Email duplicate threshold reached",
    30750: "Mobile phone duplicate threshold reached",
    30751: "Unsupported mobile phone number",
    30752: "Invalid or expired OTP",
    30753: "Unsupported email address",
    30754: "Invalid postal address",
    30755: "Unsupported country code",
    30791: "Temporary system error",
    30793: "Validation problems with connected bundles",
    30799: "Unable to verify registration details",
    30882: "Terms & Conditions",
    30886: "Invalid campaign description",
    30893: "Sample message does not match the use case",
    30896: "Opt-in error",
    30908: "Compliant privacy policy required",
    30933: "Privacy policy URL is missing",
    30934: "Terms and conditions URL is missing",
}


def title(code: int) -> str:
    return TITLES.get(code, "The registration has been reviewed and it was rejected")


def table() -> str:
    """The magic inputs as a Markdown table."""
    rows = ["| Field | Input | Result |", "| --- | --- | --- |"]
    return "\n".join([*rows, *(f"| {field} | {text} | {result} |" for field, text, result in MAGIC)])

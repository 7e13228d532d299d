"""Refusals of a submitted profile or trust bundle: FailureReason texts and codes in `errors`.

Source: Twilio facts, sections 6.2, 6.3 and 6.7. They come up to 20 seconds after submission.
"""

from .model import Failure, Resubmittable, Scope, Who

_EMAIL_REDO: tuple[Scope, ...] = ("end_user", "profile", "trust_bundle", "brand_update")
# A changed name changes the address too: it carries the customer's name.
_NAME_REDO: tuple[Scope, ...] = ("end_user", "address", "profile", "trust_bundle", "brand_update")
_ADDRESS_REDO: tuple[Scope, ...] = ("address", "profile", "trust_bundle", "brand_update")
_ADDRESS = ("street", "street_secondary", "city", "region", "postal_code", "iso_country")


def _email(key: str, text: str, title: str, explanation: str, advice: str) -> Failure:
    return Failure(
        code=None,
        key=key,
        area="bundle",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=("email",),
        resubmittable="yes",
        redo=_EMAIL_REDO,
        who="customer",
        texts=(text,),
        source="Twilio facts, section 6.2",
    )


def _address(
    key: str, text: str, title: str, explanation: str, advice: str, fields: tuple[str, ...], who: Who = "us"
) -> Failure:
    return Failure(
        code=None,
        key=key,
        area="bundle",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable="yes",
        redo=_ADDRESS_REDO,
        who=who,
        texts=(text,),
        source="Twilio facts, section 6.2",
    )


_SUGGESTION = (
    "Use the address that Twilio suggests if it is the customer's; otherwise ask the customer. Submit again."
)

TEXTS = (
    _email(
        "email_syntax",
        "Email domain has an invalid address syntax",
        "E-mail address is malformed",
        "What stands after the @ cannot be a mail domain.",
        "Correct the spelling of the e-mail address and submit again.",
    ),
    _email(
        "email_unknown_domain",
        "Unknown email domain",
        "E-mail domain does not exist",
        "No mail can be delivered to the domain after the @; often it is a typing error.",
        "Correct the domain, or ask the customer for another e-mail address, and submit again.",
    ),
    _email(
        "email_disposable",
        "Email is a suspected disposable address",
        "Throw-away e-mail address",
        "The address looks like one from a service for temporary mail.",
        "Ask the customer for a permanent e-mail address and submit again.",
    ),
    _email(
        "email_invalid",
        "Email is invalid",
        "E-mail address does not work",
        "Twilio's delivery check says that this mailbox cannot receive mail.",
        "Check the spelling with the customer or take another e-mail address, then submit again.",
    ),
    _address(
        "address_sid_not_found",
        "Address not found with sid",
        "Address is missing at Twilio",
        "The address that the profile points to does not exist (any more) in this account.",
        "Submit again so that the address is created anew.",
        ("street",),
    ),
    _address(
        "address_not_us_ca",
        "The provided address is not a valid US or Canada address",
        "Not an address in the US or Canada",
        "The address could not be found in either country.",
        "Ask the customer for a postal address in the United States or Canada and submit again.",
        _ADDRESS,
        "customer",
    ),
    _address(
        "address_postal_code",
        "Invalid Postal Code",
        "ZIP or postal code is wrong",
        "The postal code does not belong to this street and city.",
        _SUGGESTION,
        ("postal_code",),
    ),
    _address(
        "address_street",
        "Invalid Street",
        "Street is wrong",
        "The postal service knows no such street in this city, or spells it differently.",
        _SUGGESTION,
        ("street",),
    ),
    _address(
        "address_locality",
        "Invalid Locality",
        "City is wrong",
        "The city is misspelt or does not fit the postal code.",
        _SUGGESTION,
        ("city",),
    ),
    _address(
        "address_region",
        "Invalid Region",
        "State or province is wrong",
        "The state or province does not fit the city and the postal code.",
        _SUGGESTION,
        ("region",),
    ),
    _address(
        "address_house_number",
        "Invalid House Number",
        "House number does not exist",
        "The street is known, the number in it is not. Twilio suggests no other address in this case.",
        "Ask the customer for the exact house number, correct the street and submit again.",
        ("street",),
        "customer",
    ),
    Failure(
        code=None,
        key="bundle_rejected",
        area="bundle",
        title="Rejected without a reason",
        explanation="Twilio rejected the bundle; the reason comes only with the status callback, which has "
        "not arrived, or with codes that Twilio has not given.",
        advice="Check the e-mail address and the postal address first, these are rejected most often; "
        "correct them and submit again. If both are right, ask Twilio Support.",
        fields=("email", "street", "postal_code"),
        resubmittable="yes",
        redo=("end_user", "address", "profile", "trust_bundle", "brand_update"),
        states=("profile:twilio-rejected", "trust_bundle:twilio-rejected"),
        source="Twilio facts, sections 3 and 6.1",
    ),
)


def _code(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    fields: tuple[str, ...] = (),
    *,
    resubmittable: Resubmittable = "yes",
    redo: tuple[Scope, ...] = ("end_user", "address", "profile", "trust_bundle", "brand_update"),
    who: Who = "customer",
    certain: bool = False,
) -> Failure:
    return Failure(
        code=code,
        area="bundle",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable=resubmittable,
        redo=redo,
        who=who,
        certain=certain,
        source="Twilio facts, section 6.3",
    )


_OTHER_KIND = (
    "A Sole Proprietor profile should not get this. Compare the data with the customer; if "
    "all is right, ask Twilio Support."
)

CODES = (
    _code(
        18601,
        "Business name and website do not go together",
        "Twilio cannot connect the business name with the website.",
        "Use the name that the customer's website shows, then submit again.",
        ("brand_name",),
        redo=("end_user", "trust_bundle", "brand_update"),
    ),
    _code(
        18602,
        "Business ID not verified",
        "A business number could not be verified; sole proprietors register without one.",
        _OTHER_KIND,
        redo=("support",),
        resubmittable="unknown",
    ),
    _code(
        18603,
        "Address not verified",
        "The postal address could not be verified against the postal service's data.",
        "Correct the address (use Twilio's suggestion if there is one) and submit again.",
        _ADDRESS,
        redo=_ADDRESS_REDO,
        certain=True,
    ),
    _code(
        18604,
        "First representative not verified",
        "Twilio cannot verify the first authorised representative: here, the customer.",
        "Check name, e-mail and phone of the customer and submit again.",
        ("first_name", "last_name", "email", "phone_number"),
        redo=_NAME_REDO,
    ),
    _code(
        18605,
        "Second representative not verified",
        "Twilio cannot verify the second authorised representative; sole proprietors have only one.",
        _OTHER_KIND,
        redo=("support",),
        resubmittable="unknown",
    ),
    _code(
        18606,
        "E-mail and website have different domains",
        "The e-mail address is not under the domain of the business's website.",
        "Take an e-mail address at the website's domain, if the customer has one, and submit again.",
        ("email",),
        redo=_EMAIL_REDO,
    ),
    _code(
        18607,
        "Bundle cannot be copied",
        "This profile or trust bundle may not be copied. This product copies none.",
        "Nothing to change in the customer's data; tell the operator.",
        redo=("operator",),
        resubmittable="no",
        who="us",
    ),
    _code(
        18608,
        "Bundle was copied already",
        "This profile or trust bundle has been copied before. This product copies none.",
        "Nothing to change in the customer's data; tell the operator.",
        redo=("operator",),
        resubmittable="no",
        who="us",
    ),
    _code(
        18609,
        "Registration authority not accepted",
        "The authority that registered the business is not accepted; sole proprietors name none.",
        _OTHER_KIND,
        redo=("support",),
        resubmittable="unknown",
    ),
    _code(
        18610,
        "Bundle cannot be copied: its address is deleted",
        "The address behind the bundle no longer exists, so the bundle cannot be copied.",
        "Submit again so that a new address is created.",
        ("street",),
        redo=("address", "profile", "trust_bundle"),
        who="us",
    ),
    _code(
        18005,
        "Information is missing",
        "A required piece of information was not given.",
        "Read Twilio's words, fill in what is missing and submit again.",
    ),
    _code(
        18006,
        "Information does not match",
        "Two pieces of information contradict each other.",
        "Compare name and address with the customer's papers, correct them and submit again.",
        ("first_name", "last_name", "street"),
    ),
    _code(
        18008,
        "Name does not match",
        "The name differs from the one in the records that Twilio compared it with.",
        "Use the customer's full legal name and submit again.",
        ("first_name", "last_name"),
        redo=_NAME_REDO,
    ),
    _code(
        18012,
        "Domestic address needed",
        "The address must lie in the country of the registration.",
        "Ask the customer for an address in the United States or Canada and submit again.",
        _ADDRESS,
        redo=_ADDRESS_REDO,
    ),
    _code(
        18014,
        "Invalid address",
        "The address does not exist in this form.",
        "Correct the address with the customer and submit again.",
        _ADDRESS,
        redo=_ADDRESS_REDO,
    ),
    _code(
        18016,
        "Address does not match",
        "The address differs from the one in the records that Twilio compared it with.",
        "Ask the customer for the address on record and submit again.",
        _ADDRESS,
        redo=_ADDRESS_REDO,
    ),
    _code(
        18017,
        "Address not found",
        "The postal service does not know this address.",
        "Correct the address with the customer and submit again.",
        _ADDRESS,
        redo=_ADDRESS_REDO,
    ),
    _code(
        18018,
        "PO box not accepted",
        "A post office box was given where a street address is wanted.",
        "Ask the customer for a street address and submit again.",
        ("street",),
        redo=_ADDRESS_REDO,
    ),
    *(
        _code(
            code,
            "Information is missing or unusable",
            "Twilio's reviewers could not work with one of the values given.",
            "Read Twilio's words, correct the value they name and submit again.",
        )
        for code in (18036, 18037, 18038, 18039, 18051)
    ),
    _code(
        18054,
        "Phone number not valid",
        "The contact phone is not a working number.",
        "Check the contact phone with the customer and submit again.",
        ("phone_number",),
        redo=_EMAIL_REDO,
    ),
    _code(
        18055,
        "E-mail address not valid",
        "The e-mail address cannot be used.",
        "Check the e-mail address with the customer and submit again.",
        ("email",),
        redo=_EMAIL_REDO,
    ),
    _code(
        18057,
        "Representative not validated",
        "Twilio could not confirm that the named person stands for the business.",
        "Check name, e-mail and phone of the customer and submit again.",
        ("first_name", "last_name", "email", "phone_number"),
        redo=_NAME_REDO,
    ),
)

FAILURES = TEXTS + CODES

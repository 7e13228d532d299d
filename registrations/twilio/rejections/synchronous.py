"""Refusals given at once, as the answer to a call.

Source: Twilio facts, sections 4.3, 6.4 and 8.1. 217xx about numbers are in number.py.
"""

from .model import Failure, Fee, Resubmittable, Scope, Who


def _refusal(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    fields: tuple[str, ...] = (),
    *,
    resubmittable: Resubmittable = "yes",
    redo: tuple[Scope, ...] = ("operator",),
    fee: Fee = "none",
    who: Who = "us",
    certain: bool = True,
    source: str = "Twilio facts, section 4.3",
) -> Failure:
    return Failure(
        code=code,
        area="synchronous",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable=resubmittable,
        redo=redo,
        fee=fee,
        who=who,
        certain=certain,
        source=source,
    )


BRAND_AND_CAMPAIGN = (
    _refusal(
        21724,
        "Brand was resubmitted three times already",
        "A failed brand can be updated three times; after that, only Twilio Support can help. The same code "
        "comes when the brand has no record at the registry yet.",
        "Ask Twilio Support, or delete the brand in Twilio's Console and register a new one for the brand "
        "fee.",
        resubmittable="no",
        redo=("support", "console_delete", "new_brand"),
        fee="brand",
    ),
    _refusal(
        21725,
        "Brand cannot be changed now",
        "A brand can be updated only after it failed; while pending or approved it cannot.",
        "Refresh the case and wait for the registry's decision.",
        resubmittable="after_fix_elsewhere",
        redo=("retry_later",),
        who="twilio",
    ),
    _refusal(
        21726,
        "Brand registration is closed for the moment",
        "Twilio has switched off registrations and updates of this kind for a while.",
        "Nothing to correct; it is tried again later.",
        redo=("retry_later",),
        who="twilio",
    ),
    _refusal(
        21731,
        "Brand is suspended",
        "Nothing can be done with a suspended brand.",
        "Ask Twilio Support how to lift the suspension.",
        resubmittable="no",
        redo=("support",),
        who="twilio",
    ),
    _refusal(
        21729,
        "Campaign is suspended",
        "A suspended campaign cannot be deleted, and its numbers neither added nor removed.",
        "Ask Twilio Support how to lift the suspension.",
        resubmittable="no",
        redo=("support",),
        who="twilio",
    ),
    _refusal(
        21730,
        "Twilio is under maintenance",
        "The system takes no registrations at the moment.",
        "Nothing to correct; it is tried again later.",
        redo=("retry_later",),
        who="twilio",
    ),
    _refusal(
        21717,
        "Brand is not ready for a campaign",
        "A campaign needs a brand that is approved and whose one-time text was answered with YES.",
        "Wait until the customer has answered, then submit again.",
        resubmittable="after_fix_elsewhere",
        redo=("resend_otp", "retry_later"),
        who="customer",
    ),
    *(
        _refusal(
            code,
            "Use case does not fit",
            "The use case of the campaign or of the messaging service is not one that this brand may have.",
            "Tell the operator; a Sole Proprietor has exactly one use case, and this product sends that one.",
            resubmittable="after_fix_elsewhere",
        )
        for code in (21719, 21720, 21713)
    ),
    _refusal(
        21727,
        "Campaign lacks a required value",
        "Twilio names the missing value in its message.",
        "Fill in the named field and submit again.",
        ("description", "message_flow", "message_samples", "privacy_policy_url", "terms_and_conditions_url"),
        redo=("campaign_recreate",),
    ),
    _refusal(
        21728,
        "A campaign text is too short or too long",
        "Description 40–4096, message flow 40–2048, samples 20–1024, automatic messages 20–320 characters.",
        "Bring the named text within its limits and submit again.",
        (
            "description",
            "message_flow",
            "message_samples",
            "opt_in_message",
            "opt_out_message",
            "help_message",
        ),
        redo=("campaign_recreate",),
    ),
    _refusal(
        21732,
        "Brand has its one campaign already",
        "A Sole Proprietor brand can have a single campaign.",
        "Find the other campaign of this brand in Twilio's Console and delete it, or use that one.",
        resubmittable="after_fix_elsewhere",
        redo=("campaign_recreate",),
    ),
    *(
        _refusal(
            code,
            title,
            "This belongs to the e-mail check of public companies, not to Sole Proprietors.",
            "Nothing here asks for it; if it appears, ask Twilio Support.",
            ("email",),
            resubmittable="no",
            redo=("support",),
        )
        for code, title in (
            (21736, "Ownership of the domain not confirmed"),
            (21737, "E-mail check expired"),
            (21738, "E-mail of the check not deliverable"),
            (21739, "E-mail check failed or timed out"),
            (21740, "Domain of the contact's e-mail not accepted"),
            (21741, "Code of the e-mail check expired"),
        )
    ),
    *(
        _refusal(
            code,
            "Not possible in the brand's state",
            "The code belongs to another Twilio product (branded communications), not to A2P brands.",
            "Refresh the case; if it appears here, tell the operator.",
            resubmittable="unknown",
            certain=False,
        )
        for code in (60723, 60724)
    ),
)

_TRUST_HUB = "Twilio facts, section 6.4"


def _defect(code: int, title: str, explanation: str) -> Failure:
    """A call that this product should never make in that form."""
    return _refusal(
        code,
        title,
        explanation,
        "The customer's data is not at fault. Tell the operator: this is a defect of this product.",
        resubmittable="after_fix_elsewhere",
        source=_TRUST_HUB,
    )


TRUST_HUB = (
    _defect(22203, "Status word not understood", "The status sent for a bundle is not one of Twilio's."),
    _defect(
        22204,
        "Status and data changed in one request",
        "A bundle's status and its other properties must be changed in separate requests.",
    ),
    _defect(22205, "Wrong object attached", "The SID to be attached to the bundle does not exist."),
    _defect(22206, "Wrong kind of object attached", "The bundle cannot hold an object of this kind."),
    _defect(22207, "Attributes not understood", "The attributes sent are not valid JSON."),
    _defect(
        22208,
        "Document's status and attributes changed in one request",
        "Both must be changed in separate requests.",
    ),
    _defect(22209, "Document status not understood", "The status sent is not one of Twilio's."),
    _defect(22210, "Document without a type", "The supporting document was sent without its type."),
    _defect(22211, "Document without a name", "The supporting document was sent without a friendly name."),
    _defect(22212, "End-User type not known", "The type of the End-User is not one of Twilio's."),
    _defect(22213, "Number type not known", "The type of number is not one of Twilio's."),
    _defect(22229, "Document is bound to its bundle", "This document can no longer be taken off its bundle."),
    _refusal(
        21628,
        "Address not valid",
        "Twilio could not validate the postal address.",
        "Correct the address with the customer and submit again.",
        ("street", "city", "region", "postal_code", "iso_country"),
        redo=("address", "profile"),
        source=_TRUST_HUB,
    ),
    _refusal(
        21629,
        "Address not valid, another is suggested",
        "Twilio could not validate the address and suggests a better one in its message.",
        "Use the suggested address if it is the customer's, and submit again.",
        ("street", "street_secondary", "city", "region", "postal_code"),
        redo=("address", "profile"),
        source=_TRUST_HUB,
    ),
    _refusal(
        21630,
        "Address can no longer be changed",
        "The address belongs to a verified document and is frozen.",
        "Submit again: a new address and document are made and take the old ones' place in the profile.",
        ("street", "city", "region", "postal_code"),
        redo=("address", "profile"),
        source=_TRUST_HUB,
    ),
    *(
        _refusal(
            code,
            "Object cannot be deleted yet",
            explanation,
            "Remove what still uses it first, then delete it again.",
            resubmittable="after_fix_elsewhere",
            redo=("retry_later",),
            source=_TRUST_HUB,
        )
        for code, explanation in (
            (21644, "A person, document or bundle that is still assigned cannot be deleted."),
            (21645, "A person, document or bundle that is still assigned cannot be deleted."),
            (21646, "The bundle's state does not allow deleting it."),
            (21647, "The bundle's state does not allow deleting it, or something is still assigned to it."),
            (21648, "A phone number is still assigned to the bundle."),
        )
    ),
    _refusal(
        22404,
        "Profiles are closed for the moment",
        "Twilio has switched off creating and changing starter profiles for a while.",
        "Nothing to correct; it is tried again later.",
        redo=("retry_later",),
        who="twilio",
        source=_TRUST_HUB,
    ),
)
FAILURES = BRAND_AND_CAMPAIGN + TRUST_HUB

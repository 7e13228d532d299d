"""Refusals of an Evaluation: something is missing in a bundle before it is submitted.

Source: Twilio facts, section 2. An evaluation checks presence, never quality; it is answered with HTTP 201.
"""

from .model import Failure

_SOURCE = "Twilio facts, section 2"

FAILURES = (
    Failure(
        code=22214,
        area="evaluation",
        title="Person data is not attached",
        explanation="The bundle has no End-User object of the kind that Twilio's policy asks for.",
        advice="Submit again so that the missing object is created and attached; if it stays, tell the "
        "operator, because the policy may have changed.",
        resubmittable="yes",
        redo=("end_user", "profile", "trust_bundle"),
        source=_SOURCE,
    ),
    Failure(
        code=22215,
        area="evaluation",
        title="A required personal field is empty",
        explanation="The End-User object lacks a value that Twilio's policy asks for; the row names which.",
        advice="Fill in the named field and submit again.",
        fields=("first_name", "last_name", "email", "phone_number", "brand_name", "mobile_phone_number"),
        resubmittable="yes",
        redo=("end_user", "address", "profile", "trust_bundle"),
        source=_SOURCE,
    ),
    Failure(
        code=22216,
        area="evaluation",
        title="The address document is not attached",
        explanation="The bundle has no supporting document with the customer's address.",
        advice="Submit again so that the address document is created and attached.",
        fields=("street",),
        resubmittable="yes",
        redo=("address", "profile"),
        source=_SOURCE,
    ),
    Failure(
        code=22217,
        area="evaluation",
        title="The address document is incomplete",
        explanation="A supporting document lacks a required value, or its value differs from the person's "
        "data.",
        advice="Check the address and the names, correct what differs and submit again.",
        fields=("street", "city", "region", "postal_code"),
        resubmittable="yes",
        redo=("address", "profile"),
        source=_SOURCE,
    ),
    Failure(
        code=22218,
        area="evaluation",
        title="Document and person do not match",
        explanation="A value in the supporting document is not the same as in the person's data.",
        advice="Write names and address alike everywhere, then submit again.",
        fields=("first_name", "last_name", "street", "city", "region", "postal_code"),
        resubmittable="yes",
        redo=("end_user", "address", "profile"),
        source=_SOURCE,
    ),
    Failure(
        code=22219,
        area="evaluation",
        title="No address",
        explanation="The bundle refers to no postal address.",
        advice="Fill in the address and submit again.",
        fields=("street", "city", "region", "postal_code"),
        resubmittable="yes",
        redo=("address", "profile"),
        source=_SOURCE,
    ),
    Failure(
        code=None,
        key="evaluation_supporting_bundle",
        area="evaluation",
        title="The connected bundle is not ready",
        explanation="The profile must refer to your own approved primary profile, and the trust bundle to "
        "the customer's submitted profile; one of the two is missing or in the wrong state.",
        advice="Check that the primary profile in the settings is approved by Twilio and that the customer's "
        "profile was submitted, then submit again.",
        resubmittable="after_fix_elsewhere",
        redo=("operator", "profile", "trust_bundle"),
        certain=False,
        source=_SOURCE,
    ),
    Failure(
        code=None,
        key="evaluation_noncompliant",
        area="evaluation",
        title="Evaluation not passed",
        explanation="Twilio found the bundle incomplete without naming a code for it.",
        advice="Read Twilio's words for the row, complete what they name and submit again.",
        resubmittable="yes",
        redo=("end_user", "address", "profile", "trust_bundle"),
        certain=False,
        source=_SOURCE,
        states=("evaluation:noncompliant",),
    ),
)

"""Defines one entry of the rejection catalogue, and the words that its fields may contain.

Source of the field names: the registration form (the CSV columns). Source of the rules: Twilio facts,
sections 2 to 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Area = Literal["evaluation", "bundle", "brand", "campaign", "number", "synchronous"]
Resubmittable = Literal["yes", "no", "after_fix_elsewhere", "unknown"]
Scope = Literal[
    "end_user",  # update the End-User (name, email, phones, brand name) with its full attributes
    "address",  # update the Address, or create a new Address and Supporting Document
    "profile",  # evaluate the customer profile and put it back to pending-review
    "trust_bundle",  # evaluate the trust bundle and put it back to pending-review
    "brand_update",  # resubmit the failed brand: free, at most three times
    "new_brand",  # register another brand: costs the brand fee again
    "resend_otp",  # send the OTP text again
    "campaign_update",  # edit the failed campaign in place
    "campaign_recreate",  # delete the campaign, wait, create it again
    "number",  # attach, detach or replace the sender
    "retry_later",  # the same call again, later
    "console_delete",  # a person deletes the object in Twilio's Console
    "standard_brand",  # leave Sole Proprietor: register as (Low-Volume) Standard
    "operator",  # whoever runs this installation changes a setting or reports a defect
    "support",  # ask Twilio Support
    "none",  # nothing to do
]
Fee = Literal[
    "none",
    "brand",  # the brand fee again
    "campaign_vetting",  # a new campaign is vetted, and its fee is due again
    "campaign_vetting_maybe",  # Twilio's sources disagree whether vetting is due again for an edited campaign
    "standard",  # all fees again, as a Standard brand
]
Who = Literal["us", "customer", "twilio"]

SCOPES: tuple[str, ...] = get_args(Scope)

# Input field -> the part of the registration that it belongs to.
FIELD_PARTS: dict[str, str] = {
    **dict.fromkeys(
        (
            "first_name",
            "last_name",
            "email",
            "phone_number",
            "street",
            "street_secondary",
            "city",
            "region",
            "postal_code",
            "iso_country",
        ),
        "profile",
    ),
    **dict.fromkeys(("brand_name", "vertical", "mobile_phone_number"), "trust_bundle"),
    **dict.fromkeys(
        (
            "description",
            "message_flow",
            "message_samples",
            "message_sample_1",
            "message_sample_2",
            "message_sample_3",
            "message_sample_4",
            "message_sample_5",
            "has_embedded_links",
            "has_embedded_phone",
            "subscriber_opt_in",
            "age_gated",
            "direct_lending",
            "opt_in_message",
            "opt_in_keywords",
            "opt_out_message",
            "opt_out_keywords",
            "help_message",
            "help_keywords",
            "privacy_policy_url",
            "terms_and_conditions_url",
        ),
        "campaign",
    ),
    **dict.fromkeys(("sender_number", "area_code"), "number"),
}
FORM_FIELDS: frozenset[str] = frozenset(FIELD_PARTS)

SAMPLE_FIELDS = tuple(f"message_sample_{number}" for number in range(1, 6))


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One rejection that we know, from one [[rejection]] table of the catalogue.

    code: Twilio's number, None for texts and states without one. key: stable, unique name of the entry.
    title, explanation, advice: our texts for a support agent. source: where the rule comes from. fields: form
    fields it is about, most likely one first; "message_samples" means all samples. resubmittable: whether the
    same object can be sent again. redo: the steps that fix it, in order; steps for parts that were never
    submitted are skipped, and a brand is updated only if it FAILED. fee: what the fix costs. who: who must act
    first. certain: False if Twilio's page was not found and the entry is based on its title only. texts: the
    beginnings of texts that identify a reason without a code. states: Twilio's status words ("part:word") that
    mean this failure by themselves. when_inputs: for a second meaning of a code: it applies if Twilio names one
    of these form fields.
    """

    code: int | None
    area: Area
    title: str
    explanation: str
    advice: str
    source: str
    key: str = ""
    fields: tuple[str, ...] = ()
    resubmittable: Resubmittable = "unknown"
    redo: tuple[Scope, ...] = ("support",)
    fee: Fee = "none"
    who: Who = "us"
    certain: bool = True
    texts: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    when_inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", str(self.code))

    @property
    def is_unknown(self) -> bool:
        """Whether this is the neutral entry for something that is not in the catalogue."""
        return self.key.startswith("unknown")

    @property
    def url(self) -> str:
        """Twilio's page for the code, or "" for an entry without a code."""
        return f"https://www.twilio.com/docs/api/errors/{self.code}" if self.code else ""

    @property
    def form_fields(self) -> tuple[str, ...]:
        """`fields` as inputs of the form; the first sample represents all samples."""
        return form_fields(self.fields)


def form_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Names of inputs that exist in the form, in order, without duplicates.

    >>> form_fields(("message_samples", "message_sample_1", "description"))
    ('message_sample_1', 'description')
    """
    return tuple(dict.fromkeys("message_sample_1" if name == "message_samples" else name for name in fields))

"""The shape of one known failure, and the closed lists of words it may use.

Source of the field names: the registration form (the CSV columns). Source of the rules: Twilio facts,
sections 2 to 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Area = Literal["evaluation", "bundle", "brand", "campaign", "number", "synchronous"]
Resubmittable = Literal["yes", "no", "after_fix_elsewhere", "unknown"]
Scope = Literal[
    "end_user",  # update the End-User (name, e-mail, phones, brand name) with its full attributes
    "address",  # update the Address, or make a new Address and Supporting Document
    "profile",  # evaluate the customer profile and put it back to pending-review
    "trust_bundle",  # evaluate the trust bundle and put it back to pending-review
    "brand_update",  # resubmit the failed brand: free, at most three times
    "new_brand",  # register another brand: costs the brand fee again
    "resend_otp",  # send the one-time text again
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
    "brand",  # the one-time brand fee again
    "campaign_vetting",  # a new campaign is vetted: its fee is due again
    "campaign_vetting_maybe",  # Twilio's sources disagree whether an edited campaign pays vetting again
    "standard",  # all fees again, as a Standard brand
]
Who = Literal["us", "customer", "twilio"]

SCOPES: tuple[str, ...] = get_args(Scope)

# Input field -> the part of the case that owns it.
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

ADDRESS_FIELDS = ("street", "street_secondary", "city", "region", "postal_code", "iso_country")
NAME_FIELDS = ("first_name", "last_name")
SAMPLE_FIELDS = tuple(f"message_sample_{number}" for number in range(1, 6))


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What we know about one refusal.

    code: Twilio's number, None for texts and states that have none. key: stable, unique name of the entry.
    title, explanation, advice: our words, for a support agent. fields: form fields it is about, most likely
    one first; "message_samples" stands for all samples. resubmittable: may the same object be sent again.
    redo: the acts that mend it, in order; acts on parts that were never submitted fall away, and a brand is
    updated only if it FAILED. who: who must act first. certain: False where Twilio's page was not found and
    the entry is drawn from its title only. texts: leading clauses by which a code-less reason is recognised.
    states: upstream status words ("part:word") that mean this failure by themselves.
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

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", str(self.code))

    @property
    def is_unknown(self) -> bool:
        """The neutral entry, for what the catalogue does not hold."""
        return self.key.startswith("unknown")

    @property
    def url(self) -> str:
        """Twilio's page for the code; empty for an entry without one."""
        return f"https://www.twilio.com/docs/api/errors/{self.code}" if self.code else ""

    @property
    def form_fields(self) -> tuple[str, ...]:
        """`fields` as inputs of the form: the first sample stands for all of them."""
        return form_fields(self.fields)


def form_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Names of inputs that exist in the form, without repeats.

    >>> form_fields(("message_samples", "message_sample_1", "description"))
    ('message_sample_1', 'description')
    """
    return tuple(dict.fromkeys("message_sample_1" if name == "message_samples" else name for name in fields))

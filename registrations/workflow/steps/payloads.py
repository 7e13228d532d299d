"""Our inputs as Twilio's parameters: what the calls send, and what later calls depend on."""

import json

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from registrations.models import Registration
from registrations.twilio.client.signatures import CONNECTION_OVERRIDES

from .base import RequestParams


def person(registration: Registration) -> RequestParams:
    """Attributes of the starter-profile end user (policy RN806d…, docs/twilio.md section 1.1, call 1.3)."""
    profile = registration.profile
    return {
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "email": profile.email,
        "phone_number": str(profile.phone_number),
    }


def address(registration: Registration) -> RequestParams:
    """The address, in the fields of Twilio's Address resource (docs/twilio.md section 1.1, call 1.4)."""
    profile = registration.profile
    return {
        "customer_name": profile.full_name,
        "street": profile.street,
        "street_secondary": profile.street_secondary,
        "city": profile.city,
        "region": profile.region,
        "postal_code": profile.postal_code,
        "iso_country": profile.iso_country,
    }


def sole_proprietor(registration: Registration) -> RequestParams:
    """Attributes of the trust-bundle end user (docs/twilio.md section 1.1, call 2.3). The vertical is optional."""
    bundle = registration.trust_bundle
    attributes = {
        "brand_name": bundle.brand_name,
        "mobile_phone_number": str(bundle.mobile_phone_number),
    }
    if bundle.vertical:
        attributes["vertical"] = bundle.vertical
    return attributes


def profile_content(registration: Registration) -> RequestParams:
    """Everything Twilio judges in the starter profile: any change means evaluating and submitting again."""
    return {"person": person(registration), "address": address(registration)}


def bundle_content(registration: Registration) -> RequestParams:
    """Everything Twilio judges in the trust bundle, including the profile under it."""
    return {"sole_proprietor": sole_proprietor(registration), "profile": profile_content(registration)}


# What can be edited in place while a campaign is FAILED; anything else means deleting it and creating it again
# (docs/twilio.md section 5.3).
EDITABLE_CAMPAIGN_KEYS = frozenset(
    {
        "description",
        "message_flow",
        "message_samples",
        "has_embedded_links",
        "has_embedded_phone",
        "age_gated",
        "direct_lending",
        "privacy_policy_url",
        "terms_and_conditions_url",
    }
)


def campaign(registration: Registration) -> RequestParams:
    """Every parameter of a campaign that we decide (docs/twilio.md section 1.1, call 5)."""
    campaign = registration.campaign
    return {
        # A campaign belongs to its brand: another brand means another campaign.
        "brand_registration_sid": registration.brand.sid,
        "description": campaign.description,
        "message_flow": campaign.message_flow,
        "message_samples": list(campaign.message_samples),
        "has_embedded_links": campaign.has_embedded_links,
        "has_embedded_phone": campaign.has_embedded_phone,
        "subscriber_opt_in": campaign.subscriber_opt_in,
        "age_gated": campaign.age_gated,
        "direct_lending": campaign.direct_lending,
        "opt_in_message": campaign.opt_in_message,
        "opt_in_keywords": keywords(campaign.opt_in_keywords),
        "opt_out_message": campaign.opt_out_message,
        "opt_out_keywords": keywords(campaign.opt_out_keywords),
        "help_message": campaign.help_message,
        "help_keywords": keywords(campaign.help_keywords),
        "privacy_policy_url": campaign.privacy_policy_url,
        "terms_and_conditions_url": campaign.terms_and_conditions_url,
    }


def keywords(text: str) -> list[str]:
    """
    >>> keywords("START, join")
    ['START', 'join']
    """
    return [word for word in text.replace(",", " ").split() if word]


def contact_email(registration: Registration) -> str:
    """Where Twilio emails status changes of the bundles: TWILIO_NOTIFICATION_EMAIL if it is set."""
    return settings.TWILIO_NOTIFICATION_EMAIL or registration.profile.email


def status_callback() -> str:
    """The URL that Twilio calls back, or "" without PUBLIC_BASE_URL."""
    if not settings.PUBLIC_BASE_URL:
        return ""
    try:
        return f"{settings.PUBLIC_BASE_URL}{reverse('bundle-status')}#{CONNECTION_OVERRIDES}"
    except NoReverseMatch:
        return ""


def attributes_of(payload: RequestParams) -> RequestParams:
    """The attributes of an end user or document; Twilio sends an object, or in some versions a JSON string."""
    attributes = payload.get("attributes")
    if isinstance(attributes, str):
        try:
            attributes = json.loads(attributes)
        except ValueError:
            return {}
    return attributes if isinstance(attributes, dict) else {}

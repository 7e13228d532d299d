"""Part 1 of the walkthrough: the starter customer profile (docs/twilio.md section 1.1, calls 1.2 to 1.8)."""

from django.conf import settings

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import STARTER_POLICY_SID

from . import address, payloads
from .base import AnyStep, Read
from .bundles import BundleSteps
from .policies import learn_policies, policies_needed, policy_gaps

BUNDLE = BundleSteps(
    part="profile",
    kind=address.BUNDLE_KIND,
    stage=Stage.PROFILE,
    policy_sid=STARTER_POLICY_SID,
    name="profile",
    end_user="person",
    end_user_name="person",
    end_user_type="starter_customer_profile_information",
    attributes=payloads.person,
    content=payloads.profile_content,
)


def _primary_profile_missing(registration: Registration) -> str:
    if settings.TWILIO_PRIMARY_PROFILE_SID:
        return ""
    return "TWILIO_PRIMARY_PROFILE_SID is not set. Ask your administrator to set it to your approved profile's SID."


STEPS: tuple[AnyStep, ...] = (
    Read(
        slug="profile.policies",
        label="Read Twilio's policies",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=policies_needed,
        learn=learn_policies,
        help="What Twilio requires, to check our inputs against. Fetched once and stored.",
    ),
    BUNDLE.create(
        "Create the starter profile",
        blocked=lambda registration: _primary_profile_missing(registration) or policy_gaps(registration),
    ),
    BUNDLE.update_contact(),
    BUNDLE.create_end_user(),
    BUNDLE.update_end_user(
        "Update the person's record", help="Twilio replaces all attributes at once, so all are sent."
    ),
    address.CREATE_ADDRESS,
    address.UPDATE_ADDRESS,
    address.REPLACE_ADDRESS,
    address.CREATE_DOCUMENT,
    address.REPLACE_DOCUMENT,
    address.UNASSIGN_DOCUMENT,
    BUNDLE.assign(
        "end_user",
        "Assign the person",
        "end_user_assignment_sid",
        lambda registration: registration.profile.end_user_sid,
    ),
    BUNDLE.assign(
        "document",
        "Assign the address document",
        "document_assignment_sid",
        lambda registration: registration.profile.supporting_document_sid,
    ),
    BUNDLE.assign(
        "primary",
        "Assign your primary profile",
        "primary_assignment_sid",
        lambda registration: settings.TWILIO_PRIMARY_PROFILE_SID,
    ),
    BUNDLE.evaluate(
        help="Twilio checks that nothing is missing. It checks the email and address after submission."
    ),
    BUNDLE.submit(),
    BUNDLE.review("Twilio is checking the email and address. This takes up to 30 seconds."),
)

"""Part 2: the trust bundle of the sole proprietor (docs/twilio.md section 1.1, calls 2.2 to 2.6)."""

from registrations.models.choices import Stage
from registrations.twilio.client import SOLE_PROPRIETOR_POLICY_SID

from . import payloads
from .base import AnyStep
from .bundles import BundleSteps

BUNDLE = BundleSteps(
    part="trust_bundle",
    kind="trust_product",
    stage=Stage.TRUST_BUNDLE,
    policy_sid=SOLE_PROPRIETOR_POLICY_SID,
    name="trust bundle",
    end_user="sole_proprietor",
    end_user_name="sole proprietor",
    end_user_type="sole_proprietor_information",
    attributes=payloads.sole_proprietor,
    content=payloads.bundle_content,
    optional=("vertical",),
)

STEPS: tuple[AnyStep, ...] = (
    BUNDLE.create("Create the trust bundle"),
    BUNDLE.update_contact(),
    BUNDLE.create_end_user(),
    BUNDLE.update_end_user("Update the brand name, industry, or mobile"),
    BUNDLE.assign(
        "end_user",
        "Assign the sole proprietor",
        "end_user_assignment_sid",
        lambda registration: registration.trust_bundle.end_user_sid,
    ),
    BUNDLE.assign(
        "profile",
        "Assign the starter profile",
        "profile_assignment_sid",
        lambda registration: registration.profile.sid,
    ),
    BUNDLE.evaluate(),
    # A changed profile means submitting the bundle on top of it again (docs/twilio.md section 6.7), but nothing
    # says that Twilio accepts an approved bundle a second time.
    BUNDLE.submit(already_satisfied=BUNDLE.approved_unchanged),
    BUNDLE.review("Twilio is checking the bundle. This takes up to 30 seconds."),
)

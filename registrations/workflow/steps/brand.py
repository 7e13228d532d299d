"""Part 3: the Brand, which costs money, and the OTP text (docs/twilio.md section 1.1, calls 3 to 3.2)."""

from decimal import Decimal

from django.utils.dateparse import parse_datetime

from registrations.models import Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.models.choices import FeeKind, Stage, WaitingFor
from registrations.twilio.client import TwilioClient
from registrations.twilio.rejections import merge_reasons
from registrations.twilio.statuses import (
    BRAND,
    BRAND_APPROVED,
    BRAND_DELETION_FAILED,
    BRAND_EXPIRED,
    BRAND_FAILED,
    BRAND_SUSPENDED,
    IDENTITY_VERIFIED,
    canonical,
)
from registrations.workflow.prices import price

from . import conditions, payloads
from .base import AnyStep, Payload, RequestParams, Watch, Write, unchanged
from .number_lookup import number_problem

SETTLE_SECONDS = 30  # docs/twilio.md section 8: wait 30 s after the brand
HOUR_SECONDS = 3600.0
NEEDS_NEW_BRAND = 30793  # docs/twilio.md section 4.2: delete in the Console and create again
TEXT_RAN_OUT = (
    30752  # docs/twilio.md section 4.2: not answered within 24 h, or not with YES; only a new text helps
)
NO_MORE_UPDATES = 21724  # docs/twilio.md section 4.3: three were made, or the registry never gave it a TCR ID


def fee() -> Decimal:
    return price(FeeKind.BRAND)


def error_codes(registration: Registration) -> set[int]:
    """Every code that Twilio gives for the brand, in whatever shape; old reasons in words have codes as well."""
    brand = registration.brand
    if not brand.errors and not brand.failure_reason:
        return set()
    reasons = merge_reasons("brand", brand.errors, brand.failure_reason)
    return {code for one in reasons for code in (one.code, one.failure.code) if code}


def _basis(registration: Registration) -> RequestParams:
    return {
        "customer_profile_bundle_sid": registration.profile.sid,
        "a2p_profile_bundle_sid": registration.trust_bundle.sid,
    }


def _create(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_brand(brand_type="SOLE_PROPRIETOR", **_basis(registration))


def _find(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload | None:
    """Brands have no name: the pair of bundles identifies ours (docs/twilio.md section 1.2), former brands aside."""
    ours = _basis(registration)
    former = {registration.brand.sid, *registration.retired.values_list("sid", flat=True)}
    matching = (
        brand
        for brand in client.iter_brands()
        if all(brand.get(key) == ours[key] for key in ours) and brand.get("sid") not in former
    )
    return next(matching, None)


def _create_wanted(registration: Registration) -> bool:
    """The first brand; or, once Twilio no longer has the former one and a person submitted, another."""
    brand = registration.brand
    return not brand.sid or bool(brand.missing_since and brand.resubmit_requested)


def _fetch(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_brand(registration.brand.sid)


def changed_since_sent(registration: Registration) -> bool:
    """What the brand was made of was edited since Twilio read it."""
    return not unchanged(
        registration.brand.accepted_params.get("content", {}).get("bundle"),
        payloads.bundle_content(registration),
    )


def update_wanted(registration: Registration) -> bool:
    """A person submitted after it failed: each try counts, so an edit from before never spends one by itself."""
    brand = registration.brand
    if not brand.sid or brand.status != BRAND_FAILED or brand.missing_since:
        return False
    return brand.resubmit_requested and may_help(registration)


def may_help(registration: Registration) -> bool:
    """Whether resubmitting the brand can have another answer than the one it got."""
    return changed_since_sent(registration) or not conditions.is_unfixable("brand", registration.brand)


def _dead_end(registration: Registration) -> str:
    """Why a brand that failed cannot be resubmitted, or ""."""
    if registration.brand.status == BRAND_EXPIRED:
        return (
            "The registry dropped this brand because the customer did not answer YES in 30 days. Reach the "
            "customer first; then delete the brand in Twilio's Console and register a new one."
        )
    if registration.brand.status == BRAND_DELETION_FAILED:
        return (
            "Twilio could not delete this brand. Delete it in the Console again; a campaign that it still has "
            "must go first."
        )
    if NEEDS_NEW_BRAND in error_codes(registration):
        return "Twilio cannot resubmit this brand (30793): delete it in Twilio's Console, then register a new one."
    if registration.brand.resubmissions >= MAX_BRAND_UPDATES:
        return (
            f"Twilio takes no further resubmission of this brand ({NO_MORE_UPDATES}; {MAX_BRAND_UPDATES} are "
            "allowed). Ask Twilio's support, or delete it in the Console and register a new one."
        )
    return ""


def needs_console_deletion(registration: Registration) -> bool:
    """The lost brand cannot be resubmitted, so a person must delete it (docs/twilio.md section 4.2, 4.4 and 8)."""
    brand = registration.brand
    lost = brand.status in (BRAND_FAILED, BRAND_EXPIRED, BRAND_DELETION_FAILED)
    return bool(brand.sid) and not brand.missing_since and lost and bool(_dead_end(registration))


def _update_blocked(registration: Registration) -> str:
    if registration.campaign.sid:
        return "The campaign must be deleted before the brand can be resubmitted."
    return _dead_end(registration)


def _update(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.update_brand(registration.brand.sid)


def _find_updated(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = _fetch(client, registration)
    landed = canonical(BRAND, payload.get("status")) != BRAND_FAILED or conditions.touched(
        registration.brand, payload
    )
    return payload if landed else None


def _review_failed(registration: Registration) -> str:
    brand = registration.brand
    if brand.missing_since:
        return "Twilio no longer has this brand. Submit registers a new one, and pays its fee again."
    if brand.status in (BRAND_FAILED, BRAND_EXPIRED, BRAND_DELETION_FAILED):
        if dead_end := _dead_end(registration):
            return dead_end
        refused = conditions.refusal("The Campaign Registry refused the brand", "brand", brand)
        return refused + conditions.unchanged_again("brand", brand)
    if brand.status == BRAND_SUSPENDED:
        return "Twilio suspended this brand. Only Twilio's support can lift that."
    return ""


def _otp_wanted(registration: Registration) -> bool:
    brand = registration.brand
    return bool(brand.otp_requested_at) and waits_for_yes(registration)


def waits_for_yes(registration: Registration) -> bool:
    """APPROVED but not VERIFIED: UNVERIFIED and SELF_DECLARED both mean the YES is owed (docs/twilio.md section 3)."""
    brand = registration.brand
    approved = bool(brand.sid) and not brand.missing_since and brand.status == BRAND_APPROVED
    return approved and brand.identity_status != IDENTITY_VERIFIED


def _text_ran_out(registration: Registration) -> str:
    """What we must do when Twilio says that the newest OTP text ran out; "" otherwise.

    Whether Twilio forgets the error of an earlier text when a new one is sent, it does not say. So after one of
    ours the error counts only if Twilio has changed the brand since.
    """
    brand = registration.brand
    if TEXT_RAN_OUT not in error_codes(registration) or not waits_for_yes(registration):
        return ""
    if brand.otp_sends > 1 and brand.otp_sent_at:
        changed = parse_datetime(str(brand.payload.get("date_updated") or ""))
        if changed is None or changed.tzinfo is None or changed <= brand.otp_sent_at:
            return ""
    return "The OTP text ran out, or was not answered with YES. Tell the customer, then send it again."


def registered_mobile(registration: Registration) -> str:
    """The mobile that the bundles held when Twilio read them into the brand; "" before that."""
    sent = registration.brand.accepted_params.get("content", {}).get("bundle", {}).get("sole_proprietor", {})
    return str(sent.get("mobile_phone_number") or "")


def mobile_was_changed(registration: Registration) -> bool:
    """The mobile is another one than Twilio read into the brand that now waits for the YES.

    An approved brand cannot be updated (21725), and the facts do not say whether its texts follow the bundle or
    the brand (sections 4.4 and 6.7): both must be reckoned with.
    """
    registered = registered_mobile(registration)
    now = str(registration.trust_bundle.mobile_phone_number)
    return waits_for_yes(registration) and registered not in ("", now)


def _send_otp(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.send_brand_otp(registration.brand.sid)


def may_have_campaign(registration: Registration) -> bool:
    """Only APPROVED and VERIFIED together unlock the campaign (docs/twilio.md section 3; 21717 otherwise)."""
    brand = registration.brand
    return brand.status == BRAND_APPROVED and brand.identity_status == IDENTITY_VERIFIED


STEPS: tuple[AnyStep, ...] = (
    Write(
        slug="brand.create",
        label="Register the brand",
        part="brand",
        stage=Stage.BRAND,
        is_needed=_create_wanted,
        # A sender that is not ours would stop the registration weeks later; better before the fee.
        blocked=number_problem,
        request_params=lambda registration: {
            **_basis(registration),
            "brand_type": "SOLE_PROPRIETOR",
            "bundle": payloads.bundle_content(registration),
        },
        execute=_create,
        find=_find,
        key="content",
        kind="brand",
        sid_field="sid",
        stamps=("registered_at",),
        resets={
            "resubmit_requested": False,
            "missing_since": None,
            "tcr_id": "",
            "identity_status": "",
            "approved_at": None,
            "verified_at": None,
            "resubmissions": 0,
            "otp_sends": 0,
            "otp_sent_at": None,
            "otp_requested_at": None,
        },
        poll_after=SETTLE_SECONDS,
        # A second brand is a second fee: wait long before believing that none was made.
        settle_seconds=60,
        fee=fee,
        rate_limit="a2p",
        help="Paid once. Twilio passes the brand to The Campaign Registry.",
    ),
    Write(
        slug="brand.update",
        label="Resubmit the brand",
        part="brand",
        stage=Stage.BRAND,
        is_needed=update_wanted,
        blocked=_update_blocked,
        request_params=lambda registration: {
            **registration.brand.accepted_params.get("content", {}),
            "bundle": payloads.bundle_content(registration),
        },
        execute=_update,
        find=_find_updated,
        key="content",
        kind="brand_update",
        # Approved again, it gets a new OTP text by itself, with a clock of its own: an older wish for one would
        # text the customer twice within a minute.
        resets={
            "resubmit_requested": False,
            "approved_at": None,
            "verified_at": None,
            "otp_requested_at": None,
        },
        refusals={NO_MORE_UPDATES: {"resubmissions": MAX_BRAND_UPDATES, "resubmit_requested": False}},
        poll_after=SETTLE_SECONDS,
        settle_seconds=60,
        rate_limit="a2p",
        repair=True,
        help="Free, but Twilio allows it only 3 times. It reads profile and trust bundle again.",
    ),
    Watch(
        slug="brand.review",
        label="The brand is approved",
        part="brand",
        stage=Stage.BRAND,
        exists=lambda registration: bool(registration.brand.sid),
        passed=lambda registration: (
            registration.brand.status == BRAND_APPROVED and not registration.brand.missing_since
        ),
        failed=_review_failed,
        fetch=_fetch,
        kind="brand",
        intervals=(30, 60, 60, 120, 120, 300, 300, 600, 900),
        # A deletion in the Console is waited for, so it is looked for more often.
        backstop=lambda registration: (
            HOUR_SECONDS if needs_console_deletion(registration) else conditions.daily(registration.brand)
        ),
        why="The Campaign Registry reviews the brand: minutes, sometimes days.",
    ),
    Write(
        slug="brand.send_otp",
        label="Send the OTP text again",
        part="brand",
        stage=Stage.OTP,
        is_needed=_otp_wanted,
        asked_at=lambda registration: registration.brand.otp_requested_at,
        request_params=lambda registration: {"mobile": str(registration.trust_bundle.mobile_phone_number)},
        execute=_send_otp,
        find=None,
        key="otp",
        kind="otp",
        rate_limit="otp",
        repair=True,
        help="Twilio sends the first one by itself when the brand is approved.",
    ),
    Watch(
        slug="brand.otp",
        label="The customer answers YES",
        part="brand",
        stage=Stage.OTP,
        exists=lambda registration: bool(registration.brand.sid),
        passed=may_have_campaign,
        failed=_review_failed,
        fetch=_fetch,
        kind="brand",
        intervals=(60, 60, 120, 120, 300, 300, 600, 900, 1800),
        backstop=lambda registration: conditions.daily(registration.brand),
        waits_for=WaitingFor.CUSTOMER,
        why="The customer must answer the OTP text with YES.",
        ours=_text_ran_out,
    ),
)

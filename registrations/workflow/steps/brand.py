"""Part 3: the brand, which costs money, and the OTP text (docs/twilio.md section 1.1, calls 3 to 3.2)."""

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

SETTLE_SECONDS = 30  # docs/twilio.md section 8: wait 30 s after creating the brand
HOUR_SECONDS = 3600.0
NEEDS_NEW_BRAND = 30793  # docs/twilio.md section 4.2: delete in the Console and create again
OTP_EXPIRED = 30752  # docs/twilio.md section 4.2: no YES within 24 h; only a new text helps
NO_MORE_UPDATES = 21724  # docs/twilio.md section 4.3: three were made, or the registry never gave it a TCR ID


def fee() -> Decimal:
    return price(FeeKind.BRAND)


def error_codes(registration: Registration) -> set[int]:
    """Every code in Twilio's reasons for the brand; reasons given as text are mapped to codes."""
    brand = registration.brand
    if not brand.errors and not brand.failure_reason:
        return set()
    reasons = merge_reasons("brand", brand.errors, brand.failure_reason)
    return {code for reason in reasons for code in (reason.code, reason.failure.code) if code}


def _bundle_sids(registration: Registration) -> RequestParams:
    return {
        "customer_profile_bundle_sid": registration.profile.sid,
        "a2p_profile_bundle_sid": registration.trust_bundle.sid,
    }


def _create(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_brand(brand_type="SOLE_PROPRIETOR", **_bundle_sids(registration))


def _find(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload | None:
    """Brands have no name: the pair of bundles identifies ours (docs/twilio.md section 1.2), except for old brands."""
    ours = _bundle_sids(registration)
    old = {registration.brand.sid, *registration.retired.values_list("sid", flat=True)}
    matching = (
        brand
        for brand in client.iter_brands()
        if all(brand.get(key) == ours[key] for key in ours) and brand.get("sid") not in old
    )
    return next(matching, None)


def _create_needed(registration: Registration) -> bool:
    """The first brand, or another one if Twilio no longer has the old one and a person submitted again."""
    brand = registration.brand
    return not brand.sid or bool(brand.missing_since and brand.resubmit_requested)


def _fetch(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_brand(registration.brand.sid)


def changed_since_sent(registration: Registration) -> bool:
    """The inputs behind the brand were edited since Twilio read them."""
    return not unchanged(
        registration.brand.accepted_params.get("content", {}).get("bundle"),
        payloads.bundle_content(registration),
    )


def update_needed(registration: Registration) -> bool:
    """A person submitted after it failed. Each attempt counts, so an earlier edit never uses one by itself."""
    brand = registration.brand
    if not brand.sid or brand.status != BRAND_FAILED or brand.missing_since:
        return False
    return brand.resubmit_requested and resubmission_may_help(registration)


def resubmission_may_help(registration: Registration) -> bool:
    """Whether resubmitting the brand can end differently."""
    return changed_since_sent(registration) or not conditions.is_unfixable("brand", registration.brand)


def _dead_end(registration: Registration) -> str:
    """Why a brand that failed cannot be resubmitted, or ""."""
    if registration.brand.status == BRAND_EXPIRED:
        return (
            "The registry dropped this brand because the customer did not reply YES within 30 days. Contact the "
            "customer first. Then delete the brand in Twilio's Console and register a new one."
        )
    if registration.brand.status == BRAND_DELETION_FAILED:
        return (
            "Twilio could not delete this brand. Delete its campaign first, if it has one, then delete the brand "
            "in the Console again."
        )
    if NEEDS_NEW_BRAND in error_codes(registration):
        return "Twilio cannot resubmit this brand (30793). Delete it in Twilio's Console, then register a new one."
    if registration.brand.resubmissions >= MAX_BRAND_UPDATES:
        return (
            f"This brand cannot be resubmitted again ({NO_MORE_UPDATES}; Twilio allows {MAX_BRAND_UPDATES} times). "
            "Ask Twilio Support, or delete it in the Console and register a new one."
        )
    return ""


def needs_console_deletion(registration: Registration) -> bool:
    """The failed brand cannot be resubmitted, so a person must delete it (docs/twilio.md section 4.2, 4.4 and 8)."""
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
    landed = canonical(BRAND, payload.get("status")) != BRAND_FAILED or conditions.changed_since_sync(
        registration.brand, payload
    )
    return payload if landed else None


def _review_failed(registration: Registration) -> str:
    brand = registration.brand
    if brand.missing_since:
        return "Twilio no longer has this brand. Submit registers a new one, and its fee is charged again."
    if brand.status in (BRAND_FAILED, BRAND_EXPIRED, BRAND_DELETION_FAILED):
        if dead_end := _dead_end(registration):
            return dead_end
        rejection = conditions.refusal("The Campaign Registry rejected the brand", "brand", brand)
        return rejection + conditions.unchanged_again("brand", brand)
    if brand.status == BRAND_SUSPENDED:
        return "Twilio suspended this brand. Only Twilio Support can lift the suspension."
    return ""


def _otp_needed(registration: Registration) -> bool:
    brand = registration.brand
    return bool(brand.otp_requested_at) and waits_for_yes(registration)


def waits_for_yes(registration: Registration) -> bool:
    """APPROVED but not VERIFIED: both UNVERIFIED and SELF_DECLARED mean no YES yet (docs/twilio.md section 3)."""
    brand = registration.brand
    approved = bool(brand.sid) and not brand.missing_since and brand.status == BRAND_APPROVED
    return approved and brand.identity_status != IDENTITY_VERIFIED


def _otp_expired(registration: Registration) -> str:
    """What our team must do if Twilio says that the newest OTP text expired, else "".

    Twilio does not document whether a new text clears the error of the previous one. So after a resend, the error
    counts only if Twilio has changed the brand since.
    """
    brand = registration.brand
    if OTP_EXPIRED not in error_codes(registration) or not waits_for_yes(registration):
        return ""
    if brand.otp_sends > 1 and brand.otp_sent_at:
        changed = parse_datetime(str(brand.payload.get("date_updated") or ""))
        if changed is None or changed.tzinfo is None or changed <= brand.otp_sent_at:
            return ""
    return "The OTP text expired, or the reply was not YES. Tell the customer, then resend it."


def registered_mobile(registration: Registration) -> str:
    """The mobile in the bundles when Twilio read them into the brand; "" before that."""
    sent = registration.brand.accepted_params.get("content", {}).get("bundle", {}).get("sole_proprietor", {})
    return str(sent.get("mobile_phone_number") or "")


def mobile_was_changed(registration: Registration) -> bool:
    """The mobile differs from the one that Twilio read into the brand, which is now waiting for the YES.

    An approved brand cannot be updated (21725), and Twilio does not document whether its texts go to the bundle's
    mobile or the brand's (docs/twilio.md section 4.4 and 6.7). Expect either.
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
        is_needed=_create_needed,
        # A sender that is not ours would stop the registration weeks later; stop before the fee instead.
        blocked=number_problem,
        request_params=lambda registration: {
            **_bundle_sids(registration),
            "brand_type": "SOLE_PROPRIETOR",
            "bundle": payloads.bundle_content(registration),
        },
        execute=_create,
        find=_find,
        key="content",
        kind="brand",
        sid_field="sid",
        timestamps=("registered_at",),
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
        # A second brand is a second fee: wait longer before deciding that none was created.
        settle_seconds=60,
        fee=fee,
        rate_limit="a2p",
        help="Charged once. Twilio sends the brand to The Campaign Registry.",
    ),
    Write(
        slug="brand.update",
        label="Resubmit the brand",
        part="brand",
        stage=Stage.BRAND,
        is_needed=update_needed,
        blocked=_update_blocked,
        request_params=lambda registration: {
            **registration.brand.accepted_params.get("content", {}),
            "bundle": payloads.bundle_content(registration),
        },
        execute=_update,
        find=_find_updated,
        key="content",
        kind="brand_update",
        # Once approved again, Twilio sends a new OTP text by itself. An older resend request would text the customer
        # twice within a minute.
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
        help="Free, but allowed only 3 times. Twilio reads the profile and trust bundle again.",
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
        # We are waiting for a deletion in the Console, so poll more often.
        backstop=lambda registration: (
            HOUR_SECONDS if needs_console_deletion(registration) else conditions.daily(registration.brand)
        ),
        reason="The Campaign Registry is reviewing the brand. This takes minutes, sometimes days.",
    ),
    Write(
        slug="brand.send_otp",
        label="Resend the OTP text",
        part="brand",
        stage=Stage.OTP,
        is_needed=_otp_needed,
        asked_at=lambda registration: registration.brand.otp_requested_at,
        request_params=lambda registration: {"mobile": str(registration.trust_bundle.mobile_phone_number)},
        execute=_send_otp,
        find=None,
        key="otp",
        kind="otp",
        rate_limit="otp",
        repair=True,
        help="Twilio sends the first text itself when the brand is approved.",
    ),
    Watch(
        slug="brand.otp",
        label="The customer replies YES",
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
        reason="The customer must reply YES to the OTP text.",
        action_needed=_otp_expired,
    ),
)

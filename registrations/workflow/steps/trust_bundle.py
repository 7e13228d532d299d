"""Part 2: the Trust Bundle of the sole proprietor (docs/twilio.md section 1.1, calls 2.2 to 2.6)."""

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import SOLE_PROPRIETOR_POLICY_SID, BundleKind, TwilioClient
from registrations.twilio.statuses import BUNDLE_APPROVED, BUNDLE_REJECTED, BUNDLE_SUBMITTED

from . import conditions, contact, finders, payloads
from .base import AnyStep, Payload, RequestParams, Watch, Write, unchanged
from .profile import SETTLE_SECONDS

KIND: BundleKind = "trust_product"


def _sid(registration: Registration) -> str:
    return registration.trust_bundle.sid


def _end_user_drifted(registration: Registration) -> bool:
    bundle = registration.trust_bundle
    return bool(bundle.end_user_sid) and not same_attributes(
        bundle.accepted_params.get("sole_proprietor", {}).get("attributes"),
        payloads.sole_proprietor(registration),
    )


def same_attributes(sent: RequestParams | None, wanted: RequestParams) -> bool:
    """Like `unchanged`, but an industry that is added or taken away counts as well: it is optional."""
    return unchanged(sent, wanted) and (sent or {}).get("vertical", "") == wanted.get("vertical", "")


def _same_content(sent: RequestParams | None, wanted: RequestParams) -> bool:
    return unchanged(sent, wanted) and same_attributes(
        (sent or {}).get("sole_proprietor"), wanted["sole_proprietor"]
    )


def _evaluation_wanted(registration: Registration) -> bool:
    bundle = registration.trust_bundle
    if bundle.evaluation_status != "compliant" and bundle.resubmit_requested:
        return True
    if conditions.evaluation_lags(registration, bundle, "trust_bundle.evaluate"):
        return True
    return not _same_content(bundle.accepted_params.get("evaluation"), payloads.bundle_content(registration))


def submit_wanted(registration: Registration) -> bool:
    bundle = registration.trust_bundle
    if bundle.status == BUNDLE_REJECTED and bundle.resubmit_requested:
        return True
    return not _same_content(bundle.accepted_params.get("submit"), payloads.bundle_content(registration))


def _approved_as_it_is(registration: Registration) -> bool:
    """Approved, and only the profile below it was changed: it should be submitted again (docs/twilio.md section 6.7), but
    they do not say that Twilio takes an approved bundle a second time."""
    bundle = registration.trust_bundle
    sent = bundle.accepted_params.get("submit", {}).get("sole_proprietor")
    return bundle.status == BUNDLE_APPROVED and same_attributes(sent, payloads.sole_proprietor(registration))


def _submit_blocked(registration: Registration) -> str:
    if registration.trust_bundle.evaluation_status == "compliant":
        return ""
    return "Twilio's evaluation found something missing in the trust bundle. Fix what is marked, then submit again."


def _create_bundle(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_bundle(KIND, **request_params)


def _create_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_end_user(**request_params)


def _update_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.update_end_user(
        registration.trust_bundle.end_user_sid, attributes=request_params["attributes"]
    )


def _find_updated_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = client.fetch_end_user(registration.trust_bundle.end_user_sid)
    return payload if same_attributes(request_params["attributes"], payloads.attributes_of(payload)) else None


def _evaluate(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_evaluation(KIND, _sid(registration), policy_sid=SOLE_PROPRIETOR_POLICY_SID)


def _submit(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.update_bundle(KIND, _sid(registration), status="pending-review")


def _find_submitted(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = client.fetch_bundle(KIND, _sid(registration))
    return payload if conditions.bundle_moved(registration.trust_bundle, payload) else None


def _fetch(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_bundle(KIND, _sid(registration))


def _assign(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_assignment(KIND, _sid(registration), object_sid=request_params["object_sid"])


def _review_passed(registration: Registration) -> bool:
    bundle = registration.trust_bundle
    return bundle.status in BUNDLE_SUBMITTED and conditions.settled(
        bundle, bundle.submitted_at, SETTLE_SECONDS
    )


def _review_failed(registration: Registration) -> str:
    bundle = registration.trust_bundle
    if bundle.status != BUNDLE_REJECTED:
        return ""
    return conditions.refusal("Twilio rejected the trust bundle", "trust_bundle", bundle)


STEPS: tuple[AnyStep, ...] = (
    Write(
        slug="trust_bundle.create",
        label="Create the trust bundle",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: not registration.trust_bundle.sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("trust bundle"),
            "email": payloads.contact_email(registration),
            "policy_sid": SOLE_PROPRIETOR_POLICY_SID,
            "status_callback": payloads.status_callback(),
        },
        execute=_create_bundle,
        find=finders.by_bundle_name(KIND),
        key="bundle",
        kind="bundle",
        sid_field="sid",
    ),
    contact.update_row(
        "trust_bundle", KIND, "Send the trust bundle's changed contact", Stage.TRUST_BUNDLE, submit_wanted
    ),
    Write(
        slug="trust_bundle.create_end_user",
        label="Describe the sole proprietor",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: not registration.trust_bundle.end_user_sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("sole proprietor"),
            "type": "sole_proprietor_information",
            "attributes": payloads.sole_proprietor(registration),
        },
        execute=_create_end_user,
        find=finders.end_user,
        key="sole_proprietor",
        kind="end_user",
        sid_field="end_user_sid",
    ),
    Write(
        slug="trust_bundle.update_end_user",
        label="Send the changed brand name, industry or mobile",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: (
            conditions.may_repair(registration) and _end_user_drifted(registration)
        ),
        request_params=lambda registration: {
            **registration.trust_bundle.accepted_params.get("sole_proprietor", {}),
            "attributes": payloads.sole_proprietor(registration),
        },
        execute=_update_end_user,
        find=_find_updated_end_user,
        key="sole_proprietor",
        kind="end_user",
        repair=True,
    ),
    Write(
        slug="trust_bundle.assign_end_user",
        label="Assign the sole proprietor",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: not registration.trust_bundle.end_user_assignment_sid,
        request_params=lambda registration: {"object_sid": registration.trust_bundle.end_user_sid},
        execute=_assign,
        find=finders.by_assignment(KIND, _sid),
        key="assign_end_user",
        kind="assignment",
        sid_field="end_user_assignment_sid",
    ),
    Write(
        slug="trust_bundle.assign_profile",
        label="Assign the starter profile",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: not registration.trust_bundle.profile_assignment_sid,
        request_params=lambda registration: {"object_sid": registration.profile.sid},
        execute=_assign,
        find=finders.by_assignment(KIND, _sid),
        key="assign_profile",
        kind="assignment",
        sid_field="profile_assignment_sid",
    ),
    Write(
        slug="trust_bundle.evaluate",
        label="Evaluate the trust bundle",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: (
            conditions.may_repair(registration) and _evaluation_wanted(registration)
        ),
        request_params=payloads.bundle_content,
        execute=_evaluate,
        find=finders.by_evaluation(KIND, "trust_bundle.evaluate", _sid),
        not_before=lambda registration: conditions.evaluate_not_before(
            registration, registration.trust_bundle, "trust_bundle.evaluate"
        ),
        key="evaluation",
        kind="evaluation",
        sid_field="evaluation_sid",
    ),
    Write(
        slug="trust_bundle.submit",
        label="Submit the trust bundle",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        is_needed=lambda registration: conditions.may_repair(registration) and submit_wanted(registration),
        blocked=_submit_blocked,
        request_params=payloads.bundle_content,
        execute=_submit,
        find=_find_submitted,
        key="submit",
        kind="bundle",
        stamps=("submitted_at",),
        resets={"resubmit_requested": False, "failure_reason": ""},
        already_satisfied=_approved_as_it_is,
        poll_after=SETTLE_SECONDS,
    ),
    Watch(
        slug="trust_bundle.review",
        label="Twilio takes the trust bundle",
        part="trust_bundle",
        stage=Stage.TRUST_BUNDLE,
        exists=lambda registration: bool(registration.trust_bundle.submitted_at),
        passed=_review_passed,
        failed=_review_failed,
        fetch=_fetch,
        kind="bundle",
        intervals=(5, 10, 15, 30, 60, 120, 300),
        backstop=lambda registration: conditions.bundle_backstop(registration.trust_bundle),
        why="Twilio looks at the bundle; this takes up to 30 seconds.",
    ),
)

"""Part 1 of the walkthrough: the Starter Customer Profile (docs/twilio.md section 1.1, calls 1.2 to 1.8)."""

from django.conf import settings

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import STARTER_POLICY_SID, BundleKind, TwilioClient
from registrations.twilio.statuses import BUNDLE_REJECTED, BUNDLE_SUBMITTED

from . import conditions, contact, finders, payloads, repair
from .base import AnyStep, Payload, Read, RequestParams, Watch, Write, unchanged
from .policies import learn_policies, policies_wanted, policy_gaps

KIND: BundleKind = "customer_profile"
SETTLE_SECONDS = 30  # docs/twilio.md section 8: wait 30 s after the submission; rejections come within 20


def _sid(registration: Registration) -> str:
    return registration.profile.sid


# --- wanted ------------------------------------------------------------------------------------------------
def _person_drifted(registration: Registration) -> bool:
    profile = registration.profile
    return bool(profile.end_user_sid) and not unchanged(
        profile.accepted_params.get("person", {}).get("attributes"), payloads.person(registration)
    )


def _evaluation_wanted(registration: Registration) -> bool:
    profile = registration.profile
    if profile.evaluation_status != "compliant" and profile.resubmit_requested:
        return True
    if conditions.evaluation_lags(registration, profile, "profile.evaluate"):
        return True
    return not unchanged(profile.accepted_params.get("evaluation"), payloads.profile_content(registration))


def _submit_wanted(registration: Registration) -> bool:
    profile = registration.profile
    if profile.status == BUNDLE_REJECTED and profile.resubmit_requested:
        return True
    return not unchanged(profile.accepted_params.get("submit"), payloads.profile_content(registration))


def _submit_blocked(registration: Registration) -> str:
    if registration.profile.evaluation_status == "compliant":
        return ""
    return (
        "Twilio's evaluation found something missing in the profile. Fix what is marked, then submit again."
    )


# --- acts --------------------------------------------------------------------------------------------------
def _create_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_end_user(
        friendly_name=request_params["friendly_name"],
        type=request_params["type"],
        attributes=request_params["attributes"],
    )


def _update_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.update_end_user(registration.profile.end_user_sid, attributes=request_params["attributes"])


def _find_updated_end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = client.fetch_end_user(registration.profile.end_user_sid)
    return payload if unchanged(request_params["attributes"], payloads.attributes_of(payload)) else None


def _create_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    # AutoCorrectAddress off, on purpose: a silent rewrite would make Twilio's address differ from ours, and
    # the customer's. A wrong address is refused later with a suggestion that a person accepts.
    return client.create_address(
        friendly_name=request_params["friendly_name"], auto_correct_address=False, **request_params["address"]
    )


def _find_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.named(
        client.iter_addresses(friendly_name=request_params["friendly_name"]), request_params["friendly_name"]
    )


def _update_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    parts = {key: value for key, value in request_params["address"].items() if key != "iso_country"}
    return client.update_address(registration.profile.address_sid, auto_correct_address=False, **parts)


def _find_updated_address(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = client.fetch_address(registration.profile.address_sid)
    same = all((payload.get(key) or "") == value for key, value in request_params["address"].items())
    return payload if same else None


def _document_basis(registration: Registration) -> RequestParams:
    return {
        "friendly_name": registration.friendly_name("document"),
        "type": "customer_profile_address",
        "attributes": {"address_sids": registration.profile.address_sid},
    }


def _create_document(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_supporting_document(
        friendly_name=request_params["friendly_name"],
        type=request_params["type"],
        attributes=request_params["attributes"],
    )


def _find_document(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return finders.named(client.iter_supporting_documents(), request_params["friendly_name"])


def _create_profile(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload:
    return client.create_bundle(KIND, **request_params)


def _evaluate(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.create_evaluation(KIND, _sid(registration), policy_sid=STARTER_POLICY_SID)


def _submit(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
    return client.update_bundle(KIND, _sid(registration), status="pending-review")


def _find_submitted(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    payload = client.fetch_bundle(KIND, _sid(registration))
    return payload if conditions.bundle_moved(registration.profile, payload) else None


def _fetch(client: TwilioClient, registration: Registration) -> Payload:
    return client.fetch_bundle(KIND, _sid(registration))


def assignment(what: str, label: str, sid_field: str, object_sid: str) -> Write:
    """One entity assignment of the profile; `object_sid` names the mirror column of the assigned object."""

    def request_params(registration: Registration) -> RequestParams:
        if not object_sid:
            return {"object_sid": settings.TWILIO_PRIMARY_PROFILE_SID}
        return {"object_sid": getattr(registration.profile, object_sid)}

    def act(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
        return client.create_assignment(KIND, _sid(registration), object_sid=request_params["object_sid"])

    return Write(
        slug=f"profile.assign_{what}",
        label=label,
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: not getattr(registration.profile, sid_field),
        request_params=request_params,
        execute=act,
        find=finders.by_assignment(KIND, _sid),
        key=f"assign_{what}",
        kind="assignment",
        sid_field=sid_field,
    )


def _primary_blocked(registration: Registration) -> str:
    if settings.TWILIO_PRIMARY_PROFILE_SID:
        return ""
    return "TWILIO_PRIMARY_PROFILE_SID is not set: ask your administrator to set your own approved profile's SID."


def _review_passed(registration: Registration) -> bool:
    return registration.profile.status in BUNDLE_SUBMITTED and conditions.settled(
        registration.profile, registration.profile.submitted_at, SETTLE_SECONDS
    )


def _review_failed(registration: Registration) -> str:
    if registration.profile.status != BUNDLE_REJECTED:
        return ""
    return conditions.refusal("Twilio rejected the profile", "profile", registration.profile)


STEPS: tuple[AnyStep, ...] = (
    Read(
        slug="profile.policies",
        label="Read Twilio's policies",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=policies_wanted,
        learn=learn_policies,
        help="Fetched once and kept: what Twilio asks for, to check our inputs against.",
    ),
    Write(
        slug="profile.create",
        label="Create the starter profile",
        part="profile",
        stage=Stage.PROFILE,
        blocked=lambda registration: _primary_blocked(registration) or policy_gaps(registration),
        is_needed=lambda registration: not registration.profile.sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("profile"),
            "email": payloads.contact_email(registration),
            "policy_sid": STARTER_POLICY_SID,
            "status_callback": payloads.status_callback(),
        },
        execute=_create_profile,
        find=finders.by_bundle_name(KIND),
        key="bundle",
        kind="bundle",
        sid_field="sid",
    ),
    contact.update_row("profile", KIND, "Send the profile's changed contact", Stage.PROFILE, _submit_wanted),
    Write(
        slug="profile.create_end_user",
        label="Describe the person",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: not registration.profile.end_user_sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("person"),
            "type": "starter_customer_profile_information",
            "attributes": payloads.person(registration),
        },
        execute=_create_end_user,
        find=finders.end_user,
        key="person",
        kind="end_user",
        sid_field="end_user_sid",
    ),
    Write(
        slug="profile.update_end_user",
        label="Send the changed person",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: conditions.may_repair(registration) and _person_drifted(registration),
        request_params=lambda registration: {
            **registration.profile.accepted_params.get("person", {}),
            "attributes": payloads.person(registration),
        },
        execute=_update_end_user,
        find=_find_updated_end_user,
        key="person",
        kind="end_user",
        repair=True,
        help="Twilio replaces all attributes at once, so all are sent.",
    ),
    Write(
        slug="profile.create_address",
        label="Create the address",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: not registration.profile.address_sid,
        request_params=lambda registration: {
            "friendly_name": registration.friendly_name("address"),
            "address": payloads.address(registration),
        },
        execute=_create_address,
        find=_find_address,
        key="address",
        kind="address",
        sid_field="address_sid",
    ),
    Write(
        slug="profile.update_address",
        label="Send the changed address",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: (
            conditions.may_repair(registration)
            and repair.address_drifted(registration)
            and not repair.must_replace_address(registration)
        ),
        refusals={repair.ADDRESS_IS_IMMUTABLE: {"address_locked": True}},
        request_params=lambda registration: {
            **registration.profile.accepted_params.get("address", {}),
            "address": payloads.address(registration),
        },
        execute=_update_address,
        find=_find_updated_address,
        key="address",
        kind="address",
        repair=True,
    ),
    repair.REPLACE_ADDRESS,
    Write(
        slug="profile.create_document",
        label="Make the address document",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: not registration.profile.supporting_document_sid,
        request_params=_document_basis,
        execute=_create_document,
        find=_find_document,
        key="document",
        kind="supporting_document",
        sid_field="supporting_document_sid",
    ),
    repair.REPLACE_DOCUMENT,
    repair.UNASSIGN_DOCUMENT,
    assignment("end_user", "Assign the person", "end_user_assignment_sid", "end_user_sid"),
    assignment(
        "document", "Assign the address document", "document_assignment_sid", "supporting_document_sid"
    ),
    assignment("primary", "Assign your primary profile", "primary_assignment_sid", ""),
    Write(
        slug="profile.evaluate",
        label="Evaluate the profile",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: (
            conditions.may_repair(registration) and _evaluation_wanted(registration)
        ),
        request_params=payloads.profile_content,
        execute=_evaluate,
        find=finders.by_evaluation(KIND, "profile.evaluate", _sid),
        not_before=lambda registration: conditions.evaluate_not_before(
            registration, registration.profile, "profile.evaluate"
        ),
        key="evaluation",
        kind="evaluation",
        sid_field="evaluation_sid",
        help="Twilio checks that nothing is missing. Whether email and address are good shows after submitting.",
    ),
    Write(
        slug="profile.submit",
        label="Submit the profile",
        part="profile",
        stage=Stage.PROFILE,
        is_needed=lambda registration: conditions.may_repair(registration) and _submit_wanted(registration),
        blocked=_submit_blocked,
        request_params=payloads.profile_content,
        execute=_submit,
        find=_find_submitted,
        key="submit",
        kind="bundle",
        stamps=("submitted_at",),
        resets={"resubmit_requested": False, "failure_reason": ""},
        poll_after=SETTLE_SECONDS,
    ),
    Watch(
        slug="profile.review",
        label="Twilio takes the profile",
        part="profile",
        stage=Stage.PROFILE,
        exists=lambda registration: bool(registration.profile.submitted_at),
        passed=_review_passed,
        failed=_review_failed,
        fetch=_fetch,
        kind="bundle",
        intervals=(5, 10, 15, 30, 60, 120, 300),
        backstop=lambda registration: conditions.bundle_backstop(registration.profile),
        why="Twilio checks email and address; this takes up to 30 seconds.",
    ),
)

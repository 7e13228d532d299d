"""The steps that the starter profile and the trust bundle share.

Both are Trust Hub bundles: created, given an end user and assignments, evaluated, submitted, and reviewed
(docs/twilio.md section 1.1). `BundleSteps` holds what differs between the two; its methods make the steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import BundleKind, TwilioClient
from registrations.twilio.statuses import BUNDLE_APPROVED, BUNDLE_REJECTED, BUNDLE_SUBMITTED

from . import conditions, finders, payloads
from .base import Payload, RequestParams, Watch, Write, no, no_text, unchanged

SETTLE_SECONDS = 30  # docs/twilio.md section 8: wait 30 s after submitting; rejections come within 20 s
CONTACT_KEYS = ("email", "status_callback")


@dataclass(frozen=True, kw_only=True)
class BundleSteps:
    """One of the two bundles.

    part: attribute of Registration. name: what texts call the bundle. end_user: key of the end user in
    `accepted_params` and in `content`. attributes: the end user's attributes, as we want them. optional: attributes
    whose addition or removal counts as a change. content: everything Twilio judges, so a change of any part of it
    means evaluating and submitting again.
    """

    part: str
    kind: BundleKind
    stage: Stage
    policy_sid: str
    name: str
    end_user: str
    end_user_name: str
    end_user_type: str
    attributes: Callable[[Registration], RequestParams]
    content: Callable[[Registration], RequestParams]
    optional: tuple[str, ...] = ()

    def resource(self, registration: Registration) -> Any:
        return getattr(registration, self.part)

    def sid(self, registration: Registration) -> str:
        return str(self.resource(registration).sid)

    # --- what is needed -------------------------------------------------------------------------------------
    def same_attributes(self, sent: RequestParams | None, current: RequestParams) -> bool:
        """Like `unchanged`, but adding or removing an optional attribute counts as well."""
        return unchanged(sent, current) and all(
            (sent or {}).get(name, "") == current.get(name, "") for name in self.optional
        )

    def _same_content(self, sent: RequestParams | None, current: RequestParams) -> bool:
        if not unchanged(sent, current):
            return False
        return not self.optional or self.same_attributes(
            (sent or {}).get(self.end_user), current[self.end_user]
        )

    def submit_needed(self, registration: Registration) -> bool:
        """The content changed since Twilio accepted it, or a person resubmitted a rejected bundle."""
        resource = self.resource(registration)
        if resource.status == BUNDLE_REJECTED and resource.resubmit_requested:
            return True
        return not self._same_content(resource.accepted_params.get("submit"), self.content(registration))

    def _evaluation_needed(self, registration: Registration) -> bool:
        resource = self.resource(registration)
        if resource.evaluation_status != "compliant" and resource.resubmit_requested:
            return True
        if conditions.evaluation_lags(registration, resource, f"{self.part}.evaluate"):
            return True
        return not self._same_content(resource.accepted_params.get("evaluation"), self.content(registration))

    def _end_user_drifted(self, registration: Registration) -> bool:
        resource = self.resource(registration)
        sent = resource.accepted_params.get(self.end_user, {}).get("attributes")
        return bool(resource.end_user_sid) and not self.same_attributes(sent, self.attributes(registration))

    # --- the steps, in the order of the walkthrough ---------------------------------------------------------
    def create(self, label: str, blocked: Callable[[Registration], str] = no_text) -> Write:
        return Write(
            slug=f"{self.part}.create",
            label=label,
            part=self.part,
            stage=self.stage,
            blocked=blocked,
            is_needed=lambda registration: not self.sid(registration),
            request_params=lambda registration: {
                "friendly_name": registration.friendly_name(self.name),
                "email": payloads.contact_email(registration),
                "policy_sid": self.policy_sid,
                "status_callback": payloads.status_callback(),
            },
            execute=lambda client, registration, params: client.create_bundle(self.kind, **params),
            find=finders.by_bundle_name(self.kind),
            key="bundle",
            kind="bundle",
            sid_field="sid",
        )

    def update_contact(self) -> Write:
        """Send the notification email and status callback, if either changed.

        Twilio accepts both at any time (docs/twilio.md section 1.2 and 6.5), but never together with a status (22204).
        A bundle created under another PUBLIC_BASE_URL gets the new address before it is submitted again, because
        only the callback explains a rejection.
        """

        def sent(registration: Registration) -> RequestParams:
            return dict(self.resource(registration).accepted_params.get("bundle", {}))

        def changes(registration: Registration, params: RequestParams) -> dict[str, str]:
            known = sent(registration)
            return {
                key: params[key]
                for key in CONTACT_KEYS
                if params.get(key) and params[key] != known.get(key, "")
            }

        def request_params(registration: Registration) -> RequestParams:
            known = sent(registration)
            return {
                **known,
                "email": payloads.contact_email(registration),
                # Without a public address of ours, Twilio keeps the one it has.
                "status_callback": payloads.status_callback() or known.get("status_callback", ""),
            }

        def is_needed(registration: Registration) -> bool:
            if not self.sid(registration) or not conditions.accepts_bundle_changes(registration):
                return False
            changed = changes(registration, request_params(registration))
            # A bundle under review is left alone when only our own address changed.
            in_review = self.resource(registration).status in BUNDLE_SUBMITTED
            waits = in_review and not self.submit_needed(registration)
            return bool(changed) and not (waits and "email" not in changed)

        def execute(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
            return client.update_bundle(self.kind, self.sid(registration), **changes(registration, params))

        def find(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload | None:
            payload = self._fetch(client, registration)
            expected = changes(registration, params)
            return payload if all(payload.get(key) == value for key, value in expected.items()) else None

        return Write(
            slug=f"{self.part}.update_email",
            label=f"Update the {self.name}'s contact",
            part=self.part,
            stage=self.stage,
            is_needed=is_needed,
            request_params=request_params,
            execute=execute,
            find=find,
            key="bundle",
            kind="bundle",
            repair=True,
            help="Where Twilio sends status changes.",
        )

    def create_end_user(self) -> Write:
        return Write(
            slug=f"{self.part}.create_end_user",
            label=f"Create the {self.end_user_name}'s record",
            part=self.part,
            stage=self.stage,
            is_needed=lambda registration: not self.resource(registration).end_user_sid,
            request_params=lambda registration: {
                "friendly_name": registration.friendly_name(self.end_user_name),
                "type": self.end_user_type,
                "attributes": self.attributes(registration),
            },
            execute=lambda client, registration, params: client.create_end_user(**params),
            find=finders.end_user,
            key=self.end_user,
            kind="end_user",
            sid_field="end_user_sid",
        )

    def update_end_user(self, label: str, help: str = "") -> Write:
        def execute(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload:
            sid = self.resource(registration).end_user_sid
            return client.update_end_user(sid, attributes=params["attributes"])

        def find(client: TwilioClient, registration: Registration, params: RequestParams) -> Payload | None:
            payload = client.fetch_end_user(self.resource(registration).end_user_sid)
            same = self.same_attributes(params["attributes"], payloads.attributes_of(payload))
            return payload if same else None

        return Write(
            slug=f"{self.part}.update_end_user",
            label=label,
            part=self.part,
            stage=self.stage,
            is_needed=lambda registration: (
                conditions.accepts_bundle_changes(registration) and self._end_user_drifted(registration)
            ),
            request_params=lambda registration: {
                **self.resource(registration).accepted_params.get(self.end_user, {}),
                "attributes": self.attributes(registration),
            },
            execute=execute,
            find=find,
            key=self.end_user,
            kind="end_user",
            repair=True,
            help=help,
        )

    def assign(
        self, slug: str, label: str, sid_field: str, object_sid: Callable[[Registration], str]
    ) -> Write:
        """One entity assignment. sid_field: column for its SID. object_sid: what is assigned."""
        return Write(
            slug=f"{self.part}.assign_{slug}",
            label=label,
            part=self.part,
            stage=self.stage,
            is_needed=lambda registration: not getattr(self.resource(registration), sid_field),
            request_params=lambda registration: {"object_sid": object_sid(registration)},
            execute=lambda client, registration, params: client.create_assignment(
                self.kind, self.sid(registration), object_sid=params["object_sid"]
            ),
            find=finders.by_assignment(self.kind, self.sid),
            key=f"assign_{slug}",
            kind="assignment",
            sid_field=sid_field,
        )

    def evaluate(self, help: str = "") -> Write:
        slug = f"{self.part}.evaluate"
        return Write(
            slug=slug,
            label=f"Evaluate the {self.name}",
            part=self.part,
            stage=self.stage,
            is_needed=lambda registration: (
                conditions.accepts_bundle_changes(registration) and self._evaluation_needed(registration)
            ),
            request_params=self.content,
            execute=lambda client, registration, params: client.create_evaluation(
                self.kind, self.sid(registration), policy_sid=self.policy_sid
            ),
            find=finders.by_evaluation(self.kind, slug, self.sid),
            not_before=lambda registration: conditions.evaluate_not_before(
                registration, self.resource(registration), slug
            ),
            key="evaluation",
            kind="evaluation",
            sid_field="evaluation_sid",
            help=help,
        )

    def submit(self, already_satisfied: Callable[[Registration], bool] = no) -> Write:
        return Write(
            slug=f"{self.part}.submit",
            label=f"Submit the {self.name}",
            part=self.part,
            stage=self.stage,
            is_needed=lambda registration: (
                conditions.accepts_bundle_changes(registration) and self.submit_needed(registration)
            ),
            blocked=self._submit_blocked,
            request_params=self.content,
            execute=lambda client, registration, params: client.update_bundle(
                self.kind, self.sid(registration), status="pending-review"
            ),
            find=self._find_submitted,
            key="submit",
            kind="bundle",
            timestamps=("submitted_at",),
            resets={"resubmit_requested": False, "failure_reason": ""},
            already_satisfied=already_satisfied,
            poll_after=SETTLE_SECONDS,
        )

    def review(self, reason: str) -> Watch:
        return Watch(
            slug=f"{self.part}.review",
            label=f"Twilio accepts the {self.name}",
            part=self.part,
            stage=self.stage,
            exists=lambda registration: bool(self.resource(registration).submitted_at),
            passed=self._review_passed,
            failed=self._review_failed,
            fetch=self._fetch,
            kind="bundle",
            intervals=(5, 10, 15, 30, 60, 120, 300),
            backstop=lambda registration: conditions.bundle_backstop(self.resource(registration)),
            reason=reason,
        )

    # --- what the steps call --------------------------------------------------------------------------------
    def approved_unchanged(self, registration: Registration) -> bool:
        """Twilio already approved exactly these end-user attributes."""
        resource = self.resource(registration)
        sent = resource.accepted_params.get("submit", {}).get(self.end_user)
        return resource.status == BUNDLE_APPROVED and self.same_attributes(
            sent, self.attributes(registration)
        )

    def _fetch(self, client: TwilioClient, registration: Registration) -> Payload:
        return client.fetch_bundle(self.kind, self.sid(registration))

    def _find_submitted(
        self, client: TwilioClient, registration: Registration, params: RequestParams
    ) -> Payload | None:
        payload = self._fetch(client, registration)
        return payload if conditions.submission_arrived(self.resource(registration), payload) else None

    def _submit_blocked(self, registration: Registration) -> str:
        if self.resource(registration).evaluation_status == "compliant":
            return ""
        return (
            f"Twilio's evaluation found missing information in the {self.name}. "
            "Fix the marked fields, then submit again."
        )

    def _review_passed(self, registration: Registration) -> bool:
        resource = self.resource(registration)
        return resource.status in BUNDLE_SUBMITTED and conditions.settled(
            resource, resource.submitted_at, SETTLE_SECONDS
        )

    def _review_failed(self, registration: Registration) -> str:
        resource = self.resource(registration)
        if resource.status != BUNDLE_REJECTED:
            return ""
        return conditions.refusal(f"Twilio rejected the {self.name}", self.part, resource)

"""What a bundle says about us rather than about the customer: the mailbox and the address for status callbacks.

Twilio lets both be changed any time (docs/twilio.md section 1.2 and 6.5); a status is never sent with them (22204). A
bundle made before PUBLIC_BASE_URL was set, or under another one, learns the new address before it is submitted
again, for only a callback tells the reason of a rejection in words.
"""

from collections.abc import Callable

from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.client import BundleKind, TwilioClient
from registrations.twilio.statuses import BUNDLE_SUBMITTED

from . import conditions, payloads
from .base import Payload, RequestParams, Write

KEYS = ("email", "status_callback")


def update_row(
    part: str, kind: BundleKind, label: str, stage: Stage, submit_wanted: Callable[[Registration], bool]
) -> Write:
    """The row that sends what changed of the two. It comes before the rows that evaluate and submit."""

    def sent(registration: Registration) -> RequestParams:
        bundle: RequestParams = getattr(registration, part).accepted_params.get("bundle", {})
        return bundle

    def changes(registration: Registration, request_params: RequestParams) -> dict[str, str]:
        known = sent(registration)
        return {
            key: request_params[key]
            for key in KEYS
            if request_params.get(key) and request_params[key] != known.get(key, "")
        }

    def request_params(registration: Registration) -> RequestParams:
        # A desk without a public address leaves the one that Twilio has.
        callback = payloads.status_callback() or sent(registration).get("status_callback", "")
        return {
            **sent(registration),
            "email": payloads.contact_email(registration),
            "status_callback": callback,
        }

    def wanted(registration: Registration) -> bool:
        resource = getattr(registration, part)
        if not resource.sid or not conditions.may_repair(registration):
            return False
        changed = changes(registration, request_params(registration))
        # A bundle under review is left alone when only our own address changed.
        waits = resource.status in BUNDLE_SUBMITTED and not submit_wanted(registration)
        return bool(changed) and not (waits and "email" not in changed)

    def act(client: TwilioClient, registration: Registration, request_params: RequestParams) -> Payload:
        sid = getattr(registration, part).sid
        return client.update_bundle(kind, sid, **changes(registration, request_params))

    def find(
        client: TwilioClient, registration: Registration, request_params: RequestParams
    ) -> Payload | None:
        payload = client.fetch_bundle(kind, getattr(registration, part).sid)
        arrived = all(
            payload.get(key) == value for key, value in changes(registration, request_params).items()
        )
        return payload if arrived else None

    return Write(
        slug=f"{part}.update_email",
        label=label,
        part=part,
        stage=stage,
        is_needed=wanted,
        request_params=request_params,
        execute=act,
        find=find,
        key="bundle",
        kind="bundle",
        repair=True,
        help="Where Twilio mails and posts what becomes of it.",
    )

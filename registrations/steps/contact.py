"""What a bundle says about us rather than about the customer: the mailbox and the address for status callbacks.

Twilio lets both be changed any time (facts sections 1.2 and 6.5); a status is never sent with them (22204). A
bundle made before PUBLIC_BASE_URL was set, or under another one, learns the new address before it is submitted
again, for only a callback tells the reason of a rejection in words.
"""

from collections.abc import Callable

from registrations.gateway import BundleKind, Gateway
from registrations.models import Registration
from registrations.states import BUNDLE_SUBMITTED, Stage

from . import guards, inputs
from .base import Basis, Payload, Write

KEYS = ("email", "status_callback")


def update_row(
    part: str, kind: BundleKind, label: str, stage: Stage, submit_wanted: Callable[[Registration], bool]
) -> Write:
    """The row that sends what changed of the two. It comes before the rows that evaluate and submit."""

    def sent(registration: Registration) -> Basis:
        bundle: Basis = getattr(registration, part).sent.get("bundle", {})
        return bundle

    def changes(registration: Registration, basis: Basis) -> dict[str, str]:
        known = sent(registration)
        return {key: basis[key] for key in KEYS if basis.get(key) and basis[key] != known.get(key, "")}

    def basis(registration: Registration) -> Basis:
        # A desk without a public address leaves the one that Twilio has.
        callback = inputs.status_callback() or sent(registration).get("status_callback", "")
        return {
            **sent(registration),
            "email": inputs.contact_email(registration),
            "status_callback": callback,
        }

    def wanted(registration: Registration) -> bool:
        mirror = getattr(registration, part)
        if not mirror.sid or not guards.may_repair(registration):
            return False
        changed = changes(registration, basis(registration))
        # A bundle under review is left alone when only our own address changed.
        waits = mirror.status in BUNDLE_SUBMITTED and not submit_wanted(registration)
        return bool(changed) and not (waits and "email" not in changed)

    def act(gateway: Gateway, registration: Registration, basis: Basis) -> Payload:
        sid = getattr(registration, part).sid
        return gateway.update_bundle(kind, sid, **changes(registration, basis))

    def find(gateway: Gateway, registration: Registration, basis: Basis) -> Payload | None:
        payload = gateway.fetch_bundle(kind, getattr(registration, part).sid)
        arrived = all(payload.get(key) == value for key, value in changes(registration, basis).items())
        return payload if arrived else None

    return Write(
        slug=f"{part}.update_email",
        label=label,
        part=part,
        stage=stage,
        wanted=wanted,
        basis=basis,
        act=act,
        find=find,
        key="bundle",
        kind="bundle",
        repair=True,
        help="Where Twilio mails and posts what becomes of it.",
    )

"""How a lost reply is looked for: Twilio has no idempotency keys, so each create has a way to be found.

Used only after an unknown outcome; a clean path spends no look-ups (docs/architecture.md, conviction 4).
"""

from collections.abc import Callable, Iterable

from registrations.gateway import BundleKind, Gateway, errors
from registrations.models import Registration, StepRun

from .base import Basis, Payload

Finder = Callable[[Gateway, Registration, Basis], Payload | None]


def named(objects: Iterable[Payload], friendly_name: str) -> Payload | None:
    """The first object that carries our name; filters upstream may be inexact, so the name is compared."""
    return next((item for item in objects if item.get("friendly_name") == friendly_name), None)


def by_bundle_name(kind: BundleKind) -> Finder:
    def find(gateway: Gateway, registration: Registration, basis: Basis) -> Payload | None:
        bundles = gateway.iter_bundles(
            kind, friendly_name=basis["friendly_name"], policy_sid=basis["policy_sid"]
        )
        return named(bundles, basis["friendly_name"])

    return find


def end_user(gateway: Gateway, registration: Registration, basis: Basis) -> Payload | None:
    return named(gateway.iter_end_users(), basis["friendly_name"])


def by_assignment(kind: BundleKind, bundle_sid: Callable[[Registration], str]) -> Finder:
    def find(gateway: Gateway, registration: Registration, basis: Basis) -> Payload | None:
        assignments = gateway.iter_assignments(kind, bundle_sid(registration))
        return next((item for item in assignments if item.get("object_sid") == basis["object_sid"]), None)

    return find


def by_evaluation(kind: BundleKind, slug: str, bundle_sid: Callable[[Registration], str]) -> Finder:
    """The evaluation we have not recorded yet: evaluations have no name, but we know all the others."""

    def find(gateway: Gateway, registration: Registration, basis: Basis) -> Payload | None:
        known = set(
            StepRun.objects.filter(registration=registration, step=slug).values_list("sid", flat=True)
        )
        evaluations = gateway.iter_evaluations(kind, bundle_sid(registration))
        return next((item for item in evaluations if item.get("sid") not in known), None)

    return find


def when_found(fetch: Callable[[], Payload]) -> Payload | None:
    """The fetched object, or None on Twilio's 404."""
    try:
        return fetch()
    except errors.Rejected as error:
        if error.not_found:
            return None
        raise

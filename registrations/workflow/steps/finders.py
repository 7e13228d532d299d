"""How to find what a call created if its reply was lost. Twilio has no idempotency keys, so every create has a finder.

Used only after an unknown outcome; the normal path makes no lookups.
"""

from collections.abc import Callable, Iterable

from registrations.models import ApiCall, Registration
from registrations.twilio.client import BundleKind, TwilioClient, errors

from .base import Payload, RequestParams

Finder = Callable[[TwilioClient, Registration, RequestParams], Payload | None]


def named(objects: Iterable[Payload], friendly_name: str) -> Payload | None:
    """The first object with our name. Twilio's filters may be inexact, so the name is compared here."""
    return next((item for item in objects if item.get("friendly_name") == friendly_name), None)


def by_bundle_name(kind: BundleKind) -> Finder:
    def find(
        client: TwilioClient, registration: Registration, request_params: RequestParams
    ) -> Payload | None:
        bundles = client.iter_bundles(
            kind, friendly_name=request_params["friendly_name"], policy_sid=request_params["policy_sid"]
        )
        return named(bundles, request_params["friendly_name"])

    return find


def end_user(
    client: TwilioClient, registration: Registration, request_params: RequestParams
) -> Payload | None:
    return named(client.iter_end_users(), request_params["friendly_name"])


def by_assignment(kind: BundleKind, bundle_sid: Callable[[Registration], str]) -> Finder:
    def find(
        client: TwilioClient, registration: Registration, request_params: RequestParams
    ) -> Payload | None:
        assignments = client.iter_assignments(kind, bundle_sid(registration))
        return next(
            (item for item in assignments if item.get("object_sid") == request_params["object_sid"]), None
        )

    return find


def by_evaluation(kind: BundleKind, slug: str, bundle_sid: Callable[[Registration], str]) -> Finder:
    """The evaluation that we have not recorded. Evaluations have no name, but we know all the others."""

    def find(
        client: TwilioClient, registration: Registration, request_params: RequestParams
    ) -> Payload | None:
        known = set(
            ApiCall.objects.filter(registration=registration, step=slug).values_list("sid", flat=True)
        )
        evaluations = client.iter_evaluations(kind, bundle_sid(registration))
        return next((item for item in evaluations if item.get("sid") not in known), None)

    return find


def when_found(fetch: Callable[[], Payload]) -> Payload | None:
    """The fetched object, or None if Twilio answers 404."""
    try:
        return fetch()
    except errors.Rejected as error:
        if error.not_found:
            return None
        raise

"""Trust Hub: bundles (customer profiles and trust products), end users, documents; and addresses.

`kind` is "customer_profile" or "trust_product"; both work the same way.
Source: docs/twilio.md section 1.1 and 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from .core import PAGE_SIZE, BaseClient, Json, non_empty, path_part

BundleKind = Literal["customer_profile", "trust_product"]
HOST = "trusthub.twilio.com"
API_HOST = "api.twilio.com"
# Published by Twilio; the same for every account.
STARTER_POLICY_SID = "RN806dd6cd175f314e1f96a9727ee271f4"
SOLE_PROPRIETOR_POLICY_SID = "RN670d5d2e282a6130ae063b234b6019c8"


class TrustHub(BaseClient):
    # --- policies and bundles -------------------------------------------------------------------------

    def fetch_policy(self, sid: str) -> Json:
        return self._send(lambda c: c.trusthub.v1.policies(path_part(sid)).fetch())

    def create_bundle(
        self, kind: BundleKind, *, friendly_name: str, email: str, policy_sid: str, status_callback: str = ""
    ) -> Json:
        return self._send(
            lambda c: _bundles(c, kind).create(
                friendly_name=friendly_name,
                email=email,
                policy_sid=policy_sid,
                **non_empty(status_callback=status_callback),
            )
        )

    def fetch_bundle(self, kind: BundleKind, sid: str) -> Json:
        return self._send(lambda c: _bundle(c, kind, sid).fetch())

    def update_bundle(
        self,
        kind: BundleKind,
        sid: str,
        *,
        status: str = "",
        email: str = "",
        friendly_name: str = "",
        status_callback: str = "",
    ) -> Json:
        """Empty arguments are not sent. Twilio may reject a status sent together with other changes (22204)."""
        changes = non_empty(
            status=status, email=email, friendly_name=friendly_name, status_callback=status_callback
        )
        return self._send(lambda c: _bundle(c, kind, sid).update(**changes))

    def delete_bundle(self, kind: BundleKind, sid: str) -> Json:
        return self._send(lambda c: _bundle(c, kind, sid).delete())

    def iter_bundles(
        self, kind: BundleKind, *, friendly_name: str = "", policy_sid: str = "", status: str = ""
    ) -> Iterator[Json]:
        filters = non_empty(friendly_name=friendly_name, policy_sid=policy_sid, status=status)
        return self._pages(lambda c: _bundles(c, kind).page(page_size=PAGE_SIZE, **filters), HOST)

    # --- assignments and evaluations ------------------------------------------------------------------

    def create_assignment(self, kind: BundleKind, bundle_sid: str, *, object_sid: str) -> Json:
        return self._send(lambda c: _assignments(c, kind, bundle_sid).create(object_sid=object_sid))

    def iter_assignments(self, kind: BundleKind, bundle_sid: str, object_type: str = "") -> Iterator[Json]:
        filters = non_empty(object_type=object_type)
        return self._pages(
            lambda c: _assignments(c, kind, bundle_sid).page(page_size=PAGE_SIZE, **filters), HOST
        )

    def delete_assignment(self, kind: BundleKind, bundle_sid: str, sid: str) -> Json:
        return self._send(lambda c: _assignment(c, kind, bundle_sid, sid).delete())

    def create_evaluation(self, kind: BundleKind, bundle_sid: str, *, policy_sid: str) -> Json:
        """Returns 201 even if noncompliant: read `status` and `results`."""
        return self._send(lambda c: _evaluations(c, kind, bundle_sid).create(policy_sid=policy_sid))

    def iter_evaluations(self, kind: BundleKind, bundle_sid: str) -> Iterator[Json]:
        return self._pages(lambda c: _evaluations(c, kind, bundle_sid).page(page_size=PAGE_SIZE), HOST)

    # --- end users ------------------------------------------------------------------------------------

    def create_end_user(self, *, friendly_name: str, type: str, attributes: Json) -> Json:
        return self._send(
            lambda c: c.trusthub.v1.end_users.create(
                friendly_name=friendly_name, type=type, attributes=attributes
            )
        )

    def fetch_end_user(self, sid: str) -> Json:
        return self._send(lambda c: c.trusthub.v1.end_users(path_part(sid)).fetch())

    def update_end_user(self, sid: str, *, attributes: Json) -> Json:
        """`attributes` replaces the whole object at Twilio, so always send all of it."""
        return self._send(lambda c: c.trusthub.v1.end_users(path_part(sid)).update(attributes=attributes))

    def delete_end_user(self, sid: str) -> Json:
        return self._send(lambda c: c.trusthub.v1.end_users(path_part(sid)).delete())

    def iter_end_users(self) -> Iterator[Json]:
        return self._pages(lambda c: c.trusthub.v1.end_users.page(page_size=PAGE_SIZE), HOST)

    # --- supporting documents -------------------------------------------------------------------------

    def create_supporting_document(self, *, friendly_name: str, type: str, attributes: Json) -> Json:
        return self._send(
            lambda c: c.trusthub.v1.supporting_documents.create(
                friendly_name=friendly_name, type=type, attributes=attributes
            )
        )

    def fetch_supporting_document(self, sid: str) -> Json:
        return self._send(lambda c: c.trusthub.v1.supporting_documents(path_part(sid)).fetch())

    def update_supporting_document(self, sid: str, *, attributes: Json) -> Json:
        return self._send(
            lambda c: c.trusthub.v1.supporting_documents(path_part(sid)).update(attributes=attributes)
        )

    def delete_supporting_document(self, sid: str) -> Json:
        return self._send(lambda c: c.trusthub.v1.supporting_documents(path_part(sid)).delete())

    def iter_supporting_documents(self) -> Iterator[Json]:
        return self._pages(lambda c: c.trusthub.v1.supporting_documents.page(page_size=PAGE_SIZE), HOST)

    # --- addresses (on api.twilio.com; here they are only used for profiles) ---------------------------

    def create_address(
        self,
        *,
        friendly_name: str,
        customer_name: str,
        street: str,
        city: str,
        region: str,
        postal_code: str,
        iso_country: str,
        auto_correct_address: bool,
        street_secondary: str = "",
    ) -> Json:
        return self._send(
            lambda c: c.addresses.create(
                friendly_name=friendly_name,
                customer_name=customer_name,
                street=street,
                city=city,
                region=region,
                postal_code=postal_code,
                iso_country=iso_country,
                auto_correct_address=auto_correct_address,
                **non_empty(street_secondary=street_secondary),
            )
        )

    def fetch_address(self, sid: str) -> Json:
        return self._send(lambda c: c.addresses(path_part(sid)).fetch())

    def update_address(
        self,
        sid: str,
        *,
        friendly_name: str | None = None,
        customer_name: str | None = None,
        street: str | None = None,
        street_secondary: str | None = None,
        city: str | None = None,
        region: str | None = None,
        postal_code: str | None = None,
        auto_correct_address: bool | None = None,
    ) -> Json:
        """None means unchanged. "" is sent, because it is the only way to clear `street_secondary`.

        The country cannot be changed; that requires a new address.
        """
        changes = {
            "friendly_name": friendly_name,
            "customer_name": customer_name,
            "street": street,
            "street_secondary": street_secondary,
            "city": city,
            "region": region,
            "postal_code": postal_code,
            "auto_correct_address": auto_correct_address,
        }
        sent = {key: value for key, value in changes.items() if value is not None}
        return self._send(lambda c: c.addresses(path_part(sid)).update(**sent))

    def delete_address(self, sid: str) -> Json:
        return self._send(lambda c: c.addresses(path_part(sid)).delete())

    def iter_addresses(self, *, friendly_name: str = "", customer_name: str = "") -> Iterator[Json]:
        filters = non_empty(friendly_name=friendly_name, customer_name=customer_name)
        return self._pages(lambda c: c.addresses.page(page_size=PAGE_SIZE, **filters), API_HOST)


def _bundles(client: Any, kind: BundleKind) -> Any:
    return {
        "customer_profile": client.trusthub.v1.customer_profiles,
        "trust_product": client.trusthub.v1.trust_products,
    }[kind]


def _bundle(client: Any, kind: BundleKind, sid: str) -> Any:
    return _bundles(client, kind)(path_part(sid))


def _assignments(client: Any, kind: BundleKind, bundle_sid: str) -> Any:
    return getattr(_bundle(client, kind, bundle_sid), f"{kind}s_entity_assignments")


def _assignment(client: Any, kind: BundleKind, bundle_sid: str, sid: str) -> Any:
    return _assignments(client, kind, bundle_sid)(path_part(sid))


def _evaluations(client: Any, kind: BundleKind, bundle_sid: str) -> Any:
    return getattr(_bundle(client, kind, bundle_sid), f"{kind}s_evaluations")

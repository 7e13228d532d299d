"""The walkthrough as small functions, so that a test can stop at any point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twilio.rest import Client

from registrations.sandbox import CAMPAIGN_SID, SOLE_PROP_POLICY, STARTER_POLICY, SandboxServer
from registrations.sandbox.state import BRAND_REVIEW, CAMPAIGN_REVIEW, SETTLE
from tests.sandbox.conftest import PRIMARY

PERSON = {
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "ana@example.com",
    "phone_number": "+14155550123",
}
TRUST = {"brand_name": "Ana Silva", "mobile_phone_number": "+14155550199", "vertical": "RETAIL"}
ADDRESS = {
    "customer_name": "Ana Silva",
    "street": "100 Main St",
    "city": "Boston",
    "region": "MA",
    "postal_code": "02215",
    "iso_country": "US",
}
CAMPAIGN: dict[str, Any] = {
    "description": "Ana Silva sends appointment reminders to her own bakery customers.",
    "message_flow": "Customers tick an unchecked box on https://example.com/join and agree to texts.",
    "message_samples": [
        "Ana Silva: your cake is ready at [time]. Reply STOP to end.",
        "Ana Silva: we close early on [date]. Reply STOP to end.",
    ],
    "us_app_to_person_usecase": "SOLE_PROPRIETOR",
    "has_embedded_links": False,
    "has_embedded_phone": False,
    "privacy_policy_url": "https://example.com/privacy",
    "terms_and_conditions_url": "https://example.com/terms",
    "x_twilio_api_version": "v1.2",
}


EDITABLE = ("description", "message_flow", "message_samples", "has_embedded_links", "has_embedded_phone")
EDIT: dict[str, Any] = {name: CAMPAIGN[name] for name in EDITABLE} | {
    "age_gated": False,
    "direct_lending": False,
}


@dataclass
class Walk:
    """One customer's objects so far."""

    server: SandboxServer
    client: Client
    name: str = "customer 1"
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    address: dict[str, Any] = field(default_factory=lambda: dict(ADDRESS))
    trust_user: dict[str, Any] = field(default_factory=lambda: dict(TRUST))
    callback: str = ""
    sids: dict[str, str] = field(default_factory=dict)

    def advance(self, seconds: float) -> None:
        self.server.world.advance(seconds)

    @property
    def hub(self) -> Any:
        return self.client.trusthub.v1

    @property
    def bundle(self) -> Any:
        return self.hub.customer_profiles(self.sids["profile"])

    @property
    def trust(self) -> Any:
        return self.hub.trust_products(self.sids["trust"])

    def optional(self) -> dict[str, str]:
        return {"status_callback": self.callback} if self.callback else {}

    def build_profile(self) -> Walk:
        profile = self.hub.customer_profiles.create(
            friendly_name=self.name, email="isv@example.com", policy_sid=STARTER_POLICY, **self.optional()
        )
        user = self.hub.end_users.create(
            friendly_name=self.name, type="starter_customer_profile_information", attributes=self.person
        )
        address = self.client.addresses.create(friendly_name=self.name, **self.address)
        document = self.hub.supporting_documents.create(
            friendly_name=self.name, type="customer_profile_address", attributes={"address_sids": address.sid}
        )
        self.sids |= {
            "profile": profile.sid,
            "user": user.sid,
            "address": address.sid,
            "document": document.sid,
        }
        for sid in (user.sid, document.sid, PRIMARY):
            self.bundle.customer_profiles_entity_assignments.create(object_sid=sid)
        return self

    def submit_profile(self) -> Walk:
        evaluation = self.bundle.customer_profiles_evaluations.create(policy_sid=STARTER_POLICY)
        assert evaluation.status == "compliant"
        assert self.bundle.update(status="pending-review").status == "pending-review"
        return self

    def build_trust(self) -> Walk:
        trust = self.hub.trust_products.create(
            friendly_name=self.name, email="isv@example.com", policy_sid=SOLE_PROP_POLICY, **self.optional()
        )
        user = self.hub.end_users.create(
            friendly_name=f"{self.name} brand", type="sole_proprietor_information", attributes=self.trust_user
        )
        self.sids |= {"trust": trust.sid, "trust_user": user.sid}
        for sid in (user.sid, self.sids["profile"]):
            self.trust.trust_products_entity_assignments.create(object_sid=sid)
        return self

    def submit_trust(self) -> Walk:
        evaluation = self.trust.trust_products_evaluations.create(policy_sid=SOLE_PROP_POLICY)
        assert evaluation.status == "compliant"
        self.trust.update(status="pending-review")
        return self

    def bundles(self) -> Walk:
        """Both bundles submitted and settled."""
        self.build_profile().submit_profile().advance(SETTLE)
        self.build_trust().submit_trust().advance(SETTLE)
        return self

    def create_brand(self, **more: Any) -> Any:
        brand = self.client.messaging.v1.brand_registrations.create(
            customer_profile_bundle_sid=self.sids["profile"],
            a2p_profile_bundle_sid=self.sids["trust"],
            **{"brand_type": "SOLE_PROPRIETOR", **more},
        )
        self.sids["brand"] = brand.sid
        return brand

    def brand(self) -> Any:
        return self.client.messaging.v1.brand_registrations(self.sids["brand"])

    def reviewed_brand(self) -> Walk:
        self.bundles().create_brand()
        self.advance(BRAND_REVIEW)
        return self

    def say(self, body: str = "YES") -> bool:
        from registrations.sandbox import control

        answered = control.post(
            self.server.world, ["answer"], {"brand_sid": self.sids["brand"], "body": body}
        )
        return bool(answered["verified"])

    def verified_brand(self) -> Walk:
        assert self.reviewed_brand().say()
        return self

    @property
    def service(self) -> Any:
        return self.client.messaging.v1.services(self.sids["service"])

    def create_service(self) -> Walk:
        self.sids["service"] = self.client.messaging.v1.services.create(friendly_name=self.name).sid
        return self

    def create_campaign(self, **more: Any) -> Any:
        fields = {**CAMPAIGN, "brand_registration_sid": self.sids["brand"], **more}
        return self.service.us_app_to_person.create(**fields)

    @property
    def campaign(self) -> Any:
        return self.service.us_app_to_person(CAMPAIGN_SID)

    def fetch_campaign(self) -> Any:
        return self.campaign.fetch(x_twilio_api_version="v1.2")

    def live_campaign(self) -> Walk:
        self.verified_brand().create_service().create_campaign()
        self.advance(CAMPAIGN_REVIEW)
        return self

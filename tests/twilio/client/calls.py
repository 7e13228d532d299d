"""One entry per public method of TwilioClient: the call and the HTTP request it must produce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registrations.twilio.client import CAMPAIGN_SID, SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID
from tests.twilio.client.conftest import ACCOUNT


def sid(prefix: str) -> str:
    return prefix + "a" * 32


TH, MS, EV = "trusthub.twilio.com", "messaging.twilio.com", "events.twilio.com"
API, LK = "api.twilio.com", "lookups.twilio.com"
SPEC_OF_HOST = {TH: "trusthub_v1", MS: "messaging_v1", EV: "events_v1", API: "api_v2010", LK: "lookups_v2"}
AC = f"/2010-04-01/Accounts/{ACCOUNT}"
BU, IT, RD, AD, BV = sid("BU"), sid("IT"), sid("RD"), sid("AD"), sid("BV")
BN, MG, PN, DG, DF = sid("BN"), sid("MG"), sid("PN"), sid("DG"), sid("DF")
USA2P = f"/v1/Services/{MG}/Compliance/Usa2p"
BRANDS = "/v1/a2p/BrandRegistrations"
EVENT = "com.twilio.messaging.compliance.brand-registration.brand-failure"

SEVEN: dict[str, Any] = {
    "description": "Jane's Bakery tells its customers when an order is ready to be collected.",
    "message_flow": "Customers tick a box at https://example.com/join to be told about their orders.",
    "message_samples": ["Jane's Bakery: order [number] is ready. Reply STOP to end.", "Second sample text."],
    "has_embedded_links": True,
    "has_embedded_phone": False,
    "age_gated": False,
    "direct_lending": False,
}
URLS = {
    "privacy_policy_url": "https://example.com/privacy",
    "terms_and_conditions_url": "https://example.com/terms",
}
CAMPAIGN: dict[str, Any] = {
    "brand_registration_sid": BN,
    "us_app_to_person_usecase": "SOLE_PROPRIETOR",
    "subscriber_opt_in": True,
    "opt_in_message": "Jane's Bakery: you will get order messages. Reply HELP or STOP.",
    "opt_out_message": "Jane's Bakery: no more messages will be sent.",
    "help_message": "Jane's Bakery: write to help@example.com.",
    "opt_in_keywords": ["START", "JOIN"],
    "opt_out_keywords": ["STOP", "END"],
    "help_keywords": ["HELP"],
    **SEVEN,
    **URLS,
}
ADDRESS: dict[str, Any] = {
    "friendly_name": "a2p 1",
    "customer_name": "Jane Doe",
    "street": "1 Jersey St",
    "city": "Boston",
    "region": "MA",
    "postal_code": "02215",
}


@dataclass(frozen=True)
class Call:
    name: str
    make: Callable[[Any], Any]
    method: str
    host: str
    path: str
    variant: str = ""

    def run(self, twilio: Any) -> Any:
        result = self.make(twilio)
        return list(result) if self.name.startswith("iter_") else result

    def __str__(self) -> str:
        return self.name + (f"-{self.variant}" if self.variant else "")


def _bundle_calls(kind: str, collection: str) -> list[Call]:
    base, one = f"/v1/{collection}", f"/v1/{collection}/{BU}"
    rows = [
        ("fetch_bundle", lambda g: g.fetch_bundle(kind, BU), "GET", one),
        ("delete_bundle", lambda g: g.delete_bundle(kind, BU), "DELETE", one),
        ("update_bundle", lambda g: g.update_bundle(kind, BU, status="pending-review"), "POST", one),
        (
            "create_bundle",
            lambda g: g.create_bundle(
                kind,
                friendly_name="a2p 1 profile",
                email="jane@example.com",
                policy_sid=STARTER_POLICY_SID,
                status_callback="https://desk.example.com/callback",
            ),
            "POST",
            base,
        ),
        (
            "iter_bundles",
            lambda g: g.iter_bundles(
                kind, friendly_name="a2p 1", policy_sid=STARTER_POLICY_SID, status="draft"
            ),
            "GET",
            base,
        ),
        (
            "create_assignment",
            lambda g: g.create_assignment(kind, BU, object_sid=IT),
            "POST",
            f"{one}/EntityAssignments",
        ),
        (
            "iter_assignments",
            lambda g: g.iter_assignments(kind, BU, "customer_profile_address"),
            "GET",
            f"{one}/EntityAssignments",
        ),
        (
            "delete_assignment",
            lambda g: g.delete_assignment(kind, BU, BV),
            "DELETE",
            f"{one}/EntityAssignments/{BV}",
        ),
        (
            "create_evaluation",
            lambda g: g.create_evaluation(kind, BU, policy_sid=SOLE_PROPRIETOR_POLICY_SID),
            "POST",
            f"{one}/Evaluations",
        ),
        ("iter_evaluations", lambda g: g.iter_evaluations(kind, BU), "GET", f"{one}/Evaluations"),
    ]
    return [Call(name, make, method, TH, path, kind) for name, make, method, path in rows]


def _object_calls(noun: str, collection: str, object_sid: str) -> list[Call]:
    """End users and supporting documents have the same five calls."""
    base, one = f"/v1/{collection}", f"/v1/{collection}/{object_sid}"
    attributes = {"first_name": "Jane", "phone_number": "+15125550123"}
    rows = [
        (
            f"create_{noun}",
            lambda g: getattr(g, f"create_{noun}")(
                friendly_name="a2p 1", type="some_type", attributes=attributes
            ),
            "POST",
            base,
        ),
        (f"fetch_{noun}", lambda g: getattr(g, f"fetch_{noun}")(object_sid), "GET", one),
        (
            f"update_{noun}",
            lambda g: getattr(g, f"update_{noun}")(object_sid, attributes=attributes),
            "POST",
            one,
        ),
        (f"delete_{noun}", lambda g: getattr(g, f"delete_{noun}")(object_sid), "DELETE", one),
        (f"iter_{noun}s", lambda g: getattr(g, f"iter_{noun}s")(), "GET", base),
    ]
    return [Call(name, make, method, TH, path) for name, make, method, path in rows]


CALLS: list[Call] = [
    Call(
        "fetch_policy",
        lambda g: g.fetch_policy(STARTER_POLICY_SID),
        "GET",
        TH,
        f"/v1/Policies/{STARTER_POLICY_SID}",
    ),
    *_bundle_calls("customer_profile", "CustomerProfiles"),
    *_bundle_calls("trust_product", "TrustProducts"),
    *_object_calls("end_user", "EndUsers", IT),
    *_object_calls("supporting_document", "SupportingDocuments", RD),
    Call(
        "create_address",
        lambda g: g.create_address(
            **ADDRESS, iso_country="US", street_secondary="Unit 2", auto_correct_address=False
        ),
        "POST",
        API,
        f"{AC}/Addresses.json",
    ),
    Call("fetch_address", lambda g: g.fetch_address(AD), "GET", API, f"{AC}/Addresses/{AD}.json"),
    Call(
        "update_address",
        lambda g: g.update_address(AD, **ADDRESS, street_secondary="", auto_correct_address=False),
        "POST",
        API,
        f"{AC}/Addresses/{AD}.json",
    ),
    Call("delete_address", lambda g: g.delete_address(AD), "DELETE", API, f"{AC}/Addresses/{AD}.json"),
    Call(
        "iter_addresses",
        lambda g: g.iter_addresses(friendly_name="a2p 1", customer_name="Jane Doe"),
        "GET",
        API,
        f"{AC}/Addresses.json",
    ),
    Call(
        "create_brand",
        lambda g: g.create_brand(customer_profile_bundle_sid=BU, a2p_profile_bundle_sid=sid("BU"), mock=True),
        "POST",
        MS,
        BRANDS,
    ),
    Call("fetch_brand", lambda g: g.fetch_brand(BN), "GET", MS, f"{BRANDS}/{BN}"),
    Call("update_brand", lambda g: g.update_brand(BN), "POST", MS, f"{BRANDS}/{BN}"),
    Call("iter_brands", lambda g: g.iter_brands(), "GET", MS, BRANDS),
    Call("send_brand_otp", lambda g: g.send_brand_otp(BN), "POST", MS, f"{BRANDS}/{BN}/SmsOtp"),
    Call(
        "create_service",
        lambda g: g.create_service(
            friendly_name="a2p 1",
            inbound_request_url="https://desk.example.com/in",
            sticky_sender=True,
            usecase="",
        ),
        "POST",
        MS,
        "/v1/Services",
    ),
    Call("fetch_service", lambda g: g.fetch_service(MG), "GET", MS, f"/v1/Services/{MG}"),
    Call("delete_service", lambda g: g.delete_service(MG), "DELETE", MS, f"/v1/Services/{MG}"),
    Call("iter_services", lambda g: g.iter_services(), "GET", MS, "/v1/Services"),
    Call("create_campaign", lambda g: g.create_campaign(MG, **CAMPAIGN), "POST", MS, USA2P),
    Call("fetch_campaign", lambda g: g.fetch_campaign(MG), "GET", MS, f"{USA2P}/{CAMPAIGN_SID}"),
    Call("iter_campaigns", lambda g: g.iter_campaigns(MG), "GET", MS, USA2P),
    Call(
        "update_campaign",
        lambda g: g.update_campaign(MG, **SEVEN, **URLS),
        "POST",
        MS,
        f"{USA2P}/{CAMPAIGN_SID}",
    ),
    Call("delete_campaign", lambda g: g.delete_campaign(MG), "DELETE", MS, f"{USA2P}/{CAMPAIGN_SID}"),
    Call(
        "list_campaign_usecases", lambda g: g.list_campaign_usecases(MG, BN), "GET", MS, f"{USA2P}/Usecases"
    ),
    Call("attach_number", lambda g: g.attach_number(MG, PN), "POST", MS, f"/v1/Services/{MG}/PhoneNumbers"),
    Call(
        "fetch_attached_number",
        lambda g: g.fetch_attached_number(MG, PN),
        "GET",
        MS,
        f"/v1/Services/{MG}/PhoneNumbers/{PN}",
    ),
    Call(
        "iter_attached_numbers",
        lambda g: g.iter_attached_numbers(MG),
        "GET",
        MS,
        f"/v1/Services/{MG}/PhoneNumbers",
    ),
    Call(
        "detach_number",
        lambda g: g.detach_number(MG, PN),
        "DELETE",
        MS,
        f"/v1/Services/{MG}/PhoneNumbers/{PN}",
    ),
    Call("fetch_account", lambda g: g.fetch_account(), "GET", API, f"{AC}.json"),
    Call(
        "iter_numbers",
        lambda g: g.iter_numbers(phone_number="+15125550123", friendly_name="a2p 1"),
        "GET",
        API,
        f"{AC}/IncomingPhoneNumbers.json",
    ),
    Call("fetch_number", lambda g: g.fetch_number(PN), "GET", API, f"{AC}/IncomingPhoneNumbers/{PN}.json"),
    Call(
        "search_numbers",
        lambda g: g.search_numbers("US", area_code="512"),
        "GET",
        API,
        f"{AC}/AvailablePhoneNumbers/US/Local.json",
    ),
    Call(
        "buy_number",
        lambda g: g.buy_number(phone_number="+15125550123", friendly_name="a2p 1"),
        "POST",
        API,
        f"{AC}/IncomingPhoneNumbers.json",
    ),
    Call(
        "release_number",
        lambda g: g.release_number(PN),
        "DELETE",
        API,
        f"{AC}/IncomingPhoneNumbers/{PN}.json",
    ),
    Call(
        "lookup_line_type",
        lambda g: g.lookup_line_type("+15125550123"),
        "GET",
        LK,
        "/v2/PhoneNumbers/+15125550123",
    ),
    Call(
        "create_sink",
        lambda g: g.create_sink(
            description="harness",
            sink_configuration={"destination": "https://desk.example.com/e", "method": "POST"},
        ),
        "POST",
        EV,
        "/v1/Sinks",
    ),
    Call("fetch_sink", lambda g: g.fetch_sink(DG), "GET", EV, f"/v1/Sinks/{DG}"),
    Call("test_sink", lambda g: g.test_sink(DG), "POST", EV, f"/v1/Sinks/{DG}/Test"),
    Call(
        "validate_sink", lambda g: g.validate_sink(DG, test_id="t-1"), "POST", EV, f"/v1/Sinks/{DG}/Validate"
    ),
    Call("iter_sinks", lambda g: g.iter_sinks(in_use=True, status="active"), "GET", EV, "/v1/Sinks"),
    Call("delete_sink", lambda g: g.delete_sink(DG), "DELETE", EV, f"/v1/Sinks/{DG}"),
    Call(
        "create_subscription",
        lambda g: g.create_subscription(
            description="harness",
            sink_sid=DG,
            types=[{"type": EVENT, "schema_version": 3}, {"type": "com.twilio.other", "schema_version": 1}],
        ),
        "POST",
        EV,
        "/v1/Subscriptions",
    ),
    Call("iter_subscriptions", lambda g: g.iter_subscriptions(sink_sid=DG), "GET", EV, "/v1/Subscriptions"),
    Call("delete_subscription", lambda g: g.delete_subscription(DF), "DELETE", EV, f"/v1/Subscriptions/{DF}"),
    Call(
        "iter_subscribed_events",
        lambda g: g.iter_subscribed_events(DF),
        "GET",
        EV,
        f"/v1/Subscriptions/{DF}/SubscribedEvents",
    ),
    Call(
        "add_subscribed_event",
        lambda g: g.add_subscribed_event(DF, type=EVENT, schema_version=3),
        "POST",
        EV,
        f"/v1/Subscriptions/{DF}/SubscribedEvents",
    ),
    Call(
        "update_subscribed_event",
        lambda g: g.update_subscribed_event(DF, EVENT, schema_version=3),
        "POST",
        EV,
        f"/v1/Subscriptions/{DF}/SubscribedEvents/{EVENT}",
    ),
    Call(
        "delete_subscribed_event",
        lambda g: g.delete_subscribed_event(DF, EVENT),
        "DELETE",
        EV,
        f"/v1/Subscriptions/{DF}/SubscribedEvents/{EVENT}",
    ),
    Call("iter_event_types", lambda g: g.iter_event_types(schema_id="A2P.Brand"), "GET", EV, "/v1/Types"),
    Call(
        "iter_schema_versions",
        lambda g: g.iter_schema_versions("A2P.BrandRegistrationFailure"),
        "GET",
        EV,
        "/v1/Schemas/A2P.BrandRegistrationFailure/Versions",
    ),
]
WRITES = [call for call in CALLS if call.method == "POST"]
DELETES = [call for call in CALLS if call.method == "DELETE"]
READS = [call for call in CALLS if call.method == "GET"]

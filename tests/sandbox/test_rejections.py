"""What the sandbox rejects, with Twilio's status and code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from registrations.sandbox import SOLE_PROP_POLICY, STARTER_POLICY
from registrations.sandbox.seed import OWNED
from tests.sandbox.conftest import PRIMARY, client_for, control
from tests.sandbox.walk import EDIT, Walk

FIRST, SECOND, THIRD = OWNED
NOWHERE = "0" * 32


def rejected(status: int, code: int, call: Callable[[], Any]) -> str:
    """The message of an error with exactly this status and code."""
    with pytest.raises(TwilioRestException) as caught:
        call()
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.msg
    return str(caught.value.msg)


def raw(client, method: str, path: str, host: str = "messaging", **data: Any) -> Callable[[], Any]:
    """A call that the SDK's typed methods would not make."""

    def call() -> Any:
        answer = client.request(method, f"https://{host}.twilio.com{path}", data=data)
        if answer.status_code >= 400:
            body = json.loads(answer.text)
            raise TwilioRestException(answer.status_code, path, body["message"], body["code"])
        return answer

    return call


@pytest.fixture
def walk(server, client) -> Walk:
    return Walk(server, client)


# -- general -----------------------------------------------------------------------------------------------


def test_wrong_credentials(server):
    rejected(401, 20003, client_for(server, "wrong").messaging.v1.services("MG" + NOWHERE).fetch)


def test_unknown_paths_methods_and_objects(client):
    rejected(404, 20404, raw(client, "GET", "/v1/Nothing"))
    rejected(405, 20004, raw(client, "DELETE", "/v1/Services"))
    rejected(404, 20404, client.trusthub.v1.customer_profiles("BU" + NOWHERE).fetch)
    rejected(404, 20404, client.api.v2010.accounts("AC" + NOWHERE).fetch)


def test_unknown_and_missing_parameters_are_named(client):
    extra = raw(client, "POST", "/v1/EndUsers", "trusthub", FriendlyName="x", Type="y", Color="red")
    assert "Color" in rejected(400, 20001, extra)
    assert "Type" in rejected(400, 20001, raw(client, "POST", "/v1/EndUsers", "trusthub", FriendlyName="x"))
    assert "Type" in rejected(
        400, 20001, raw(client, "POST", "/v1/EndUsers", "trusthub", FriendlyName="x", Type="")
    )


# -- trust hub ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (22207, {"FriendlyName": "x", "Type": "sole_proprietor_information", "Attributes": "{broken"}),
        (22207, {"FriendlyName": "x", "Type": "sole_proprietor_information", "Attributes": "[1]"}),
        (22212, {"FriendlyName": "x", "Type": "individual"}),
    ],
)
def test_end_users(client, code, fields):
    rejected(400, code, raw(client, "POST", "/v1/EndUsers", "trusthub", **fields))


def test_bundles_accept_only_their_own_policy(client):
    create = client.trusthub.v1.customer_profiles.create
    rejected(400, 20001, lambda: create(friendly_name="x", email="a@b.c", policy_sid=SOLE_PROP_POLICY))
    create = client.trusthub.v1.trust_products.create
    rejected(400, 20001, lambda: create(friendly_name="x", email="a@b.c", policy_sid=STARTER_POLICY))


def test_assignments(walk):
    walk.build_profile().submit_profile().build_trust()
    links = walk.bundle.customer_profiles_entity_assignments
    rejected(400, 22205, lambda: links.create(object_sid="IT" + NOWHERE))
    rejected(400, 22206, lambda: links.create(object_sid=walk.sids["trust_user"]))
    rejected(400, 22206, lambda: links.create(object_sid=walk.sids["address"]))
    rejected(400, 22206, lambda: links.create(object_sid=walk.sids["trust"]))
    rejected(400, 22205, lambda: links.create(object_sid=walk.sids["user"]))
    links = walk.trust.trust_products_entity_assignments
    rejected(400, 22206, lambda: links.create(object_sid=walk.sids["user"]))
    rejected(400, 22206, lambda: links.create(object_sid=PRIMARY))
    document = walk.bundle.customer_profiles_entity_assignments.list(object_type="customer_profile_address")[
        0
    ]
    rejected(400, 22229, walk.bundle.customer_profiles_entity_assignments(document.sid).delete)


def test_submission_needs_a_fresh_compliant_evaluation(walk):
    walk.build_profile()
    rejected(400, 20001, lambda: walk.bundle.update(status="pending-review"))
    evaluate = walk.bundle.customer_profiles_evaluations.create
    evaluate(policy_sid=STARTER_POLICY)
    walk.client.addresses(walk.sids["address"]).update(street="200 Main St")
    rejected(400, 20001, lambda: walk.bundle.update(status="pending-review"))
    evaluate(policy_sid=STARTER_POLICY)
    rejected(400, 22204, lambda: walk.bundle.update(status="pending-review", friendly_name="x"))
    rejected(400, 22203, lambda: walk.bundle.update(status="sent"))
    rejected(400, 20001, lambda: walk.bundle.update(status="twilio-approved"))
    rejected(400, 20001, lambda: evaluate(policy_sid=SOLE_PROP_POLICY))
    assert walk.bundle.update(status="pending-review").status == "pending-review"
    assert control(walk.server, "counts")["violations"] == {"unevaluated": 2}


def test_deletes_in_use(walk):
    walk.build_profile()
    hub = walk.hub
    rejected(400, 21644, hub.end_users(walk.sids["user"]).delete)
    rejected(400, 21645, hub.supporting_documents(walk.sids["document"]).delete)
    walk.submit_profile().advance(30)
    rejected(400, 21646, walk.bundle.delete)
    walk.build_trust()
    walk.bundle.update(status="draft")
    rejected(400, 21647, walk.bundle.delete)
    assert walk.trust.delete()
    assert walk.bundle.delete()
    assert hub.end_users(walk.sids["user"]).delete()
    assert hub.supporting_documents(walk.sids["document"]).delete()


def test_an_address_of_an_approved_bundle_cannot_change(walk):
    walk.verified_brand()
    address = walk.client.addresses(walk.sids["address"])
    rejected(400, 21630, lambda: address.update(street="200 Main St"))
    rejected(400, 21630, address.delete)


@pytest.mark.parametrize(
    ("code", "more"),
    [
        (20001, {"friendly_name": "x" * 65}),
        (20001, {"iso_country": "USA"}),
        (21628, {"street": "1 Unfindable Rd"}),
        (21629, {"street": "1 Misspelt Rd", "auto_correct_address": False}),
    ],
)
def test_addresses(walk, code, more):
    rejected(400, code, lambda: walk.client.addresses.create(**{**walk.address, **more}))


def test_the_country_of_an_address_cannot_change(walk):
    walk.build_profile()
    path = f"/2010-04-01/Accounts/{walk.client.account_sid}/Addresses/{walk.sids['address']}.json"
    assert "IsoCountry" in rejected(400, 20001, raw(walk.client, "POST", path, "api", IsoCountry="CA"))


# -- brand -------------------------------------------------------------------------------------------------


def test_brand_update_rules(walk):
    walk.trust_user["brand_name"] = "Fail 30799"
    walk.bundles().create_brand()
    rejected(400, 21725, walk.brand().update)
    for _ in range(3):
        walk.advance(40)
        assert walk.brand().fetch().status == "FAILED"
        assert walk.brand().update().status == "PENDING"
    walk.advance(40)
    rejected(400, 21724, walk.brand().update)


def test_a_brand_with_wrong_bundles_cannot_be_updated(walk):
    walk.bundles()
    walk.sids["profile"], walk.sids["trust"] = walk.sids["trust"], walk.sids["profile"]
    walk.create_brand()
    walk.advance(5)
    assert walk.brand().fetch().errors[0]["error_code"] == 30793
    rejected(400, 21724, walk.brand().update)


def test_otp_and_suspension(walk):
    walk.bundles().create_brand()
    otps = walk.brand().brand_registration_otps
    rejected(400, 20001, otps.create)
    walk.advance(40)
    assert otps.create().brand_registration_sid == walk.sids["brand"]
    assert walk.say()
    rejected(400, 20001, otps.create)
    control(walk.server, f"brand/{walk.sids['brand']}", {"action": "suspend"})
    rejected(400, 21731, otps.create)
    rejected(400, 21731, walk.brand().update)
    walk.create_service()
    rejected(400, 21731, walk.create_campaign)


def test_brand_parameters(walk):
    walk.bundles()
    rejected(400, 20001, lambda: walk.create_brand(brand_type="HUGE"))
    create = walk.client.messaging.v1.brand_registrations.create
    rejected(400, 20001, lambda: create("IT" + NOWHERE, walk.sids["trust"]))


# -- service and campaign ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "more"),
    [
        (20001, {"friendly_name": "x" * 65}),
        (20001, {"friendly_name": "x", "validity_period": 36001}),
        (21713, {"friendly_name": "x", "usecase": "SOLE_PROPRIETOR"}),
    ],
)
def test_services(client, code, more):
    rejected(400, code, lambda: client.messaging.v1.services.create(**more))


LONG = "x" * 5000
CAMPAIGN_REFUSALS = [
    (21717, {"brand_registration_sid": "BN" + NOWHERE}),
    (21720, {"us_app_to_person_usecase": "MIXED"}),
    (21727, {"description": ""}),
    (21727, {"message_samples": []}),
    (21728, {"description": "x" * 39}),
    (21728, {"description": "x" * 4097}),
    (21728, {"message_flow": "x" * 39}),
    (21728, {"message_flow": "x" * 2049}),
    (21728, {"message_samples": ["x" * 20]}),
    (21728, {"message_samples": ["x" * 20] * 6}),
    (21728, {"message_samples": ["x" * 20, "x" * 19]}),
    (21728, {"message_samples": ["x" * 20, "x" * 1025]}),
    (21728, {"help_message": "x" * 19}),
    (21728, {"opt_in_message": "x" * 321, "subscriber_opt_in": True}),
    (21728, {"opt_out_keywords": ["STOP NOW"]}),
    (21728, {"opt_in_keywords": [f"WORD{n:03d}" for n in range(40)]}),
    (20001, {"privacy_policy_url": "example.com"}),
]


@pytest.mark.parametrize(("code", "more"), CAMPAIGN_REFUSALS)
def test_campaign_parameters(server, client, code, more):
    walk = Walk(server, client).verified_brand().create_service()
    rejected(400, code, lambda: walk.create_campaign(**more))
    assert walk.create_campaign().campaign_status == "PENDING"


def test_campaign_order(walk):
    walk.reviewed_brand().create_service()
    rejected(400, 21717, walk.create_campaign)
    assert walk.say()
    walk.create_campaign()
    assert "already" in rejected(400, 20001, walk.create_campaign)
    first = walk.sids["service"]
    walk.create_service()
    rejected(400, 21732, walk.create_campaign)
    walk.sids["service"] = first
    rejected(405, 20004, raw(walk.client, "DELETE", f"/v1/Services/{first}/Compliance/Usa2p"))
    walk.campaign.delete()
    rejected(400, 20001, walk.create_campaign)
    walk.advance(5)
    assert walk.create_campaign().campaign_status == "PENDING"
    violations = control(walk.server, "counts")["violations"]
    assert violations == {"order": 1, "second-campaign": 2, "recreate-gap": 1}


def test_campaign_update_rules(walk):
    walk.live_campaign()
    text = (
        "Campaign update is allowed only for FAILURE state(s). It is not allowed in the current state SUCCESS"
    )
    assert text in rejected(400, 20001, lambda: walk.campaign.update(**EDIT))
    control(walk.server, f"campaign/{walk.sids['service']}", {"action": "reject", "code": 30893})
    path = f"/v1/Services/{walk.sids['service']}/Compliance/Usa2p/{walk.fetch_campaign().sid}"
    names = {"description": "Description", "message_flow": "MessageFlow", "message_samples": "MessageSamples"}
    part = {shown: EDIT[name] for name, shown in names.items()}
    rejected(400, 21727, raw(walk.client, "POST", path, **part))
    rest = {
        "HasEmbeddedLinks": "false",
        "HasEmbeddedPhone": "false",
        "AgeGated": "false",
        "DirectLending": "false",
    }
    assert "HelpMessage" in rejected(
        400, 20001, raw(walk.client, "POST", path, **part, **rest, HelpMessage="x")
    )
    rejected(400, 21728, lambda: walk.campaign.update(**{**EDIT, "description": "short"}))
    assert walk.campaign.update(**EDIT).campaign_status == "IN_PROGRESS"


def test_a_suspended_campaign_cannot_change(walk):
    walk.live_campaign()
    walk.service.phone_numbers.create(phone_number_sid=FIRST)
    control(walk.server, f"campaign/{walk.sids['service']}", {"action": "suspend"})
    rejected(400, 21729, walk.campaign.delete)
    rejected(400, 21729, lambda: walk.service.phone_numbers.create(phone_number_sid=SECOND))
    rejected(400, 21729, walk.service.phone_numbers(FIRST).delete)
    rejected(400, 21729, lambda: walk.campaign.update(**EDIT))


# -- numbers -----------------------------------------------------------------------------------------------


def test_attaching_numbers(walk):
    walk.create_service()
    attach = walk.service.phone_numbers.create
    attach(phone_number_sid=FIRST)
    rejected(409, 21710, lambda: attach(phone_number_sid=FIRST))
    rejected(404, 20404, lambda: attach(phone_number_sid="PN" + NOWHERE))
    voice = walk.client.incoming_phone_numbers.create(phone_number="+14155550715")
    rejected(400, 21715, lambda: attach(phone_number_sid=voice.sid))
    walk.create_service()
    rejected(409, 21712, lambda: walk.service.phone_numbers.create(phone_number_sid=FIRST))


def test_buying_numbers(client):
    buy = client.incoming_phone_numbers.create
    rejected(400, 21421, lambda: buy(phone_number="12345"))
    rejected(400, 21422, lambda: buy(phone_number="+14155550101"))
    rejected(400, 21452, lambda: buy(area_code="416"))
    bought = buy(area_code="415")
    assert bought.phone_number == "+14155552000"
    rejected(400, 21422, lambda: buy(phone_number="+14155552000"))


# -- event streams -----------------------------------------------------------------------------------------


def test_event_streams_order(client):
    events = client.events.v1
    here = {"destination": "http://127.0.0.1:9/x"}
    sink = events.sinks.create("x", here, "webhook")
    type_ = {"type": "com.twilio.messaging.compliance.brand-registration.brand-verified"}
    rejected(400, 20001, lambda: events.subscriptions.create("x", sink.sid, [type_]))
    rejected(400, 20001, lambda: events.sinks(sink.sid).sink_validate.create(test_id="guess"))
    rejected(400, 20001, lambda: events.sinks.create("x", {"destination": "nowhere"}, "webhook"))

"""The happy path through the real SDK, from the policies to a registered number."""

from __future__ import annotations

from registrations.sandbox import SOLE_PROP_POLICY, STARTER_POLICY
from registrations.sandbox.seed import OWNED
from registrations.sandbox.state import CAMPAIGN_REVIEW, CAMPAIGN_SUBMITTED, NUMBER_REGISTRATION
from tests.sandbox.conftest import control
from tests.sandbox.walk import Walk

NUMBER = next(iter(OWNED))


def test_the_whole_walkthrough(server, client):
    for sid in (STARTER_POLICY, SOLE_PROP_POLICY):
        assert client.trusthub.v1.policies(sid).fetch().requirements["end_user"]
    walk = Walk(server, client).bundles()
    assert walk.bundle.fetch().status == "in-review"
    assert walk.trust.fetch().status == "in-review"

    assert walk.create_brand().status == "PENDING"
    assert walk.brand().fetch().identity_status is None
    walk.advance(40)
    brand = walk.brand().fetch()
    assert (brand.status, brand.identity_status) == ("APPROVED", "UNVERIFIED")
    assert len(brand.tcr_id) == 7
    assert walk.say()
    assert walk.brand().fetch().identity_status == "VERIFIED"
    assert walk.bundle.fetch().status == "twilio-approved"
    assert walk.trust.fetch().status == "twilio-approved"

    walk.create_service()
    assert walk.create_campaign().campaign_status == "PENDING"
    walk.service.phone_numbers.create(phone_number_sid=NUMBER)
    walk.advance(CAMPAIGN_SUBMITTED)
    assert walk.fetch_campaign().campaign_status == "IN_PROGRESS"
    walk.advance(CAMPAIGN_REVIEW)
    campaign = walk.fetch_campaign()
    assert campaign.campaign_status == "VERIFIED"
    assert campaign.opt_out_keywords == ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"]
    assert walk.service.fetch().us_app_to_person_registered is True
    walk.advance(NUMBER_REGISTRATION)
    senders = control(server, "state")["ServicePhoneNumbers"]
    assert [(row["sid"], row["_a2p"]) for row in senders] == [(NUMBER, "REGISTERED")]

    counts = control(server, "counts")
    assert counts["violations"] == {}
    assert counts["duplicates"] == {}
    assert counts["calls"]["writes"] == 19
    assert counts["fees"]["dollars"] == 19.5

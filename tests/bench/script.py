"""The walkthrough as a plain script would do it: the SDK, one call after the other, and sleeps.

The product is compared with it, so it is given every advantage: pooled connections, no database, no log, no
look-ups, and it checks for decisions more often. It cannot resume, and a lost reply ends it.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from registrations.sandbox import CAMPAIGN_SID, SOLE_PROP_POLICY, STARTER_POLICY
from tests.bench.customers import Parts

SETTLE, LOOK_EVERY = 30.0, 10.0
PATIENCE = 60  # looks at one thing before giving up
VERSION = "v1.2"


class _Redirected(TwilioHttpClient):
    """Scheme and host replaced, as the product does it."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=30, pool_connections=True)
        self.base = urlsplit(base)

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        moved = urlunsplit((self.base.scheme, self.base.netloc, parts.path, parts.query, ""))
        return super().request(method, moved, **kwargs)


class Script:
    def __init__(self, *, base_url: str, account: str, token: str, primary: str, scale: float) -> None:
        self.client = Client(account, token, http_client=_Redirected(base_url))
        self.primary, self.scale = primary, scale

    def pause(self, seconds: float) -> None:
        time.sleep(seconds * self.scale)

    def until(self, fetch: Callable[[], Any], done: Callable[[Any], bool]) -> None:
        for _ in range(PATIENCE):
            if done(found := fetch()):
                return
            self.pause(LOOK_EVERY)
        raise RuntimeError(f"Gave up waiting; the status is {getattr(found, 'status', '?')}.")

    def paced(self, call: Callable[[], Any]) -> Any:
        """What a plain script does about 429: a second's rest, then again."""
        while True:
            try:
                return call()
            except TwilioRestException as error:
                if error.status != 429:
                    raise
                time.sleep(1)

    def register(self, name: str, parts: Parts) -> None:
        """One customer from nothing to a number in the service; 19 writes."""
        profile = self._profile(name, parts["profile"])
        bundle = self._bundle(name, parts["trust_bundle"], profile)
        brand = self._brand(profile, bundle)
        service = self._campaign(name, parts["campaign"], brand)
        sender = parts["phone_number"]["sender_number"]
        number = self.client.incoming_phone_numbers.list(phone_number=sender)[0].sid
        senders = self.client.messaging.v1.services(service).phone_numbers
        senders.create(phone_number_sid=number)
        self.client.messaging.v1.services(service).phone_numbers(number).fetch()

    def _profile(self, name: str, inputs: dict[str, Any]) -> str:
        hub = self.client.trusthub.v1
        person = {key: inputs[key] for key in ("first_name", "last_name", "email", "phone_number")}
        place = {key: inputs[key] for key in ("street", "city", "region", "postal_code", "iso_country")}
        profile = hub.customer_profiles.create(
            friendly_name=name, email="isv@example.com", policy_sid=STARTER_POLICY
        )
        user = hub.end_users.create(
            friendly_name=name, type="starter_customer_profile_information", attributes=person
        )
        address = self.client.addresses.create(customer_name=name, friendly_name=name, **place)
        document = hub.supporting_documents.create(
            friendly_name=name, type="customer_profile_address", attributes={"address_sids": address.sid}
        )
        resource = hub.customer_profiles(profile.sid)
        for sid in (user.sid, document.sid, self.primary):
            resource.customer_profiles_entity_assignments.create(object_sid=sid)
        found = resource.customer_profiles_evaluations.create(policy_sid=STARTER_POLICY)
        self._settle(found.status, resource)
        return str(profile.sid)

    def _bundle(self, name: str, inputs: dict[str, Any], profile: str) -> str:
        hub = self.client.trusthub.v1
        bundle = hub.trust_products.create(
            friendly_name=name, email="isv@example.com", policy_sid=SOLE_PROP_POLICY
        )
        user = hub.end_users.create(
            friendly_name=f"{name} brand", type="sole_proprietor_information", attributes=inputs
        )
        resource = hub.trust_products(bundle.sid)
        for sid in (user.sid, profile):
            resource.trust_products_entity_assignments.create(object_sid=sid)
        found = resource.trust_products_evaluations.create(policy_sid=SOLE_PROP_POLICY)
        self._settle(found.status, resource)
        return str(bundle.sid)

    def _settle(self, evaluation: str, resource: Any) -> None:
        if evaluation != "compliant":
            raise RuntimeError("The evaluation is noncompliant.")
        resource.update(status="pending-review")
        self.pause(SETTLE)
        self.until(resource.fetch, lambda found: found.status in ("in-review", "twilio-approved"))

    def _brand(self, profile: str, bundle: str) -> str:
        brands = self.client.messaging.v1.brand_registrations
        brand = self.paced(
            lambda: brands.create(
                customer_profile_bundle_sid=profile,
                a2p_profile_bundle_sid=bundle,
                brand_type="SOLE_PROPRIETOR",
            )
        )
        self.pause(SETTLE)
        self.until(
            self.client.messaging.v1.brand_registrations(brand.sid).fetch,
            lambda found: (found.status, found.identity_status) == ("APPROVED", "VERIFIED"),
        )
        return str(brand.sid)

    def _campaign(self, name: str, inputs: dict[str, Any], brand: str) -> str:
        service = self.client.messaging.v1.services.create(friendly_name=name)
        campaigns = self.client.messaging.v1.services(service.sid).us_app_to_person
        self.paced(
            lambda: campaigns.create(
                brand_registration_sid=brand,
                us_app_to_person_usecase="SOLE_PROPRIETOR",
                has_embedded_links=False,
                has_embedded_phone=False,
                x_twilio_api_version=VERSION,
                **inputs,
            )
        )
        campaign = self.client.messaging.v1.services(service.sid).us_app_to_person(CAMPAIGN_SID)
        self.pause(LOOK_EVERY)
        self.until(
            lambda: campaign.fetch(x_twilio_api_version=VERSION),
            lambda found: found.campaign_status == "VERIFIED",
        )
        return str(service.sid)

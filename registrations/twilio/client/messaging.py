"""Brands, messaging services, campaigns and the numbers in a service.

Source: docs/twilio.md section 1.1, 1.2, 5.3 and 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .core import PAGE_SIZE, BaseClient, Json, non_empty, path_part

HOST = "messaging.twilio.com"
# The same SID for the campaign of every service; a path without it returns 405.
CAMPAIGN_SID = "QE2c6890da8086d771620e9b13fadeba0b"


class Messaging(BaseClient):
    # --- brands ---------------------------------------------------------------------------------------

    def create_brand(
        self,
        *,
        customer_profile_bundle_sid: str,
        a2p_profile_bundle_sid: str,
        brand_type: str = "SOLE_PROPRIETOR",
        mock: bool | None = None,
    ) -> Json:
        """Costs a registration fee. A second call creates a second brand."""
        return self._send(
            lambda c: c.messaging.v1.brand_registrations.create(
                customer_profile_bundle_sid=customer_profile_bundle_sid,
                a2p_profile_bundle_sid=a2p_profile_bundle_sid,
                brand_type=brand_type,
                **non_empty(mock=mock),
            )
        )

    def fetch_brand(self, sid: str) -> Json:
        return self._send(lambda c: c.messaging.v1.brand_registrations(path_part(sid)).fetch())

    def update_brand(self, sid: str) -> Json:
        """Resubmit: Twilio reads the bundles again. Only in FAILED, at most three times (21724, 21725)."""
        return self._send(lambda c: c.messaging.v1.brand_registrations(path_part(sid)).update())

    def iter_brands(self) -> Iterator[Json]:
        return self._pages(lambda c: c.messaging.v1.brand_registrations.page(page_size=PAGE_SIZE), HOST)

    def send_brand_otp(self, brand_sid: str) -> Json:
        """Send the customer a new OTP text. The response contains neither a delivery status nor a time."""
        return self._send(
            lambda c: c.messaging.v1.brand_registrations(
                path_part(brand_sid)
            ).brand_registration_otps.create()
        )

    # --- services -------------------------------------------------------------------------------------

    def create_service(self, *, friendly_name: str, **optional: Any) -> Json:
        """`optional`: the SDK's argument names, e.g. inbound_request_url or usecase; empty ones are not sent."""
        return self._send(
            lambda c: c.messaging.v1.services.create(friendly_name=friendly_name, **non_empty(**optional))
        )

    def fetch_service(self, sid: str) -> Json:
        return self._send(lambda c: _service(c, sid).fetch())

    def delete_service(self, sid: str) -> Json:
        """Also deletes the service's campaign."""
        return self._send(lambda c: _service(c, sid).delete())

    def iter_services(self) -> Iterator[Json]:
        return self._pages(lambda c: c.messaging.v1.services.page(page_size=PAGE_SIZE), HOST)

    # --- campaigns ------------------------------------------------------------------------------------

    def create_campaign(
        self,
        service_sid: str,
        *,
        brand_registration_sid: str,
        description: str,
        message_flow: str,
        message_samples: Sequence[str],
        us_app_to_person_usecase: str,
        has_embedded_links: bool,
        has_embedded_phone: bool,
        subscriber_opt_in: bool | None = None,
        age_gated: bool | None = None,
        direct_lending: bool | None = None,
        opt_in_message: str = "",
        opt_out_message: str = "",
        help_message: str = "",
        opt_in_keywords: Sequence[str] = (),
        opt_out_keywords: Sequence[str] = (),
        help_keywords: Sequence[str] = (),
        privacy_policy_url: str = "",
        terms_and_conditions_url: str = "",
    ) -> Json:
        """Empty optional texts and lists are not sent, so Twilio fills in its defaults."""
        optional = non_empty(
            subscriber_opt_in=subscriber_opt_in,
            age_gated=age_gated,
            direct_lending=direct_lending,
            opt_in_message=opt_in_message,
            opt_out_message=opt_out_message,
            help_message=help_message,
            opt_in_keywords=list(opt_in_keywords),
            opt_out_keywords=list(opt_out_keywords),
            help_keywords=list(help_keywords),
            privacy_policy_url=privacy_policy_url,
            terms_and_conditions_url=terms_and_conditions_url,
        )
        return self._send(
            lambda c: _service(c, service_sid).us_app_to_person.create(
                brand_registration_sid=brand_registration_sid,
                description=description,
                message_flow=message_flow,
                message_samples=list(message_samples),
                us_app_to_person_usecase=us_app_to_person_usecase,
                has_embedded_links=has_embedded_links,
                has_embedded_phone=has_embedded_phone,
                **optional,
            )
        )

    def fetch_campaign(self, service_sid: str) -> Json:
        return self._send(lambda c: _campaign(c, service_sid).fetch())

    def iter_campaigns(self, service_sid: str) -> Iterator[Json]:
        return self._pages(
            lambda c: _service(c, service_sid).us_app_to_person.page(page_size=PAGE_SIZE), HOST
        )

    def update_campaign(
        self,
        service_sid: str,
        *,
        description: str,
        message_flow: str,
        message_samples: Sequence[str],
        has_embedded_links: bool,
        has_embedded_phone: bool,
        age_gated: bool,
        direct_lending: bool,
        privacy_policy_url: str = "",
        terms_and_conditions_url: str = "",
    ) -> Json:
        """Only while FAILED. All seven fields are required each time: this is a full update, not a patch."""
        return self._send(
            lambda c: _campaign(c, service_sid).update(
                description=description,
                message_flow=message_flow,
                message_samples=list(message_samples),
                has_embedded_links=has_embedded_links,
                has_embedded_phone=has_embedded_phone,
                age_gated=age_gated,
                direct_lending=direct_lending,
                **non_empty(
                    privacy_policy_url=privacy_policy_url, terms_and_conditions_url=terms_and_conditions_url
                ),
            )
        )

    def delete_campaign(self, service_sid: str) -> Json:
        """Wait at least five seconds before creating another on the same service."""
        return self._send(lambda c: _campaign(c, service_sid).delete())

    def list_campaign_usecases(self, service_sid: str, brand_sid: str) -> list[Json]:
        answer = self._send(
            lambda c: _service(c, service_sid).us_app_to_person_usecases.fetch(
                brand_registration_sid=brand_sid
            )
        )
        return answer.get("us_app_to_person_usecases") or []

    # --- numbers in a service -------------------------------------------------------------------------

    def attach_number(self, service_sid: str, phone_number_sid: str) -> Json:
        """Raises AlreadyDone (21710) if it is in this service, Rejected (21712) if it is in another."""
        return self._send(
            lambda c: _service(c, service_sid).phone_numbers.create(phone_number_sid=phone_number_sid)
        )

    def fetch_attached_number(self, service_sid: str, phone_number_sid: str) -> Json:
        return self._send(
            lambda c: _service(c, service_sid).phone_numbers(path_part(phone_number_sid)).fetch()
        )

    def iter_attached_numbers(self, service_sid: str) -> Iterator[Json]:
        return self._pages(lambda c: _service(c, service_sid).phone_numbers.page(page_size=PAGE_SIZE), HOST)

    def detach_number(self, service_sid: str, phone_number_sid: str) -> Json:
        """Remove the number from the service; the account keeps it."""
        return self._send(
            lambda c: _service(c, service_sid).phone_numbers(path_part(phone_number_sid)).delete()
        )


def _service(client: Any, sid: str) -> Any:
    return client.messaging.v1.services(path_part(sid))


def _campaign(client: Any, service_sid: str) -> Any:
    return _service(client, service_sid).us_app_to_person(CAMPAIGN_SID)

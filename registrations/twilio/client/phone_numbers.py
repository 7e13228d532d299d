"""The account, its phone numbers, numbers for sale, and Lookup. Source: docs/twilio.md section 1.2 and 13."""

from __future__ import annotations

from collections.abc import Iterator

from .core import PAGE_SIZE, BaseClient, Json, non_empty, path_part

HOST = "api.twilio.com"


class PhoneNumbers(BaseClient):
    def fetch_account(self) -> Json:
        """Contains `auth_token` when called with the main credentials: redact before storing."""
        return self._send(lambda c: c.api.v2010.accounts(path_part(self.config.account_sid)).fetch())

    def iter_numbers(self, *, phone_number: str = "", friendly_name: str = "") -> Iterator[Json]:
        """Numbers that the account owns. `phone_number` is E.164; Twilio also matches parts of it."""
        filters = non_empty(phone_number=phone_number, friendly_name=friendly_name)
        return self._pages(lambda c: c.incoming_phone_numbers.page(page_size=PAGE_SIZE, **filters), HOST)

    def fetch_number(self, phone_number_sid: str) -> Json:
        return self._send(lambda c: c.incoming_phone_numbers(path_part(phone_number_sid)).fetch())

    def search_numbers(
        self, country: str, *, area_code: str = "", sms_enabled: bool = True, limit: int = 20
    ) -> list[Json]:
        """Local numbers for sale, one page of at most `limit`."""
        filters = non_empty(area_code=area_code, sms_enabled=sms_enabled)
        pages = self._pages(
            lambda c: c.available_phone_numbers(path_part(country)).local.page(page_size=limit, **filters),
            HOST,
        )
        return [number for _, number in zip(range(limit), pages, strict=False)]

    def buy_number(self, *, phone_number: str, friendly_name: str) -> Json:
        """Starts a monthly fee."""
        return self._send(
            lambda c: c.incoming_phone_numbers.create(phone_number=phone_number, friendly_name=friendly_name)
        )

    def release_number(self, phone_number_sid: str) -> Json:
        """Give the number back to Twilio permanently."""
        return self._send(lambda c: c.incoming_phone_numbers(path_part(phone_number_sid)).delete())

    def lookup_line_type(self, e164: str) -> Json:
        """Costs a small fee. Read `valid`, `country_code` and `line_type_intelligence.type`."""
        return self._send(
            lambda c: c.lookups.v2.phone_numbers(path_part(e164)).fetch(fields="line_type_intelligence")
        )

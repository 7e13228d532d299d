"""The pages as a person works with them: by labels, headings and buttons, not by ids."""

import re

from playwright.sync_api import Locator, Page, expect

from registrations.models import Registration

# Values for a customer whom the sandbox accepts.
CUSTOMER = {
    "First name": "Ann",
    "Last name": "Lee",
    "Email": "ann.lee@harborcrafts.com",
    "Contact phone": "(415) 555-2671",
    "Mobile for the OTP text": "415-555-2672",
    "Street": "1 Main St",
    "City": "Boston",
    "State or province": "MA",
    "ZIP or postal code": "02139",
    "Brand name": "Ann Lee Nails",
    "Description": "Ann Lee Nails sends appointment reminders to clients who booked online.",
    "Sample message 1": "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
    "Sample message 2": "Ann Lee Nails: your booking of [date] is confirmed.",
    "Privacy policy": "https://annlee.example.com/privacy",
    "Terms and conditions": "https://annlee.example.com/terms",
    "How people opt in": "Clients tick an unticked box on https://annlee.example.com/book to get "
    "reminders from Ann Lee Nails, up to 4 a month. Message and data rates may apply. Reply STOP to opt out, "
    "HELP for help. The privacy policy and the terms are linked there.",
    "Sender": "+1 415 555 0101",
}
# The worker's walk takes a few seconds of its own on a busy machine.
PATIENCE = 40_000


class App:
    """One browser window."""

    def __init__(self, page: Page):
        self.page = page

    # --- finding --------------------------------------------------------------------------------------------
    def field(self, label: str) -> Locator:
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def card(self, heading: str) -> Locator:
        """The part of a registration's page under this heading."""
        return self.page.get_by_role("region", name=heading)

    def step(self, label: str) -> Locator:
        """A step in the card "Steps", also when its group is closed."""
        return self.page.locator("li.step").filter(has_text=label)

    # --- going ----------------------------------------------------------------------------------------------
    def list(self) -> "App":
        self.page.goto("/admin/registrations/registration/")
        return self

    def registration(self, registration: Registration) -> "App":
        self.page.goto(f"/admin/registrations/registration/{registration.pk}/detail/")
        return self

    def edit(self, registration: Registration) -> "App":
        self.page.goto(f"/admin/registrations/registration/{registration.pk}/change/")
        return self

    def new(self) -> "App":
        self.page.goto("/admin/registrations/registration/add/")
        return self

    # --- doing ----------------------------------------------------------------------------------------------
    def sign_in(self, user: str, password: str) -> None:
        self.page.goto("/")
        self.page.get_by_label("Username").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.button("Sign in").click()

    def fill(self, values: dict[str, str]) -> None:
        for label, value in values.items():
            self.field(label).fill(value)

    def typed(self, values: dict[str, str]) -> dict[str, str]:
        """What stands in these inputs now."""
        return {label: self.field(label).input_value() for label in values}

    # --- looking --------------------------------------------------------------------------------------------
    def expect_stage(self, stage: str) -> None:
        expect(self.page.locator("#live-head .chips").get_by_text(stage, exact=True)).to_be_visible(
            timeout=PATIENCE
        )

    def expect_status(self, label: str) -> None:
        """Whom the registration waits for."""
        expect(self.page.locator("#live-head .chips")).to_contain_text(label, timeout=PATIENCE)

    def expect_said(self, text: str) -> None:
        """A message on top of the page, after an act."""
        expect(self.page.locator(".messagelist")).to_contain_text(text)

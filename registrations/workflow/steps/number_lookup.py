"""Finds the PN SID of the sender that a person entered, or explains why there is none."""

from typing import Any

from registrations.models import Registration
from registrations.twilio.client import TwilioClient

from . import finders

NOT_OURS = "The sender is not among your Twilio numbers. Buy or port it to Twilio, or choose another."
NO_SMS = "The sender cannot send text messages (21715). Choose another."


def learn_number(client: TwilioClient, registration: Registration) -> dict[str, Any]:
    """Find the sender among the account's numbers; an emptied sender clears what was found before."""
    number = registration.phone_number
    sender = number.sender_number
    learned = {
        "accepted_params": {**number.accepted_params, "sender": sender},
        "sid": "",
        "phone_number": "",
        "failure_reason": "",
    }
    if not sender:
        return learned
    found = _owned(client, sender)
    if found is None:
        return learned | {"failure_reason": NOT_OURS}
    if (found.get("capabilities") or {}).get("sms") is False:
        return learned | {"failure_reason": NO_SMS}
    return learned | {"sid": found["sid"], "phone_number": found.get("phone_number") or ""}


def _owned(client: TwilioClient, sender: str) -> dict[str, Any] | None:
    if sender.startswith("PN"):
        return finders.when_found(lambda: client.fetch_number(sender))
    owned = client.iter_numbers(phone_number=sender)
    return next((item for item in owned if item.get("phone_number") == sender), None)


def number_problem(registration: Registration) -> str:
    """Why the current sender cannot be used, or ""."""
    number = registration.phone_number
    return number.failure_reason if number.accepted_params.get("sender") == number.sender_number else ""

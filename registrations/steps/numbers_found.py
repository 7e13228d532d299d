"""Turning what a person typed as sender into a PN SID, and saying so when it cannot be done."""

from typing import Any

from registrations.gateway import Gateway
from registrations.models import Registration


def learn_number(gateway: Gateway, registration: Registration) -> dict[str, Any]:
    """Find the sender among the account's numbers. A PN SID is taken as it is: attaching it is the test."""
    number = registration.phone_number
    sender = number.sender_number
    learned = {"sent": {**number.sent, "sender": sender}, "failure_reason": ""}
    if sender.startswith("PN"):
        return learned | {"sid": sender, "phone_number": ""}
    owned = gateway.iter_numbers(phone_number=sender)
    found = next((item for item in owned if item.get("phone_number") == sender), None)
    if found:
        return learned | {"sid": found["sid"], "phone_number": sender}
    return learned | {
        "sid": "",
        "phone_number": "",
        "failure_reason": "The sender is not among your Twilio numbers. Buy or move it there, or choose another.",
    }


def number_problem(registration: Registration) -> str:
    """Why the sender as typed now cannot be used, or ""."""
    number = registration.phone_number
    return number.failure_reason if number.sent.get("sender") == number.sender_number else ""

"""Template names for the desk's display functions."""

from decimal import Decimal

from django import template

from registrations.admin.changelist import display
from registrations.workflow.spending import dollars

register = template.Library()

register.simple_tag(display.icon, name="icon")
register.simple_tag(display.chip, name="chip")
register.simple_tag(display.sid_link, name="sid")
register.simple_tag(display.copy_button, name="copy_button")
register.simple_tag(display.event_text, name="event_text")
for function in (
    display.stage_chip,
    display.waiting_chip,
    display.step_chip,
    display.run_chip,
    display.when,
    display.status_chip,
    display.age,
    display.span_text,
    display.money,
    display.pretty,
    display.step_label,
    display.kind_label,
):
    register.filter(function.__name__, function)


# What an empty list will hold, and how it gets there.
EMPTY = {
    "batch": "Choose rows in the list of registrations, then what to do with them: you see what would happen first.",
    "brand": "Brands appear here when registrations are submitted.",
    "campaign": "Campaigns appear here once a brand is approved and its customer has answered YES.",
    "event": "What people and Twilio do to registrations is written here.",
    "fee": "Prices are those of the settings until one is added here with the day it begins.",
    "phonenumber": "Numbers appear here when registrations name or buy one.",
    "apicall": "Every call to Twilio is written here before it is made.",
    "webhookdelivery": "What Twilio sends to this desk is kept here.",
}


@register.filter
def empty_hint(model: str) -> str:
    """The sentence below "Nothing here yet." of a model's list; "" where there is none."""
    return EMPTY.get(model, "")


@register.filter
def usd(amount: Decimal) -> str:
    """US dollars, nothing too.

    >>> usd(Decimal("1234.5")), usd(Decimal(0))
    ('$1,234.50', '$0.00')
    """
    return dollars(amount)


@register.filter
def pair(first: object, second: object) -> tuple[object, object]:
    """Two things to loop over."""
    return first, second

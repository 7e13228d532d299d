"""Template tags and filters for the functions of `admin.changelist.display`."""

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
    display.call_chip,
    display.item_chip,
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


# What an empty list will show, and how it gets there.
EMPTY = {
    "batch": "Select rows in the list of registrations, then choose an action. You'll see a preview first.",
    "brand": "Brands appear here when registrations are submitted.",
    "campaign": "Campaigns appear here after a brand is approved and the customer has replied YES.",
    "event": "Everything that people and Twilio do to registrations is recorded here.",
    "fee": "The prices in the settings apply until you add one here with its start date.",
    "phonenumber": "Numbers appear here when registrations use or buy one.",
    "apicall": "Every call to Twilio is recorded here before it is made.",
    "webhookdelivery": "Everything that Twilio sends here is recorded here.",
}


@register.filter
def empty_hint(model: str) -> str:
    """The text below "Nothing here yet." in a model's list; "" if there is none."""
    return EMPTY.get(model, "")


@register.filter
def usd(amount: Decimal) -> str:
    """US dollars, including $0.00.

    >>> usd(Decimal("1234.5")), usd(Decimal(0))
    ('$1,234.50', '$0.00')
    """
    return dollars(amount)


@register.filter
def pair(first: object, second: object) -> tuple[object, object]:
    """Two things to loop over."""
    return first, second

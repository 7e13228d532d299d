"""Template names for the desk's display functions."""

from django import template

from registrations.admin import display

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
    display.word_chip,
    display.age,
    display.span_text,
    display.money,
    display.pretty,
    display.step_label,
):
    register.filter(function.__name__, function)


@register.filter
def pair(first: object, second: object) -> tuple[object, object]:
    """Two things to loop over."""
    return first, second

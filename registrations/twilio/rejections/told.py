"""One list of reasons out of the two places in which Twilio gives them: codes in `errors[]`, and prose.

A rejected bundle often says the same thing twice: 18603 "address could not be verified" in its errors, and
"Invalid Region. Address suggestion -> …" in the callback's text. That is one thing to mend (Source: Twilio
facts, sections 6.2 and 6.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from .catalogue import lookup
from .items import ErrorItem, parse_error_items
from .model import Failure
from .reasons import AddressSuggestion, Reason, parse_failure_reason
from .tokens import inputs_in_text


@dataclass(frozen=True)
class Told:
    """One reason. code: Twilio's number or None. message: all of Twilio's words about it. inputs: of the form.

    unknown_fields: Twilio's names of fields that stand for no input of ours.
    """

    failure: Failure
    code: int | None
    message: str
    url: str
    inputs: tuple[str, ...]
    suggestion: AddressSuggestion | None = None
    unknown_fields: tuple[str, ...] = ()


def told(part: str, errors: object, failure_reason: object) -> list[Told]:
    """Every reason once: the items in Twilio's order, each with the prose that says it closer, then other prose."""
    items = parse_error_items(errors)
    descriptions = {item.description for item in items}
    reasons = [one for one in parse_failure_reason(part, failure_reason) if one.text not in descriptions]
    homes = [_home(reason, items) for reason in reasons]
    found: list[Told] = []
    for item in items:
        closer = [reason for reason, home in zip(reasons, homes, strict=True) if home is item]
        # The item's own words are told with the first of them.
        found += [_both(item, reason, first=not n) for n, reason in enumerate(closer)] or [_item(item)]
    return found + [_reason(reason) for reason, home in zip(reasons, homes, strict=True) if home is None]


def _home(reason: Reason, items: list[ErrorItem]) -> ErrorItem | None:
    """The item that says the same less closely: it is the same entry, or about these inputs and no fewer."""
    known, inputs = reason.failure, set(_inputs(reason))
    if known:
        for item in items:
            if item.failure == known:
                return item
    for item in items:
        narrower = bool(inputs) and inputs <= set(item.inputs)
        if narrower and item.failure.area == "bundle" and (known is None or known.area == "bundle"):
            return item
    return None


def _both(item: ErrorItem, reason: Reason, *, first: bool) -> Told:
    words = [item.description, reason.text] if first and item.description else [reason.text]
    message = " ".join(words) if words[0].endswith((".", "!", ":")) else ". ".join(words)
    failure = reason.failure or item.failure
    inputs = _inputs(reason) or item.inputs
    return Told(failure, item.code, message, item.url, inputs, reason.suggestion, item.unknown_fields)


def _item(item: ErrorItem) -> Told:
    return Told(
        item.failure,
        item.code,
        item.description,
        item.url,
        item.inputs,
        unknown_fields=item.unknown_fields,
    )


def _reason(reason: Reason) -> Told:
    failure = reason.failure or lookup(None)
    return Told(failure, failure.code, reason.text, failure.url, _inputs(reason), reason.suggestion)


def _inputs(reason: Reason) -> tuple[str, ...]:
    known = reason.failure.form_fields if reason.failure else ()
    return known or inputs_in_text(reason.text)

"""Every open problem of a registration, each with our advice and the affected inputs.

Nothing is dropped: all items of all `errors[]` in Twilio's order, then reasons given as text, then rejections of single
calls. What we do not know is shown in Twilio's own words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from registrations.models import Registration, TwilioResource
from registrations.models.choices import CallState
from registrations.twilio.rejections import (
    AddressSuggestion,
    ErrorItem,
    Failure,
    inputs_in_text,
    lookup,
    match_text,
    merge_reasons,
    of_state,
    parse_address_suggestion,
    parse_error_items,
    parse_evaluation,
)
from registrations.twilio.statuses import BUNDLE_REJECTED
from registrations.workflow.steps import Watch, Write, steps_of

from .attempts import Attempts


@dataclass(frozen=True)
class Problem:
    """One thing to fix.

    part: attribute of Registration. code: Twilio's, or None. message: Twilio's words, may be "". title, advice: ours.
    url: Twilio's page. fields: the form fields it is about, most likely first; empty if it is about none. suggestion:
    the address that Twilio would accept, if it named one. unknown_fields: Twilio's field names that match no input of
    ours. catalogued: False if neither the code nor the message is in our catalogue.
    """

    part: str
    code: int | None
    message: str
    title: str
    advice: str
    url: str
    fields: tuple[str, ...] = ()
    suggestion: AddressSuggestion | None = None
    unknown_fields: tuple[str, ...] = ()
    catalogued: bool = True

    @property
    def field(self) -> str:
        """The input next to which it is shown, or ""."""
        return self.fields[0] if self.fields else ""

    @property
    def code_beside(self) -> int | None:
        """The code, unless the title already contains it."""
        return self.code if self.code and str(self.code) not in self.title else None


def problems(registration: Registration, attempts: Attempts | None = None) -> list[Problem]:
    """All problems of the registration, without duplicates, in the order of the walkthrough."""
    found: list[Problem] = []
    for problem in _all(registration, attempts or Attempts.of(registration)):
        if problem not in found:
            found.append(problem)
    return found


def _all(registration: Registration, attempts: Attempts) -> Iterator[Problem]:
    for part in ("profile", "trust_bundle"):
        yield from _of_bundle(part, getattr(registration, part))
    for part in ("brand", "campaign"):
        yield from _of_resource(part, getattr(registration, part))
    number = registration.phone_number
    if number.failure_reason:
        yield Problem(
            "phone_number",
            None,
            number.failure_reason,
            "Sender cannot be used",
            "Correct the sender, or buy a number.",
            "",
            ("sender_number",),
        )
    if state := of_state("number", number.a2p_status):
        if items := parse_error_items(number.errors):
            yield from _of_items("phone_number", items)
        else:
            yield _problem("phone_number", state, "", state.form_fields)
    yield from _refusals(registration, attempts)


def _of_bundle(part: str, resource: Any) -> Iterator[Problem]:
    if resource.evaluation_status == "noncompliant":
        yield from _of_items(part, parse_evaluation(resource.evaluation_results))
    if resource.status == BUNDLE_REJECTED or resource.errors:
        yield from _of_resource(part, resource)


def _of_resource(part: str, resource: TwilioResource) -> Iterator[Problem]:
    found = [
        _problem(
            part,
            reason.failure,
            reason.message,
            reason.inputs,
            code=reason.code,
            url=reason.url,
            suggestion=reason.suggestion,
            unknown_fields=reason.unknown_fields,
        )
        for reason in merge_reasons(part, resource.errors, resource.failure_reason)
    ]
    yield from found
    state = of_state(part, resource.status)
    # Reasons of an earlier failure may still be listed with a suspension, which no edit can fix.
    overridden = bool(state and state.resubmittable == "no" and state.title not in {p.title for p in found})
    if state and (overridden or not found):
        yield _problem(part, state, "", state.form_fields)


def _of_items(part: str, items: Iterable[ErrorItem]) -> Iterator[Problem]:
    for item in items:
        yield _problem(
            part,
            item.failure,
            item.description,
            item.inputs,
            code=item.code,
            url=item.url,
            unknown_fields=item.unknown_fields,
        )


def _refusals(registration: Registration, attempts: Attempts) -> Iterator[Problem]:
    for step in steps_of(registration):
        attempt = attempts.refusal(step, registration)
        if attempt is None or attempt.state != CallState.REJECTED:
            continue
        if isinstance(step, Write) and (step.retire_on_refusal or attempt.error_code in step.refusals):
            continue  # the registration continues without a person
        if not isinstance(step, Watch) and not step.is_needed(registration):
            continue  # no longer needed
        # A known message is more specific than a generic code such as 20001.
        failure = match_text(step.part, attempt.error_message) or lookup(attempt.error_code)
        named = inputs_in_text(attempt.error_message)
        # The text may mention an input in passing ("Phone Number is associated …"); the catalogue knows better.
        fields = tuple(name for name in named if name in failure.form_fields) or failure.form_fields or named
        yield _problem(
            step.part,
            failure,
            attempt.error_message,
            fields,
            code=attempt.error_code,
            # The message of 21629 suggests an address.
            suggestion=parse_address_suggestion(attempt.error_message),
        )


def _problem(
    part: str,
    failure: Failure,
    message: str,
    fields: tuple[str, ...],
    *,
    code: int | None = None,
    url: str = "",
    suggestion: AddressSuggestion | None = None,
    unknown_fields: tuple[str, ...] = (),
) -> Problem:
    return Problem(
        part,
        code or failure.code,
        message,
        failure.title,
        failure.advice,
        url or failure.url,
        fields,
        suggestion,
        unknown_fields,
        not failure.is_unknown,
    )

"""Everything that Twilio holds against a registration now, each item with our advice and the inputs it is about.

Nothing is dropped: all items of all `errors[]`, in Twilio's order, then reasons that came as text, then the
refusals of single calls. What we do not know is shown with Twilio's own words.
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
    """One thing to mend.

    fields: form fields it is about, the likeliest first; empty when it belongs to no input. part: the mirror.
    code: Twilio's number or None. message: Twilio's words, may be "". title, advice: ours. url: Twilio's page.
    suggestion: the address as Twilio would accept it, if it named one. unknown_fields: Twilio's names of fields
    that stand for no input of ours. catalogued: False when neither code nor words are in our catalogue.
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
        """The input beside which it is shown, or ""."""
        return self.fields[0] if self.fields else ""

    @property
    def code_beside(self) -> int | None:
        """The code, where the title does not name it already."""
        return self.code if self.code and str(self.code) not in self.title else None


def problems(registration: Registration, attempts: Attempts | None = None) -> list[Problem]:
    """All problems of the registration, in the order of the walkthrough; none twice."""
    found: list[Problem] = []
    for problem in _all(registration, attempts or Attempts.of(registration)):
        if problem not in found:
            found.append(problem)
    return found


def _all(registration: Registration, attempts: Attempts) -> Iterator[Problem]:
    for part in ("profile", "trust_bundle"):
        yield from _of_bundle(part, getattr(registration, part))
    for part in ("brand", "campaign"):
        yield from _of_mirror(part, getattr(registration, part))
    number = registration.phone_number
    if number.failure_reason:
        yield Problem(
            "phone_number",
            None,
            number.failure_reason,
            "Sender not usable",
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
        yield from _of_mirror(part, resource)


def _of_mirror(part: str, resource: TwilioResource) -> Iterator[Problem]:
    found = [
        _problem(
            part,
            one.failure,
            one.message,
            one.inputs,
            code=one.code,
            url=one.url,
            suggestion=one.suggestion,
            unknown_fields=one.unknown_fields,
        )
        for one in merge_reasons(part, resource.errors, resource.failure_reason)
    ]
    yield from found
    state = of_state(part, resource.status)
    # Reasons of an earlier failure may still stand beside a suspension, which nobody mends by an edit.
    overtaken = bool(state and state.resubmittable == "no" and state.title not in {p.title for p in found})
    if state and (overtaken or not found):
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
        run = attempts.refusal(step, registration)
        if run is None or run.state != CallState.REJECTED or (isinstance(step, Write) and step.gives_up):
            continue
        if isinstance(step, Write) and run.error_code in step.refusals:
            continue  # another row answers it
        if not isinstance(step, Watch) and not step.is_needed(registration):
            continue  # nobody wants it any more
        # Known words say more than a code of every Twilio product, such as 20001.
        failure = match_text(step.part, run.error_message) or lookup(run.error_code)
        named = inputs_in_text(run.error_message)
        # "Phone Number is associated …" is prose about the sender: the entry knows which inputs it may be.
        fields = tuple(name for name in named if name in failure.form_fields) or failure.form_fields or named
        yield _problem(
            step.part,
            failure,
            run.error_message,
            fields,
            code=run.error_code,
            # 21629 names a better address in its message.
            suggestion=parse_address_suggestion(run.error_message),
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

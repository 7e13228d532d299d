"""What the catalogue knows about a problem, in the words of the registration's page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from django.utils.text import Truncator

from registrations.intake.form import RegistrationForm
from registrations.models import Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.twilio.rejections import FAILURES, AddressSuggestion, Failure, lookup
from registrations.workflow.planner.problems import Problem
from registrations.workflow.prices import prices as all_prices
from registrations.workflow.recorder.read_models import input_text
from registrations.workflow.steps.brand import needs_console_deletion

# A problem carries its entry's code, title and advice, which together name the entry.
_ENTRIES = {(failure.code, failure.title, failure.advice): failure for failure in FAILURES}
_AGAIN = {
    "yes": ("Can be resubmitted", "good"),
    "no": ("Cannot be resubmitted as it is", "bad"),
    "after_fix_elsewhere": ("Fix elsewhere first, then resubmit", "wait"),
    "unknown": ("Unclear whether it can be resubmitted", "unknown"),
}
_REDO = {
    "end_user": "the person's details are updated",
    "address": "the address is updated",
    "profile": "the profile is submitted again",
    "trust_bundle": "the trust bundle is submitted again",
    "brand_update": "the brand is resubmitted, which Twilio allows 3 times",
    "new_brand": "a new brand is registered",
    "resend_otp": "the OTP text is sent again",
    "campaign_update": "the campaign is edited in place",
    "campaign_recreate": "the campaign is deleted and registered anew",
    "number": "the sender is attached again",
    "retry_later": "the same is tried again later",
    "console_delete": "a person deletes it in Twilio's Console",
    "standard_brand": "the customer registers as a Standard brand instead",
    "operator": "whoever runs this desk changes a setting",
    "support": "Twilio's support is asked",
}
# After a brand that cannot be resubmitted.
_BY_HAND = ("console_delete", "new_brand")
_WHO = {"customer": "Ask the customer", "twilio": "Twilio must act"}
# How much of a long text is shown beside a reason; the form has the whole.
SHOWN_CHARS = 160
# The inputs that a suggestion may name, in the order of the form.
_ADDRESS = ("street", "street_secondary", "city", "region", "postal_code", "iso_country")


@dataclass(frozen=True)
class AddressRow:
    """One part of the address, as it is and as Twilio would have it."""

    label: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class InputLine:
    """An input that a problem is about: what is in it now, and where it is edited."""

    label: str
    value: str
    url: str


@dataclass(frozen=True)
class ProblemView:
    """A problem, what the catalogue says of it, and where it is mended.

    advice: what to do about it, as things stand. verdicts: (words, mood) for chips. redo: what happens after
    the fix, in order. address: the suggested address beside ours, empty when there is none or it is ours
    already. dead_end: no edit and no Submit mends it. inputs: those that it is about, as they are now.
    """

    problem: Problem
    fix_url: str
    advice: str
    explanation: str
    verdicts: list[tuple[str, str]]
    redo: list[str]
    needs_support: bool
    address: list[AddressRow]
    dead_end: bool = False
    inputs: list[InputLine] = field(default_factory=list)


def views(registration: Registration, problems: Iterable[Problem], edit_url: str) -> list[ProblemView]:
    """Each problem with what is known of it; `edit_url` is the form's address."""
    found, offered = [], False
    for problem in problems:
        known = entry(problem)
        rows = [] if offered else address_rows(problem.suggestion, partial(input_text, registration))
        # The first suggestion is the one that is used, however often Twilio repeats itself.
        offered = offered or problem.suggestion is not None
        dead_end = problem.part == "brand" and needs_console_deletion(registration)
        # What is lost by its own nature is advised on as such.
        lost_by_tries = dead_end and not (known and "console_delete" in known.redo)
        found.append(
            ProblemView(
                problem,
                f"{edit_url}#field-{input_name(problem.field)}" if problem.field else "",
                _without_tries(problem) if lost_by_tries else problem.advice,
                known.explanation if known else "",
                _last_verdicts(registration, known) if dead_end else _verdicts(known) if known else [],
                _acts(_BY_HAND if dead_end else known.redo) if known and known.certain else [],
                bool(known and "support" in known.redo and not known.is_unknown),
                rows,
                dead_end,
                _inputs(registration, problem, edit_url, beside_address=bool(rows)),
            )
        )
    return found


def input_name(name: str) -> str:
    """The form field that stands for a problem's field: the list of samples is five inputs."""
    return "message_sample_1" if name == "message_samples" else name


def _inputs(
    registration: Registration, problem: Problem, edit_url: str, *, beside_address: bool
) -> list[InputLine]:
    """The problem's inputs; those that the table of the suggested address shows are left out."""
    found = []
    for name in dict.fromkeys(map(input_name, problem.fields)):
        known = RegistrationForm.base_fields.get(name)
        if known is None or (beside_address and name in _ADDRESS):
            continue
        value = {"True": "Yes", "False": "No"}.get(text := input_text(registration, name), text)
        shown = Truncator(value).chars(SHOWN_CHARS)
        found.append(InputLine(str(known.label), shown, f"{edit_url}#field-{name}"))
    return found


def _acts(redo: Iterable[str]) -> list[str]:
    return [_REDO[scope] for scope in redo if scope in _REDO]


def _without_tries(problem: Problem) -> str:
    """The catalogue's advice ends with "submit again", which no longer helps."""
    first = "Correct this here, so that the next brand passes. " if problem.field else ""
    return f"{first}This brand cannot be resubmitted: delete it in Twilio's Console, then register a new one."


def _last_verdicts(registration: Registration, known: Failure | None) -> list[tuple[str, str]]:
    """The chips of a brand that Twilio does not take again."""
    brand = registration.brand
    spent = f"No tries left: {brand.resubmissions} of {MAX_BRAND_UPDATES} used"
    found = [("Cannot be resubmitted" if brand.resubmissions_left else spent, "bad")]
    # What it says of resubmitting no longer holds; the rest of the catalogue's verdict does.
    return found + (_verdicts(known)[1:] if known and not known.is_unknown else [])


def entry(problem: Problem) -> Failure | None:
    """The catalogue's entry, the neutral one for a code we do not know; None for a problem of our own."""
    # Some entries have no code of their own; the item that they explain may have one.
    for code in (problem.code, None):
        if known := _ENTRIES.get((code, problem.title, problem.advice)):
            return known
    neutral = lookup(problem.code, problem.fields)
    return neutral if neutral.title == problem.title else None


def _verdicts(failure: Failure) -> list[tuple[str, str]]:
    if failure.is_unknown:
        return [("Not in our catalogue", "unknown")]
    found = [_AGAIN.get(failure.resubmittable, _AGAIN["unknown"])]
    if fee := _fee(failure):
        found.append((fee, "act"))
    if failure.who in _WHO:
        found.append((_WHO[failure.who], "idle"))
    if not failure.certain:
        found.append(("Known by its title only", "unknown"))
    return found


def _fee(failure: Failure) -> str:
    fees = all_prices()
    return {
        "brand": f"Costs ${fees['brand']:.2f} again",
        "campaign_vetting": f"Costs ${fees['campaign_vetting']:.2f} again",
        "campaign_vetting_maybe": f"May cost ${fees['campaign_vetting']:.2f}: Twilio's sources differ",
        "standard": "All fees again, as a Standard brand",
    }.get(failure.fee, "")


def address_rows(suggestion: AddressSuggestion | None, value: Callable[[str], str]) -> list[AddressRow]:
    """Our address beside Twilio's; a part that Twilio did not name stays as it is. `value` gives ours by input."""
    if suggestion is None:
        return []
    theirs, rows = suggestion.as_inputs(), []
    for name in _ADDRESS:
        before = value(name)
        after = theirs.get(name, before)
        if before or after:
            rows.append(AddressRow(str(RegistrationForm.base_fields[name].label), before, after))
    return rows if any(row.changed for row in rows) else []

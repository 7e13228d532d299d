"""Problems as the registration's page shows them: Twilio's reason, the catalogue's advice, and where to fix it."""

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

from .base import url

# A problem carries its catalogue entry's code, title and advice, which together identify the entry.
_ENTRIES = {(failure.code, failure.title, failure.advice): failure for failure in FAILURES}
_RESUBMITTABLE = {
    "yes": ("Can be resubmitted", "good"),
    "no": ("Cannot be resubmitted as is", "bad"),
    "after_fix_elsewhere": ("Fix elsewhere first, then resubmit", "wait"),
    "unknown": ("Unknown whether it can be resubmitted", "unknown"),
}
_REDO_TEXT = {
    "end_user": "the owner's details are updated",
    "address": "the address is updated",
    "profile": "the profile is submitted again",
    "trust_bundle": "the trust bundle is submitted again",
    "brand_update": "the brand is resubmitted (Twilio allows 3 resubmissions)",
    "new_brand": "a new brand is registered",
    "resend_otp": "the OTP text is sent again",
    "campaign_update": "the campaign is edited in place",
    "campaign_recreate": "the campaign is deleted and registered again",
    "number": "the number is added to the service again",
    "retry_later": "the same call is retried later",
    "console_delete": "someone deletes it in Twilio's Console",
    "standard_brand": "the customer registers as a Standard brand instead",
    "operator": "an administrator changes a setting",
    "support": "you contact Twilio Support",
}
# What remains for a brand that cannot be resubmitted.
_BY_HAND = ("console_delete", "new_brand")
_WHO = {"customer": "Ask the customer", "twilio": "Waiting on Twilio"}
# How much of a long text is shown beside a problem; the form has all of it.
SHOWN_CHARS = 160
# The inputs that an address suggestion may change, in form order.
_ADDRESS = ("street", "street_secondary", "city", "region", "postal_code", "iso_country")


@dataclass(frozen=True)
class AddressRow:
    """One part of the address: ours, and the one that Twilio suggests."""

    label: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class AffectedInput:
    """An input that a problem is about: its current value, and the URL to edit it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True)
class ProblemView:
    """A problem, what the catalogue says about it, and where to fix it.

    advice: what to do now. chips: (label, severity). redo: what happens after the fix, in order.
    address: our address beside the suggested one; empty when there is none, or ours is the same.
    dead_end: neither an edit nor Submit can fix it. inputs: the ones it is about, with their current values.
    """

    problem: Problem
    fix_url: str
    advice: str
    explanation: str
    chips: list[tuple[str, str]]
    redo: list[str]
    needs_support: bool
    address: list[AddressRow]
    dead_end: bool = False
    inputs: list[AffectedInput] = field(default_factory=list)


def problem_views(registration: Registration, problems: Iterable[Problem]) -> list[ProblemView]:
    edit_url = url("change", registration)
    found, offered = [], False
    for problem in problems:
        known = catalogue_entry(problem)
        rows = [] if offered else address_rows(problem.suggestion, partial(input_text, registration))
        # Twilio may repeat a suggestion; the first one is used.
        offered = offered or problem.suggestion is not None
        dead_end = problem.part == "brand" and needs_console_deletion(registration)
        # An entry that calls for deletion in the Console already has advice that fits.
        out_of_resubmissions = dead_end and not (known and "console_delete" in known.redo)
        found.append(
            ProblemView(
                problem,
                f"{edit_url}#field-{input_name(problem.field)}" if problem.field else "",
                _no_resubmission_advice(problem) if out_of_resubmissions else problem.advice,
                known.explanation if known else "",
                _dead_end_chips(registration, known) if dead_end else _chips(known) if known else [],
                _redo_texts(_BY_HAND if dead_end else known.redo) if known and known.certain else [],
                bool(known and "support" in known.redo and not known.is_unknown),
                rows,
                dead_end,
                _affected_inputs(registration, problem, edit_url, address_shown=bool(rows)),
            )
        )
    return found


def input_name(name: str) -> str:
    """The form field for a problem's field: the list of samples is five inputs."""
    return "message_sample_1" if name == "message_samples" else name


def _affected_inputs(
    registration: Registration, problem: Problem, edit_url: str, *, address_shown: bool
) -> list[AffectedInput]:
    """The problem's inputs, without those already in the table of the suggested address."""
    found = []
    for name in dict.fromkeys(map(input_name, problem.fields)):
        known = RegistrationForm.base_fields.get(name)
        if known is None or (address_shown and name in _ADDRESS):
            continue
        value = {"True": "Yes", "False": "No"}.get(text := input_text(registration, name), text)
        shown = Truncator(value).chars(SHOWN_CHARS)
        found.append(AffectedInput(str(known.label), shown, f"{edit_url}#field-{name}"))
    return found


def _redo_texts(redo: Iterable[str]) -> list[str]:
    return [_REDO_TEXT[scope] for scope in redo if scope in _REDO_TEXT]


def _no_resubmission_advice(problem: Problem) -> str:
    """Replaces the catalogue's advice, which ends with "submit again"."""
    first = "Correct this here for the next brand. " if problem.field else ""
    return f"{first}This brand cannot be resubmitted: delete it in Twilio's Console, then register a new one."


def _dead_end_chips(registration: Registration, known: Failure | None) -> list[tuple[str, str]]:
    brand = registration.brand
    used_up = f"No resubmissions left: {brand.resubmissions} of {MAX_BRAND_UPDATES} used"
    chips = [("Cannot be resubmitted" if brand.resubmissions_left else used_up, "bad")]
    # The catalogue's first chip says whether it can be resubmitted, which no longer applies.
    return chips + (_chips(known)[1:] if known and not known.is_unknown else [])


def catalogue_entry(problem: Problem) -> Failure | None:
    """The problem's entry; the neutral entry for an unknown code; None for a problem that we found ourselves."""
    # Some entries have no code; the error item that they explain may have one.
    for code in (problem.code, None):
        if known := _ENTRIES.get((code, problem.title, problem.advice)):
            return known
    neutral = lookup(problem.code, problem.fields)
    return neutral if neutral.title == problem.title else None


def _chips(failure: Failure) -> list[tuple[str, str]]:
    if failure.is_unknown:
        return [("Unrecognized error", "unknown")]
    found = [_RESUBMITTABLE.get(failure.resubmittable, _RESUBMITTABLE["unknown"])]
    if fee := _fee(failure):
        found.append((fee, "attention"))
    if failure.who in _WHO:
        found.append((_WHO[failure.who], "idle"))
    if not failure.certain:
        found.append(("Matched by title only", "unknown"))
    return found


def _fee(failure: Failure) -> str:
    fees = all_prices()
    return {
        "brand": f"Costs ${fees['brand']:.2f} again",
        "campaign_vetting": f"Costs ${fees['campaign_vetting']:.2f} again",
        "campaign_vetting_maybe": f"May cost ${fees['campaign_vetting']:.2f} (Twilio's sources differ)",
        "standard": "All fees again, as a Standard brand",
    }.get(failure.fee, "")


def address_rows(suggestion: AddressSuggestion | None, value: Callable[[str], str]) -> list[AddressRow]:
    """Our address beside Twilio's; a part that Twilio did not name stays the same. `value` gives ours by input name."""
    if suggestion is None:
        return []
    theirs, rows = suggestion.as_inputs(), []
    for name in _ADDRESS:
        before = value(name)
        after = theirs.get(name, before)
        if before or after:
            rows.append(AddressRow(str(RegistrationForm.base_fields[name].label), before, after))
    return rows if any(row.changed for row in rows) else []

"""What a plan costs, in US dollars: now, and later when the brand is verified."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from registrations.workflow.planner.decisions import Plan

# Its price is confirmed later, on a page of its own.
PURCHASE = "number.buy"
# Twilio's sources differ on whether an edited campaign pays vetting again (docs/twilio.md section 9).
MAYBE = frozenset({"campaign.update"})


@dataclass(frozen=True)
class Price:
    """now: before the brand is verified. later: once it is verified. maybe: Twilio may charge less."""

    now: Decimal = Decimal(0)
    later: Decimal = Decimal(0)
    maybe: bool = False

    @property
    def total(self) -> Decimal:
        return self.now + self.later

    @property
    def note(self) -> str:
        """One line beside a button.

        >>> Price(Decimal("4.5"), Decimal(15)).note, Price(later=Decimal(15)).note, Price().note
        ('costs $4.50 now, campaign vetting later $15.00', 'free now, campaign vetting later $15.00', 'free of charge')
        """
        now = f"{'may cost' if self.maybe else 'costs'} ${self.now:.2f}" if self.now else "free"
        if self.later:
            return f"{now} now, campaign vetting later ${self.later:.2f}"
        return now if self.now else "free of charge"

    def button(self, label: str) -> str:
        """The label of the button that agrees to this price.

        >>> Price(Decimal("4.5"), Decimal(15)).button("Submit"), Price(later=Decimal(15)).button("Try again")
        ('Submit · $19.50', 'Try again · free now')
        >>> Price(Decimal(15), maybe=True).button("Try again")
        'Try again · may cost $15.00'
        """
        if self.now:
            return f"{label} · {'may cost ' if self.maybe else ''}${self.total:.2f}"
        return f"{label} · free now" if self.later else label


def price(plan: Plan) -> Price:
    """Everything but the number, whose price is confirmed separately."""
    paid = [call for call in plan.calls if call.fee and call.slug != PURCHASE]
    return Price(
        sum((call.fee for call in paid if call.fee and not call.later), Decimal(0)),
        sum((call.fee for call in paid if call.fee and call.later), Decimal(0)),
        any(call.slug in MAYBE for call in paid),
    )


def fingerprint(plan: Plan) -> str:
    """The plan as a page shows it, for a hidden input: its calls, and a digest of each warning."""
    notes = [hashlib.blake2b(note.encode(), digest_size=6).hexdigest() for note in plan.notes]
    return " ".join([*(call.slug for call in plan.calls), *notes])


def has_grown(plan: Plan, shown: str) -> bool:
    """Whether the plan has a call or a warning that the page did not show; False when the page sent none ("")."""
    return bool(shown) and not set(fingerprint(plan).split()) <= set(shown.split())

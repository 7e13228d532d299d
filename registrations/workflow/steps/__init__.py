"""WHAT is done at Twilio: the step table, in the order of the walkthrough."""

from registrations.models import Registration

from . import brand, campaign, number, profile, removal, trust_bundle
from .base import AnyStep, Read, Step, Watch, Write

STEPS: tuple[AnyStep, ...] = (
    # First of all: what a campaign stands in the way of comes after it.
    campaign.MAKE_WAY,
    *profile.STEPS,
    *trust_bundle.STEPS,
    number.RESOLVE,
    *brand.STEPS,
    *campaign.STEPS,
    *number.STEPS,
)
REMOVAL_STEPS: tuple[AnyStep, ...] = removal.STEPS
BY_SLUG: dict[str, AnyStep] = {step.slug: step for step in (*STEPS, *REMOVAL_STEPS)}


def steps_of(registration: Registration) -> tuple[AnyStep, ...]:
    """The table that the registration follows: up, or down again."""
    return REMOVAL_STEPS if registration.removing else STEPS


_WATCHES: tuple[Watch, ...] = tuple(step for step in STEPS if isinstance(step, Watch))
WATCHED_PARTS: tuple[str, ...] = tuple(dict.fromkeys(step.part for step in _WATCHES))


def watches(registration: Registration, part: str) -> list[Watch]:
    """The waits of one part that have something to look at, in their order."""
    return [step for step in _WATCHES if step.part == part and step.exists(registration)]


def watch_of(registration: Registration, part: str) -> Watch | None:
    """How to look at one part now: its first wait that is not over, else its last; None before there is any."""
    rows = watches(registration, part)
    return next((step for step in rows if not step.passed(registration)), rows[-1] if rows else None)


__all__ = [
    "BY_SLUG",
    "REMOVAL_STEPS",
    "STEPS",
    "WATCHED_PARTS",
    "AnyStep",
    "Read",
    "Step",
    "Watch",
    "Write",
    "steps_of",
    "watch_of",
    "watches",
]

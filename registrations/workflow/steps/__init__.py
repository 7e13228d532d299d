"""WHAT happens at Twilio: the step table, in the order of the walkthrough."""

from registrations.models import Registration

from . import brand, campaign, number, profile, removal, trust_bundle
from .base import AnyStep, Read, Step, Watch, Write

STEPS: tuple[AnyStep, ...] = (
    # First, because an existing campaign blocks the brand steps after it.
    campaign.DELETE_FOR_BRAND,
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
    """The table that the registration follows: registering, or being removed from Twilio."""
    return REMOVAL_STEPS if registration.removing else STEPS


_WATCHES: tuple[Watch, ...] = tuple(step for step in STEPS if isinstance(step, Watch))
WATCHED_PARTS: tuple[str, ...] = tuple(dict.fromkeys(step.part for step in _WATCHES))


def watches(registration: Registration, part: str) -> list[Watch]:
    """The watches of one part that have an object to poll, in order."""
    return [step for step in _WATCHES if step.part == part and step.exists(registration)]


def watch_of(registration: Registration, part: str) -> Watch | None:
    """How to poll one part now: its first watch that has not passed, else its last; None before there is an object."""
    steps = watches(registration, part)
    return next((step for step in steps if not step.passed(registration)), steps[-1] if steps else None)


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

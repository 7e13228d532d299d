"""What lists, groups and searches read of a registration, written together with where it stands."""

from dataclasses import dataclass
from datetime import datetime

from registrations.models import Registration
from registrations.models.choices import TAKEN_DOWN
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.planner.problems import Problem, problems

from . import open_problems, search_text


@dataclass(frozen=True)
class RegistrationSnapshot:
    """A registration as it was read, and what is held against it."""

    registration: Registration
    problems: list[Problem]

    @classmethod
    def of(cls, registration: Registration, attempts: Attempts) -> "RegistrationSnapshot":
        return cls(registration, problems(registration, attempts))


def keep(seen: RegistrationSnapshot, stage: str, now: datetime) -> str:
    """Keep the rows of what is held against the registration; returns what a search looks at.

    A registration that is taken down has no such rows.
    """
    open_problems.keep(seen.registration, [] if stage in TAKEN_DOWN else seen.problems, now)
    return search_text.text_of(seen.registration)

"""What lists, groups and searches read of a case, written together with where it stands."""

from dataclasses import dataclass
from datetime import datetime

from registrations import open_problems, search_text
from registrations.models import Registration
from registrations.problems import Problem, problems
from registrations.runs import Runs
from registrations.states import TAKEN_DOWN


@dataclass(frozen=True)
class Seen:
    """A case as it was read, and what is held against it."""

    registration: Registration
    problems: list[Problem]

    @classmethod
    def of(cls, registration: Registration, runs: Runs) -> "Seen":
        return cls(registration, problems(registration, runs))


def keep(seen: Seen, stage: str, now: datetime) -> str:
    """Keep the rows of what is held against the case; returns what a search looks at.

    A case that is taken down has no such rows.
    """
    open_problems.keep(seen.registration, [] if stage in TAKEN_DOWN else seen.problems, now)
    return search_text.text_of(seen.registration)

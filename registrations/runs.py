"""The part of the ledger that decisions need."""

from collections.abc import Iterable
from dataclasses import dataclass

from registrations.models import Registration, StepRun
from registrations.states import OPEN_RUN_STATES, RunState
from registrations.steps import Row


@dataclass(frozen=True)
class Runs:
    """The open attempt, and the newest attempt of each step."""

    open: StepRun | None
    newest: dict[str, StepRun]

    @classmethod
    def of(cls, registration: Registration) -> "Runs":
        return cls.of_many([registration.pk])[registration.pk]

    @classmethod
    def of_many(cls, pks: Iterable[int]) -> "dict[int, Runs]":
        """Of each of these cases, by one query."""
        found: dict[int, tuple[StepRun | None, dict[str, StepRun]]] = {pk: (None, {}) for pk in pks}
        runs = StepRun.objects.filter(registration__in=list(found))
        for run in runs.defer("request", "response", "traceback").order_by("id"):
            opened, newest = found[run.registration_id]
            newest[run.step] = run
            found[run.registration_id] = (run if run.state in OPEN_RUN_STATES else opened, newest)
        return {pk: cls(opened, newest) for pk, (opened, newest) in found.items()}

    def refusal(self, row: Row, registration: Registration) -> StepRun | None:
        """Twilio's no to this step since it was last asked for; pressing Submit again means try again."""
        run = self.newest.get(row.slug)
        if run is None or run.state not in (RunState.REJECTED, RunState.ERRORED):
            return None
        asked = [at for at in (registration.submitted_at, row.asked_at(registration)) if at]
        return run if all((run.finished_at or run.started_at) >= at for at in asked) else None

"""The part of the ledger that decisions need."""

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
        newest: dict[str, StepRun] = {}
        opened = None
        runs = StepRun.objects.filter(registration=registration).defer("request", "response", "traceback")
        for run in runs.order_by("id"):
            newest[run.step] = run
            if run.state in OPEN_RUN_STATES:
                opened = run
        return cls(opened, newest)

    def refusal(self, row: Row, registration: Registration) -> StepRun | None:
        """Twilio's no to this step since it was last asked for; pressing Submit again means try again."""
        run = self.newest.get(row.slug)
        if run is None or run.state not in (RunState.REJECTED, RunState.ERRORED):
            return None
        asked = [at for at in (registration.submitted_at, row.asked_at(registration)) if at]
        return run if all((run.finished_at or run.started_at) >= at for at in asked) else None

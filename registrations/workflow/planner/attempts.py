"""The part of the ledger that decisions need."""

from collections.abc import Iterable
from dataclasses import dataclass

from registrations.models import ApiCall, Registration
from registrations.models.choices import OPEN_CALL_STATES, CallState
from registrations.workflow.steps import Step


@dataclass(frozen=True)
class Attempts:
    """The open attempt, and the newest attempt of each step."""

    open: ApiCall | None
    newest: dict[str, ApiCall]

    @classmethod
    def of(cls, registration: Registration) -> "Attempts":
        return cls.of_many([registration.pk])[registration.pk]

    @classmethod
    def of_many(cls, pks: Iterable[int]) -> "dict[int, Attempts]":
        """Of each of these registrations, by one query."""
        found: dict[int, tuple[ApiCall | None, dict[str, ApiCall]]] = {pk: (None, {}) for pk in pks}
        attempts = ApiCall.objects.filter(registration__in=list(found))
        for run in attempts.defer("request", "response", "traceback").order_by("id"):
            opened, newest = found[run.registration_id]
            newest[run.step] = run
            found[run.registration_id] = (run if run.state in OPEN_CALL_STATES else opened, newest)
        return {pk: cls(opened, newest) for pk, (opened, newest) in found.items()}

    def refusal(self, step: Step, registration: Registration) -> ApiCall | None:
        """Twilio's no to this step since it was last asked for; pressing Submit again means try again."""
        run = self.newest.get(step.slug)
        if run is None or run.state not in (CallState.REJECTED, CallState.ERRORED):
            return None
        asked = [at for at in (registration.submitted_at, step.asked_at(registration)) if at]
        return run if all((run.finished_at or run.started_at) >= at for at in asked) else None

"""The API calls that decisions depend on."""

from collections.abc import Iterable
from dataclasses import dataclass

from registrations.models import ApiCall, Registration
from registrations.models.choices import OPEN_CALL_STATES, CallState
from registrations.workflow.steps import Step


@dataclass(frozen=True)
class Attempts:
    """The open attempt, and the newest attempt of each step, by slug."""

    open: ApiCall | None
    newest: dict[str, ApiCall]

    @classmethod
    def of(cls, registration: Registration) -> "Attempts":
        return cls.of_many([registration.pk])[registration.pk]

    @classmethod
    def of_many(cls, pks: Iterable[int]) -> "dict[int, Attempts]":
        """{pk: its attempts}, with one query."""
        found: dict[int, tuple[ApiCall | None, dict[str, ApiCall]]] = {pk: (None, {}) for pk in pks}
        api_calls = ApiCall.objects.filter(registration__in=list(found))
        for attempt in api_calls.defer("request", "response", "traceback").order_by("id"):
            opened, newest = found[attempt.registration_id]
            newest[attempt.step] = attempt
            found[attempt.registration_id] = (
                attempt if attempt.state in OPEN_CALL_STATES else opened,
                newest,
            )
        return {pk: cls(opened, newest) for pk, (opened, newest) in found.items()}

    def refusal(self, step: Step, registration: Registration) -> ApiCall | None:
        """The rejected attempt of this step since it was last requested, or None. Submitting again means a retry."""
        attempt = self.newest.get(step.slug)
        if attempt is None or attempt.state not in (CallState.REJECTED, CallState.ERRORED):
            return None
        requested = [at for at in (registration.submitted_at, step.asked_at(registration)) if at]
        finished_at = attempt.finished_at or attempt.started_at
        return attempt if all(finished_at >= at for at in requested) else None

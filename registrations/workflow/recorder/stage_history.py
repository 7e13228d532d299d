"""How long each registration stood in each stage: the only writer of StageInterval."""

from datetime import datetime

from registrations.models import Registration, StageInterval
from registrations.models.choices import Stage


def moved(registration: Registration, to: Stage, now: datetime) -> None:
    """The registration leaves `registration.stage` for `to`; call it before the new stage is stored."""
    stage_intervals = StageInterval.objects.filter(registration_id=registration.pk)
    if not stage_intervals.filter(left_at=None).update(left_at=now):
        # Its first move: until now the registration's own row said since when it stands there.
        StageInterval.objects.create(
            registration_id=registration.pk,
            stage=registration.stage,
            entered_at=registration.stage_since,
            left_at=now,
        )
    StageInterval.objects.create(registration_id=registration.pk, stage=to, entered_at=now)

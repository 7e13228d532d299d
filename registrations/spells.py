"""How long each case stood in each stage: the only writer of StageSpell."""

from datetime import datetime

from registrations.models import Registration, StageSpell
from registrations.states import Stage


def moved(registration: Registration, to: Stage, now: datetime) -> None:
    """The case leaves `registration.stage` for `to`; call it before the new stage is stored."""
    spells = StageSpell.objects.filter(registration_id=registration.pk)
    if not spells.filter(left_at=None).update(left_at=now):
        # Its first move: until now the case's own row said since when it stands there.
        StageSpell.objects.create(
            registration_id=registration.pk,
            stage=registration.stage,
            entered_at=registration.stage_since,
            left_at=now,
        )
    StageSpell.objects.create(registration_id=registration.pk, stage=to, entered_at=now)

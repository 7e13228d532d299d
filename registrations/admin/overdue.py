"""Cases that take longer than usual, found by the database: the rule of stuck.py as one condition."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from registrations import stuck
from registrations.clock import now, scaled
from registrations.models import Registration
from registrations.states import Stage, WaitingFor

# When the wait began; the two exceptions are those of stuck.py.
_SINCE = Case(
    When(stage=Stage.OTP, then=Coalesce("brand__otp_sent_at", "stage_since")),
    When(stage=Stage.LIVE, then=Coalesce("phone_number__a2p_status_at", "stage_since")),
    default=F("stage_since"),
)


def overdue(cases: QuerySet[Registration], moment: datetime) -> QuerySet[Registration]:
    """Those of `cases` that stuck.stuck() flags at `moment`."""
    late = Q(pk__in=[])
    for where, expected in _rules():
        late |= where & Q(waiting_since__lt=moment - scaled(expected.seconds))
    return cases.alias(waiting_since=_SINCE).filter(late, hold=False)


def _rules() -> Iterable[tuple[Q, stuck.Expected]]:
    for (stage, waiting_for), expected in stuck.EXPECTED.items():
        yield Q(stage=stage, waiting_for=waiting_for), expected
    under_way = ~Q(stage__in=[Stage.DRAFT, Stage.REMOVED, Stage.LIVE])
    yield under_way & Q(waiting_for=WaitingFor.US), stuck.FOR_US
    yield under_way & Q(waiting_for=WaitingFor.WORKER), stuck.FOR_WORKER
    registering = Q(stage=Stage.LIVE, phone_number__a2p_status="pending_registration")
    yield registering, stuck.NUMBER_REGISTRATION


class OverdueFilter(admin.SimpleListFilter):
    """The choice “Longer than usual” on the list of registrations."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Longer than usual")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return overdue(queryset, now()) if self.value() == "1" else queryset

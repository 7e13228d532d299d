"""The choice “Longer than usual” of the lists."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registrations.core.clock import now
from registrations.models import Registration
from registrations.workflow.planner.deadlines import filter_overdue


class OverdueFilter(admin.SimpleListFilter):
    """Registrations that take longer than usual; among objects at Twilio, those that their registration is waiting for.

    The model admin's `stages` says at which stages that is, () for all.
    """

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.stages = model_admin.stages
        return [("1", "Longer than usual")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "1":
            return queryset
        if queryset.model is Registration:
            return filter_overdue(queryset, now())
        late = filter_overdue(Registration.objects.order_by().filter(stage__in=self.stages), now())
        return queryset.filter(registration__in=late)

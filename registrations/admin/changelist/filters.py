"""The filters of the lists. The same filters serve the registrations and what belongs to them.

A model admin says how its rows lead to the registration: `registration_path` is "" for registrations and
"registration__" otherwise. `problem_part` is the part whose rejections it lists ("" for all). Choices cost one small
query each, whatever the number of rows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware

from registrations.core.clock import now
from registrations.models import OpenProblem, Registration
from registrations.models.choices import Stage
from registrations.reporting import dashboard, statistics
from registrations.twilio.rejections import lookup
from registrations.twilio.statuses import BRAND, CAMPAIGN, IDENTITY, NUMBER, StatusLabel
from registrations.workflow.planner.deadlines import filter_overdue
from registrations.workflow.spending import LOOKUP_STEP
from registrations.workflow.steps import BY_SLUG, Write

from .display import step_label

ME, NONE, OTHER = "me", "none", "other"
Choices = list[tuple[str, str]]


class RegistrationFilter(admin.SimpleListFilter):
    """A filter on a column of the registration."""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        self.path: str = model_admin.registration_path
        self.part: str = model_admin.problem_part
        self.user: Any = request.user
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return self.options()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(self.condition(value)) if value else queryset

    def has_output(self) -> bool:
        # A selected value that is no longer offered still applies, and can be removed.
        return bool(self.lookup_choices) or self.value() is not None

    def options(self) -> Choices:
        """(value, label)."""
        raise NotImplementedError

    def condition(self, value: str) -> Q:
        raise NotImplementedError

    def on(self, column: str, value: Any) -> Q:
        return Q(**{self.path + column: value})


class OwnerFilter(RegistrationFilter):
    """Mine, unassigned, or a colleague's. "me" is the current user, so a shared view works for everyone."""

    title = "owner"
    parameter_name = "owner"

    def options(self) -> Choices:
        people = get_user_model().objects.filter(is_active=True, is_staff=True).exclude(pk=self.user.pk)
        others = [(str(user.pk), user.get_full_name() or user.get_username()) for user in people[:200]]
        return [(ME, "Me"), (NONE, "Unassigned"), *sorted(others, key=lambda pair: pair[1].casefold())]

    def condition(self, value: str) -> Q:
        if value == NONE:
            return self.on("owner__isnull", True)
        if value == ME:
            return self.on("owner_id", self.user.pk)
        return self.on("owner_id", int(value)) if value.isdecimal() else Q(pk__in=[])


class AgeFilter(RegistrationFilter):
    """How long the registration has been in its stage."""

    title = "time in stage"
    parameter_name = "age"

    def options(self) -> Choices:
        return [
            ("lt1", "Under a day"),
            *((f"gt{days}", f"Over {days} day{'s' if days > 1 else ''}") for days in (1, 3, 7, 14, 30)),
        ]

    def condition(self, value: str) -> Q:
        if value[2:] not in ("1", "3", "7", "14", "30"):
            return Q(pk__in=[])
        moment = now() - timedelta(days=int(value[2:]))
        return self.on("stage_since__gte" if value.startswith("lt") else "stage_since__lt", moment)


class OverdueFilter(admin.SimpleListFilter):
    """Registrations that take longer than usual; among Twilio resources, those that their registration waits for.

    The model admin's `stages` says in which stages that is, () for all.
    """

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        self.stages = model_admin.stages
        return [("1", "Longer than usual")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "1":
            return queryset
        if queryset.model is Registration:
            return filter_overdue(queryset, now())
        late = filter_overdue(Registration.objects.order_by().filter(stage__in=self.stages), now())
        return queryset.filter(registration__in=late)


class WaitingForFilter(RegistrationFilter):
    """Who has to act next, for lists without tabs for it."""

    title = "waiting for"
    parameter_name = "who"

    def options(self) -> Choices:
        return [(str(who), label) for who, label in dashboard.LABELS]

    def condition(self, value: str) -> Q:
        return self.on("waiting_for", value)


class StageFilter(RegistrationFilter):
    """The registration's stage; a Twilio resource has a status of its own."""

    title = parameter_name = "stage"

    def options(self) -> Choices:
        return [(str(stage), stage.label) for stage in Stage if stage != Stage.DRAFT]

    def condition(self, value: str) -> Q:
        return self.on("stage", value)


class CreatedFilter(RegistrationFilter):
    """When the registration was created: recently, or between two days, both included, in TIME_ZONE."""

    title = "created"
    parameter_name = "created"
    days = ("created_from", "created_to")
    template = "admin/filter_days.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.days:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        kept = request.GET.copy()
        for name in (self.parameter_name, *self.days, PAGE_VAR, ERROR_FLAG):
            kept.pop(name, None)
        self.kept = [(name, value) for name, values in kept.lists() for value in values]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, *self.days]

    def options(self) -> Choices:
        return [("1", "Past 24 hours"), ("7", "Past 7 days"), ("30", "Past 30 days"), ("365", "Past year")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """A choice and a range of days exclude each other."""
        days = [day for day in self.days if self.used_parameters.get(day)]
        yield {
            "selected": self.value() is None and not days,
            "query_string": changelist.get_query_string(remove=[self.parameter_name, *self.days]),
            "display": "All",
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}, remove=self.days),
                "display": label,
            }

    @property
    def inputs(self) -> list[tuple[str, str, str]]:
        """(name, label, value) of the two days."""
        return [
            (name, label, self.used_parameters.get(name, ""))
            for name, label in zip(self.days, ("From", "To"), strict=True)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self.used_parameters.get(name, "") for name in self.days)
        if first:
            queryset = queryset.filter(self.on("created_at__gte", _midnight(first)))
        if last:
            queryset = queryset.filter(self.on("created_at__lt", _midnight(last, 1)))
        return super().queryset(request, queryset)

    def condition(self, value: str) -> Q:
        if value not in ("1", "7", "30", "365"):
            return Q(pk__in=[])
        return self.on("created_at__gte", now() - timedelta(days=int(value)))


def _midnight(day: str, later: int = 0) -> datetime:
    """The start of a day in the form "2026-11-28". Raises IncorrectLookupParameters for anything else."""
    try:
        return make_aware(datetime.combine(date.fromisoformat(day) + timedelta(days=later), time.min))
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters from error


class CodeFilter(RegistrationFilter):
    """The registration's open problems, by Twilio's code."""

    title = "failure"
    parameter_name = "code"
    max_codes = 40

    def options(self) -> Choices:
        counts = statistics.open_codes(self.part)
        return [(str(code), f"{code} {_short(code)} ({n})") for code, n in counts[: self.max_codes]]

    def condition(self, value: str) -> Q:
        if not value.isdecimal() or len(value) > 9:
            return Q(pk__in=[])
        problems = OpenProblem.objects.order_by().filter(code=int(value))
        if self.part:
            problems = problems.filter(part=self.part)
        return self.on("pk__in", problems.values("registration_id"))


class AccountFilter(RegistrationFilter):
    """The Twilio account; shown once there is more than one."""

    title = "account"
    parameter_name = "account"

    def options(self) -> Choices:
        accounts = list(_accounts())
        return [(sid, f"{sid[:6]}…{sid[-4:]}") for sid in accounts] if len(accounts) > 1 else []

    def condition(self, value: str) -> Q:
        return self.on("account_sid", value)


def _accounts(limit: int = 20) -> Iterable[str]:
    """From one to the next through the index: DISTINCT would read every row."""
    last = ""
    for _ in range(limit):
        registrations = Registration.objects.filter(account_sid__gt=last).order_by("account_sid")
        found = registrations.values_list("account_sid", flat=True).first()
        if found is None:
            return
        yield found
        last = found


class StatusFilter(admin.SimpleListFilter):
    """A status of Twilio's in a column of the row itself; statuses that we do not know are one choice."""

    statuses: Mapping[str, StatusLabel]
    column: str
    empty_label = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        # Two statuses may share a label; here they are two choices.
        uses = Counter(status.label for status in self.statuses.values())
        known = [
            (value, f"{status.label} ({value})" if uses[status.label] > 1 else status.label)
            for value, status in self.statuses.items()
        ]
        empty = [(NONE, self.empty_label)] if self.empty_label else []
        return [*known, *empty, (OTHER, "Other")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value == OTHER:
            return queryset.exclude(**{f"{self.column}__in": ["", *self.statuses]})
        return queryset.filter(**{self.column: "" if value == NONE else value})


class BrandStatus(StatusFilter):
    title = parameter_name = column = "status"
    statuses = BRAND


class IdentityStatus(StatusFilter):
    title = "identity"
    parameter_name = column = "identity_status"
    statuses = IDENTITY
    empty_label = "Not known yet"


class CampaignStatus(StatusFilter):
    title = parameter_name = column = "status"
    statuses = CAMPAIGN


class NumberStatus(StatusFilter):
    title = "A2P status"
    parameter_name = column = "a2p_status"
    statuses = NUMBER
    empty_label = "Not reported"


def _short(code: int) -> str:
    title = lookup(code).title
    return title if len(title) <= 42 else f"{title[:40].rstrip()}…"


class StepFilter(admin.SimpleListFilter):
    """The step of a call, from the step table; DISTINCT over the calls would read all of them."""

    title = parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        calls = [(slug, step.label) for slug, step in BY_SLUG.items() if isinstance(step, Write)]
        return [*calls, (LOOKUP_STEP, step_label(LOOKUP_STEP))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(step=self.value()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """The kind of timeline entry."""

    title = "kind"
    parameter_name = "tag"
    kinds: tuple[tuple[str, str, Q], ...] = (
        ("note", "Notes", Q(tag="note")),
        ("submitted", "Submitted", Q(tag="submitted")),
        ("edited", "Edited", Q(tag="edited")),
        ("stage", "Stage changes", Q(tag="stage")),
        ("status", "Twilio's answers", Q(tag__endswith=":status") | Q(tag__endswith=":identity")),
        ("rejected", "Rejected calls", Q(tag__endswith=":rejected")),
        ("reversal", "Reversals", Q(tag__endswith=":reversal")),
        ("error", "Internal errors", Q(tag="error")),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, label) for value, label, _ in self.kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        condition = {value: condition for value, _, condition in self.kinds}.get(self.value() or "")
        return queryset.filter(condition) if condition is not None else queryset

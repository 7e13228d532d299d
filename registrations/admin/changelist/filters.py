"""What a list can be narrowed by. The same filters serve registrations and, by `registration_path`, what belongs to registrations.

A model admin says how its rows lead to the registration: `registration_path` is "" for registrations and "registration__" otherwise,
and `problem_part` names the part whose refusals it lists ("" for all). Choices cost one small query each,
whatever the number of rows.
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
from registrations.workflow.spending import LOOKUP_STEP
from registrations.workflow.steps import BY_SLUG, Write

from .display import step_label

ME, NONE, OTHER = "me", "none", "other"
Choices = list[tuple[str, str]]


class CaseFilter(admin.SimpleListFilter):
    """A filter on a column of the registration."""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        self.path: str = model_admin.registration_path
        self.part: str = model_admin.problem_part
        self.user: Any = request.user
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return self.offered()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(self.condition(chosen)) if chosen else queryset

    def has_output(self) -> bool:
        # What is chosen stays in force, and removable, when it is offered no longer.
        return bool(self.lookup_choices) or self.value() is not None

    def offered(self) -> Choices:
        """(value, words)."""
        raise NotImplementedError

    def condition(self, chosen: str) -> Q:
        raise NotImplementedError

    def on(self, column: str, value: Any) -> Q:
        return Q(**{self.path + column: value})


class OwnerFilter(CaseFilter):
    """Mine, nobody's, or a colleague's. "me" is whoever looks, so a shared view works for everybody."""

    title = "owner"
    parameter_name = "owner"

    def offered(self) -> Choices:
        people = get_user_model().objects.filter(is_active=True, is_staff=True).exclude(pk=self.user.pk)
        others = [(str(user.pk), user.get_full_name() or user.get_username()) for user in people[:200]]
        return [(ME, "Me"), (NONE, "Unassigned"), *sorted(others, key=lambda pair: pair[1].casefold())]

    def condition(self, chosen: str) -> Q:
        if chosen == NONE:
            return self.on("owner__isnull", True)
        if chosen == ME:
            return self.on("owner_id", self.user.pk)
        return self.on("owner_id", int(chosen)) if chosen.isdecimal() else Q(pk__in=[])


class AgeFilter(CaseFilter):
    """How long the registration has stood where it stands."""

    title = "time in stage"
    parameter_name = "age"

    def offered(self) -> Choices:
        return [
            ("lt1", "Under a day"),
            *((f"gt{days}", f"Over {days} day{'s' if days > 1 else ''}") for days in (1, 3, 7, 14, 30)),
        ]

    def condition(self, chosen: str) -> Q:
        if chosen[2:] not in ("1", "3", "7", "14", "30"):
            return Q(pk__in=[])
        moment = now() - timedelta(days=int(chosen[2:]))
        return self.on("stage_since__gte" if chosen.startswith("lt") else "stage_since__lt", moment)


class WhoFilter(CaseFilter):
    """Who must act next; for lists that have no tabs for it."""

    title = "who must act"
    parameter_name = "who"

    def offered(self) -> Choices:
        return [(str(who), label) for who, label in dashboard.LABELS]

    def condition(self, chosen: str) -> Q:
        return self.on("waiting_for", chosen)


class StageFilter(CaseFilter):
    """Where the registration stands; an object of Twilio's has a status of its own."""

    title = parameter_name = "stage"

    def offered(self) -> Choices:
        return [(str(stage), stage.label) for stage in Stage if stage != Stage.DRAFT]

    def condition(self, chosen: str) -> Q:
        return self.on("stage", chosen)


class CreatedFilter(CaseFilter):
    """When the registration was made: lately, or from one day to another, both included, in the desk's time zone."""

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

    def offered(self) -> Choices:
        return [("1", "Past 24 hours"), ("7", "Past 7 days"), ("30", "Past 30 days"), ("365", "Past year")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """A choice and a pair of days exclude each other."""
        days = [day for day in self.days if self.used_parameters.get(day)]
        yield {
            "selected": self.value() is None and not days,
            "query_string": changelist.get_query_string(remove=[self.parameter_name, *self.days]),
            "display": "All",
        }
        for value, words in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}, remove=self.days),
                "display": words,
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

    def condition(self, chosen: str) -> Q:
        if chosen not in ("1", "7", "30", "365"):
            return Q(pk__in=[])
        return self.on("created_at__gte", now() - timedelta(days=int(chosen)))


def _midnight(day: str, later: int = 0) -> datetime:
    """The beginning of a day as browsers send it, "2026-11-28". Raises IncorrectLookupParameters for another."""
    try:
        return make_aware(datetime.combine(date.fromisoformat(day) + timedelta(days=later), time.min))
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters from error


class CodeFilter(CaseFilter):
    """What is held against the registration, by Twilio's code."""

    title = "failure"
    parameter_name = "code"
    most = 40

    def offered(self) -> Choices:
        counts = statistics.open_codes(self.part)
        return [(str(code), f"{code} {_short(code)} ({n})") for code, n in counts[: self.most]]

    def condition(self, chosen: str) -> Q:
        if not chosen.isdecimal() or len(chosen) > 9:
            return Q(pk__in=[])
        problems = OpenProblem.objects.order_by().filter(code=int(chosen))
        if self.part:
            problems = problems.filter(part=self.part)
        return self.on("pk__in", problems.values("registration_id"))


class AccountFilter(CaseFilter):
    """The Twilio account; shown once there is more than one."""

    title = "account"
    parameter_name = "account"

    def offered(self) -> Choices:
        accounts = list(_accounts())
        return [(sid, f"{sid[:6]}…{sid[-4:]}") for sid in accounts] if len(accounts) > 1 else []

    def condition(self, chosen: str) -> Q:
        return self.on("account_sid", chosen)


def _accounts(most: int = 20) -> Iterable[str]:
    """From one to the next in the index: DISTINCT would read every row."""
    last = ""
    for _ in range(most):
        registrations = Registration.objects.filter(account_sid__gt=last).order_by("account_sid")
        found = registrations.values_list("account_sid", flat=True).first()
        if found is None:
            return
        yield found
        last = found


class WordFilter(admin.SimpleListFilter):
    """One of Twilio's words in a column of the object itself; words that we do not know are one choice."""

    words: Mapping[str, StatusLabel]
    column: str
    nothing = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        # Two words may have one label for people; here they are two choices.
        times = Counter(word.label for word in self.words.values())
        known = [
            (value, f"{word.label} ({value})" if times[word.label] > 1 else word.label)
            for value, word in self.words.items()
        ]
        empty = [(NONE, self.nothing)] if self.nothing else []
        return [*known, *empty, (OTHER, "Other words")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == OTHER:
            return queryset.exclude(**{f"{self.column}__in": ["", *self.words]})
        return queryset.filter(**{self.column: "" if chosen == NONE else chosen})


class BrandStatus(WordFilter):
    title = parameter_name = column = "status"
    words = BRAND


class Identity(WordFilter):
    title = "identity"
    parameter_name = column = "identity_status"
    words = IDENTITY
    nothing = "Not known yet"


class CampaignStatus(WordFilter):
    title = parameter_name = column = "status"
    words = CAMPAIGN


class NumberStatus(WordFilter):
    title = "A2P status"
    parameter_name = column = "a2p_status"
    words = NUMBER
    nothing = "Not reported"


def _short(code: int) -> str:
    title = lookup(code).title
    return title if len(title) <= 42 else f"{title[:40].rstrip()}…"


class StepFilter(admin.SimpleListFilter):
    """One call of the step table; DISTINCT over the ledger would read all of it."""

    title = parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        calls = [(slug, row.label) for slug, row in BY_SLUG.items() if isinstance(row, Write)]
        return [*calls, (LOOKUP_STEP, step_label(LOOKUP_STEP))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(step=self.value()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """What kind of line of the timeline."""

    title = "what"
    parameter_name = "tag"
    kinds: tuple[tuple[str, str, Q], ...] = (
        ("note", "Notes", Q(tag="note")),
        ("submitted", "Submitted", Q(tag="submitted")),
        ("edited", "Edited", Q(tag="edited")),
        ("stage", "Stage changes", Q(tag="stage")),
        ("status", "Twilio's answers", Q(tag__endswith=":status") | Q(tag__endswith=":identity")),
        ("rejected", "Refused calls", Q(tag__endswith=":rejected")),
        ("reversal", "Taken back", Q(tag__endswith=":reversal")),
        ("error", "Our errors", Q(tag="error")),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, words) for value, words, _ in self.kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        where = {value: condition for value, _, condition in self.kinds}.get(self.value() or "")
        return queryset.filter(where) if where is not None else queryset

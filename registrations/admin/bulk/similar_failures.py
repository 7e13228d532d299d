"""Failures: similar ones as groups; one text edited for the chosen registrations, previewed registration by registration, resubmitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_POST, require_safe

from registrations.admin.changelist import actions
from registrations.admin.changelist.base import ReadOnlyAdmin, detail_url, require_view
from registrations.admin.registration.panels import PART_LABELS
from registrations.intake.form import RegistrationForm
from registrations.models import Campaign, OpenProblem, Registration, UnknownTwilioCode
from registrations.operations import bulk as batches
from registrations.operations import similar_failures
from registrations.operations.similar_failures import Change, Group, Key, Piece
from registrations.twilio.rejections import lookup
from registrations.workflow.planner import decisions
from registrations.workflow.recorder.read_models import input_text

VIEW = "registrations.view_registration"
GROUP = "admin:registrations_openproblem_group"
# For each text, the campaign's other columns: what is not to be judged.
OTHERS = {
    text: {field.name for field in Campaign._meta.get_fields()} - {text} for text in similar_failures.TEXTS
}
# Registrations that one page lists; what is left comes when these are done.
MOST = 300


def address(key: Key) -> str:
    return f"{reverse(GROUP)}?{query(key)}"


def query(key: Key) -> str:
    named = {"part": key.part, "code": key.code or "", "title": key.title, "field": key.field}
    return urlencode(named | ({} if key.alike is None else {"alike": key.alike}))


def key_of(values: Mapping[str, str]) -> Key:
    """The group that an address names; raises Http404 for what names none."""
    code = values.get("code", "")
    unusable = any("\x00" in value for value in values.values())
    if (
        unusable
        or "part" not in values
        or not (code == "" or (code.isascii() and code.isdecimal() and len(code) < 7))
    ):
        raise Http404("There is no such group.")
    return Key(
        values["part"], int(code) if code else None, values.get("title", ""), values.get("field", ""),
        values.get("alike"),
    )  # fmt: skip


def label_of(field: str) -> str:
    """What the form calls an input; "" for a reason that is about none."""
    known = RegistrationForm.base_fields.get("message_sample_1" if field == "message_samples" else field)
    return "Sample messages" if field == "message_samples" else str(known.label) if known else ""


@dataclass(frozen=True)
class Line:
    """One registration of the preview. wrong: why the new text cannot be saved, or why nothing changes."""

    registration: Registration
    pieces: list[Piece]
    wrong: str

    @property
    def value(self) -> str:
        """What the registration was when it was shown; a later edit makes the batch pass it over."""
        return f"{self.registration.pk}:{self.registration.revision}"


def preview(registrations: list[Registration], change: Change) -> list[Line]:
    field = RegistrationForm.base_fields[change.field]
    lines = []
    for registration in registrations:
        old, new, wrong = input_text(registration, change.field), change.applied(registration), ""
        try:
            field.clean(new)
            if change.field not in similar_failures.SAMPLES:
                # The limits of these live in the model.
                Campaign(**{change.field: new}).clean_fields(exclude=OTHERS[change.field])
        except ValidationError as error:
            wrong = " ".join(error.messages)
        if not wrong and new == old:
            wrong = "These words are not in its text." if change.find else "The text is like that already."
        lines.append(Line(registration, similar_failures.difference(old, new), wrong))
    return lines


@admin.register(OpenProblem)
class FailureAdmin(ReadOnlyAdmin):
    title = "Failures"
    seen_with = VIEW

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "registrations_openproblem"
        own = [
            path("unknown-codes/", view(require_safe(self.uncatalogued)), name=f"{name}_unknown_codes"),
            path("group/", view(require_safe(self.group)), name=f"{name}_group"),
            path("preview/", view(require_POST(self.preview)), name=f"{name}_preview"),
            path("apply/", view(require_POST(self.apply)), name=f"{name}_apply"),
            path("resubmit/", view(require_POST(self.resubmit)), name=f"{name}_resubmit"),
        ]
        return own + super().get_urls()

    def show(self, request: HttpRequest, row: OpenProblem) -> HttpResponse:
        """A row of the table is a registration's problem; it is read on the registration's page."""
        return redirect(detail_url(row.registration_id))

    # --- the groups -----------------------------------------------------------------------------------------
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require_view(self, request)
        alike = request.GET.get("by") != "reason"
        found = similar_failures.groups() if alike else similar_failures.groups(1, alike=False)
        shown = similar_failures.samples(group.sample for group in found) if alike else {}
        return self._page(
            request,
            "list",
            title=self.title,
            alike=alike,
            lines=[
                (
                    group,
                    address(group.key),
                    label_of(group.key.field),
                    _excerpt(shown.get(group.sample), group),
                )
                for group in found
            ],
            most=similar_failures.MAX_GROUPS if len(found) == similar_failures.MAX_GROUPS else 0,
        )

    def uncatalogued(self, request: HttpRequest) -> HttpResponse:
        """Codes, names of fields and reasons that our catalogue does not hold, the newest first."""
        require_view(self, request)
        rows = UnknownTwilioCode.objects.select_related("registration")[: similar_failures.MAX_GROUPS]
        lines = [
            (
                row,
                PART_LABELS.get(row.part, row.part),
                detail_url(row.registration_id) if row.registration_id else "",
            )
            for row in rows
        ]
        most = similar_failures.MAX_GROUPS if len(lines) == similar_failures.MAX_GROUPS else 0
        return self._page(request, "unknown_codes", title=self.title, lines=lines, most=most)

    def group(self, request: HttpRequest) -> HttpResponse:
        return self._group(request, self._key(request))

    def _group(
        self, request: HttpRequest, key: Key, change: Change | None = None, error: str = "", status: int = 200
    ) -> HttpResponse:
        registrations = list(key.registrations().order_by("pk")[: MOST + 1])
        if not registrations:
            messages.info(request, "Nobody fails like this any more.")
            return redirect("admin:registrations_openproblem_changelist")
        sample = similar_failures.samples([registrations[0].pk])[registrations[0].pk]
        more = key.registrations().count() - MOST if len(registrations) > MOST else 0
        known = lookup(key.code) if key.code else None
        words = [
            p.message for p in decisions.problems(sample) if p.code == key.code and p.title and p.message
        ]
        return self._page(
            request,
            "group",
            title=key.title or (known.title if known else ""),
            key=key,
            query=query(key),
            advice=known.advice if known and known.certain else "",
            words=words[0] if words else "",
            label=label_of(key.field),
            shared=input_text(sample, key.text_field) if key.editable else "",
            change=change or Change(key.text_field, input_text(sample, key.text_field) if key.alike else ""),
            brand=similar_failures.BRAND,
            registrations=[
                (registration, detail_url(registration.pk)) for registration in registrations[:MOST]
            ],
            more=more,
            count=min(len(registrations), MOST) + more,
            error=error,
            may=self._may(request),
            status=status,
        )

    # --- what is done with one ------------------------------------------------------------------------------
    def preview(self, request: HttpRequest) -> HttpResponse:
        """Each registration's difference; nothing is saved."""
        key, registrations = self._chosen(request)
        change = _change(request, key)
        if not key.editable:
            raise Http404("This input is not edited for many.")
        if not registrations or not change.text:
            error = "Choose at least one customer." if not registrations else "Write the new text."
            return self._group(request, key, change, error, status=422)
        lines = preview(registrations, change)
        return self._page(
            request,
            "preview",
            title="Look at each difference",
            key=key,
            query=query(key),
            label=label_of(change.field),
            change=change,
            good=[(line, detail_url(line.registration.pk)) for line in lines if not line.wrong],
            bad=[(line, detail_url(line.registration.pk)) for line in lines if line.wrong],
            group_url=address(key),
        )

    def apply(self, request: HttpRequest) -> HttpResponse:
        """Those that were left ticked make a batch, whose page shows fee and tries and asks once more."""
        key, registrations = self._chosen(request)
        change = _change(request, key)
        if not key.editable or not change.text:
            raise Http404("There is nothing to change.")
        seen = dict(value.partition(":")[::2] for value in request.POST.getlist("registration"))
        params = {"field": change.field, "find": change.find, "text": change.text}
        revisions = {pk: int(revision) for pk, revision in seen.items() if revision.isdecimal()}
        return self._start(request, key, "group_edit", registrations, {**params, "revisions": revisions})

    def resubmit(self, request: HttpRequest) -> HttpResponse:
        key, registrations = self._chosen(request)
        return self._start(request, key, "resubmit", registrations, {})

    def _start(
        self,
        request: HttpRequest,
        key: Key,
        kind: str,
        registrations: list[Registration],
        params: dict[str, Any],
    ) -> HttpResponse:
        if not registrations:
            messages.warning(request, "Choose at least one customer.")
            return redirect(address(key))
        batch = batches.start(
            kind, [registration.pk for registration in registrations], user=request.user, params=params
        )
        return redirect(actions.PAGE, batch.pk)

    def _key(self, request: HttpRequest) -> Key:
        require_view(self, request)
        return key_of(request.GET.dict())

    def _may(self, request: HttpRequest) -> bool:
        return actions.may(request, batches.ACTIONS["group_edit"])

    def _chosen(self, request: HttpRequest) -> tuple[Key, list[Registration]]:
        """The group, and those of its registrations that were ticked."""
        key = self._key(request)
        if not self._may(request):
            raise PermissionDenied
        pks = [value.partition(":")[0] for value in request.POST.getlist("registration")]
        wanted = [int(pk[:18]) for pk in pks if pk.isascii() and pk.isdecimal()]
        mine = key.registrations().filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True)
        found = similar_failures.samples(mine[:MOST])
        return key, [found[pk] for pk in sorted(found)]

    def _page(self, request: HttpRequest, name: str, status: int = 200, **values: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), **values}
        return TemplateResponse(
            request, f"registrations/similar_failures/{name}.html", context, status=status
        )


def _change(request: HttpRequest, key: Key) -> Change:
    """As typed; browsers send line breaks as two characters."""
    text, find = (request.POST.get(name, "").replace("\r\n", "\n") for name in ("text", "find"))
    return Change(key.text_field, text if find else text.strip(), find)


def _excerpt(registration: Registration | None, group: Group) -> str:
    if registration is None or not group.key.field:
        return ""
    return Truncator(input_text(registration, group.key.text_field)).chars(140)

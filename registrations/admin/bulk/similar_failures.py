"""Similar failures in groups: a text is edited for the selected registrations, previewed, and resubmitted."""

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
# {text: the campaign's other columns}, which are not validated with it.
OTHER_COLUMNS = {
    text: {field.name for field in Campaign._meta.get_fields()} - {text} for text in similar_failures.TEXTS
}
# Registrations on one page; the rest follow when these are done.
MAX_LISTED = 300


def group_url(key: Key) -> str:
    return f"{reverse(GROUP)}?{query(key)}"


def query(key: Key) -> str:
    values = {"part": key.part, "code": key.code or "", "title": key.title, "field": key.field}
    return urlencode(values | ({} if key.alike is None else {"alike": key.alike}))


def key_of(values: Mapping[str, str]) -> Key:
    """The group of a query string. Raises Http404 if it is not one."""
    code = values.get("code", "")
    is_code = code.isascii() and code.isdecimal() and len(code) < 7
    if "part" not in values or (code and not is_code) or any("\x00" in value for value in values.values()):
        raise Http404("There is no such group.")
    return Key(
        part=values["part"],
        code=int(code) if code else None,
        title=values.get("title", ""),
        field=values.get("field", ""),
        alike=values.get("alike"),
    )


def label_of(field: str) -> str:
    """The form's label of an input; "" for a reason without one."""
    known = RegistrationForm.base_fields.get("message_sample_1" if field == "message_samples" else field)
    return "Sample messages" if field == "message_samples" else str(known.label) if known else ""


@dataclass(frozen=True)
class Preview:
    """One registration's change. problem: why the new text cannot be saved, or why nothing changes."""

    registration: Registration
    pieces: list[Piece]
    problem: str

    @property
    def value(self) -> str:
        """The registration with its revision; the batch skips it if it was edited since."""
        return f"{self.registration.pk}:{self.registration.revision}"


def previews(registrations: list[Registration], change: Change) -> list[Preview]:
    field = RegistrationForm.base_fields[change.field]
    found = []
    for registration in registrations:
        old, new, problem = input_text(registration, change.field), change.applied(registration), ""
        try:
            field.clean(new)
            if change.field not in similar_failures.SAMPLES:
                # The limits of these are in the model.
                Campaign(**{change.field: new}).clean_fields(exclude=OTHER_COLUMNS[change.field])
        except ValidationError as error:
            problem = " ".join(error.messages)
        if not problem and new == old:
            problem = "The text does not contain these words." if change.find else "Already has this text."
        found.append(Preview(registration, similar_failures.difference(old, new), problem))
    return found


@admin.register(OpenProblem)
class FailureAdmin(ReadOnlyAdmin):
    title = "Failures"
    view_permission = VIEW

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "registrations_openproblem"
        own = [
            path("unknown-codes/", view(require_safe(self.unknown_codes)), name=f"{name}_unknown_codes"),
            path("group/", view(require_safe(self.group)), name=f"{name}_group"),
            path("preview/", view(require_POST(self.preview)), name=f"{name}_preview"),
            path("apply/", view(require_POST(self.apply)), name=f"{name}_apply"),
            path("resubmit/", view(require_POST(self.resubmit)), name=f"{name}_resubmit"),
        ]
        return own + super().get_urls()

    def detail(self, request: HttpRequest, row: OpenProblem) -> HttpResponse:
        """A single problem is shown on the registration's page."""
        return redirect(detail_url(row.registration_id))

    # --- the groups -----------------------------------------------------------------------------------------
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require_view(self, request)
        alike = request.GET.get("by") != "reason"
        groups = similar_failures.groups() if alike else similar_failures.groups(1, alike=False)
        samples = similar_failures.samples(group.sample for group in groups) if alike else {}
        return self._page(
            request,
            "list",
            title=self.title,
            alike=alike,
            groups=[
                (
                    group,
                    group_url(group.key),
                    label_of(group.key.field),
                    _excerpt(samples.get(group.sample), group),
                )
                for group in groups
            ],
            limit=similar_failures.MAX_GROUPS if len(groups) == similar_failures.MAX_GROUPS else 0,
        )

    def unknown_codes(self, request: HttpRequest) -> HttpResponse:
        """Codes, field names, and reasons that are not in our catalog, newest first."""
        require_view(self, request)
        rows = UnknownTwilioCode.objects.select_related("registration")[: similar_failures.MAX_GROUPS]
        codes = [
            (
                row,
                PART_LABELS.get(row.part, row.part),
                detail_url(row.registration_id) if row.registration_id else "",
            )
            for row in rows
        ]
        limit = similar_failures.MAX_GROUPS if len(codes) == similar_failures.MAX_GROUPS else 0
        return self._page(request, "unknown_codes", title=self.title, codes=codes, limit=limit)

    def group(self, request: HttpRequest) -> HttpResponse:
        return self._group(request, self._key(request))

    def _group(
        self, request: HttpRequest, key: Key, change: Change | None = None, error: str = "", status: int = 200
    ) -> HttpResponse:
        registrations = list(key.registrations().order_by("pk")[: MAX_LISTED + 1])
        if not registrations:
            messages.info(request, "No registration fails for this reason anymore.")
            return redirect("admin:registrations_openproblem_changelist")
        sample = similar_failures.samples([registrations[0].pk])[registrations[0].pk]
        more = key.registrations().count() - MAX_LISTED if len(registrations) > MAX_LISTED else 0
        known = lookup(key.code) if key.code else None
        messages_of_twilio = [
            p.message for p in decisions.problems(sample) if p.code == key.code and p.title and p.message
        ]
        return self._page(
            request,
            "group",
            title=key.title or (known.title if known else ""),
            key=key,
            query=query(key),
            advice=known.advice if known and known.certain else "",
            twilio_message=messages_of_twilio[0] if messages_of_twilio else "",
            label=label_of(key.field),
            sample_text=input_text(sample, key.text_field) if key.editable else "",
            change=change or Change(key.text_field, input_text(sample, key.text_field) if key.alike else ""),
            brand=similar_failures.BRAND,
            registrations=[
                (registration, detail_url(registration.pk)) for registration in registrations[:MAX_LISTED]
            ],
            more=more,
            count=min(len(registrations), MAX_LISTED) + more,
            error=error,
            may_edit=self._may_edit(request),
            status=status,
        )

    # --- actions on a group ---------------------------------------------------------------------------------
    def preview(self, request: HttpRequest) -> HttpResponse:
        """Each registration's change; nothing is saved."""
        key, registrations = self._selected(request)
        change = _change(request, key)
        if not key.editable:
            raise Http404("This input cannot be edited for several registrations.")
        if not registrations or not change.text:
            error = "Select at least one customer." if not registrations else "Enter the new text."
            return self._group(request, key, change, error, status=422)
        found = previews(registrations, change)
        return self._page(
            request,
            "preview",
            title="Review changes",
            key=key,
            query=query(key),
            label=label_of(change.field),
            change=change,
            good=[(row, detail_url(row.registration.pk)) for row in found if not row.problem],
            bad=[(row, detail_url(row.registration.pk)) for row in found if row.problem],
            group_url=group_url(key),
        )

    def apply(self, request: HttpRequest) -> HttpResponse:
        """The registrations left selected become a batch; its page shows the cost and asks for confirmation."""
        key, registrations = self._selected(request)
        change = _change(request, key)
        if not key.editable or not change.text:
            raise Http404("There is nothing to change.")
        values = dict(value.partition(":")[::2] for value in request.POST.getlist("registration"))
        params = {"field": change.field, "find": change.find, "text": change.text}
        revisions = {pk: int(revision) for pk, revision in values.items() if revision.isdecimal()}
        return self._start(request, key, "group_edit", registrations, {**params, "revisions": revisions})

    def resubmit(self, request: HttpRequest) -> HttpResponse:
        key, registrations = self._selected(request)
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
            messages.warning(request, "Select at least one customer.")
            return redirect(group_url(key))
        batch = batches.start(
            kind, [registration.pk for registration in registrations], user=request.user, params=params
        )
        return redirect(actions.PAGE, batch.pk)

    def _key(self, request: HttpRequest) -> Key:
        require_view(self, request)
        return key_of(request.GET.dict())

    def _may_edit(self, request: HttpRequest) -> bool:
        return actions.may_run(request, batches.ACTIONS["group_edit"])

    def _selected(self, request: HttpRequest) -> tuple[Key, list[Registration]]:
        """The group and its selected registrations."""
        key = self._key(request)
        if not self._may_edit(request):
            raise PermissionDenied
        pks = [value.partition(":")[0] for value in request.POST.getlist("registration")]
        selected = [int(pk[:18]) for pk in pks if pk.isascii() and pk.isdecimal()]
        members = key.registrations().filter(pk__in=selected).order_by("pk").values_list("pk", flat=True)
        found = similar_failures.samples(members[:MAX_LISTED])
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

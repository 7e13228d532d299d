"""The lists' bulk actions: choosing one creates a batch, whose page shows the dry run."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from registrations.models import Registration
from registrations.operations import bulk
from registrations.operations.bulk import BulkAction

from . import exports

VIEW = "registrations.view_registration"
BULK = "registrations.bulk_registration"
# To view bulk work; the permission to run it is enough as well.
VIEW_BATCH = "registrations.view_batch"
PAGE = "admin:registrations_batch_page"


def may_view(user: Any) -> bool:
    return bool(user.has_perm(VIEW_BATCH) or user.has_perm(BULK))


def may_run(request: HttpRequest, action: BulkAction) -> bool:
    return request.user.has_perms([BULK, action.permission])


class BulkActions(admin.ModelAdmin):
    """For a list with checkboxes. `registration_column` is the column of its rows with the registration's key."""

    registration_column = "pk"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everything that matches can be selected without checking a row; Django would require one."""
        if request.POST.get("select_across") == "1" and ACTION_CHECKBOX_NAME not in request.POST:
            posted = request.POST.copy()
            posted[ACTION_CHECKBOX_NAME] = "all"
            request.POST = posted  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """None of Django's own: "delete selected" would lose track of objects that exist at Twilio."""
        if IS_POPUP_VAR in request.GET:
            return {}
        found = {
            f"bulk_{action.slug}": (_starter(action), action.label)
            for action in bulk.ACTIONS.values()
            if action.in_lists and may_run(request, action)
        }
        if request.user.has_perm(VIEW):
            for kind in exports.KINDS:
                found[f"export_{kind}"] = (_exporter(kind), f"Export as {kind.upper()}")
        return {name: (function, name, label) for name, (function, label) in found.items()}


def _starter(action: BulkAction) -> Callable[..., Any]:
    def start_batch(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        selected = rows.order_by().values_list(model_admin.registration_column, flat=True)
        return start(request, action, selected)

    return start_batch


def _exporter(kind: str) -> Callable[..., Any]:
    def export(model_admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        registrations = Registration.objects.filter(
            pk__in=rows.order_by().values(model_admin.registration_column)
        ).order_by("-pk")
        if kind == exports.XLSX and (
            problem := exports.too_many(registrations[: exports.MAX_XLSX_ROWS + 1].count())
        ):
            messages.error(request, problem)
            return None
        return exports.response(registrations, kind)

    return export


def start(request: HttpRequest, action: BulkAction, selected: QuerySet[Any]) -> HttpResponse | None:
    """Creates a batch and redirects to it; None, with a message, if too many are selected.

    The caller checks the permission.
    """
    try:
        batch = bulk.start(action.slug, selected[: bulk.MAX_REGISTRATIONS + 1], user=request.user)
    except bulk.TooMany as refusal:
        messages.error(request, str(refusal))
        return None
    return redirect(PAGE, batch.pk)

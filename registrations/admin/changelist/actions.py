"""Bulk acts in the lists: the checkboxes' menu. Choosing one makes a batch, whose page shows the dry run."""

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

from . import downloads, exports

VIEW = "registrations.view_registration"
BULK = "registrations.bulk_registration"
# To look at the pages of bulk work; who may act on many may do so as well.
SEEN = "registrations.view_batch"
PAGE = "admin:registrations_batch_page"


def may_look(user: Any) -> bool:
    return bool(user.has_perm(SEEN) or user.has_perm(BULK))


def may(request: HttpRequest, act: BulkAction) -> bool:
    return request.user.has_perms([BULK, act.permission])


class BulkActions(admin.ModelAdmin):
    """For the admin of a list. `registration_column` is where its rows hold the registration's key."""

    registration_column = "pk"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All that match may be chosen without ticking a row; Django would ask for one first."""
        if request.POST.get("select_across") == "1" and ACTION_CHECKBOX_NAME not in request.POST:
            posted = request.POST.copy()
            posted[ACTION_CHECKBOX_NAME] = "all"
            request.POST = posted  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """No stock action: "delete selected" would forget live objects at Twilio."""
        if IS_POPUP_VAR in request.GET:
            return {}
        found = {
            f"bulk_{act.slug}": (_starter(act), act.label)
            for act in bulk.ACTIONS.values()
            if act.in_lists and may(request, act)
        }
        if request.user.has_perm(VIEW):
            for kind in downloads.KINDS:
                found[f"export_{kind}"] = (_exporter(kind), f"Export as {kind.upper()}")
        return {name: (function, name, label) for name, (function, label) in found.items()}


def _starter(act: BulkAction) -> Callable[..., Any]:
    def start_it(lister: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        chosen = rows.order_by().values_list(lister.registration_column, flat=True)
        return start(request, act, chosen)

    return start_it


def _exporter(kind: str) -> Callable[..., Any]:
    def export(lister: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase | None:
        registrations = Registration.objects.filter(
            pk__in=rows.order_by().values(lister.registration_column)
        ).order_by("-pk")
        if kind == downloads.XLSX and (
            refusal := downloads.too_many(registrations[: downloads.MOST_XLSX + 1].count())
        ):
            messages.error(request, refusal)
            return None
        return exports.response(registrations, kind)

    return export


def start(request: HttpRequest, act: BulkAction, chosen: QuerySet[Any]) -> HttpResponse | None:
    """To the page of a new batch; None, with a message, when there are too many. The caller checks the right."""
    try:
        batch = bulk.start(act.slug, chosen[: bulk.MAX_REGISTRATIONS + 1], user=request.user)
    except bulk.TooMany as refusal:
        messages.error(request, str(refusal))
        return None
    return redirect(PAGE, batch.pk)

"""Saved views: a list with its filters, search and order under a name; one's own, or shared with the team."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from registrations.models import SavedView

from . import search_privacy

MOST, NAME_LENGTH, QUERY_LENGTH = 50, 60, 2000
# Where one is in the list is no part of a view.
_NOT_KEPT = ("p", "e", "all", "_popup", "_to_field", "_facets")


def kept(query: str) -> str:
    """A query string as views keep it: ordered, its search opened, without a page number; "" for the plain list.

    >>> kept("p=3&stage__exact=otp&q=ann") == kept("q=ann&stage__exact=otp")
    True
    """
    given = QueryDict(query, mutable=True)
    for name in _NOT_KEPT:
        given.pop(name, None)
    pairs = sorted((name, value) for name, values in given.lists() for value in values if value)
    clean = QueryDict(mutable=True)
    for name, value in pairs:
        if name == SEARCH_VAR:
            with suppress(search_privacy.Unreadable):
                value = search_privacy.opened(value)
        clean.appendlist(name, value)
    return clean.urlencode()


def _address(query: str) -> str:
    """What leads to a view: its search is sealed, as in every address of ours."""
    given = QueryDict(query, mutable=True)
    if text := given.get(SEARCH_VAR):
        given[SEARCH_VAR] = search_privacy.sealed(text)
    return f"?{given.urlencode()}"


def context(request: HttpRequest, of: str) -> dict[str, Any]:
    """What the list's menu shows: each view, which of them one looks at, and what would be saved. One query."""
    now_shown = kept(request.GET.urlencode())
    visible = SavedView.objects.filter(Q(user=_me(request)) | Q(shared=True), model_name=of)
    views = [
        {
            "view": view,
            "mine": view.user_id == request.user.pk,
            "by": "" if view.user_id == request.user.pk else view.user.get_username(),
            "url": _address(view.query),
            "current": bool(now_shown) and view.query == now_shown,
        }
        for view in visible.select_related("user").order_by("name", "pk")[: 4 * MOST]
    ]
    return {
        "saved_views": views,
        "current_view": next((view for view in views if view["current"]), None),
        "savable_query": now_shown,
    }


def _me(request: HttpRequest) -> Any:
    return request.user


@require_POST
def save(request: HttpRequest, of: str, back: str) -> HttpResponse:
    """`name`, `query`, `shared`. The same name again replaces one's own view."""
    name = " ".join(request.POST.get("name", "").split())
    query = kept(request.POST.get("query", ""))
    if problem := _problem(request, of, name, query):
        messages.error(request, problem)
    else:
        SavedView.objects.update_or_create(
            user=_me(request),
            model_name=of,
            name=name,
            defaults={"query": query, "shared": bool(request.POST.get("shared"))},
        )
        messages.success(request, f"Saved as “{name}”.")
    return redirect(back + _address(query) if query else back)


def _problem(request: HttpRequest, of: str, name: str, query: str) -> str:
    if not name:
        return "Give the view a name."
    if len(name) > NAME_LENGTH:
        return f"Keep the name within {NAME_LENGTH} characters."
    if not query:
        return "Choose a filter or search for something first; a view keeps that."
    if len(query) > QUERY_LENGTH:
        return "This search is too long to keep."
    mine = SavedView.objects.filter(user=_me(request), model_name=of)
    if mine.count() >= MOST and not mine.filter(name=name).exists():
        return f"You have {MOST} views of this list. Delete one first."
    return ""


@require_POST
def change(request: HttpRequest, of: str, back: str, pk: int) -> HttpResponse:
    """Rename, share or delete one's own view: `do` is "rename" (with `name` and `shared`) or "delete"."""
    view = SavedView.objects.filter(pk=pk, model_name=of, user=_me(request)).first()
    if view is None:
        raise Http404("There is no such view of yours.")
    if request.POST.get("do") == "delete":
        view.delete()
        messages.success(request, f"The view “{view.name}” is deleted.")
        return redirect(back)
    name = " ".join(request.POST.get("name", "").split())
    if not name or len(name) > NAME_LENGTH:
        messages.error(request, f"A view needs a name of at most {NAME_LENGTH} characters.")
        return redirect(back + _address(view.query))
    view.name, view.shared = name, bool(request.POST.get("shared"))
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "shared"])
        messages.success(request, f"The view is called “{name}” now.")
    except IntegrityError:
        messages.error(request, f"You have another view called “{name}”.")
    return redirect(back + _address(view.query))

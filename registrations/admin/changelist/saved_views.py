"""Saved views: a list with its filters, search, and order under a name, for one person or shared with the team."""

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

MAX_VIEWS, MAX_NAME, MAX_QUERY = 50, 60, 2000
# The position in the list is not part of a view.
_NOT_SAVED = ("p", "e", "all", "_popup", "_to_field", "_facets")


def normalized(query: str) -> str:
    """The query string that a view stores: sorted, the search as text, no page number; "" for the plain list.

    >>> normalized("p=3&stage__exact=otp&q=ann") == normalized("q=ann&stage__exact=otp")
    True
    """
    given = QueryDict(query, mutable=True)
    for name in _NOT_SAVED:
        given.pop(name, None)
    pairs = sorted((name, value) for name, values in given.lists() for value in values if value)
    clean = QueryDict(mutable=True)
    for name, value in pairs:
        if name == SEARCH_VAR:
            with suppress(ValueError):
                value = search_privacy.reveal(value)
        clean.appendlist(name, value)
    return clean.urlencode()


def _urls(queries: list[str]) -> list[str]:
    """The links to stored query strings, with the searches hidden. One query, if there is a search."""
    parsed = [QueryDict(query, mutable=True) for query in queries]
    texts = {given.get(SEARCH_VAR, "") for given in parsed}
    tokens = search_privacy.hide(text for text in texts if 0 < len(text) <= search_privacy.MAX_LENGTH)
    for given in parsed:
        if (text := given.get(SEARCH_VAR)) in tokens:
            given[SEARCH_VAR] = tokens[text]
    return [f"?{given.urlencode()}" if given else "" for given in parsed]


def context(request: HttpRequest, list_name: str) -> dict[str, Any]:
    """Template variables of the list's menu: the views, the current one, and what would be saved."""
    current = normalized(request.GET.urlencode())
    visible = SavedView.objects.filter(Q(user=_user(request)) | Q(shared=True), model_name=list_name)
    views = list(visible.select_related("user").order_by("name", "pk")[: 4 * MAX_VIEWS])
    rows = [
        {
            "view": view,
            "mine": view.user_id == request.user.pk,
            "by": "" if view.user_id == request.user.pk else view.user.get_username(),
            "url": url,
            "current": bool(current) and view.query == current,
        }
        for view, url in zip(views, _urls([view.query for view in views]), strict=True)
    ]
    return {
        "saved_views": rows,
        "current_view": next((row for row in rows if row["current"]), None),
        "savable_query": current,
    }


def _user(request: HttpRequest) -> Any:
    return request.user


@require_POST
def save(request: HttpRequest, list_name: str, list_url: str) -> HttpResponse:
    """`name`, `query`, `shared`. Saving under the same name replaces one's own view."""
    name = " ".join(request.POST.get("name", "").split())
    query = normalized(request.POST.get("query", ""))
    if problem := _problem(request, list_name, name, query):
        messages.error(request, problem)
        return redirect(list_url + _urls([query])[0])
    SavedView.objects.update_or_create(
        user=_user(request),
        model_name=list_name,
        name=name,
        defaults={"query": query, "shared": bool(request.POST.get("shared"))},
    )
    messages.success(request, f"Saved as “{name}”.")
    return redirect(list_url + _urls([query])[0])


def _problem(request: HttpRequest, list_name: str, name: str, query: str) -> str:
    if not name:
        return "Give the view a name."
    if len(name) > MAX_NAME:
        return f"Use up to {MAX_NAME} characters for the name."
    if not query:
        return "Choose a filter or search first, then save the view."
    if len(query) > MAX_QUERY or len(QueryDict(query).get(SEARCH_VAR, "")) > search_privacy.MAX_LENGTH:
        return "This search is too long to save."
    mine = SavedView.objects.filter(user=_user(request), model_name=list_name)
    if mine.count() >= MAX_VIEWS and not mine.filter(name=name).exists():
        return f"You have {MAX_VIEWS} views of this list. Delete one first."
    return ""


@require_POST
def change(request: HttpRequest, list_name: str, list_url: str, pk: int) -> HttpResponse:
    """Rename, share, or delete one's own view: `do` is "rename" (with `name` and `shared`) or "delete"."""
    view = SavedView.objects.filter(pk=pk, model_name=list_name, user=_user(request)).first()
    if view is None:
        raise Http404("You have no such view.")
    if request.POST.get("do") == "delete":
        view.delete()
        messages.success(request, f"View “{view.name}” deleted.")
        return redirect(list_url)
    url = list_url + _urls([view.query])[0]
    name = " ".join(request.POST.get("name", "").split())
    if not name or len(name) > MAX_NAME:
        messages.error(request, f"Use 1 to {MAX_NAME} characters for the name.")
        return redirect(url)
    view.name, view.shared = name, bool(request.POST.get("shared"))
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "shared"])
        messages.success(request, f"View renamed to “{name}”.")
    except IntegrityError:
        messages.error(request, f"You already have a view called “{name}”.")
    return redirect(url)

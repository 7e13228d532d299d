"""Keeps searches out of addresses: people search for names, phone numbers, and email addresses, and an address stays in
the browser's history, in a proxy's log, and in links that are passed on.

The search box posts the text. It is stored under a random token (SearchTerm), and the list's address carries only the
token: `?q=~TOKEN`. So the back button, shared links, and saved views work for everyone who may see the list. A plain
`?q=text`, typed by hand, works too.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from registrations.core import clock
from registrations.models import SearchTerm

MARK = "~"
MAX_LENGTH = 200  # characters
KEEP = timedelta(days=90)


class UnknownSearch(ValueError):
    """No text is stored for the token: it is incomplete, or older than 90 days."""


def hide(texts: Iterable[str]) -> dict[str, str]:
    """{text: what stands for it in an address}. The same text has the same token for as long as it is stored."""
    wanted = set(texts)
    if not wanted:
        return {}
    terms = SearchTerm.objects.filter(text__in=wanted)
    tokens = dict(terms.values_list("text", "token"))
    if new := wanted - set(tokens):
        SearchTerm.objects.filter(created_at__lt=clock.now() - KEEP).delete()
        SearchTerm.objects.bulk_create([SearchTerm(text=text) for text in new], ignore_conflicts=True)
        tokens = dict(terms.values_list("text", "token"))
    return {text: MARK + token for text, token in tokens.items()}


def reveal(value: str) -> str:
    """The text behind a token; a value that is not a token comes back unchanged. Raises UnknownSearch."""
    if not value.startswith(MARK):
        return value
    text = SearchTerm.objects.filter(token=value[len(MARK) :]).values_list("text", flat=True).first()
    if text is None:
        raise UnknownSearch
    return text


class SearchForm(ChangeListSearchForm):
    """Django's search form of a list, with the token replaced by its text."""

    def clean(self) -> None:
        try:
            self.cleaned_data[SEARCH_VAR] = reveal(self.cleaned_data.get(SEARCH_VAR, ""))
        except UnknownSearch:
            # The token stays and matches nothing: showing every row would offer them all to a bulk action.
            raise ValidationError("This search has expired. Search again.") from None


class PrivateSearchChangeList(ChangeList):
    search_form_class = SearchForm


@require_POST
def search(request: HttpRequest, list_url: str) -> HttpResponse:
    """Redirects to the list with the posted search and filters."""
    query: QueryDict = request.POST.copy()
    text = str(query.get(SEARCH_VAR, "")).strip()
    for name in (SEARCH_VAR, PAGE_VAR, ERROR_FLAG, "csrfmiddlewaretoken"):
        query.pop(name, None)
    if len(text) > MAX_LENGTH:
        messages.error(request, f"A search can have up to {MAX_LENGTH} characters.")
    elif "\x00" in text:
        messages.error(request, "This search contains a character that cannot be searched for.")
    elif text:
        query[SEARCH_VAR] = hide([text])[text]
    return redirect(f"{list_url}?{query.urlencode()}" if query else list_url)

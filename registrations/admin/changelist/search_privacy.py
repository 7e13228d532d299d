"""Searches in addresses, sealed: people search for names, phone numbers and email addresses, and an address stays in
a browser's history, in a proxy's log and in links that are passed on.

A list's search box posts; the list is then shown at an address that only this desk can read (AES-SIV under a key made
from SECRET_KEY). An unsealed search in an address works as well: nobody but people writes one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_POST

MARK = "~"
LONGEST = 200  # characters; proxies and servers refuse long addresses


class Unreadable(ValueError):
    """Sealed under a key that the desk no longer has, or cut."""


def sealed(text: str) -> str:
    """The same text gives the same address, by which saved views are known again. "" stays ""."""
    if not text:
        return ""
    return MARK + urlsafe_b64encode(
        _cipher(settings.SECRET_KEY).encrypt(text.encode(), None)
    ).decode().rstrip("=")


def opened(text: str) -> str:
    """What was sealed; a text that is not sealed comes back as it is. Raises Unreadable."""
    if not text.startswith(MARK):
        return text
    try:
        held = urlsafe_b64decode(text[len(MARK) :] + "==")
    except ValueError as error:
        raise Unreadable from error
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(key).decrypt(held, None).decode()
        except (InvalidTag, ValueError):
            continue
    raise Unreadable


def _cipher(secret: str) -> AESSIV:
    return AESSIV(salted_hmac(__name__, "", secret=secret, algorithm="sha512").digest())


class SearchForm(ChangeListSearchForm):
    """Of Django's lists: what stands in the address, opened."""

    def clean(self) -> None:
        try:
            self.cleaned_data[SEARCH_VAR] = opened(self.cleaned_data.get(SEARCH_VAR, ""))
        except Unreadable:
            # It stays sealed and finds nothing: to show all rows would offer them all to what is done with "all".
            raise ValidationError(
                "The search in this address cannot be read any more. Search again."
            ) from None


class SealedList(ChangeList):
    search_form_class = SearchForm


@require_POST
def search(request: HttpRequest, back: str) -> HttpResponse:
    """On to the list at `back`, with what was searched for and the filters that came with it."""
    query: QueryDict = request.POST.copy()
    text = str(query.get(SEARCH_VAR, "")).strip()
    for name in (SEARCH_VAR, PAGE_VAR, ERROR_FLAG, "csrfmiddlewaretoken"):
        query.pop(name, None)
    if len(text) > LONGEST:
        messages.error(request, f"Search for {LONGEST} characters at most.")
    elif text:
        query[SEARCH_VAR] = sealed(text)
    return redirect(f"{back}?{query.urlencode()}" if query else back)

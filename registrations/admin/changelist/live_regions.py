"""The live parts of a page: rendered with the page, and again by themselves when they have changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

# How often an open page polls, in seconds: while a worker is busy with it, and otherwise.
POLL_BUSY_SECONDS, POLL_IDLE_SECONDS = 2, 15


@dataclass(frozen=True)
class Region:
    name: str
    html: str

    @property
    def safe(self) -> SafeString:
        # Escaped by our own template.
        return mark_safe(self.html)  # noqa: S308

    @property
    def version(self) -> str:
        return hashlib.blake2b(self.html.encode(), digest_size=6).hexdigest()


def regions(templates: Mapping[str, str], values: dict[str, Any]) -> list[Region]:
    """`templates`: {name of a region: its template below registrations/}.

    Rendered without the request: with a CSRF token, no two renderings would be equal. The buttons in regions belong to
    the page's one form, which has the token.
    """
    return [
        Region(name, render_to_string(f"registrations/{file}.html", values))
        for name, file in templates.items()
    ]


def poll_seconds(busy: bool) -> int:
    return POLL_BUSY_SECONDS if busy else POLL_IDLE_SECONDS


def within_page(rendered: list[Region]) -> dict[str, Any]:
    """Template variables of the page."""
    return {"regions": rendered, "html": {region.name: region.safe for region in rendered}}


def live(request: HttpRequest, rendered: list[Region], live_url: str, poll_seconds: int) -> HttpResponse:
    """The regions whose versions differ from those in the query; 204 if the browser has them all."""
    changed = [region for region in rendered if request.GET.get(region.name) != region.version]
    if not changed:
        return HttpResponse(status=204)
    return render(
        request,
        "registrations/registration/refresh.html",
        {"changed": changed, "regions": rendered, "live_url": live_url, "poll_seconds": poll_seconds},
    )

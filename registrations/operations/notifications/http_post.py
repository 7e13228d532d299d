"""POSTs JSON to a webhook address that a person typed in."""

import json
from typing import Any

from django.conf import settings

from registrations.core import safe_http

TIMEOUT_SECONDS = 5.0
MAX_RESPONSE_BYTES = 1024


class NotPosted(Exception):
    """Why, in a few words that reveal nothing about the address or the message."""


def check_url(url: str) -> safe_http.Target:
    """The address in its parts; raises NotPosted for one that must not be called. Makes no DNS query."""
    try:
        return safe_http.parse(url, allow_private=settings.A2P_NOTIFY_PRIVATE_ADDRESSES)
    except safe_http.RequestFailed as error:
        raise NotPosted(str(error)) from None


def post_json(url: str, body: dict[str, Any]) -> None:
    """POST once, in at most TIMEOUT_SECONDS; raises NotPosted unless the answer is 2xx."""
    try:
        response = safe_http.post(
            url,
            json.dumps(body).encode(),
            seconds=TIMEOUT_SECONDS,
            max_bytes=MAX_RESPONSE_BYTES,
            headers={"Content-Type": "application/json"},
            allow_private=settings.A2P_NOTIFY_PRIVATE_ADDRESSES,
        )
    except safe_http.RequestFailed as error:
        raise NotPosted(str(error)) from None
    if not 200 <= response.status < 300:
        raise NotPosted(f"HTTP {response.status}")

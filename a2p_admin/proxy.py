"""The client's address behind our proxy."""

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The last address in X-Forwarded-For, which our proxy wrote; otherwise REMOTE_ADDR.

    Earlier addresses in the header come from the client and cannot be trusted.
    """
    last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return request.META.get("REMOTE_ADDR") or None

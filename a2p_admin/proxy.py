"""Where a request comes from, behind a proxy of ours."""

import ipaddress

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The address that called the proxy: the last of X-Forwarded-For, which the proxy itself wrote.

    What stands before it is the caller's own claim. Without a usable one, the address that called us.
    """
    last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return request.META.get("REMOTE_ADDR") or None

"""Verifies X-Twilio-Signature on callbacks (form) and events (JSON).

Never raises: a request that cannot be checked counts as unsigned. Source: docs/twilio.md section 6.6.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.encoding import escape_uri_path
from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    RequestValidator,
    add_port,
    get_signature_algorithm,
    remove_port,
)

from .core import split_secrets

logger = logging.getLogger("registrations.twilio.client")

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
FORM = "application/x-www-form-urlencoded"
# The fragment of a callback URL: five retries after any failure. Twilio's default is one retry, and none after a
# 5xx response (docs/twilio.md section 6.5). A bundle's FailureReason comes only by callback.
CONNECTION_OVERRIDES = "rc=5&rp=all"


def is_signed(
    request: HttpRequest,
    *,
    tokens: str | Iterable[str] | None = None,
    public_base_url: str | None = None,
    shared_keys: str | Iterable[str] | None = None,
) -> bool:
    """True if one of the tokens (or shared keys) signed exactly this URL and body.

    Secrets may be one comma-separated string. The defaults are TWILIO_AUTH_TOKEN, PUBLIC_BASE_URL and
    TWILIO_WEBHOOK_SHARED_KEY. The public URL is used because behind a proxy the request's own host and scheme are
    not what Twilio signed.
    """
    base = getattr(settings, "PUBLIC_BASE_URL", "") if public_base_url is None else public_base_url
    try:
        return _check(
            request,
            _secrets(tokens, "TWILIO_AUTH_TOKEN"),
            _secrets(shared_keys, "TWILIO_WEBHOOK_SHARED_KEY"),
            base.rstrip("/"),
        )
    except Exception as exc:  # the sender controls every byte of the request; nothing may crash the view
        logger.info("A callback could not be checked (%s): treated as unsigned.", type(exc).__name__)
        return False


def signature(url: str, params: object, secret: str, algorithm: str = HMAC_SHA1) -> str:
    """The signature Twilio would send for this URL and form (a dict or QueryDict; None or {} for JSON bodies)."""
    return str(RequestValidator(secret).compute_signature(url, params, algorithm))


def _check(request: HttpRequest, tokens: list[str], shared_keys: list[str], base: str) -> bool:
    claimed = request.headers.get(SIGNATURE_HEADER, "")
    algorithm = get_signature_algorithm(request.headers.get(SETTINGS_HEADER)).upper()
    secrets = {HMAC_SHA1: tokens, HMAC_SHA256: shared_keys}.get(algorithm, [])
    if not claimed or not base or not any(secrets):
        return False
    # The raw query string: Django's version would escape characters that Twilio signed unescaped.
    query = request.META.get("QUERY_STRING", "")
    url = base + escape_uri_path(request.path) + (f"?{query}" if query else "")
    parts = urlsplit(url)
    body = request.body
    params: object = None
    if request.content_type == FORM:
        params = request.POST
        if body and not params:  # the signature would not cover a body that parses to nothing
            return False
    else:
        # The signature covers only the URL, so the URL must contain the body's hash.
        hashes = parse_qs(parts.query).get("bodySHA256", [])
        expected = hashlib.sha256(body).hexdigest()
        if len(hashes) != 1 or not _same(expected, hashes[0].lower()):
            return False
    # Twilio is inconsistent about the default port. It signs without the fragment (docs/twilio.md section 6.6), but
    # a signature over the URL exactly as we gave it is accepted, too.
    urls = [remove_port(parts), add_port(parts), url]
    urls += [f"{each}#{CONNECTION_OVERRIDES}" for each in urls] if params is not None else []
    return any(
        _same(signature(candidate, params, secret, algorithm), claimed)
        for secret in secrets
        if secret
        for candidate in urls
    )


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())


def _secrets(secrets: str | Iterable[str] | None, setting: str) -> list[str]:
    if secrets is None:
        secrets = getattr(settings, setting, "") or ""
    return split_secrets(secrets) if isinstance(secrets, str) else list(secrets)

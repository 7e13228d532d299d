"""System checks for the settings, each with a hint on how to fix it.

Malformed values are always errors. Missing values are reported only by `manage.py check --deploy`, so a fresh
checkout runs without credentials.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http.request import validate_host

SIDS = {
    "TWILIO_ACCOUNT_SID": ("AC", "Copy the Account SID from Twilio's Console."),
    "TWILIO_API_KEY_SID": ("SK", "Copy the SID of an API key, not its secret."),
    "TWILIO_PRIMARY_PROFILE_SID": (
        "BU",
        "Copy the SID of your approved primary customer profile in Trust Hub.",
    ),
}


@register(Tags.security)
def twilio_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [*_sids(), *_credentials(), *_base_url(), *_email()]


@register()
def address_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_public_url())


@register()
def job_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_jobs())


@register(deploy=True)
def missing_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return list(_missing())


def _sids() -> Iterator[CheckMessage]:
    for number, (name, (prefix, hint)) in enumerate(SIDS.items(), start=1):
        value = getattr(settings, name)
        if value and not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
            text = f"{name} is not a valid SID: it must be {prefix} followed by 32 hexadecimal digits."
            yield Error(text, hint=hint, id=f"registrations.E00{number}")


def _credentials() -> Iterator[CheckMessage]:
    if bool(settings.TWILIO_API_KEY_SID) != bool(settings.TWILIO_API_KEY_SECRET):
        yield Error(
            "Only one of TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET is set.",
            hint="Set both, or set neither to use the auth token.",
            id="registrations.E004",
        )
    tokens = settings.TWILIO_AUTH_TOKEN.split(",") if settings.TWILIO_AUTH_TOKEN else []
    if any(not token.strip() or re.search(r"\s", token.strip()) for token in tokens):
        yield Error(
            "TWILIO_AUTH_TOKEN contains an empty token or whitespace.",
            hint="Set one token, or several separated by commas while you rotate; calls use the first.",
            id="registrations.E005",
        )


def _base_url() -> Iterator[CheckMessage]:
    url = settings.TWILIO_API_BASE_URL
    if url and not _is_origin(url):
        yield Error(
            "TWILIO_API_BASE_URL must be a scheme, a host and an optional port, without a path.",
            hint="For example http://127.0.0.1:8155. Leave it empty to use Twilio itself.",
            id="registrations.E006",
        )


def _public_url() -> Iterator[CheckMessage]:
    url = settings.PUBLIC_BASE_URL
    if not url:
        return
    if not _is_origin(url):
        yield Error(
            "PUBLIC_BASE_URL must be a scheme and a host, without a path.",
            hint="For example https://a2p.example.com, the address that your team and Twilio use.",
            id="registrations.E007",
        )
    elif settings.TWILIO_IS_REAL and not url.startswith("https://"):
        yield Error(
            "PUBLIC_BASE_URL must use https: Twilio's callbacks contain customer data.",
            hint="Run the application behind a proxy with a certificate and set its https address.",
            id="registrations.E008",
        )


def _email() -> Iterator[CheckMessage]:
    if not settings.TWILIO_NOTIFICATION_EMAIL:
        return
    try:
        validate_email(settings.TWILIO_NOTIFICATION_EMAIL)
    except ValidationError:
        yield Error(
            "TWILIO_NOTIFICATION_EMAIL is not a valid email address.",
            hint="Set the mailbox for Twilio's status emails, or leave it empty.",
            id="registrations.E009",
        )


def _jobs() -> Iterator[CheckMessage]:
    call = settings.TWILIO_CONNECT_TIMEOUT + settings.TWILIO_READ_TIMEOUT
    if settings.TWILIO_CONNECT_TIMEOUT <= 0 or settings.TWILIO_READ_TIMEOUT <= 0:
        yield Error(
            "TWILIO_CONNECT_TIMEOUT and TWILIO_READ_TIMEOUT must be above 0 seconds.",
            hint="5 and 20 are good values. Without a limit, one dead connection blocks a worker forever.",
            id="registrations.E010",
        )
    if settings.A2P_LEASE_SECONDS <= call:
        yield Error(
            f"A2P_LEASE_SECONDS must be longer than the connect and read timeouts together ({call:g} s).",
            hint="If a lease expires during a call, a second worker can start the same step.",
            id="registrations.E011",
        )
    queue = settings.Q_CLUSTER
    if queue["timeout"] <= settings.A2P_LEASE_SECONDS:
        yield Error(
            "Q_CLUSTER['timeout'] must be longer than A2P_LEASE_SECONDS.",
            hint="Lower A2P_LEASE_SECONDS; 60 is a good value.",
            id="registrations.E012",
        )
    rounds = -(-queue["queue_limit"] // queue["workers"]) + 2
    if queue["retry"] <= queue["timeout"] * rounds:
        yield Error(
            "Q_CLUSTER['retry'] is too short: a busy queue would run jobs twice.",
            hint=f"It must be longer than timeout x {rounds} = {queue['timeout'] * rounds} s.",
            id="registrations.E013",
        )


def _missing() -> Iterator[CheckMessage]:
    if not settings.TWILIO_ACCOUNT_SID:
        yield Error(
            "TWILIO_ACCOUNT_SID is not set.", hint=SIDS["TWILIO_ACCOUNT_SID"][1], id="registrations.E020"
        )
    if not (settings.TWILIO_AUTH_TOKEN or settings.TWILIO_API_KEY_SECRET):
        yield Error(
            "Neither TWILIO_AUTH_TOKEN nor an API key is set.",
            hint="Set TWILIO_AUTH_TOKEN, or TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET.",
            id="registrations.E021",
        )
    if not settings.TWILIO_PRIMARY_PROFILE_SID:
        hint = SIDS["TWILIO_PRIMARY_PROFILE_SID"][1]
        yield Error("TWILIO_PRIMARY_PROFILE_SID is not set.", hint=hint, id="registrations.E022")
    if not settings.PUBLIC_BASE_URL:
        yield Warning(
            "PUBLIC_BASE_URL is not set, so Twilio cannot send us the reason when it rejects a profile.",
            hint="Set the application's public https address. Until then we only poll Twilio.",
            id="registrations.W023",
        )
    elif not validate_host(urlsplit(settings.PUBLIC_BASE_URL).hostname or "", settings.ALLOWED_HOSTS):
        yield Warning(
            "The host of PUBLIC_BASE_URL is not in ALLOWED_HOSTS, so every request to it fails with 400.",
            hint="Add it to ALLOWED_HOSTS, without https:// or a port.",
            id="registrations.W026",
        )
    elif not settings.TWILIO_AUTH_TOKEN:
        yield Warning(
            "TWILIO_AUTH_TOKEN is not set, so callbacks cannot be verified and are all rejected.",
            hint="Twilio signs callbacks with the account's auth token, never with an API key.",
            id="registrations.W024",
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield Warning(
            "The database is SQLite.",
            hint="Fine for a single machine. For a team, use PostgreSQL (DATABASE_URL=postgres://…).",
            id="registrations.W025",
        )


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and valid_port
        and not (parts.path or parts.query or parts.fragment or parts.username)
    )

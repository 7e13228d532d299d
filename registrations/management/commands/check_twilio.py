"""manage.py check_twilio: whether this installation can work, told line by line, each failure with a hint."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from registrations.models import PhoneNumber
from registrations.models.choices import REMOVAL_STAGES, Stage
from registrations.twilio.client import (
    SOLE_PROPRIETOR_POLICY_SID,
    STARTER_POLICY_SID,
    TwilioClient,
    errors,
    get_client,
)

# Only whether the address leads here; whether a worker runs is the health page's own question.
HEALTH_PATH = "/healthz?part=web"
# Of the sandbox's own control API; nobody else answers there.
SANDBOX_PATH = "/_sandbox/counts"
TIMEOUT_SECONDS = 10
_MEND_CREDENTIALS = (
    "Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or the API key pair, in Twilio's Console."
)


@dataclass(frozen=True)
class Finding:
    ok: bool
    name: str
    said: str
    hint: str = ""


class Command(BaseCommand):
    help = (
        "Check the credentials, the primary profile, both policies, the senders of open registrations, the "
        "public address and the time scale. Reads only. Exit status 1 when something fails."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for finding in findings(get_client()):
            failed |= not finding.ok
            self.stdout.write(f"{'OK  ' if finding.ok else 'FAIL'} {finding.name}: {finding.said}")
            if finding.hint:
                self.stdout.write(f"     {finding.hint}")
        if failed:
            raise SystemExit(1)


def findings(client: TwilioClient) -> Iterator[Finding]:
    """All checks in order; those that need Twilio are left out when the credentials fail."""
    yield time_scale()
    yield public_address()
    account = _asked("credentials", lambda: credentials(client), _MEND_CREDENTIALS)
    yield account
    if not account.ok:
        return
    yield _asked("primary profile", lambda: primary_profile(client))
    for name, sid in (("starter", STARTER_POLICY_SID), ("sole proprietor", SOLE_PROPRIETOR_POLICY_SID)):
        yield _asked(f"{name} policy", lambda n=name, s=sid: policy(client, n, s))  # type: ignore[misc]
    yield _asked("senders", lambda: senders(client))


def _asked(name: str, check: Callable[[], Finding], hint: str = "") -> Finding:
    try:
        return check()
    except errors.Unavailable as error:
        return Finding(
            False, name, str(error), "Twilio could not be reached. Check the network and try again."
        )
    except errors.TwilioError as error:
        return Finding(False, name, str(error), hint)


def credentials(client: TwilioClient) -> Finding:
    account = client.fetch_account()
    status, kind = account.get("status"), account.get("type")
    said = f"account {account.get('sid')} is {status or 'without a status'}{f' ({kind})' if kind else ''}"
    if status != "active":
        return Finding(
            False, "credentials", said, "Twilio has closed or suspended the account: see its Console."
        )
    if kind == "Trial":
        return Finding(
            False, "credentials", said, "Trial accounts cannot register for A2P 10DLC: upgrade it."
        )
    return Finding(True, "credentials", said)


def primary_profile(client: TwilioClient) -> Finding:
    name, sid = "primary profile", settings.TWILIO_PRIMARY_PROFILE_SID
    if not sid:
        hint = "Set TWILIO_PRIMARY_PROFILE_SID to the BU… of your own approved profile (Console, Trust Hub)."
        return Finding(False, name, "not set", hint)
    status = client.fetch_bundle("customer_profile", sid).get("status")
    if status != "twilio-approved":
        hint = "Twilio must approve your own profile before any customer's. Complete it in the Console, Trust Hub."
        return Finding(False, name, f"{sid} is {status}", hint)
    return Finding(True, name, f"{sid} is {status}")


def policy(client: TwilioClient, name: str, sid: str) -> Finding:
    return Finding(True, f"{name} policy", f"{client.fetch_policy(sid).get('sid', sid)} is readable")


def senders(client: TwilioClient) -> Finding:
    """Whether the numbers that open registrations name are in the account; counted, not listed."""
    numbers = PhoneNumber.objects.exclude(sender_number="").exclude(
        registration__stage__in=[Stage.LIVE, *REMOVAL_STAGES]
    )
    wanted = set(numbers.values_list("sender_number", flat=True))
    missing = set(wanted)
    if missing:
        for owned in client.iter_numbers():
            missing -= {owned.get("sid"), owned.get("phone_number")}
            if not missing:
                break
    said = f"{len(wanted) - len(missing)} of {len(wanted)} numbers named by open registrations are in the account"
    hint = "Buy or move them into this account, or correct the sender of those registrations."
    return Finding(not missing, "senders", said, hint if missing else "")


def time_scale() -> Finding:
    base, real, own_waits = (
        settings.TWILIO_API_BASE_URL,
        settings.TWILIO_IS_REAL,
        settings.A2P_TIME_SCALE == 1,
    )
    ours = not real and is_sandbox(base)
    target = "the real Twilio" if real else f"our sandbox at {base}" if ours else f"another API host: {base}"
    waits = "its own waits" if own_waits else f"waits × {settings.A2P_TIME_SCALE:g}"
    hint = ""
    if not own_waits and real:
        hint = "Remove A2P_TIME_SCALE: the real Twilio's waits cannot be shortened."
    elif not own_waits and not ours:
        hint = "If this host passes calls on to Twilio, remove A2P_TIME_SCALE: its waits cannot be shortened."
    return Finding(own_waits or not real, "target", f"{target}, {waits}", hint)


def is_sandbox(base: str) -> bool:
    """Whether `manage.py sandbox` answers there; sends no credentials."""
    try:
        with urllib.request.build_opener(_NoRedirect).open(
            base + SANDBOX_PATH, timeout=TIMEOUT_SECONDS
        ) as answer:
            return bool(answer.headers.get("Server", "").startswith("Sandbox"))
    except (OSError, ValueError, http.client.HTTPException):
        return False


def public_address() -> Finding:
    """Twilio's callbacks come to PUBLIC_BASE_URL: it must be https and lead here, without a redirect."""
    name, base = "public address", settings.PUBLIC_BASE_URL
    if not base:
        return Finding(False, name, "not set", "Set PUBLIC_BASE_URL, for example https://a2p.example.com.")
    if not base.startswith("https://") and (settings.TWILIO_IS_REAL or not base.startswith("http://")):
        return Finding(
            False, name, f"{base} is not https", "Twilio calls back over https: give a public https URL."
        )
    try:
        with urllib.request.build_opener(_NoRedirect).open(
            base + HEALTH_PATH, timeout=TIMEOUT_SECONDS
        ) as answer:
            status, body = answer.status, json.loads(answer.read(65536))
    except urllib.error.HTTPError as error:
        return Finding(False, name, f"{base}{HEALTH_PATH} answers {error.code}", _http_hint(error.code))
    except ValueError:
        return Finding(
            False, name, f"{base}{HEALTH_PATH} is not this application", "Does the URL lead elsewhere?"
        )
    except OSError as error:
        reason = getattr(error, "reason", error)
        hint = "Is the web server running, and does the name lead to it from here?"
        return Finding(False, name, f"{base} cannot be reached ({reason})", hint)
    return Finding(status == 200 and isinstance(body, dict), name, f"{base} leads here")


def _http_hint(status: int) -> str:
    if status == 400:
        return "Is the host of PUBLIC_BASE_URL in ALLOWED_HOSTS?"
    if status == 503:
        return "It leads here, but the application is not well: see that page, and whether the worker runs."
    if 300 <= status < 400:
        return "A redirect would lose Twilio's callbacks: give the final URL (scheme and host)."
    return "Does PUBLIC_BASE_URL lead to this application?"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None

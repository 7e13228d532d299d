"""manage.py check_twilio: checks that this installation can work. One line per check, failures with a hint."""

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

# Only whether the URL reaches this application; the health page reports on the worker.
HEALTH_PATH = "/healthz?part=web"
# Part of the sandbox's control API; no other server has it.
SANDBOX_PATH = "/_sandbox/counts"
TIMEOUT_SECONDS = 10
_CREDENTIALS_HINT = "Compare TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or the API key, with Twilio's Console."


@dataclass(frozen=True)
class Result:
    """The outcome of one check, as printed."""

    ok: bool
    name: str
    detail: str
    hint: str = ""


class Command(BaseCommand):
    help = (
        "Check the credentials, the primary profile, both policies, the senders of open registrations, the "
        "public address and the time scale. Read-only. Exits with 1 if a check fails."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for result in results(get_client()):
            failed |= not result.ok
            self.stdout.write(f"{'OK  ' if result.ok else 'FAIL'} {result.name}: {result.detail}")
            if result.hint:
                self.stdout.write(f"     {result.hint}")
        if failed:
            raise SystemExit(1)


def results(client: TwilioClient) -> Iterator[Result]:
    """All checks in order. If the credentials fail, the other checks that call Twilio are skipped."""
    yield time_scale()
    yield public_address()
    account = _checked("credentials", lambda: credentials(client), _CREDENTIALS_HINT)
    yield account
    if not account.ok:
        return
    yield _checked("primary profile", lambda: primary_profile(client))
    for name, sid in (("starter", STARTER_POLICY_SID), ("sole proprietor", SOLE_PROPRIETOR_POLICY_SID)):
        yield _checked(f"{name} policy", lambda n=name, s=sid: policy(client, n, s))  # type: ignore[misc]
    yield _checked("senders", lambda: senders(client))


def _checked(name: str, check: Callable[[], Result], hint: str = "") -> Result:
    try:
        return check()
    except errors.Unavailable as error:
        return Result(
            False, name, str(error), "Twilio could not be reached. Check the network and try again."
        )
    except errors.TwilioError as error:
        return Result(False, name, str(error), hint)


def credentials(client: TwilioClient) -> Result:
    account = client.fetch_account()
    status, kind = account.get("status"), account.get("type")
    detail = f"account {account.get('sid')} is {status or 'without a status'}{f' ({kind})' if kind else ''}"
    if status != "active":
        return Result(
            False, "credentials", detail, "Twilio closed or suspended the account: see the Console."
        )
    if kind == "Trial":
        return Result(
            False, "credentials", detail, "Trial accounts cannot register for A2P 10DLC: upgrade the account."
        )
    return Result(True, "credentials", detail)


def primary_profile(client: TwilioClient) -> Result:
    name, sid = "primary profile", settings.TWILIO_PRIMARY_PROFILE_SID
    if not sid:
        hint = (
            "Set TWILIO_PRIMARY_PROFILE_SID to the BU… SID of your own approved profile (Console, Trust Hub)."
        )
        return Result(False, name, "not set", hint)
    status = client.fetch_bundle("customer_profile", sid).get("status")
    if status != "twilio-approved":
        hint = "Twilio must approve your own profile before any customer's. Complete it in the Console (Trust Hub)."
        return Result(False, name, f"{sid} is {status}", hint)
    return Result(True, name, f"{sid} is {status}")


def policy(client: TwilioClient, name: str, sid: str) -> Result:
    return Result(True, f"{name} policy", f"{client.fetch_policy(sid).get('sid', sid)} is readable")


def senders(client: TwilioClient) -> Result:
    """Whether the account owns the sender numbers of open registrations; shows only how many."""
    numbers = PhoneNumber.objects.exclude(sender_number="").exclude(
        registration__stage__in=[Stage.LIVE, *REMOVAL_STAGES]
    )
    named = set(numbers.values_list("sender_number", flat=True))
    missing = set(named)
    if missing:
        for owned in client.iter_numbers():
            missing -= {owned.get("sid"), owned.get("phone_number")}
            if not missing:
                break
    detail = (
        f"{len(named) - len(missing)} of {len(named)} sender numbers of open registrations are in the account"
    )
    hint = "Buy them, move them into this account, or correct the sender of those registrations."
    return Result(not missing, "senders", detail, hint if missing else "")


def time_scale() -> Result:
    base, is_real = settings.TWILIO_API_BASE_URL, settings.TWILIO_IS_REAL
    is_unscaled = settings.A2P_TIME_SCALE == 1
    is_ours = not is_real and is_sandbox(base)
    target = "Twilio" if is_real else f"the sandbox at {base}" if is_ours else f"another API host: {base}"
    waits = "waits not scaled" if is_unscaled else f"waits × {settings.A2P_TIME_SCALE:g}"
    hint = ""
    if not is_unscaled and is_real:
        hint = "Remove A2P_TIME_SCALE: Twilio's waits cannot be shortened."
    elif not is_unscaled and not is_ours:
        hint = "If this host forwards calls to Twilio, remove A2P_TIME_SCALE: Twilio's waits cannot be shortened."
    return Result(is_unscaled or not is_real, "target", f"{target}, {waits}", hint)


def is_sandbox(base: str) -> bool:
    """Whether `manage.py sandbox` runs at this URL. Sends no credentials."""
    try:
        with _open(base + SANDBOX_PATH) as response:
            return bool(response.headers.get("Server", "").startswith("Sandbox"))
    except (OSError, ValueError, http.client.HTTPException):
        return False


def public_address() -> Result:
    """Twilio's callbacks go to PUBLIC_BASE_URL: it must be https and reach this application without a redirect."""
    name, base = "public address", settings.PUBLIC_BASE_URL
    if not base:
        return Result(False, name, "not set", "Set PUBLIC_BASE_URL, for example https://a2p.example.com.")
    if not base.startswith("https://") and (settings.TWILIO_IS_REAL or not base.startswith("http://")):
        return Result(
            False, name, f"{base} is not https", "Twilio calls back over https: set a public https URL."
        )
    try:
        with _open(base + HEALTH_PATH) as response:
            status, body = response.status, json.loads(response.read(65536))
    except urllib.error.HTTPError as error:
        return Result(False, name, f"{base}{HEALTH_PATH} returns {error.code}", _http_hint(error.code))
    except ValueError:
        return Result(
            False,
            name,
            f"{base}{HEALTH_PATH} is not this application",
            "Does the URL point to another server?",
        )
    except OSError as error:
        reason = getattr(error, "reason", error)
        hint = "Is the web server running, and does the host name resolve to it from here?"
        return Result(False, name, f"{base} cannot be reached ({reason})", hint)
    return Result(status == 200 and isinstance(body, dict), name, f"{base} reaches this application")


def _http_hint(status: int) -> str:
    if status == 400:
        return "Is the host of PUBLIC_BASE_URL in ALLOWED_HOSTS?"
    if status == 503:
        return "The URL is right, but the application is not healthy: open that page, and check the worker."
    if 300 <= status < 400:
        return "A redirect would lose Twilio's callbacks: set the final URL (scheme and host)."
    return "Does PUBLIC_BASE_URL point to this application?"


def _open(url: str) -> Any:
    return urllib.request.build_opener(_NoRedirect).open(url, timeout=TIMEOUT_SECONDS)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None

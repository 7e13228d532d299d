"""A second factor at sign-in: a six-digit code from an app (TOTP), with recovery codes for a lost phone.

Users who have set one up are asked for it; with A2P_REQUIRE_MFA, everyone must set one up before anything else. Codes,
throttling, and storage are django-otp's.
"""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import django_otp
import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

RECOVERY_CODES = 8
# In the session of users with a second factor, set at sign-in, so that pages need not query the database.
REQUIRED = "second_factor_required"
# The pages that are open before the second factor.
_OPEN = {"second-factor", "second-factor-setup", "logout", "jsi18n"}


def note_sign_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if django_otp.user_has_device(user, confirmed=True):
        request.session[REQUIRED] = True


user_logged_in.connect(note_sign_in, dispatch_uid="second_factor")


class RequireSecondFactor:
    """After the password, no page opens before the second factor. Pages without sign-in are not affected."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if not (settings.A2P_REQUIRE_MFA or request.session.get(REQUIRED)):
            return None
        match = request.resolver_match
        if _verified(request) or (match and match.url_name in _OPEN):
            return None
        target = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect(f"{reverse('second-factor')}?{urlencode({'next': target})}")


@never_cache
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Asks for the code. After a wrong one, the wait gets longer each time (django-otp)."""
    if not _devices(request).exists():
        # Removed since the sign-in, e.g. because of a lost phone.
        request.session.pop(REQUIRED, None)
        return redirect("second-factor-setup")
    wrong = False
    if request.method == "POST":
        # Recovery codes are lowercase, however they were written down.
        code = request.POST.get("code", "").replace(" ", "").lower()[:16]
        device = django_otp.match_token(request.user, code)
        if device is not None:
            django_otp.login(request, device)
            return redirect(_next(request))
        wrong = True
    return TemplateResponse(
        request,
        "admin/second_factor.html",
        {"wrong": wrong, "next": _next(request)},
        status=422 if wrong else 200,
    )


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Set it up, get new recovery codes, or turn it off. Changes need a POST and, once on, the second factor."""
    is_on = _devices(request).exists()
    if is_on and not _verified(request):
        return redirect("second-factor")
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action == "start" and not is_on:
        TOTPDevice.objects.filter(user=request.user, confirmed=False).delete()
        TOTPDevice.objects.create(user=request.user, name="App", confirmed=False, tolerance=1)
        return redirect("second-factor-setup")
    if action == "confirm" and not is_on:
        return _confirm(request)
    if action == "codes" and is_on:
        return _page(request, codes=_new_codes(request.user))
    if action == "off" and is_on and not settings.A2P_REQUIRE_MFA:
        forget(request.user)
        request.session.pop(REQUIRED, None)
        messages.success(request, "Second factor turned off.")
        return redirect("second-factor-setup")
    return _page(request)


def forget(user: Any) -> int:
    """Removes a user's second factor, e.g. if phone and recovery codes are lost. Returns the number of devices."""
    with transaction.atomic():
        removed = TOTPDevice.objects.filter(user=user).delete()[0]
        StaticDevice.objects.filter(user=user).delete()
    return removed


def _confirm(request: HttpRequest) -> HttpResponse:
    device = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
    if device is None:
        return redirect("second-factor-setup")
    if not device.verify_token(request.POST.get("code", "").replace(" ", "")):
        return _page(request, wrong=True)
    with transaction.atomic():
        device.confirmed = True
        device.save()
        codes = _new_codes(request.user)
    django_otp.login(request, device)
    return _page(request, codes=codes)


def _page(request: HttpRequest, codes: list[str] | None = None, wrong: bool = False) -> HttpResponse:
    new = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
    return TemplateResponse(
        request,
        "admin/second_factor_setup.html",
        {
            "is_on": _devices(request).exists(),
            "codes": codes,
            "codes_left": StaticToken.objects.filter(device__user=request.user).count(),
            "key": _key(new) if new else "",
            "qr": _qr(new) if new else "",
            "wrong": wrong,
            "required": settings.A2P_REQUIRE_MFA,
        },
        status=422 if wrong else 200,
    )


def _verified(request: HttpRequest) -> bool:
    """Set on the user by django-otp's middleware."""
    return bool(getattr(request.user, "is_verified")())  # noqa: B009 (not known to the types)


def _devices(request: HttpRequest) -> Any:
    return TOTPDevice.objects.filter(user=request.user, confirmed=True)


def _new_codes(user: Any) -> list[str]:
    """Eight codes that work once each; previous ones stop working."""
    with transaction.atomic():
        device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "Recovery codes"})
        device.token_set.all().delete()
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        device.token_set.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def _key(device: TOTPDevice) -> str:
    """The secret in base32, as apps expect it, in groups for typing."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _qr(device: TOTPDevice) -> str:
    # Drawn from numbers by the library; it contains no user text.
    svg = segno.make(device.config_url, error="m").svg_inline(scale=5, dark="#000", light="#fff", border=3)
    return mark_safe(svg)  # noqa: S308


def _next(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if safe else reverse("admin:index")

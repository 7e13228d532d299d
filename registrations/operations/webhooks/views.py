"""Twilio's two endpoints: status callbacks of bundles, and Event Streams.

Public, without login, session, or CSRF token: requests are authenticated by their signature. Unsigned requests leave
only a log line. Signed requests are always stored and answered with 2xx, because a 4xx would only make Twilio send the
same again (docs/twilio.md section 6.5 and 7.4).
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from registrations.twilio.client.signatures import FORM, is_signed

from . import parsing, receiver

log = logging.getLogger(__name__)

# Twilio's batches are at most 64 kB (docs/twilio.md section 7.2); anything far larger is not from Twilio.
MAX_BODY_BYTES = 256 * 1024
TOKEN_HEADER = "I-Twilio-Idempotency-Token"  # noqa: S105  the name of a header

View = Callable[[HttpRequest], HttpResponse]


def signed(view: View) -> View:
    """Accept only requests that Twilio signed, and none that are too large."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if _declared_length(request) > MAX_BODY_BYTES:
            return HttpResponse(status=413)
        try:
            too_big = len(request.body) > MAX_BODY_BYTES
        except RequestDataTooBig:
            too_big = True
        except UnreadablePostError:
            return HttpResponse(status=400)
        if too_big:
            return HttpResponse(status=413)
        if not is_signed(request):
            log.warning("%s: a request without a valid signature was refused.", request.path)
            if not settings.PUBLIC_BASE_URL:
                log.warning("PUBLIC_BASE_URL is not set, so no signature can be checked.")
            return HttpResponse(status=403)
        return view(request)

    return login_not_required(csrf_exempt(require_POST(guarded)))


def _declared_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _text(request: HttpRequest) -> str:
    return request.body.decode("utf-8", "replace")


@signed
def bundle_status(request: HttpRequest) -> HttpResponse:
    """POST /twilio/bundle-status/: a form; 204 if stored, 200 if already known."""
    fields = request.POST.dict() if request.content_type == FORM else {}
    row = parsing.status_callback(
        {key: str(value) for key, value in fields.items()},
        body=_text(request),
        content_type=request.content_type or "",
    )
    fresh = receiver.receive_status(row, token=request.headers.get(TOKEN_HEADER, ""))
    return HttpResponse(status=204 if fresh else 200)


@signed
def events(request: HttpRequest) -> HttpResponse:
    """POST /twilio/events/: a JSON array of CloudEvents, or one; 204 if stored, 200 if all are known."""
    rows = parsing.events(_text(request), content_type=request.content_type or "")
    fresh = receiver.store(rows)
    return HttpResponse(status=204 if fresh else 200)

"""Every page of the desk at once, for what must hold on each of them."""

from collections.abc import Callable
from typing import NamedTuple

from django.utils import timezone
from playwright.sync_api import Page

from registrations import pipeline
from registrations.models import Profile, Registration, Submission, WebhookDelivery
from registrations.states import Stage
from tests.factories import make_registration

from .pages import Desk

# Longest texts without a blank, as a pasted name or a SID may be.
LONG = "Nagelstudio" * 9
REJECTED = {
    "campaign_status": "FAILED",
    "errors": [
        {
            "error_code": 30886,
            "description": "The campaign description is not clear enough. " * 3,
            "url": "https://www.twilio.com/docs/api/errors/30886",
            "fields": ["USE_CASE_DESCRIPTION"],
        },
        {
            "error_code": 39999,
            "description": "A code nobody has seen yet.",
            "url": "",
            "fields": ["NEW_FIELD"],
        },
        {"error_code": 30893, "description": "", "url": "", "fields": ["MESSAGE_SAMPLES"]},
    ],
}


ADDRESS = (
    "[address_sids] - Invalid Locality. Address suggestion -> Street: 1 Main St. Locality: Cambridge. "
    "Region: MA. Postal Code: 02139. Country: US;"
)


class Cases(NamedTuple):
    draft: Registration
    otp: Registration
    rejected: Registration
    to_buy: Registration
    live: Registration
    address: Registration
    suspended: Registration
    delivery: WebhookDelivery


def make_cases() -> Cases:
    """One case of each kind that a page can show."""
    address = make_registration("profile", label="Address Aster", answer={"status": "twilio-rejected"})
    Profile.objects.filter(registration=address).update(failure_reason=ADDRESS)
    pipeline.restate(address.pk)
    for number in (1, 2):
        Submission.objects.update_or_create(
            registration=address,
            part="profile",
            number=number,
            defaults={"step": "profile.submit", "sent": {"street": LONG[:number]}, "at": timezone.now()},
        )
    return Cases(
        address=address,
        suspended=make_registration(
            "brand", label="Suspended Sage", answer={"status": "SUSPENDED", "identity_status": "VERIFIED"}
        ),
        delivery=WebhookDelivery.objects.create(
            kind="events", event_type="x.y", registration=address, body="{}", traceback=LONG, state="errored"
        ),
        draft=make_registration("draft", label="Draft Dahlias"),
        otp=make_registration("otp", label="One-time Okra"),
        rejected=make_registration(
            "campaign", label=LONG[:100], answer=REJECTED, parts={"trust_bundle": {"brand_name": LONG[:100]}}
        ),
        to_buy=make_registration(
            Stage.NUMBER,
            label="Buying Bees",
            parts={"phone_number": {"sender_number": "", "area_code": "415"}},
        ),
        live=make_registration("live", label="Living Lilies", notes="Prefers calls in the morning."),
    )


def _errors(desk: Desk) -> None:
    desk.new()
    desk.button("Save").click()
    desk.page.get_by_role("alert").wait_for()


def pages(cases: Cases) -> dict[str, str | Callable[[Desk], object]]:
    """Name -> address, or how to get there."""
    case = "/admin/registrations/registration/{}/{}/".format
    admin = "/admin/{}/".format
    run = cases.live.runs.first()
    return {
        "list": admin("registrations/registration"),
        "list-filtered": admin("registrations/registration") + "?waiting_for__exact=us&q=Nagel",
        "list-no-match": admin("registrations/registration") + "?q=nobody",
        "form-new": admin("registrations/registration/add"),
        "form-errors": _errors,
        "form-rejected": case(cases.rejected.pk, "change"),
        "case-draft": case(cases.draft.pk, "desk"),
        "case-otp": case(cases.otp.pk, "desk"),
        "case-rejected": case(cases.rejected.pk, "desk"),
        "case-to-buy": case(cases.to_buy.pk, "desk"),
        "case-live": case(cases.live.pk, "desk"),
        "case-address": case(cases.address.pk, "desk"),
        "case-suspended": case(cases.suspended.pk, "desk"),
        "versions": case(cases.address.pk, "versions")
        + "?a={}&b={}#comparison".format(*cases.address.submissions.values_list("pk", flat=True)[:2]),
        "one-time-texts": admin("registrations/registration/otp"),
        "one-time-texts-confirm": admin("registrations/registration/otp/confirm") + f"?case={cases.otp.pk}",
        "mobile": case(cases.otp.pk, "mobile"),
        "confirm-remove": case(cases.live.pk, "confirm/remove"),
        "webhooks": admin("registrations/webhookdelivery"),
        "webhook": admin(f"registrations/webhookdelivery/{cases.delivery.pk}/change"),
        "health": admin("registrations/webhookdelivery/health"),
        "confirm-submit": case(cases.draft.pk, "confirm/submit"),
        "confirm-purchase": case(cases.to_buy.pk, "confirm/purchase"),
        "delete-draft": case(cases.draft.pk, "delete"),
        "ledger": admin("registrations/steprun") + f"?registration__exact={cases.otp.pk}",
        "ledger-call": admin(f"registrations/steprun/{run.pk}/change"),
        "timeline": admin("registrations/event") + f"?registration__exact={cases.draft.pk}",
        "brands": admin("registrations/brand"),
        "campaigns": admin("registrations/campaign"),
        "numbers": admin("registrations/phonenumber"),
        "users": admin("auth/user"),
        "user-new": admin("auth/user/add"),
        "user": admin(f"auth/user/{cases.live.owner_id or 1}/change"),
        "groups": admin("auth/group"),
        "group-new": admin("auth/group/add"),
        "password": admin("password_change"),
        "not-found": "/admin/registrations/registration/999999/desk/",
    }


def visit(desk: Desk, how: str | Callable[[Desk], object]) -> Page:
    if callable(how):
        how(desk)
    else:
        desk.page.goto(how)
    return desk.page

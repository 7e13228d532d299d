"""The pages of everything that can go wrong, for people to look at."""

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from registrations.models import Brand, Finding, Profile, Registration, Scan
from registrations.models.choices import Stage
from registrations.workflow.runner import runner
from tests.browser.every_page import ADDRESS
from tests.factories import fake_sid
from tests.factories import make_registration as make

_serial = itertools.count(1)
EMAIL_REFUSED = {
    "error_code": 30701,
    "description": "The email address does not belong to the customer.",
    "fields": ["EMAIL"],
}


def make_registration(stage: str, *, label: str, **more: Any) -> Registration:
    """A customer with data of her own, so that no limit is in sight."""
    name, serial = label.split()[0], next(_serial)
    parts = {
        "profile": {
            "first_name": name,
            "email": f"{name.lower()}@harborcrafts.com",
            "street": f"{serial} Main St",
        },
        "trust_bundle": {"brand_name": label, "mobile_phone_number": f"+1415555{2700 + serial}"},
    }
    return make(stage, label=label, parts=parts, **more)


def failed_brand(label: str, *errors: dict, resubmissions: int = 0) -> Registration:
    answer = {"status": "FAILED", "identity_status": "SELF_DECLARED", "errors": list(errors)}
    registration = make_registration(Stage.BRAND, label=label, answer=answer)
    Brand.objects.filter(registration=registration).update(resubmissions=resubmissions)
    runner.refresh_status(registration.pk)
    return registration


def texted(label: str, hours: float, sends: int = 1, days: float = 3) -> Registration:
    registration = make_registration(Stage.OTP, label=label)
    moment = timezone.now()
    Brand.objects.filter(registration=registration).update(
        otp_sent_at=moment - timedelta(hours=hours),
        otp_sends=sends,
        registered_at=moment - timedelta(days=days),
    )
    return registration


def rejected_address(label: str) -> Registration:
    errors = [{"code": 18603, "description": "The address could not be verified."}]
    registration = make_registration(
        Stage.PROFILE, label=label, answer={"status": "twilio-rejected", "errors": errors}
    )
    Profile.objects.filter(registration=registration).update(failure_reason=ADDRESS)
    runner.refresh_status(registration.pk)
    return registration


def findings(registration: Registration) -> None:
    moment = timezone.now()
    scan = Scan.objects.create(state="done", requested_at=moment, started_at=moment, finished_at=moment)
    for resource_type, finding_type, action, note in (
        ("brand", "orphan", "console", "Made by this desk, but no registration knows it."),
        ("service", "retired", "delete", "No registration uses it any more."),
        ("trust_product", "orphan", "adopt", "It carries this registration's name."),
    ):
        Finding.objects.create(
            scan=scan,
            finding_type=finding_type,
            resource_type=resource_type,
            sid=fake_sid({"brand": "BN", "service": "MG"}.get(resource_type, "BU")),
            action=action,
            note=note,
            registration=registration if resource_type != "brand" else None,
            name=registration.friendly_name(resource_type),
        )


def failures() -> dict[str, str]:
    """Name of a picture -> address."""
    registration = "/admin/registrations/registration/{}/{}/".format
    spent = failed_brand("Spent Sorrel", EMAIL_REFUSED, resubmissions=3)
    by_hand = failed_brand("By-hand Basil", {"error_code": 30793, "description": "The bundles are wrong."})
    again = failed_brand("Second-try Thyme", EMAIL_REFUSED, resubmissions=1)
    address = rejected_address("Address Anise")
    unknown = make_registration(
        Stage.CAMPAIGN,
        label="Unknown Umbel",
        answer={"campaign_status": "FAILED", "errors": [{"error_code": 39999, "description": "New."}]},
    )
    late = make_registration(Stage.CAMPAIGN, label="Late Lavender")
    Registration.objects.filter(pk=late.pk).update(stage_since=timezone.now() - timedelta(days=17))
    expired, fresh = texted("Expired Endive", 26, 2), texted("Fresh Fennel", 0.02)
    texted("Soon Saffron", 21, 3, days=31)
    number = make_registration(Stage.LIVE, label="Numbered Nettle")
    number.phone_number.a2p_status = "failure"
    number.phone_number.save()
    runner.refresh_status(number.pk)
    findings(number)
    admin = "/admin/registrations/{}".format
    return {
        "dead-end": registration(spent.pk, "detail"),
        "dead-end-confirm": registration(spent.pk, "confirm/submit"),
        "dead-end-form": registration(spent.pk, "change"),
        "dead-end-30793": registration(by_hand.pk, "detail"),
        "brand-again": registration(again.pk, "detail"),
        "brand-again-confirm": registration(again.pk, "confirm/submit"),
        "brand-again-form": registration(again.pk, "change"),
        "address": registration(address.pk, "detail"),
        "unknown": registration(unknown.pk, "detail"),
        "unknown-confirm": registration(unknown.pk, "confirm/submit"),
        "late": registration(late.pk, "detail"),
        "number": registration(number.pk, "detail"),
        "otp-expired": registration(expired.pk, "detail"),
        "otp-resend": registration(expired.pk, "confirm/resend-otp"),
        "otp-cooling": registration(fresh.pk, "confirm/resend-otp"),
        "otp-desk": admin("registration/otp/"),
        "mobile": registration(expired.pk, "mobile"),
        "brands": admin("brand/"),
        "brands-overdue": admin("brand/?overdue=1"),
        "campaigns": admin("campaign/"),
        "numbers": admin("phonenumber/"),
        "calls-of-one": admin(f"apicall/?registration__exact={late.pk}"),
        "timeline-of-one": admin(f"event/?registration__exact={late.pk}"),
        "reconcile": admin("scan/"),
        "list": admin("registration/"),
        "health": admin("webhookdelivery/health/"),
    }

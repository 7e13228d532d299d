"""Every page of the desk at once, for what must hold on each of them."""

from collections.abc import Callable
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from registrations.models import (
    Batch,
    Fee,
    Import,
    Notification,
    Profile,
    Registration,
    Submission,
    WebhookDelivery,
)
from registrations.models.choices import Stage
from registrations.operations import actions
from registrations.operations.imports import importer
from registrations.workflow import notices
from registrations.workflow.runner import runner
from tests.admin.test_site import orphan_of
from tests.browser.bulk import make_batches, open_preview, shared_failure_url
from tests.browser.pages import CUSTOMER, App
from tests.factories import make_registration
from tests.operations.imports.files import csv_bytes

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


class Registrations(NamedTuple):
    draft: Registration
    otp: Registration
    rejected: Registration
    to_buy: Registration
    live: Registration
    address: Registration
    suspended: Registration
    doubtful: Registration
    delivery: WebhookDelivery
    batches: dict[str, Batch]


def make_registrations() -> Registrations:
    """One registration of each kind that a page can show."""
    address = make_registration("profile", label="Address Aster", answer={"status": "twilio-rejected"})
    Profile.objects.filter(registration=address).update(failure_reason=ADDRESS)
    runner.refresh_status(address.pk)
    for number in (1, 2):
        Submission.objects.update_or_create(
            registration=address,
            part="profile",
            number=number,
            defaults={
                "step": "profile.submit",
                "accepted_params": {"street": LONG[:number]},
                "submitted_at": timezone.now(),
            },
        )
    draft = make_registration("draft", label="Draft Dahlias")
    make_notes(address)
    return Registrations(
        address=address,
        batches=make_batches([address, draft]),
        suspended=make_registration(
            "brand", label="Suspended Sage", answer={"status": "SUSPENDED", "identity_status": "VERIFIED"}
        ),
        delivery=WebhookDelivery.objects.create(
            kind="events", event_type="x.y", registration=address, body="{}", traceback=LONG, state="errored"
        ),
        draft=draft,
        doubtful=make_registration(
            "draft",
            label="Doubtful Daisies",
            # A mobile of its own: the limit of the others' would forbid the click.
            parts={
                "campaign": {"message_samples": [f"See you on [date]. {LONG}", "Booked for [date]."]},
                "trust_bundle": {"mobile_phone_number": "+14155552899"},
            },
        ),
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


def make_import() -> Import:
    """A checked upload: one customer as it should be, one with things to mend."""
    client = Client()
    client.force_login(get_user_model().objects.filter(is_superuser=True)[0])
    table = SimpleUploadedFile("customers.csv", csv_bytes({}, {"email": "no-address", "postal_code": LONG}))
    client.post("/admin/registrations/import/add/", {"file": table})
    upload = Import.objects.latest("pk")
    importer.advance(upload.pk)
    return upload


def make_notes(registration: Registration) -> None:
    """Notes for everybody, read and unread, and a price."""
    Fee.objects.get_or_create(
        kind="brand", valid_from="2025-01-01", defaults={"amount": "4.50", "source": LONG}
    )
    for user in get_user_model().objects.filter(is_staff=True):
        notices.notify(
            user, "failure", "a", f"{registration.label} stopped: Invalid locality", registration=registration
        )
        notices.notify(user, "red", "b", LONG)
        notices.notify(user, "mention", "c", "bob mentioned you.", registration=registration)
        Notification.objects.filter(key="c").update(read_at=timezone.now())


def _errors(app: App) -> None:
    app.new()
    app.button("Save").click()
    app.page.get_by_role("alert").wait_for()


def _composer(app: App) -> None:
    app.new()
    app.fill(CUSTOMER | {"Description": "", "How people opt in": ""})
    app.button("Compose texts…").click()
    app.page.get_by_role("heading", name="The business").wait_for()


def _composed(app: App) -> None:
    _composer(app)
    app.field("Opt-in page").fill("annlee.example.com/texts")
    app.button("Compose texts").click()
    app.page.get_by_role("heading", name="The texts").wait_for()


def conflict(app: App, registration: Registration) -> None:
    """Two people changed the same input; the second looks at both."""
    app.page.goto(f"/admin/registrations/registration/{registration.pk}/change/")
    app.field("City").fill("Salem")
    parts = {"profile": {"city": LONG, "street": "9 New St"}}
    actions.edit(Registration.objects.get(pk=registration.pk), parts, actor="bob")
    app.button("Save").click()
    app.page.get_by_role("heading", name="changed the same fields").wait_for()
    # For the next one who comes here.
    actions.edit(Registration.objects.get(pk=registration.pk), {"profile": {"city": "Boston"}}, actor="bob")


def pages(registrations: Registrations) -> dict[str, str | Callable[[App], object]]:
    """Name -> address, or how to get there."""
    registration = "/admin/registrations/registration/{}/{}/".format
    admin = "/admin/{}/".format
    run = registrations.live.api_calls.first()
    upload = make_import()
    return {
        "dashboard": "/admin/",
        "list": admin("registrations/registration"),
        "list-filtered": admin("registrations/registration") + "?waiting_for__exact=us&q=Nagel",
        "list-no-match": admin("registrations/registration") + "?q=nobody",
        "form-new": admin("registrations/registration/add"),
        "form-errors": _errors,
        "form-rejected": registration(registrations.rejected.pk, "change"),
        "registration-draft": registration(registrations.draft.pk, "detail"),
        "registration-otp": registration(registrations.otp.pk, "detail"),
        "registration-rejected": registration(registrations.rejected.pk, "detail"),
        "registration-to-buy": registration(registrations.to_buy.pk, "detail"),
        "registration-live": registration(registrations.live.pk, "detail"),
        "registration-address": registration(registrations.address.pk, "detail"),
        "registration-suspended": registration(registrations.suspended.pk, "detail"),
        "submissions": registration(registrations.address.pk, "submissions")
        + "?a={}&b={}#comparison".format(*registrations.address.submissions.values_list("pk", flat=True)[:2]),
        "one-time-texts": admin("registrations/registration/otp"),
        "bulk-work": admin("registrations/batch"),
        "failures": admin("registrations/openproblem"),
        "failures-by-reason": admin("registrations/openproblem") + "?by=reason",
        "failures-unrecognized": admin("registrations/openproblem/unknown-codes"),
        "failure-group": shared_failure_url(),
        "failure-preview": open_preview,
        "batch-ready": admin(f"registrations/batch/{registrations.batches['ready'].pk}"),
        "batch-preparing": admin(f"registrations/batch/{registrations.batches['preparing'].pk}"),
        "batch-done": admin(f"registrations/batch/{registrations.batches['done'].pk}"),
        "mobile": registration(registrations.otp.pk, "mobile"),
        "confirm-remove": registration(registrations.live.pk, "confirm/remove"),
        "webhooks": admin("registrations/webhookdelivery"),
        "webhook": admin(f"registrations/webhookdelivery/{registrations.delivery.pk}/change"),
        "health": admin("registrations/webhookdelivery/health"),
        "confirm-submit": registration(registrations.draft.pk, "confirm/submit"),
        "confirm-preflight": registration(registrations.doubtful.pk, "confirm/submit"),
        "confirm-purchase": registration(registrations.to_buy.pk, "confirm/purchase"),
        "delete-draft": registration(registrations.draft.pk, "delete"),
        "ledger": admin("registrations/apicall") + f"?registration__exact={registrations.otp.pk}",
        "ledger-call": admin(f"registrations/apicall/{run.pk}/change"),
        "timeline": admin("registrations/event") + f"?registration__exact={registrations.draft.pk}",
        "brands": admin("registrations/brand"),
        "campaigns": admin("registrations/campaign"),
        "numbers": admin("registrations/phonenumber"),
        "users": admin("auth/user"),
        "user-new": admin("auth/user/add"),
        "user": admin(f"auth/user/{registrations.live.owner_id or 1}/change"),
        "user-password": admin(f"auth/user/{registrations.live.owner_id or 1}/password"),
        "groups": admin("auth/group"),
        "group-new": admin("auth/group/add"),
        "password": admin("password_change"),
        "password-done": admin("password_change/done"),
        "notes": admin("registrations/notification"),
        "notes-settings": admin("registrations/notification/settings"),
        "spending": admin("registrations/fee/spending"),
        "spending-registrations": admin("registrations/fee/spending") + "?view=registrations",
        "spending-batches": admin("registrations/fee/spending") + "?view=batches",
        "prices": admin("registrations/fee"),
        "price-new": admin("registrations/fee/add"),
        "price-history": admin(f"registrations/fee/{Fee.objects.latest('pk').pk}/history"),
        "app": admin("registrations"),
        "reconcile": admin("registrations/scan"),
        "finding": admin(f"registrations/scan/finding/{orphan_of(registrations.live).pk}/confirm"),
        "imports": admin("registrations/import"),
        "import-new": admin("registrations/import/add"),
        "import": admin(f"registrations/import/{upload.pk}"),
        "import-row": admin(f"registrations/import/{upload.pk}/rows/3"),
        "composer": _composer,
        "composer-texts": _composed,
        "second-factor": admin("second-factor/setup"),
        "form-merge": lambda app: conflict(app, registrations.suspended),
        "not-found": "/admin/registrations/registration/999999/detail/",
    }


def visit(app: App, how: str | Callable[[App], object]) -> Page:
    if callable(how):
        how(app)
        app.page.wait_for_load_state()
    else:
        app.page.goto(how)
    return app.page

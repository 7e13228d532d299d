"""Pages in states that seldom last: work under way, stopped or cancelled, menus that are open, the way in."""

from collections.abc import Iterator

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from registrations.models import Batch, BatchItem, Import, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations import actions, bulk
from registrations.operations.imports import importer
from tests.browser.pages import App
from tests.factories import make_registration
from tests.operations.imports.files import csv_bytes

BAD_CELLS = {"email": "no-address", "postal_code": "9", "mobile_phone_number": "12", "description": "Texts."}
LISTS = (
    "registrations/registration",
    "registrations/registration/otp",
    "registrations/openproblem",
    "registrations/batch",
    "registrations/import",
    "registrations/notification",
    "registrations/brand",
    "registrations/campaign",
    "registrations/phonenumber",
    "registrations/scan",
    "registrations/apicall",
    "registrations/fee/money",
    "registrations/fee",
    "registrations/event",
    "registrations/webhookdelivery",
    "registrations/webhookdelivery/health",
)
PLAIN = ("400", "403", "403_csrf", "404", "500", "locked")


def empty_desk() -> dict[str, str]:
    """The home page and every list, as on the first day."""
    return {"empty-board": "/admin/"} | {
        f"empty-{path.removeprefix('registrations/').replace('/', '-')}": f"/admin/{path}/" for path in LISTS
    }


def rare_pages() -> dict[str, str]:
    admin = "/admin/registrations/{}/".format
    held = make_registration("brand", label="Held Hyacinths")
    actions.hold(held, reason="The customer is away until Monday.", actor="ann")
    pages = {"registration-held": admin(f"registration/{held.pk}/detail")}
    pages |= {f"batch-{name}": admin(f"batch/{row.pk}") for name, row in _batches().items()}
    pages |= {f"import-{name}": admin(f"import/{row.pk}") for name, row in _imports().items()}
    pages["batches"] = admin("batch")
    pages["imports"] = admin("import")
    return pages


def plain_page(app: App, name: str) -> None:
    """One of the pages that stand without the desk around them."""
    app.page.route(
        "**/plain",
        lambda route: route.fulfill(content_type="text/html", body=render_to_string(f"{name}.html")),
    )
    app.page.goto("/plain")
    app.page.unroute("**/plain")


def second_factor(app: App) -> Iterator[str]:
    """Each step of setting it up, named, while its page is open; at the end the desk asks for a code."""
    app.page.goto("/admin/second-factor/setup/")
    app.button("Set up").click()
    yield "second-factor-key"
    app.field("Code").fill("000000")
    app.button("Turn on").click()
    yield "second-factor-wrong"
    TOTPDevice.objects.update(confirmed=True)
    app.page.goto("/admin/second-factor/")
    yield "second-factor-asked"
    app.field("Code").fill("000000")
    app.button("Continue").click()
    yield "second-factor-refused"
    TOTPDevice.objects.all().delete()


def menus(app: App) -> Iterator[str]:
    """A list's menus, each open."""
    for name in ("Filters", "Views", "Export"):
        app.page.goto("/admin/registrations/registration/?waiting_for__exact=us")
        app.page.locator("summary.btn", has_text=name).click()
        yield f"menu-{name.lower()}"


def _batches() -> dict[str, Batch]:
    user = get_user_model().objects.filter(is_superuser=True)[0]
    registrations = [make_registration(label=f"Row {number} Roses") for number in range(1, 6)]

    def made(rows: list[Registration]) -> Batch:
        batch = bulk.start("submit", [registration.pk for registration in rows], user=user)
        bulk.advance(batch.pk)
        bulk.confirm(batch, user=user)
        return batch

    running, cancelled, failed = made(registrations), made(registrations), made(registrations)
    nothing = bulk.start("resume", [registration.pk for registration in registrations], user=user)
    bulk.advance(nothing.pk)
    for batch in (running, cancelled, failed):
        first, second = BatchItem.objects.filter(batch=batch).order_by("pk")[:2]
        BatchItem.objects.filter(pk=first.pk).update(
            state=ItemState.DONE, text="Submitted.", finished_at=timezone.now()
        )
        BatchItem.objects.filter(pk=second.pk).update(
            state=ItemState.FAILED, text="Somebody edited it meanwhile.", finished_at=timezone.now()
        )
    bulk.cancel(cancelled, user=user)
    Batch.objects.filter(pk=failed.pk).update(
        state=JobState.FAILED,
        error="The work stopped three times at the same row. Start again goes on behind it.",
    )
    return {"running": running, "cancelled": cancelled, "failed": failed, "nothing": nothing}


def _imports() -> dict[str, Import]:
    user = get_user_model().objects.filter(is_superuser=True)[0]

    def stored(name: str, *rows: dict) -> Import:
        table = SimpleUploadedFile(name, csv_bytes(*rows))
        return importer.store(table, name, user=user, submit=False)

    def own(number: int) -> dict:
        return {
            "email": f"own{number}@harborcrafts.com",
            "mobile_phone_number": f"+1415555{2710 + number}",
            "street": f"{number} Elm St",
            "first_name": f"Ina{chr(97 + number)}",
        }

    reading = stored("reading.csv", own(1), own(2))
    mixed = stored("mixed.csv", own(3), own(4), BAD_CELLS, own(3))
    importer.advance(mixed.pk)
    running = stored("running.csv", own(5), own(6))
    importer.advance(running.pk)
    running.refresh_from_db()
    importer.confirm(running, user=user)
    done = stored("done.csv", own(7), own(8))
    importer.advance(done.pk)
    done.refresh_from_db()
    importer.confirm(done, user=user)
    importer.advance(done.pk)
    cancelled = stored("cancelled.csv", own(9))
    Import.objects.filter(pk=cancelled.pk).update(state=JobState.CANCELLED, cancelled_by="ann")
    failed = stored("failed.csv", own(9))
    Import.objects.filter(pk=failed.pk).update(
        state=JobState.FAILED,
        error="The file could not be read: it ends in the middle of a row. Save it anew as CSV, and upload it again.",
    )
    return {
        "reading": reading,
        "mixed": mixed,
        "running": running,
        "done": done,
        "cancelled": cancelled,
        "failed": failed,
    }

"""What the tests of imports share: the addresses of their pages, and the ways through them."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from registrations.models import Import
from registrations.models.choices import JobState
from registrations.operations.imports import importer
from tests.operations.imports.files import csv_bytes


def url(name: str, *args: object) -> str:
    return reverse(f"admin:registrations_import_{name}", args=args)


def upload(client, *rows, name: str = "customers.csv", **data):
    content = data.pop("content") if "content" in data else csv_bytes(*rows)
    return client.post(url("add"), {"file": SimpleUploadedFile(name, content), **data})


def ready(client, *rows, **data) -> Import:
    answer = upload(client, *rows, **data)
    assert answer.status_code == 302, answer.context["form"].errors
    found = Import.objects.latest("pk")
    importer.advance(found.pk)
    found.refresh_from_db()
    assert found.state == JobState.READY
    return found


def confirm(client, found: Import):
    page = client.get(url("page", found.pk))
    return client.post(
        url("confirm", found.pk), {"good": page.context["good"], "fee": f"{page.context['fee']:.2f}"}
    )


def imported(client, found: Import) -> Import:
    confirm(client, found)
    importer.advance(found.pk)
    found.refresh_from_db()
    return found


def said(answer) -> str:
    return " ".join(str(message) for message in answer.wsgi_request._messages)

"""Every link and button of every page works for the role that sees it."""

import re
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registrations.core import roles
from registrations.models import ApiCall, Batch, BatchItem, Fee, Import, OpenProblem, Scan, WebhookDelivery
from registrations.models.choices import Stage
from registrations.operations.imports import importer
from tests.admin.conftest import browser
from tests.factories import make_registration
from tests.operations.imports.files import csv_bytes

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a\b[^>]*\bhref="(/admin/[^"#]*)')
FORM = re.compile(r"<form\b([^>]*\bmethod=\"post\"[^>]*)>(.*?)</form>", re.S)
ACTION = re.compile(r'\baction="(/admin/[^"]*)"')
BUTTON = re.compile(r'\bformaction="(/admin/[^"]*)"')
PAGES = 300


def member(role: roles.Role) -> Client:
    """A member of the group that `manage.py setup_roles` makes."""
    roles.set_up(role)
    user = get_user_model().objects.create_user(role.name.split()[1], password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role.name))
    return browser(user)


def make_rows() -> None:
    """A registration of each kind, and a row on each other page."""
    for stage in (Stage.DRAFT, Stage.OTP, Stage.NUMBER, Stage.LIVE):
        registration = make_registration(stage)
    refused = make_registration("brand", answer={"status": "SUSPENDED", "identity_status": "VERIFIED"})
    OpenProblem.objects.get_or_create(
        registration=refused, part="brand", defaults={"since": registration.created_at}
    )
    WebhookDelivery.objects.create(
        kind="events", event_type="a.b", registration=registration, body="{}", state="errored"
    )
    Fee.objects.create(kind="brand", valid_from="2025-01-01", amount="4.50")
    Scan.objects.create(state="done")
    batch = Batch.objects.create(kind="submit", actor="ann", state="done")
    for state in ("ready", "running", "cancelled"):
        batch_ = Batch.objects.create(kind="hold", actor="ann", state=state, total=1)
        BatchItem.objects.create(batch=batch_, registration=registration, state="will", text="Put on hold.")
    assert ApiCall.objects.filter(registration=registration, fee__gt=0).update(batch=batch)


def upload_by(who: Client) -> None:
    """A table with a row to import and a row to fix, if this role can import."""
    table = SimpleUploadedFile("c.csv", csv_bytes({}, {"email": "none"}))
    if who.post("/admin/registrations/import/add/", {"file": table}).status_code == 302:
        importer.advance(Import.objects.get().pk)


def crawl(who: Client) -> tuple[set[str], dict[str, str]]:
    """(URLs reachable by links from home, {URL of each POST form: a page that has it})."""
    waiting, seen, forms = ["/admin/"], {"/admin/"}, {}
    alike: dict[str, int] = {}
    for url in waiting:
        answer = who.get(url, follow=True)
        assert answer.status_code == 200, f"{url} says {answer.status_code}"
        if answer.streaming or "html" not in answer.headers["Content-Type"]:
            continue
        page = answer.content.decode()
        forms |= {unescape(action): url for action in BUTTON.findall(page)}
        for attributes, body in FORM.findall(page):
            posts_here = "action=" not in attributes + body and 'type="submit"' in body
            own = [url] if posts_here else []
            forms |= {unescape(action): url for action in own + ACTION.findall(attributes + body)}
        for link in map(unescape, LINK.findall(page)):
            path, _, query = link.partition("?")
            # One of each filter or sort order, and some rows of each list, are enough.
            shape = re.sub(r"\d+", "0", path) + "?" * bool(query)
            if link not in seen and alike.get(shape, 0) < (1 if query else 5):
                alike[shape] = alike.get(shape, 0) + 1
                seen.add(link)
                waiting.append(link)
        assert len(waiting) < PAGES
    return seen, forms


@pytest.mark.parametrize(
    ("role", "links", "buttons"),
    list(zip(roles.ROLES, (34, 50, 55), (2, 20, 25), strict=True)),
    ids=[role.name for role in roles.ROLES],
)
def test_every_link_and_button_works(role, links, buttons):
    who = member(role)
    make_rows()
    upload_by(who)
    seen, forms = crawl(who)
    assert (len(seen) > links, len(forms) > buttons) == (True, True), (len(seen), len(forms))
    del forms["/admin/logout/"]
    for action, page in forms.items():
        assert who.post(action).status_code not in (403, 404, 405), f"{action}, a button of {page}"


def test_viewers_see_bulk_runs_without_actions():
    make_rows()
    seen, forms = crawl(member(roles.ROLES[0]))
    batches = [f"/admin/registrations/batch/{batch.pk}/" for batch in Batch.objects.all()]
    assert {"/admin/registrations/batch/", *batches} <= seen
    assert [
        link
        for link in seen
        if link.startswith("/admin/registrations/batch/") and link.endswith("/report.csv")
    ]
    assert not [action for action in forms if "/batch/" in action or "bulk" in action]

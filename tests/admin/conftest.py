"""Users with different permissions, and their clients."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from registrations.core import queue
from registrations.models import Registration


def person(name: str, *permissions: str, superuser: bool = False):
    user = get_user_model().objects.create_user(name, password="pw", is_staff=True, is_superuser=superuser)
    found = Permission.objects.filter(codename__in=permissions, content_type__app_label="registrations")
    assert found.count() == len(permissions)
    user.user_permissions.set(found)
    return user


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(db) -> Client:
    """A superuser."""
    return browser(person("boss", superuser=True))


@pytest.fixture
def agent(db) -> Client:
    """Works on registrations, but cannot buy numbers."""
    return browser(person("agent", "view_registration", "change_registration", "add_registration"))


@pytest.fixture
def viewer(db) -> Client:
    return browser(person("viewer", "view_registration"))


@pytest.fixture
def nobody(db) -> Client:
    """Staff without any permission."""
    return browser(person("nobody"))


@pytest.fixture
def enqueued_imports(monkeypatch) -> list[int]:
    """The imports for which a job was requested; no job is made."""
    found: list[int] = []
    monkeypatch.setattr(queue, "enqueue_import", found.append)
    return found


def page_url(registration: Registration, page: str = "detail") -> str:
    return f"/admin/registrations/registration/{registration.pk}/{page}/"


def state(registration: Registration) -> dict:
    """Everything that an action may change, to compare before and after."""
    rows = [
        registration,
        *(getattr(registration, name) for name in Registration.PARTS),
    ]
    found = {}
    for row in rows:
        row.refresh_from_db()
        found[row._meta.model_name] = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    return found | {"events": registration.events.count(), "api_calls": registration.api_calls.count()}

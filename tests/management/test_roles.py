"""setup_roles: the groups of a support team."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from registrations.core.roles import ROLES

pytestmark = pytest.mark.django_db


def run() -> str:
    out = StringIO()
    call_command("setup_roles", stdout=out)
    return out.getvalue()


def member(group: str) -> User:
    user = User.objects.create_user("cat", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_permission_of_the_table_exists(role):
    known = set(
        Permission.objects.filter(content_type__app_label="registrations").values_list("codename", flat=True)
    )
    assert set(role.codenames) <= known
    assert len(role.codenames) == len(set(role.codenames))


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        ("A2P viewers", ["view_registration"], ["change_registration", "bulk_registration", "view_import"]),
        ("A2P agents", ["change_registration", "bulk_registration"], ["spend_registration", "change_fee"]),
        ("A2P supervisors", ["spend_registration", "override_limits", "remove_registration"], []),
    ],
)
def test_what_each_may(group, may, may_not):
    run()
    user = member(group)
    assert all(user.has_perm(f"registrations.{name}") for name in may)
    assert not any(user.has_perm(f"registrations.{name}") for name in may_not)


def test_nobody_may_manage_users_or_delete_records_of_what_was_done():
    run()
    held = Permission.objects.filter(group__name__startswith="A2P").values_list(
        "content_type__app_label", "codename"
    )
    assert {app for app, _ in held} == {"registrations"}
    deletes = {codename for _, codename in held if codename.startswith("delete_")}
    assert deletes == {"delete_registration", "delete_import"}


def test_a_second_run_changes_nothing_but_missing_permissions():
    assert run().count(": created") == 3
    assert run().count("up to date") == 3
    group = Group.objects.get(name="A2P agents")
    group.permissions.remove(Permission.objects.get(codename="add_registration"))
    extra = Permission.objects.get(codename="delete_scan")
    group.permissions.add(extra)
    assert "A2P agents: 1 permissions added" in run()
    assert extra in group.permissions.all()

"""Who may do what: three groups that fit a support team, made by `manage.py setup_roles`.

A permission is more than Django's four words only where money is spent, a limit is passed, something is
removed at Twilio, or many customers are touched at once.
"""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

_SEEN = [
    "registration",
    "profile",
    "trustbundle",
    "brand",
    "campaign",
    "phonenumber",
    "apicall",
    "event",
    "submission",
    "retiredresource",
    "webhookdelivery",
    "scan",
    "finding",
    "batch",
    "batchitem",
    "openproblem",
    "fee",
]
_READ = tuple(f"view_{model}" for model in _SEEN)
_WORK = (
    "add_registration",
    "change_registration",
    "bulk_registration",
    "add_import",
    "view_import",
    "change_import",
)
_MONEY_AND_LIMITS = (
    "spend_registration",
    "override_limits",
    "remove_registration",
    "delete_registration",
    "add_fee",
    "change_fee",
    "change_webhookdelivery",
    "delete_import",
)


@dataclass(frozen=True)
class Role:
    """A group's name, its permissions (codenames of this app) and what it is for."""

    name: str
    codenames: tuple[str, ...]
    purpose: str


ROLES = (
    Role("A2P viewers", _READ, "read everything, change nothing"),
    Role("A2P agents", _READ + _WORK, "enter, fix, submit and resend, one by one or in bulk"),
    Role(
        "A2P supervisors",
        _READ + _WORK + _MONEY_AND_LIMITS,
        "as agents; also buy numbers, pass limits with a reason, take down at Twilio, keep the prices",
    ),
)


def set_up(role: Role) -> tuple[bool, int]:
    """Make the group, or give it what it lacks; never takes anything away. (made now?, permissions added)"""
    group, made = Group.objects.get_or_create(name=role.name)
    wanted = Permission.objects.filter(content_type__app_label="registrations", codename__in=role.codenames)
    held = set(group.permissions.values_list("pk", flat=True))
    missing = [permission for permission in wanted if permission.pk not in held]
    group.permissions.add(*missing)
    return made, len(missing)

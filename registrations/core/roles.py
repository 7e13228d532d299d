"""Who may do what: three groups for a support team, created by `manage.py setup_roles`.

Beyond Django's add, change, delete and view there are permissions only for spending money, overriding limits,
removing things from Twilio, and changing many customers at once.
"""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

_MODELS = [
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
_READ = tuple(f"view_{model}" for model in _MODELS)
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
    """A group's name, its permissions (codenames of this app) and its purpose."""

    name: str
    codenames: tuple[str, ...]
    purpose: str


ROLES = (
    Role("A2P viewers", _READ, "read everything, change nothing"),
    Role("A2P agents", _READ + _WORK, "enter, fix, submit and resend, one by one or in bulk"),
    Role(
        "A2P supervisors",
        _READ + _WORK + _MONEY_AND_LIMITS,
        "everything agents can do, plus buy numbers, override limits, remove from Twilio and set prices",
    ),
)


def set_up(role: Role) -> tuple[bool, int]:
    """Create the group, or add missing permissions; removes nothing. Returns (created, permissions added)."""
    group, created = Group.objects.get_or_create(name=role.name)
    permissions = Permission.objects.filter(
        content_type__app_label="registrations", codename__in=role.codenames
    )
    missing = permissions.exclude(pk__in=group.permissions.values("pk"))
    added = len(missing)
    group.permissions.add(*missing)
    return created, added

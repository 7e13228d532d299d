"""manage.py setup_roles: creates the groups of a support team."""

from typing import Any

from django.core.management.base import BaseCommand

from registrations.core.roles import ROLES, set_up


class Command(BaseCommand):
    help = (
        "Create the groups A2P viewers, A2P agents and A2P supervisors, or add missing permissions to them. Never "
        "removes any, so your own changes are kept. Add people to a group on their user page."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for role in ROLES:
            created, added = set_up(role)
            outcome = "created" if created else f"{added} permissions added" if added else "up to date"
            self.stdout.write(f"{role.name}: {outcome} ({role.purpose})")

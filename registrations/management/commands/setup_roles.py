"""manage.py setup_roles: the groups of a support team."""

from typing import Any

from django.core.management.base import BaseCommand

from registrations.core.roles import ROLES, set_up


class Command(BaseCommand):
    help = (
        "Make the groups A2P viewers, A2P agents and A2P supervisors, or give them permissions they lack. "
        "Nothing is taken away, so that changes of your own stay. Put people into a group on their user page."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for role in ROLES:
            made, added = set_up(role)
            done = "made" if made else f"{added} permissions added" if added else "in order"
            self.stdout.write(f"{role.name}: {done} ({role.purpose})")

"""manage.py reset_second_factor: for a user who lost their phone and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from registrations.admin.second_factor import forget


class Command(BaseCommand):
    help = (
        "Remove a user's second factor. Verify their identity first: whoever signs in next with their password can "
        "set up a new one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("There is no user with this name.")
        removed = forget(user)
        self.stdout.write("Second factor removed." if removed else "The user has no second factor.")

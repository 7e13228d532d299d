"""manage.py reset_second_factor: for somebody whose phone and recovery codes are lost."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from registrations.admin.second_factor import forget


class Command(BaseCommand):
    help = (
        "Take away a person's second factor. Make sure that it is they who ask: the next who signs in with "
        "their password can set up a new one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("There is nobody of this name.")
        gone = forget(user)
        self.stdout.write("Taken away." if gone else "There was none.")

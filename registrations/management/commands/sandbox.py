"""manage.py sandbox: the local stand-in for Twilio, with the credentials from the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from registrations.sandbox import cli


class Command(BaseCommand):
    help = "Run a local stand-in for Twilio's API, with the credentials from the settings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        defaults = {name: getattr(settings, variable, "") for name, (variable, _) in cli.CREDENTIALS.items()}
        defaults["time_scale"] = getattr(settings, "A2P_TIME_SCALE", None)
        cli.run(options, defaults, self.stdout.write)

"""Write docs/failures.md from the failure catalogue."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registrations.twilio.rejections import CATALOGUE
from registrations.twilio.rejections.markdown import render


class Command(BaseCommand):
    help = "Write docs/failures.md from the failure catalogue, or check that it is up to date."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; exits with 1 if it differs")

    def handle(self, *args: Any, **options: Any) -> None:
        if CATALOGUE.mistakes:
            raise CommandError("\n".join(map(str, CATALOGUE.mistakes)))
        path = Path(settings.BASE_DIR) / "docs" / "failures.md"
        text = render()
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if current == text:
            self.stdout.write("docs/failures.md is up to date.")
        elif options["check"]:
            raise CommandError("docs/failures.md is out of date: run manage.py failure_table")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.stdout.write("docs/failures.md written.")

"""`manage.py worker`: run the background jobs, supervised. One per host is enough; several hosts are fine."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registrations.worker.supervisor import Supervisor


class Command(BaseCommand):
    help = (
        "Runs the background jobs and watches over them: a frozen or dead job cluster is restarted. "
        "SIGTERM or Ctrl-C lets running jobs end (A2P_STOP_GRACE_SECONDS), then stops; "
        "a second one stops at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.A2P_WORKERS,
            help="Worker processes, that is jobs at a time (default: A2P_WORKERS, now %(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.")
        sys.exit(Supervisor(options["workers"]).run())

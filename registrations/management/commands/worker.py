"""manage.py worker: runs and supervises the background jobs. One per host is enough; several hosts are fine."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registrations.worker.supervisor import Supervisor


class Command(BaseCommand):
    help = (
        "Run the background jobs, and restart the job cluster if it freezes or dies. SIGTERM or Ctrl-C lets running "
        "jobs finish (A2P_STOP_GRACE_SECONDS), then stops; a second one stops immediately."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.A2P_WORKERS,
            help="worker processes, which is the number of parallel jobs (default: A2P_WORKERS = %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.")
        sys.exit(Supervisor(options["workers"]).run())

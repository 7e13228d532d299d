"""manage.py demo: the whole application in one terminal, with the local sandbox; Ctrl-C stops it."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registrations.worker.demo import FOLDER, AlreadyRunning, Demo, DemoFailed, prepare


class Command(BaseCommand):
    help = (
        "Run the application, its worker and a local stand-in for Twilio, with a separate database and users in "
        "var/demo/. Uses neither your settings nor Twilio, and spends no money."
    )
    # The demo has its own settings, so missing ones in this environment do not matter.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="port of the application (default: %(default)s)"
        )
        parser.add_argument(
            "--sandbox-port", type=int, default=8155, help="port of the sandbox (default: %(default)s)"
        )
        parser.add_argument(
            "--time-scale",
            type=float,
            default=0.1,
            help="multiplies every wait; 1 = as long as Twilio's (default: %(default)s)",
        )
        parser.add_argument("--folder", type=Path, default=FOLDER, help="data folder (default: %(default)s)")
        parser.add_argument("--reset", action="store_true", help="delete the data of earlier demos first")
        # Internal: the demo runs this with its own settings before it starts the processes.
        parser.add_argument("--prepare", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["prepare"]:
            prepare(os.environ["DEMO_USER"], os.environ["DEMO_PASSWORD"])
            return
        if options["time_scale"] <= 0:
            raise CommandError("--time-scale must be above 0.")
        demo = Demo(
            port=options["port"],
            sandbox_port=options["sandbox_port"],
            time_scale=options["time_scale"],
            say=self._say,
            folder=options["folder"],
        )
        try:
            sys.exit(demo.run(reset=options["reset"]))
        except (AlreadyRunning, DemoFailed) as error:
            raise CommandError(str(error)) from None

    def _say(self, text: str) -> None:
        # Flush, so that the URL and the password also appear at once in a pipe or file.
        self.stdout.write(text)
        self.stdout.flush()

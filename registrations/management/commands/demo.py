"""`manage.py demo`: the whole desk in one terminal, against the local sandbox; Ctrl-C ends it."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registrations.worker.demo import FOLDER, AlreadyRunning, Demo, DemoFailed, prepare


class Command(BaseCommand):
    help = (
        "Runs the desk, its worker and a local stand-in for Twilio, with a database and accounts of their own in "
        "var/demo/. Touches neither your settings nor the real Twilio, and spends no money."
    )
    # The demo brings its own settings; what is missing in this process's environment does not matter.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the desk (default: %(default)s)")
        parser.add_argument(
            "--sandbox-port", type=int, default=8155, help="of the sandbox (default: %(default)s)"
        )
        parser.add_argument(
            "--time-scale",
            type=float,
            default=0.1,
            help="factor of every wait; 1 = as long as Twilio's (default: %(default)s)",
        )
        parser.add_argument("--folder", type=Path, default=FOLDER, help="for its data (default: %(default)s)")
        parser.add_argument("--reset", action="store_true", help="forget everything of earlier demos first")
        # What the demo runs inside its own settings before it starts the desk.
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
        # Through a pipe or into a file, the address and the password must not wait in a buffer.
        self.stdout.write(text)
        self.stdout.flush()

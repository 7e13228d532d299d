"""manage.py setup_event_streams: have Twilio deliver events about brands, campaigns, and numbers here."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.operations.webhooks import event_streams
from registrations.twilio.client import errors, get_client
from registrations.worker.processes import pause
from registrations.workflow import locks


class Command(BaseCommand):
    help = (
        "Create or repair the Event Streams sink and subscription through which Twilio delivers events. Safe to run "
        "again, e.g. after changing PUBLIC_BASE_URL. The web server must be running. Exit status 1 if something is "
        "still missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change; change nothing")
        parser.add_argument("--test", action="store_true", help="always have a test event delivered")
        parser.add_argument(
            "--delete-stale",
            action="store_true",
            help="also delete sinks with our name that failed or deliver elsewhere (perhaps for another installation)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = event_streams.set_up(
                get_client(),
                pause=pause,
                dry_run=options["dry_run"],
                test=options["test"],
                delete_stale=options["delete_stale"],
                wait=60,
            )
        except errors.TwilioError as error:
            raise CommandError(f"{str(error).rstrip('.')}. Nothing is lost. Run it again.") from error
        except locks.Busy as error:
            raise CommandError("Another set-up of Event Streams is running. Wait until it ends.") from error
        if not options["dry_run"]:
            event_streams.save_result(report.as_json())
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self._print(report, options["dry_run"])
        if report.problems:
            raise SystemExit(1)

    def _print(self, report: event_streams.Report, dry_run: bool) -> None:
        say = self.stdout.write
        for change in report.acts:
            say(f"{'would' if dry_run else 'done ' if change.done else 'FAIL '} {change.what}")
        if not report.acts and not report.problems:
            say("Everything is set up; nothing was changed.")
        if report.sink_sid:
            say(f"Sink {report.sink_sid} is {report.sink_status} and delivers to {report.destination}")
        if report.subscription_sid:
            say(f"Subscription {report.subscription_sid} covers {len(report.types)} event types")
        for line in report.stale:
            say(f"Stale sink {line}. Use --delete-stale if no other installation uses it.")
        for problem in report.problems:
            say(f"FAIL  {problem}")

"""manage.py setup_event_streams: Twilio's events about brands, campaigns and numbers lead to this desk."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.operations.webhooks import event_streams
from registrations.twilio.client import errors, get_client
from registrations.worker.processes import pause
from registrations.workflow import locks


class Command(BaseCommand):
    help = (
        "Create or mend the Event Streams sink and subscription that bring Twilio's answers. Run it as often as "
        "you like, also after a change of PUBLIC_BASE_URL. The web server must be running. Exit status 1 when "
        "something is missing in the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would be done; change nothing")
        parser.add_argument("--test", action="store_true", help="have a test event delivered in any case")
        parser.add_argument(
            "--delete-stale",
            action="store_true",
            help="also delete sinks of our name that failed or lead elsewhere (another installation's, perhaps)",
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
            raise CommandError(f"{str(error).rstrip('.')}. Nothing is lost: run it again.") from error
        except locks.Busy as error:
            raise CommandError("Another set-up of Event Streams is under way; wait for its end.") from error
        if not options["dry_run"]:
            event_streams.keep_set_up(report.told())
        if options["json"]:
            self.stdout.write(json.dumps(report.told()))
        else:
            self._tell(report, options["dry_run"])
        if report.problems:
            raise SystemExit(1)

    def _tell(self, report: event_streams.Report, dry_run: bool) -> None:
        say = self.stdout.write
        for act in report.acts:
            say(f"{'would' if dry_run else 'done ' if act.done else 'FAIL '} {act.what}")
        if not report.acts and not report.problems:
            say("Everything is as it should be; nothing was changed.")
        if report.sink_sid:
            say(f"Sink {report.sink_sid} is {report.sink_status} and leads to {report.destination}")
        if report.subscription_sid:
            say(f"Subscription {report.subscription_sid} has {len(report.types)} event types we want")
        for line in report.stale:
            say(f"Stale sink {line}. Delete it with --delete-stale if no other installation uses it.")
        for problem in report.problems:
            say(f"FAIL  {problem}")

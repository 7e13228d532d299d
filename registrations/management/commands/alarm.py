"""manage.py alarm: what is red, told and sent by this process; for cron, because a dead worker cannot tell."""

from typing import Any

from django.core.management.base import BaseCommand

from registrations.operations import notifications
from registrations.worker import alarms


class Command(BaseCommand):
    help = (
        "Tell the people who may see the health page what is red, and send what is due, without a worker. Run it "
        "by cron every few minutes; each trouble is told once. Exits with 1 while something is red."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        troubles = alarms.troubles()
        notifications.watch_system(troubles)
        notifications.send_due()
        for text in troubles.values():
            self.stdout.write(text)
        if troubles:
            raise SystemExit(1)
        self.stdout.write("All is well.")

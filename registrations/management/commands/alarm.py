"""manage.py alarm: reports system alerts without a worker; for cron, because a dead worker cannot report itself."""

from typing import Any

from django.core.management.base import BaseCommand

from registrations.operations import notifications
from registrations.worker import alarms


class Command(BaseCommand):
    help = (
        "Notify the people who can see the health page of system alerts, and send due notifications, without a "
        "worker. Run it from cron every few minutes; each alert is sent once. Exits with 1 while there is an alert."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        alerts = alarms.active()
        notifications.watch_system(alerts)
        notifications.send_due()
        for text in alerts.values():
            self.stdout.write(text)
        if alerts:
            raise SystemExit(1)
        self.stdout.write("No alerts.")

"""manage.py plan ID: the Twilio calls that Submit would make, what they cost, and what blocks them."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from registrations.models import Registration
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner


class Command(BaseCommand):
    help = "Show the Twilio calls that a registration still needs, their fees in US dollars, and what blocks them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int)
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            registration = runner.load(options["id"])
        except Registration.DoesNotExist as missing:
            raise CommandError(f"There is no registration {options['id']}.") from missing
        plan = decisions.plan(registration)
        if options["json"]:
            # Fees are strings in JSON, because a float cannot represent them exactly.
            self.stdout.write(json.dumps(asdict(plan), cls=DjangoJSONEncoder, ensure_ascii=False))
            return
        for number, call in enumerate(plan.calls, start=1):
            fee = f"  US${call.fee}" if call.fee else ""
            repair = "  (repair)" if call.repair else ""
            later = "  (after the brand is verified)" if fee and call.later else ""
            self.stdout.write(f"{number:>3}. {call.label}{fee}{repair}{later}")
        if not plan.calls:
            self.stdout.write("No call can be made now." if plan.dead_end else "No call is needed.")
        if plan.fee:
            self.stdout.write(f"Total: about US${plan.fee}.")
        for note in plan.notes:
            self.stdout.write(f"Note: {note}")
        for blocker in plan.blockers:
            self.stdout.write(f"Blocked: {blocker}")

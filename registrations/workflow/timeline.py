"""The only writer of the timeline: append-only and redacted."""

from typing import Any

from registrations.models import Event, Registration
from registrations.twilio.client.redaction import redact

WORKER = "worker"


def record(registration: Registration, tag: str, text: str, *, actor: str = WORKER, **data: Any) -> Event:
    """Append one line.

    `tag` has the form `part:topic`, e.g. `brand:status`. `text` must not contain personal data: it names fields, never
    their values. `data` is redacted here.
    """
    return Event.objects.create(
        registration=registration, tag=tag, actor=actor[:150], text=text, data=redact(data)
    )

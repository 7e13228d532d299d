"""Removes personal data from log lines."""

import logging


class PrivateFormatter(logging.Formatter):
    """Masks phone numbers, email addresses and the values of rejected rows, including in tracebacks.

    Our own log lines contain none; libraries' may, for example when the database quotes a row in an error.
    """

    def format(self, record: logging.LogRecord) -> str:
        # Imported here, because logging is configured before the apps.
        from registrations.twilio.client.redaction import redact_trace

        return redact_trace(super().format(record))

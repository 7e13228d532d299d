"""How a log line is written: once more without personal data, whoever wrote it."""

import logging


class PrivateFormatter(logging.Formatter):
    """Masks phone numbers, email addresses and the values of refused rows, in tracebacks of libraries too.

    Our own lines hold none of them; this is for what others raise, such as a database that quotes a row.
    """

    def format(self, record: logging.LogRecord) -> str:
        # Here, because logging is set up before the apps are.
        from registrations.twilio.client.redaction import redact_trace

        return redact_trace(super().format(record))

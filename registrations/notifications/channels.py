"""The ways out of the desk: e-mail, and a webhook that understands Slack's {"text": …}.

Each sends one message or raises NotSent with a short reason that names neither address nor content.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from registrations.models import NotificationSettings

from . import posting

EMAIL, WEBHOOK = "email", "webhook"


class NotSent(Exception):
    """It did not go out; worth another try."""


def of(prefs: NotificationSettings) -> list[str]:
    """The channels that this person has set up and the desk can use."""
    found = []
    if prefs.by_email and prefs.user.email and settings.A2P_SENDS_EMAIL:
        found.append(EMAIL)
    if prefs.slack_webhook_url:
        found.append(WEBHOOK)
    return found


def send(channel: str, prefs: NotificationSettings, subject: str, lines: list[str]) -> None:
    """Send one message. `lines` are plain text; raises NotSent."""
    _SENDERS[channel](prefs, subject, lines)


def _email(prefs: NotificationSettings, subject: str, lines: list[str]) -> None:
    message = EmailMessage(
        # A header is one line.
        subject=" ".join(subject.split())[:200],
        body="\n\n".join(lines) + "\n",
        to=[prefs.user.email],
    )
    try:
        message.send()
    # Backends raise what they like: SMTP, sockets, TLS.
    except Exception as error:
        raise NotSent(f"E-mail: {type(error).__name__}") from None


def _webhook(prefs: NotificationSettings, subject: str, lines: list[str]) -> None:
    try:
        posting.post_json(prefs.slack_webhook_url, {"text": _slack("\n".join(lines))})
    except posting.NotPosted as error:
        raise NotSent(f"Webhook: {error}") from None


def _slack(text: str) -> str:
    """Slack reads <…> as links and commands, such as a mention of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SENDERS: dict[str, Callable[[NotificationSettings, str, list[str]], Any]] = {
    EMAIL: _email,
    WEBHOOK: _webhook,
}

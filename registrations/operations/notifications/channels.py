"""Email, and webhooks that accept Slack's {"text": …}.

Each channel sends one message or raises NotSent with a short reason that reveals neither address nor content.
"""

from collections.abc import Callable
from typing import Any

from django.core.mail import EmailMessage

from registrations.models import NotificationSettings

from . import http_post

EMAIL, WEBHOOK = NotificationSettings.EMAIL, NotificationSettings.WEBHOOK


class NotSent(Exception):
    """The message was not sent; it may be tried again."""


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
    # Backends raise errors of many kinds: SMTP, sockets, TLS.
    except Exception as error:
        raise NotSent(f"Email: {type(error).__name__}") from None


def _webhook(prefs: NotificationSettings, subject: str, lines: list[str]) -> None:
    try:
        http_post.post_json(prefs.slack_webhook_url, {"text": _slack("\n".join(lines))})
    except http_post.NotPosted as error:
        raise NotSent(f"Webhook: {error}") from None


def _slack(text: str) -> str:
    """Escape what Slack would read as a link or a command, such as a mention of everyone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SENDERS: dict[str, Callable[[NotificationSettings, str, list[str]], Any]] = {
    EMAIL: _email,
    WEBHOOK: _webhook,
}

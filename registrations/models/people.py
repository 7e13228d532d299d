"""What belongs to one user: saved views, notification settings, and notifications."""

import secrets

from django.conf import settings
from django.db import models

from .bulk import Batch
from .registration import Registration


class SavedView(models.Model):
    """A list's filters under a name. `query` is the list's query string, without a page number."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    # The model's name in lower case, e.g. "registration".
    model_name = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False, help_text="Everyone can see it. Only you can change it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "model_name", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name


def _search_token() -> str:
    return secrets.token_hex(8)


class SearchTerm(models.Model):
    """A search in a list, under the token that stands for it in addresses. Deleted after 90 days."""

    token = models.CharField(max_length=16, primary_key=True, default=_search_token)
    text = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # No page shows these rows, so no permission is needed to see or change them.
        default_permissions = ()

    def __str__(self) -> str:
        return self.token


class NotificationSettings(models.Model):
    """How one user wants to be notified.

    `kinds`: {kind: "now" | "digest" | "off"}; a missing kind uses the default in workflow/notices.py. The webhook URL
    is a secret: it is never shown again and never logged.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_settings"
    )
    by_email = models.BooleanField(default=False)
    slack_webhook_url = models.CharField(max_length=500, blank=True)
    kinds = models.JSONField(default=dict, blank=True)
    digest_hour = models.PositiveSmallIntegerField(default=8)

    EMAIL, WEBHOOK = "email", "webhook"

    def __str__(self) -> str:
        return f"Settings of {self.user_id}"

    @property
    def channels(self) -> list[str]:
        """The channels that this user has set up and that this installation can use."""
        found = []
        if self.by_email and self.user.email and settings.A2P_SENDS_EMAIL:
            found.append(self.EMAIL)
        if self.slack_webhook_url:
            found.append(self.WEBHOOK)
        return found


class Notification(models.Model):
    """One notification for one user. `key` prevents sending the same news twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    text = models.TextField()
    registration = models.ForeignKey(Registration, null=True, on_delete=models.CASCADE, related_name="+")
    batch = models.ForeignKey(Batch, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    # Delivery outside the app: when to try next (None: nothing to send), and how often it failed.
    send_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    # The channels that already delivered it; a retry skips them.
    sent_channels = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_newest"),
            models.Index(
                fields=["user"], name="notification_unread", condition=models.Q(read_at__isnull=True)
            ),
            models.Index(
                fields=["send_at"], name="notification_due", condition=models.Q(send_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"

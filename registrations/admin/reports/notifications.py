"""A user's notifications and notification settings. Users see and change only their own."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from registrations.admin.changelist.base import ReadOnlyAdmin
from registrations.core import clock
from registrations.models import Notification, NotificationSettings
from registrations.operations import notifications
from registrations.operations.notifications import http_post
from registrations.workflow import notices
from registrations.workflow.notices import DELIVERY_LABELS, KINDS

PAGE_SIZE = 50
LIST = "admin:registrations_notification_changelist"
SETTINGS = "admin:registrations_notification_settings"


def unread(user: Any) -> int:
    """For the navigation: one count on a partial index of the user's unread notifications."""
    return Notification.objects.filter(user=user, read_at=None).count()


class SettingsForm(forms.ModelForm):
    """The webhook's URL is saved here and never shown again; `forget_webhook` removes it."""

    slack_webhook_url = forms.CharField(
        label="Webhook URL",
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    forget_webhook = forms.BooleanField(label="Remove the saved URL", required=False)
    digest_hour = forms.TypedChoiceField(
        label="Digest hour", coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)]
    )

    class Meta:
        model = NotificationSettings
        fields = ["by_email", "slack_webhook_url", "digest_hour"]
        labels = {"by_email": "By email"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved_url = self.instance.slack_webhook_url
        self.fields["slack_webhook_url"].help_text = (
            "A Slack incoming webhook, or any HTTPS URL that accepts {“text”: …}. "
            + ("One is saved; enter another to replace it." if self.saved_url else "It is not shown again.")
        )
        if not self.saved_url:
            del self.fields["forget_webhook"]
        for kind in KINDS.values():
            if kind.shown:
                self.fields[f"kind_{kind.slug}"] = forms.ChoiceField(
                    label=kind.label,
                    help_text=kind.help,
                    choices=list(DELIVERY_LABELS.items()),
                    initial=self.instance.kinds.get(kind.slug, kind.default),
                )

    @property
    def kind_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("kind_")]

    def clean_slack_webhook_url(self) -> str:
        url: str = self.cleaned_data["slack_webhook_url"].strip()
        if not url:
            return self.saved_url
        try:
            http_post.check_url(url)
        except http_post.NotPosted as error:
            raise ValidationError(f"This URL cannot be used: {error}.") from None
        return url

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("forget_webhook"):
            data["slack_webhook_url"] = ""
        if data.get("by_email") and not self.instance.user.email:
            self.add_error("by_email", "Your account has no email address. Ask an administrator to add one.")
        return data

    def save(self, commit: bool = True) -> NotificationSettings:
        names = [name for name in self.fields if name.startswith("kind_")]
        self.instance.kinds = {name.removeprefix("kind_"): self.cleaned_data[name] for name in names}
        return super().save(commit)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return super().get_queryset(request).filter(user=request.user.pk)

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "registrations_notification_{}".format
        return [
            path("<int:pk>/open/", view(require_POST(self.open_view)), name=name("open")),
            path("read/", view(require_POST(self.read_view)), name=name("read")),
            path("settings/", view(self.settings_view), name=name("settings")),
            path("test/", view(require_POST(self.test_view)), name=name("test")),
            path("", view(require_safe(self.changelist_view)), name=name("changelist")),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Newest first, a page at a time by ID; only unread ones with ?unread=1."""
        rows = self.get_queryset(request).select_related("registration", "batch")
        only_unread = request.GET.get("unread") == "1"
        if only_unread:
            rows = rows.filter(read_at=None)
        before = request.GET.get("before", "")
        if before.isdecimal():
            rows = rows.filter(pk__lt=int(before[:18]))
        notes = list(rows.order_by("-id")[: PAGE_SIZE + 1])
        shown = notes[:PAGE_SIZE]
        return TemplateResponse(
            request,
            "registrations/notifications/page.html",
            {
                **self.admin_site.each_context(request),
                "title": "Notifications",
                "notes": [(note, KINDS.get(note.kind)) for note in shown],
                "older": shown[-1].pk if len(notes) > PAGE_SIZE else None,
                "only_unread": only_unread,
                "unread": unread(request.user),
                "newest": shown[0].pk if shown else 0,
            },
        )

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Marks one as read and redirects to its subject."""
        note = self.get_queryset(request).select_related("registration").filter(pk=pk).first()
        if note is None:
            raise Http404("There is no such notification.")
        Notification.objects.filter(pk=note.pk, read_at=None).update(read_at=clock.now())
        return redirect(notifications.path(note))

    def read_view(self, request: HttpRequest) -> HttpResponse:
        """Marks as read everything up to `newest`; what arrived later stays unread. With `note`, only that one."""
        rows = self.get_queryset(request).filter(read_at=None)
        one, newest = request.POST.get("note", ""), request.POST.get("newest", "")
        if one.isdecimal():
            rows = rows.filter(pk=int(one[:18]))
        else:
            rows = rows.filter(pk__lte=int(newest[:18]) if newest.isdecimal() else 0)
        rows.update(read_at=clock.now())
        return redirect(LIST)

    def settings_view(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user  # signed in, which the admin's view ensures
        current = _settings_of(request)
        form = SettingsForm(request.POST if request.method == "POST" else None, instance=current)
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, "Saved.")
            return redirect(SETTINGS)
        saved = NotificationSettings(user=user, **_saved_channels(current.pk))
        return TemplateResponse(
            request,
            "registrations/notifications/settings.html",
            {
                **self.admin_site.each_context(request),
                "title": "Notification settings",
                "form": form,
                "email": user.email,
                "sends_email": settings.A2P_SENDS_EMAIL,
                "channels": saved.channels,
                "last": self.get_queryset(request).exclude(attempts=0, sent_at=None).first(),
                "time_zone": settings.TIME_ZONE,
            },
            status=422 if form.errors else 200,
        )

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Has the worker send a test through each of the user's channels."""
        if not _settings_of(request).channels:
            messages.error(request, "Save an email or a webhook first.")
            return redirect(SETTINGS)
        now = clock.now()
        text = "This is a test notification."
        notices.notify(request.user, notices.TEST, f"test:{now.isoformat()}", text)
        messages.success(request, "Sending a test. Reload this page in a moment to see the result.")
        return redirect(SETTINGS)


def _settings_of(request: HttpRequest) -> NotificationSettings:
    """Not saved until the user saves them: viewing a page writes nothing."""
    user: Any = request.user
    return NotificationSettings.objects.filter(user=user).first() or NotificationSettings(user=user)


def _saved_channels(pk: int | None) -> dict[str, Any]:
    """The saved values, whatever the form contains."""
    names = ("by_email", "slack_webhook_url")
    return NotificationSettings.objects.filter(pk=pk or 0).values(*names).first() or {}

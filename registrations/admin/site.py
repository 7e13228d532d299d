"""The AdminSite: titles, navigation, home page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


@dataclass(frozen=True)
class NavItem:
    """One entry of the left navigation, shown to users with `permission`; "" means everyone.

    or_permission: another permission that is enough.
    count: waiting work, the same for everyone; user_count: what waits for this user.
    also: routes without an entry of their own whose pages belong to this one.
    """

    label: str
    icon: str
    route: str
    permission: str
    count: Callable[[], int] | None = None
    user_count: Callable[[Any], int] | None = None
    or_permission: str = ""
    also: tuple[str, ...] = ()

    def shown(self, user: Any) -> bool:
        return not self.permission or any(
            user.has_perm(permission) for permission in (self.permission, self.or_permission) if permission
        )


def _texts_owed() -> int:
    from registrations.reporting import statistics

    return int(statistics.read("texts_owed")["texts_owed"])


def _unread(user: Any) -> int:
    from .reports import notifications

    return notifications.unread(user)


# By task, not by table: what agents work on comes first, reference pages second.
NAVIGATION: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "Work",
        (
            NavItem("Home", "home", "admin:index", "registrations.view_registration"),
            NavItem(
                "Registrations",
                "list",
                "admin:registrations_registration_changelist",
                "registrations.view_registration",
            ),
            NavItem(
                "New registration",
                "plus",
                "admin:registrations_registration_add",
                "registrations.add_registration",
            ),
            NavItem(
                "OTP texts",
                "message",
                "admin:registrations_registration_otp",
                "registrations.view_registration",
                _texts_owed,
            ),
            NavItem(
                "Failures",
                "alike",
                "admin:registrations_openproblem_changelist",
                "registrations.view_registration",
            ),
            NavItem(
                "Bulk work",
                "bulk",
                "admin:registrations_batch_changelist",
                "registrations.view_batch",
                or_permission="registrations.bulk_registration",
            ),
            NavItem(
                "Imports",
                "upload",
                "admin:registrations_import_changelist",
                "registrations.add_registration",
            ),
            NavItem(
                "Notifications",
                "bell",
                "admin:registrations_notification_changelist",
                "",
                user_count=_unread,
            ),
        ),
    ),
    (
        "Twilio resources",
        (
            NavItem("Brands", "badge", "admin:registrations_brand_changelist", "registrations.view_brand"),
            NavItem(
                "Campaigns",
                "megaphone",
                "admin:registrations_campaign_changelist",
                "registrations.view_campaign",
            ),
            NavItem(
                "Numbers",
                "phone",
                "admin:registrations_phonenumber_changelist",
                "registrations.view_phonenumber",
            ),
            NavItem("Reconcile", "compare", "admin:registrations_scan_changelist", "registrations.view_scan"),
        ),
    ),
    (
        "Records",
        (
            NavItem(
                "API calls", "receipt", "admin:registrations_apicall_changelist", "registrations.view_apicall"
            ),
            NavItem(
                "Spending",
                "coins",
                "admin:registrations_fee_spending",
                "registrations.view_apicall",
                also=("admin:registrations_fee_changelist",),
            ),
            NavItem(
                "Timeline", "history", "admin:registrations_event_changelist", "registrations.view_event"
            ),
            NavItem(
                "Webhooks",
                "inbox",
                "admin:registrations_webhookdelivery_changelist",
                "registrations.view_webhookdelivery",
            ),
        ),
    ),
    (
        "Administration",
        (
            NavItem("Users", "user", "admin:auth_user_changelist", "auth.view_user"),
            NavItem("Groups", "users", "admin:auth_group_changelist", "auth.view_group"),
            NavItem(
                "Settings & health",
                "pulse",
                "admin:registrations_webhookdelivery_health",
                "registrations.view_webhookdelivery",
            ),
        ),
    ),
)


_UNREGISTERED = ("django_q", "otp_totp", "otp_static")


class A2PAdminSite(admin.AdminSite):
    site_header = "A2P registration desk"
    site_title = "A2P desk"
    index_title = "Home"
    site_url = None
    empty_value_display = "—"
    # templates/admin/base_site.html has its own navigation.
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: Any,
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Registers all models except the queue's own tables and the secrets of second factors."""
        models: Iterable[type[Model]] = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        registered = [model for model in models if model._meta.app_label not in _UNREGISTERED]
        if registered:
            super().register(registered, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        context["desk_nav"] = self._navigation(request) if context["has_permission"] else []
        context["sandbox_panel_url"] = settings.A2P_SANDBOX_PANEL_URL
        return context

    def index(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Home is the dashboard; users who may not view registrations get Django's list of models."""
        if request.user.has_perm("registrations.view_registration"):
            from .reports import dashboard

            return dashboard.page(request, self)
        return super().index(request, extra_context)

    def _navigation(self, request: HttpRequest) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = []
        for title, items in NAVIGATION:
            shown = [
                {
                    "label": item.label,
                    "icon": item.icon,
                    "url": reverse(item.route),
                    "reach": _reach(item, request.path),
                    "count": item.count()
                    if item.count
                    else item.user_count(request.user)
                    if item.user_count
                    else 0,
                }
                for item in items
                if item.shown(request.user)
            ]
            if shown:
                groups.append({"title": title, "entries": shown})
        entries = [item for group in groups for item in group["entries"] if item["reach"]]
        if entries:
            max(entries, key=lambda item: item["reach"])["current"] = True
        return groups


def _reach(item: NavItem, here: str) -> int:
    """How much of the address belongs to the entry. The entry with the most is current: ".../add/" beats its list."""
    home = reverse("admin:index")
    urls = [reverse(route) for route in (item.route, *item.also)]
    # Every address starts with home's.
    return max((len(url) for url in urls if here == url or (url != home and here.startswith(url))), default=0)

"""The desk's AdminSite: its titles, its navigation by work, its home page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


@dataclass(frozen=True)
class NavItem:
    """One entry of the left navigation; shown to people who hold `permission`. count: waiting work, or None."""

    label: str
    icon: str
    route: str
    permission: str
    count: Callable[[], int] | None = None


def _texts_owed() -> int:
    from registrations.admin import otp

    return otp.count()


# By work, not by table: what an agent does comes first, what one looks up second.
NAVIGATION: tuple[tuple[str, tuple[NavItem, ...]], ...] = (
    (
        "Work",
        (
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
                "One-time texts",
                "message",
                "admin:registrations_registration_otp",
                "registrations.view_registration",
                _texts_owed,
            ),
        ),
    ),
    (
        "At Twilio",
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
        "Record",
        (
            NavItem(
                "Ledger", "receipt", "admin:registrations_steprun_changelist", "registrations.view_steprun"
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
        "Staff",
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


class DeskAdminSite(admin.AdminSite):
    site_header = "A2P registration desk"
    site_title = "A2P desk"
    index_title = "Home"
    site_url = None
    # The desk has a navigation of its own (templates/admin/base_site.html).
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: Any,
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Registers all but the queue's own tables: the queue is a doorbell, and its rows are no one's to edit."""
        models: Iterable[type[Model]] = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        kept = [model for model in models if model._meta.app_label != "django_q"]
        if kept:
            super().register(kept, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        context["desk_nav"] = self._navigation(request) if context["has_permission"] else []
        context["sandbox_panel_url"] = settings.A2P_SANDBOX_PANEL_URL
        return context

    def index(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Home is the list of registrations; who may not see it gets Django's list of what they may see."""
        if request.user.has_perm("registrations.view_registration"):
            return redirect("admin:registrations_registration_changelist")
        return super().index(request, extra_context)

    def _navigation(self, request: HttpRequest) -> list[dict[str, Any]]:
        here = request.path
        groups: list[dict[str, Any]] = []
        for title, items in NAVIGATION:
            shown = [
                {
                    "label": item.label,
                    "icon": item.icon,
                    "url": reverse(item.route),
                    "count": item.count() if item.count else 0,
                }
                for item in items
                if request.user.has_perm(item.permission)
            ]
            if shown:
                groups.append({"title": title, "entries": shown})
        # The longest matching address is the current one: ".../add/" wins over its list.
        matches = [item for group in groups for item in group["entries"] if here.startswith(str(item["url"]))]
        if matches:
            max(matches, key=lambda item: len(str(item["url"])))["current"] = True
        return groups

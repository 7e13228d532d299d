"""Django's admin as it comes out of the box, over the same rows: what our lists are held against."""

from django.contrib import admin
from django.urls import include, path

from registrations.models import Brand, Campaign, PhoneNumber, Registration

site = admin.AdminSite(name="stock")


class StockRegistrations(admin.ModelAdmin):
    """The columns, filters and search that our list has, in Django's own means."""

    list_display = ("label", "external_id", "stage", "waiting_for", "reason", "owner", "stage_since")
    list_filter = ("waiting_for", "stage", "owner", "hold", "created_at")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = (
        "label",
        "external_id",
        "profile__first_name",
        "profile__last_name",
        "profile__email",
        "trust_bundle__brand_name",
        "brand__sid",
    )


class StockMirrors(admin.ModelAdmin):
    list_select_related = ("registration",)
    list_per_page = 50


class StockBrands(StockMirrors):
    list_display = (
        "registration",
        "status",
        "identity_status",
        "failure_reason",
        "tcr_id",
        "sid",
        "synced_at",
    )
    list_filter = ("status", "identity_status")
    search_fields = ("registration__label", "sid", "tcr_id")


class StockCampaigns(StockMirrors):
    list_display = ("registration", "status", "failure_reason", "campaign_id", "service_sid", "synced_at")
    list_filter = ("status",)
    search_fields = ("registration__label", "service_sid", "campaign_id")


class StockNumbers(StockMirrors):
    list_display = ("registration", "phone_number", "a2p_status", "attached_at", "confirmed_at", "sid")
    list_filter = ("a2p_status",)
    search_fields = ("registration__label", "sid", "phone_number")


site.register(Registration, StockRegistrations)
site.register(Brand, StockBrands)
site.register(Campaign, StockCampaigns)
site.register(PhoneNumber, StockNumbers)

urlpatterns = [path("stock/", site.urls), path("", include("a2p_admin.urls"))]

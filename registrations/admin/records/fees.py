"""Twilio's prices by start date; changing them needs a permission, and every change is in the history."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from registrations.admin.changelist import display
from registrations.admin.changelist.base import SafeList
from registrations.admin.reports import spending
from registrations.models import Fee
from registrations.workflow.prices import trimmed


class FeeForm(forms.ModelForm):
    amount = forms.DecimalField(
        label="US dollars", max_digits=8, decimal_places=4, validators=[MinValueValidator(0)]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["amount"] = trimmed(self.instance.amount)


@admin.register(Fee)
class FeeAdmin(SafeList):
    form = FeeForm
    list_display = ("kind", "valid_from", "amount_", "status", "source")
    list_filter = ("kind",)
    ordering = ("kind", "-valid_from")
    fields = ("kind", "valid_from", "amount", "source")
    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fee]:
        started = Fee.objects.filter(kind=OuterRef("kind"), valid_from__lte=timezone.localdate())
        newest = started.order_by("-valid_from").values("pk")[:1]
        return super().get_queryset(request).annotate(current_pk=Subquery(newest))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Prices", **(extra_context or {})})

    @admin.display(description="US dollars", ordering="amount")
    def amount_(self, fee: Fee) -> str:
        return display.money(fee.amount) or "$0.00"

    @admin.display(description="Status")
    def status(self, fee: Fee) -> SafeString | str:
        return display.chip("Current", "good") if fee.pk == getattr(fee, "current_pk", None) else ""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("spending/", view(self.spending_view), name="registrations_fee_spending"),
            path("spending/<slug:form>/", view(spending.download), name="registrations_fee_spending_file"),
            *super().get_urls(),
        ]

    def spending_view(self, request: HttpRequest) -> HttpResponse:
        return spending.page(request, self.admin_site)

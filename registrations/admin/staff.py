"""Users and groups: Django's own pages, without the parts that a screen reader cannot use.

Two boxes with arrows between them, and dates without labels, become plain lists and lines that are only read.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField
from django.http import HttpRequest

from .base import SafeList

admin.site.unregister(User)
admin.site.unregister(Group)


def _permissions(field: Any) -> Any:
    """In the order of the apps, without a query for each line."""
    if field is not None:
        field.queryset = Permission.objects.select_related("content_type")
        field.widget.attrs["size"] = 14
    return field


@admin.register(User)
class StaffAdmin(SafeList, UserAdmin):
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return _permissions(field) if db_field.name == "user_permissions" else field


@admin.register(Group)
class RoleAdmin(SafeList, GroupAdmin):
    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        return _permissions(super().formfield_for_manytomany(db_field, request, **kwargs))

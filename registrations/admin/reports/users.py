"""Users and groups: Django's own pages, without the parts that a screen reader cannot use.

The two list boxes with arrows become checkboxes, and dates without labels become read-only. There are no bulk actions.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField
from django.http import HttpRequest

from registrations.admin.changelist.base import SafeList

admin.site.unregister(User)
admin.site.unregister(Group)


# The queue's tables and second factors have no pages here, so their permissions are not offered.
_APPS = ("registrations", "auth")


def _permissions(field: Any) -> Any:
    """By app, without a query for each row.

    Boxes, because in Django's list one click without Ctrl takes all the others away.
    """
    if field is not None:
        field.queryset = Permission.objects.filter(content_type__app_label__in=_APPS).select_related(
            "content_type"
        )
        field.widget = forms.CheckboxSelectMultiple(
            attrs={"class": "permission-boxes"}, choices=field.choices
        )
        field.help_text = ""
    return field


@admin.register(User)
class StaffUserAdmin(SafeList, UserAdmin):
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions = None

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return _permissions(field) if db_field.name == "user_permissions" else field


@admin.register(Group)
class RoleAdmin(SafeList, GroupAdmin):
    filter_horizontal = ()
    actions = None

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        return _permissions(super().formfield_for_manytomany(db_field, request, **kwargs))

"""The app's own routes (health; everything else is the admin's)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

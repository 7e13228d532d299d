"""The app's own routes (health; everything else is the admin's)."""

from django.urls import path

from registrations.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
]

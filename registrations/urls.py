"""The app's own routes: health and Twilio's callbacks; everything else is the admin's."""

from django.urls import path

from registrations.operations.webhooks import views
from registrations.reporting.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("twilio/bundle-status/", views.bundle_status, name="bundle-status"),
    path("twilio/events/", views.events, name="twilio-events"),
]

"""The app's own routes: health and Twilio's callbacks; everything else is the admin's."""

from django.urls import path

from registrations import webhooks
from registrations.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("twilio/bundle-status/", webhooks.bundle_status, name="bundle-status"),
    path("twilio/events/", webhooks.events, name="twilio-events"),
]

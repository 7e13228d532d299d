"""URLs: the admin, and the app's own pages."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path

from registrations.admin import second_factor


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


urlpatterns = [
    path("", home),
    path("", include("registrations.urls")),
    path("admin/second-factor/", second_factor.check, name="second-factor"),
    path("admin/second-factor/setup/", second_factor.setup, name="second-factor-setup"),
    path("admin/", admin.site.urls),
]

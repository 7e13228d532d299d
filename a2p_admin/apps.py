"""Makes the project's own site the default admin site."""

from django.contrib.admin.apps import AdminConfig


class A2PAdminConfig(AdminConfig):
    # This app is outside any `admin` package: otherwise autodiscover would run while the site is being created, and
    # models would register on a discarded instance.
    default_site = "registrations.admin.site.A2PAdminSite"

    def ready(self) -> None:
        super().ready()
        from registrations.admin import second_factor  # noqa: F401  connects its sign-in signal

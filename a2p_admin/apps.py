"""Makes the desk's own site the default admin site."""

from django.contrib.admin.apps import AdminConfig


class A2PAdminConfig(AdminConfig):
    # The class lives outside any `admin` package: imported from inside one, autodiscover would run while the
    # site is being made and models would register on a discarded instance.
    default_site = "registrations.admin.site.A2PAdminSite"

    def ready(self) -> None:
        super().ready()
        from registrations.admin import second_factor  # noqa: F401  listens to people who sign in

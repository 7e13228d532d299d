"""App configuration of the registrations app."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "Registrations"

    def ready(self) -> None:
        # Each registers something: the pages with the admin site, the others with Django's system checks.
        from registrations.admin import registry  # noqa: F401
        from registrations.core import checks as settings_checks  # noqa: F401
        from registrations.twilio import checks as catalogue_checks  # noqa: F401

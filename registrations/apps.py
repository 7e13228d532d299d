"""App configuration of the registrations app."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "Registrations"

    def ready(self) -> None:
        from registrations.admin import registry  # noqa: F401  registers the pages
        from registrations.core import checks  # noqa: F401  registers the system checks

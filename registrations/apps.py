"""App configuration of the registrations app."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = "Registrations"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers the system checks

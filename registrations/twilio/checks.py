"""System check: the catalogue of rejections has no mistakes."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from .rejections import CATALOGUE


@register()
def rejection_catalogue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every mistake in the catalogue of rejections; the rejections concerned are treated as unknown."""
    hint = "The fields are described in the README.md beside the file."
    return [Error(str(mistake), hint=hint, id="registrations.E014") for mistake in CATALOGUE.mistakes]

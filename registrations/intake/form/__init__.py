"""The one registration form, shared by the page, the repair of a rejection and the CSV import."""

from .layout import CSV_COLUMNS, PARTS, SAMPLE_FIELDS
from .registration import REQUIRED_COLUMNS, RegistrationForm, Section, data_of, initial_of

__all__ = [
    "CSV_COLUMNS",
    "PARTS",
    "REQUIRED_COLUMNS",
    "SAMPLE_FIELDS",
    "RegistrationForm",
    "Section",
    "data_of",
    "initial_of",
]

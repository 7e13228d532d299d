"""The registration form, shared by the page, the fix of a rejection, and the import of tables."""

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

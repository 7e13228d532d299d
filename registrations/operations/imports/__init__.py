"""Tables in: each row through the registration form, created or updated by its external_id."""

from .reader import read_rows
from .rows import RowResult, import_file
from .tables import FileProblem, Row

__all__ = ["FileProblem", "Row", "RowResult", "import_file", "read_rows"]

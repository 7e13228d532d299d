"""Tables of customers: each row goes through the registration form and is created, or updated by its external_id.

reader → validation (and duplicates) → saving. `importer` runs them in jobs for the page, `file_import` for the command.
"""

from .file_import import import_file
from .reader import read_rows
from .saving import RowResult
from .tables import FileProblem, Row

__all__ = ["FileProblem", "Row", "RowResult", "import_file", "read_rows"]

"""How fast a signed delivery is acknowledged (placeholder until routes exist)."""

from .options import Options
from .report import Report


def measure(options: Options) -> Report:
    return Report("Webhooks", "the routes do not exist yet")

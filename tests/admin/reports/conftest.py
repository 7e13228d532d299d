"""Fixtures of the operations that these pages show."""

from tests.operations.notifications.conftest import ann
from tests.operations.reconciliation.conftest import account

__all__ = ["account", "ann"]

"""The agent's pages, in Django's admin: the list of cases, each case's page, what Twilio says, what was done."""

from . import (
    batches,
    deliveries,
    fees,
    groups,
    imports,
    ledger,
    mirrors,
    notifications,
    reconcile,
    registrations,
    staff,
)

__all__ = [
    "batches",
    "deliveries",
    "fees",
    "groups",
    "imports",
    "ledger",
    "mirrors",
    "notifications",
    "reconcile",
    "registrations",
    "staff",
]

"""The agent's pages, in Django's admin: the list of cases, each case's page, what Twilio says, what was done."""

from . import deliveries, ledger, mirrors, reconcile, registrations

__all__ = ["deliveries", "ledger", "mirrors", "reconcile", "registrations"]

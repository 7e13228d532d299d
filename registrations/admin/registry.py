"""Loads every module that registers a page with the admin site."""

from .bulk import batches, imports, similar_failures
from .records import fees, history, resources, webhooks
from .registration import model_admin
from .reports import notifications, reconciliation, users

__all__ = [
    "batches",
    "fees",
    "history",
    "imports",
    "model_admin",
    "notifications",
    "reconciliation",
    "resources",
    "similar_failures",
    "users",
    "webhooks",
]

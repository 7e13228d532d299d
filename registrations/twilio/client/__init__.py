"""The only package that imports the Twilio SDK."""

from . import errors
from .client import Gateway, get_gateway
from .messaging import CAMPAIGN_SID
from .redaction import redact, redact_text
from .signatures import is_signed
from .trusthub import SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID, BundleKind

__all__ = [
    "CAMPAIGN_SID",
    "SOLE_PROPRIETOR_POLICY_SID",
    "STARTER_POLICY_SID",
    "BundleKind",
    "Gateway",
    "errors",
    "get_gateway",
    "is_signed",
    "redact",
    "redact_text",
]

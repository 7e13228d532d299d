"""The only package that imports the Twilio SDK."""

from . import errors
from .client import TwilioClient, get_client
from .messaging import CAMPAIGN_SID
from .redaction import redact, redact_text
from .signatures import is_signed
from .trusthub import SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID, BundleKind

__all__ = [
    "CAMPAIGN_SID",
    "SOLE_PROPRIETOR_POLICY_SID",
    "STARTER_POLICY_SID",
    "BundleKind",
    "TwilioClient",
    "errors",
    "get_client",
    "is_signed",
    "redact",
    "redact_text",
]

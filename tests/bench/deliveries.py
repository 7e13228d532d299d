"""Signed deliveries as Twilio sends them; each is a new one, none a repeat."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from registrations.twilio.client.signatures import FORM, SIGNATURE_HEADER, signature

EVENT_TYPE = "com.twilio.messaging.compliance.brand-registration.brand-registered"


@dataclass(frozen=True)
class Delivery:
    url: str
    body: bytes
    headers: dict[str, str]


def bundle_callback(url: str, bundle: str) -> Delivery:
    """A status callback (docs/twilio.md section 6.5). Its own idempotency token makes it a new one."""
    form = {"AccountSid": settings.TWILIO_ACCOUNT_SID, "BundleSid": bundle, "Status": "twilio-approved"}
    headers = {
        "Content-Type": FORM,
        "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
        SIGNATURE_HEADER: signature(url, form, settings.TWILIO_AUTH_TOKEN),
    }
    return Delivery(url, urlencode(form).encode(), headers)


def event_batch(url: str, brands: Sequence[str], number: int, size: int) -> Delivery:
    """`size` events about brands in turn, as one JSON array (docs/twilio.md section 7.2)."""
    events = [_event(brands[(number + n) % len(brands)]) for n in range(size)]
    body = json.dumps(events).encode()
    signed_url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: signature(signed_url, {}, settings.TWILIO_AUTH_TOKEN),
    }
    return Delivery(signed_url, body, headers)


def _event(brand: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": "bench",
        "id": str(uuid.uuid4()),
        "dataschema": "https://events-schemas.twilio.com/A2P.BrandRegistered/1",
        "datacontenttype": "application/json",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {
            "accountsid": settings.TWILIO_ACCOUNT_SID,
            "brandsid": brand,
            "brandstatus": "registered",
            "updateddate": int(now.timestamp() * 1000),
        },
    }

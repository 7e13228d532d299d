"""As many good customers as wanted, all different, who answer YES by themselves."""

from typing import Any

from tests.customers import PARTS

Parts = dict[str, dict[str, Any]]


def customer(index: int, sender: str) -> Parts:
    """Inputs of customer `index` (0 … 799), as `verbs.create` takes them, with `sender` as number.

    Email, address and mobile are each used once: Twilio counts how often they come back. A mobile that ends
    in 9999 answers the OTP text by itself (docs/sandbox.md).
    """
    changes: Parts = {
        "profile": {
            "last_name": f"Lee-{index}",
            "email": f"ann.{index}@harborcrafts.com",
            "phone_number": f"+1415555{1000 + index}",
            "street": f"{100 + index} Main St",
        },
        "trust_bundle": {
            "brand_name": f"Ann Lee Nails {index}",
            "mobile_phone_number": f"+1415{200 + index}9999",
        },
        "phone_number": {"sender_number": sender},
    }
    return {name: {**inputs, **changes.get(name, {})} for name, inputs in PARTS.items()}

"""The pre-flight's test campaigns: good ones, written before the rules were tuned, and bad ones.

A campaign is a flat object of form fields. A bad one lists the rules that must fire: `rules`. It may take its other
texts from a good one, `base`, so that only the problem differs; it then has a `title`. A good one lists the rules
that warn about it although it is good: `warnings`; its words could mean something else.
"""

import json
from pathlib import Path
from typing import Any

from registrations.twilio.rejections import FIELD_PARTS

HERE = Path(__file__).parent
Inputs = dict[str, dict[str, Any]]

GOOD: list[dict[str, Any]] = json.loads((HERE / "good.json").read_text())
BAD: list[dict[str, Any]] = json.loads((HERE / "bad.json").read_text())
_BY_BRAND = {campaign["brand_name"]: campaign for campaign in GOOD if "base" not in campaign}


def name_of(campaign: dict[str, Any]) -> str:
    return str(campaign.get("title") or campaign["brand_name"])


def inputs_of(campaign: dict[str, Any]) -> Inputs:
    """By part, as the form returns them."""
    fields = {**_BY_BRAND[campaign["base"]], **campaign} if "base" in campaign else campaign
    parts: Inputs = {}
    for name, value in fields.items():
        if part := FIELD_PARTS.get(name):
            parts.setdefault("phone_number" if part == "number" else part, {})[name] = value
    return parts

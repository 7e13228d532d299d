"""The pre-flight's test campaigns: good ones, written before the rules were tuned, and bad ones.

A campaign is a flat object of form fields. A bad one names the rules that must fire: `rules`. `base` takes a
good one's other texts over, so that the one thing that differs stands alone; it then has a name of its own, `case`.
A good one's `doubts` are the rules that warn of it, although it is good: its words may be meant otherwise.
"""

import json
from pathlib import Path
from typing import Any

from registrations.twilio.rejections import FIELD_PARTS

HERE = Path(__file__).parent
Inputs = dict[str, dict[str, Any]]

GOOD: list[dict[str, Any]] = json.loads((HERE / "good.json").read_text())
BAD: list[dict[str, Any]] = json.loads((HERE / "bad.json").read_text())
_BY_BRAND = {case["brand_name"]: case for case in GOOD if "base" not in case}


def name_of(case: dict[str, Any]) -> str:
    return str(case.get("case") or case["brand_name"])


def inputs_of(case: dict[str, Any]) -> Inputs:
    """By part, as the form gives them."""
    fields = {**_BY_BRAND[case["base"]], **case} if "base" in case else case
    parts: Inputs = {}
    for name, value in fields.items():
        if part := FIELD_PARTS.get(name):
            parts.setdefault("phone_number" if part == "number" else part, {})[name] = value
    return parts

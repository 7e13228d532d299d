"""Fault injection: rules that make selected requests fail, before or after they take effect.

A rule is a dictionary with
  method  "" (any) or an HTTP method;      path  regular expression, searched in the path;
  action  one of ACTIONS;                  times maximum number of times it fires (0 = no limit, default 1);
  nth     fires only at the nth matching request (1 = first), or every time if absent;
  probability, seed   fires at random instead, reproducibly;
  retry_after, delay_ms   for "429" and "delay";   status, code, message   for "error".
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from .store import Obj
from .wire import Call

if TYPE_CHECKING:
    from .state import World

# action -> whether the request takes effect
ACTIONS = {
    "429": False,
    "500": False,
    "502": False,
    "503": False,
    "drop_before": False,
    "html": False,
    "error": False,
    "500_after": True,
    "drop_after": True,
    "html_after": True,
    "truncated": True,
    "delay": True,
    "rfc9457": True,
}
KEYS = {
    "method",
    "path",
    "action",
    "times",
    "nth",
    "probability",
    "seed",
    "retry_after",
    "delay_ms",
    "status",
    "code",
    "message",
}


def add(world: World, rules: list[Obj]) -> list[Obj]:
    """Validate and store rules. Raises ValueError that says what is wrong."""
    checked = []
    for rule in rules:
        if not isinstance(rule, dict) or set(rule) - KEYS:
            raise ValueError(f"a fault rule may have only these keys: {', '.join(sorted(KEYS))}")
        if str(rule.get("action")) not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
        try:
            re.compile(str(rule.get("path", "")))
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from error
        default_times = 0 if "probability" in rule else 1
        row = {
            "method": str(rule.get("method", "")).upper(),
            "path": str(rule.get("path", "")),
            "action": str(rule["action"]),
            "times": int(rule.get("times", default_times)),
            "nth": int(rule.get("nth", 0)),
            "probability": float(rule.get("probability", 1.0)),
            "seed": rule.get("seed", 0),
            "retry_after": int(rule.get("retry_after", 1)),
            "delay_ms": int(rule.get("delay_ms", 0)),
            "status": int(rule.get("status", 400)),
            "code": int(rule.get("code", 20001)),
            "message": str(rule.get("message", "Injected error")),
            "seen": 0,
            "fired": 0,
        }
        checked.append(row)
    for row in checked:
        world.store.put("fault", f"{world.store.next_number('fault'):06d}", row)
    world.store.commit()
    return checked


def clear(world: World) -> None:
    for key, _ in world.store.items("fault"):
        world.store.delete("fault", key)
    world.store.commit()


def pick(world: World, call: Call) -> Obj | None:
    """The first rule that fires for this request. Also counts the request for every matching rule."""
    chosen: Obj | None = None
    for key, rule in world.store.items("fault"):
        if rule["method"] not in ("", call.method) or not re.search(rule["path"], call.path):
            continue
        rule["seen"] += 1
        if chosen is None and _fires(rule):
            rule["fired"] += 1
            chosen = rule
        world.store.put("fault", key, rule)
    return chosen


def _fires(rule: Obj) -> bool:
    if rule["times"] and rule["fired"] >= rule["times"]:
        return False
    if rule["nth"]:
        return bool(rule["seen"] == rule["nth"])
    if rule["probability"] < 1.0:
        return random.Random(f"{rule['seed']}:{rule['seen']}").random() < rule["probability"]
    return True

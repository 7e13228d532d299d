"""Imports point one way, and some packages have one importer."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

APP = Path(settings.BASE_DIR) / "registrations"

# From the bottom to the top; a module may import from its own layer and from those before it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"states", "failures", "gateway", "clock", "sandbox"}),
    frozenset({"models"}),
    frozenset(
        {
            "timeline",
            "pacing",
            "steps",
            "lease",
            "fees",
            "money",
            "search_text",
            "roles",
            "limits",
            "stuck",
            "support",
            "versions",
            "retiring",
            "mutex",
        }
    ),
    frozenset({"runs", "problems", "plans", "manual", "applying", "preflight"}),
    frozenset({"planning", "step_board", "sync", "open_problems", "uncatalogued", "spells", "derived"}),
    frozenset({"trouble", "pipeline", "envelopes"}),
    frozenset(
        {"reconcile", "routing", "event_streams", "background", "people", "notifications", "primary_profile"}
    ),
    frozenset({"broker", "tasks", "worker", "health"}),
    frozenset({"inbox", "verbs", "one_time_texts"}),
    frozenset({"composer", "batches", "figures", "board", "groups"}),
    frozenset({"forms", "importing", "spreadsheets", "exporting", "checks"}),
    frozenset({"admin", "webhooks", "templatetags", "management", "urls", "apps", "migrations"}),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def modules() -> list[Path]:
    return sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path, deferred: bool = True) -> Iterator[str]:
    """Absolute names of what a module imports; `deferred` includes imports inside functions."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if deferred else iter(tree.body)
    package = ["registrations", *path.relative_to(APP).parts[:-1]]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield prefix
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def area(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "registrations" and len(parts) > 1 else None


def own_area(path: Path) -> str:
    first = path.relative_to(APP).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(APP)))
def test_imports_point_one_way(path):
    own = own_area(path)
    if own == "__init__":
        return
    assert own in RANK, f"{own} has no layer; give it one in LAYERS"
    for name in imports(path, deferred=False):
        used = area(name)
        if used in RANK and used != own:
            assert RANK[used] <= RANK[own], f"{path.name} ({own}) must not import {name}"


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("twilio", {"gateway"}),
        ("django_q", {"tasks", "broker", "worker", "health", "management", "migrations"}),
    ],
)
def test_outside_packages_have_one_door(package, allowed):
    importers = {
        own_area(path) for path in modules() for name in imports(path) if name.split(".")[0] == package
    }
    assert importers <= allowed
    assert importers, f"nobody imports {package}: the test is out of date"


def test_the_sandbox_stands_alone():
    for path in (APP / "sandbox").rglob("*.py"):
        for name in imports(path):
            assert area(name) in (None, "sandbox"), f"{path.name} imports {name}"
            assert name.split(".")[0] != "django", f"{path.name} imports {name}"


def test_files_stay_readable():
    long = {str(path): n for path in modules() if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}

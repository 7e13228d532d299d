"""Imports go down only, without a circle, and some libraries have few importers. Floors: docs/architecture.md."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

APP = Path(settings.BASE_DIR) / "registrations"

# Lowest first. A package imports from the floors below its own, and from itself.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"core", "twilio", "sandbox"}),
    frozenset({"models"}),
    frozenset({"workflow"}),
    frozenset({"intake"}),
    frozenset({"operations"}),
    frozenset({"reporting"}),
    frozenset({"worker", "admin"}),
    frozenset({"management", "templatetags", "urls", "apps"}),
)
FLOOR = {package: number for number, packages in enumerate(FLOORS) for package in packages}
# Within the workflow: what the steps are, what comes next, who records it, how it runs.
WORKFLOW = ("steps", "planner", "recorder", "runner")
MOST_ENTRIES = 13


def modules() -> list[Path]:
    return sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    parts = ("registrations", *path.relative_to(APP).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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


def package_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "registrations" and len(parts) > 1 else None


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(APP)))
def test_imports_go_down(path):
    own = package_of(name_of(path))
    if own is None:
        return
    assert own in FLOOR, f"{own} has no floor; give it one in FLOORS"
    for name in imports(path):
        used = package_of(name)
        # The site's navigation and the app's start-up name pages of their own floor.
        if used in FLOOR and used != own:
            assert FLOOR[used] < FLOOR[own], f"{path.name} ({own}) must not import {name}"


@pytest.mark.parametrize("path", sorted((APP / "workflow").rglob("*.py")), ids=lambda path: path.stem)
def test_the_workflow_has_four_floors(path):
    parts = path.relative_to(APP / "workflow").parts
    if parts[0] not in WORKFLOW:
        return
    for name in imports(path):
        used = name.split(".")[2] if name.startswith("registrations.workflow.") else parts[0]
        if used in WORKFLOW:
            assert WORKFLOW.index(used) <= WORKFLOW.index(parts[0]), f"{path.name} must not import {name}"


@cache
def graph() -> dict[str, set[str]]:
    """{module: modules that it imports, also within functions and for types}; a package stands for its `__init__`."""
    known = {name_of(path): path for path in modules()}
    return {
        module: {name for name in imports(path) if name in known and name != module}
        for module, path in known.items()
    }


def test_no_circle_of_imports():
    """A package and what its `__init__` exports are one: a module may name its own package."""
    finished: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module in finished:
            return
        for used in sorted(graph()[module]):
            if not module.startswith(f"{used}."):
                visit(used, (*way, module))
        finished.add(module)

    for module in graph():
        visit(module, ())


def test_few_rooms():
    entries = {
        path.name
        for path in APP.iterdir()
        if not path.name.startswith((".", "__")) and path.name not in ("apps.py", "urls.py")
    }
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_each_package_says_what_it_holds():
    silent = [
        str(path.relative_to(APP))
        for path in modules()
        if path.name == "__init__.py"
        and "management" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text()))
        and path.parent.name != "templatetags"
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("twilio", ("registrations.twilio.client",)),
        ("django_q", ("registrations.core", "registrations.worker", "registrations.reporting")),
    ],
)
def test_outside_packages_have_few_doors(library, doors):
    importers = {
        name_of(path) for path in modules() for name in imports(path) if name.split(".")[0] == library
    }
    assert {name for name in importers if not name.startswith(doors)} == set()
    assert importers, f"nobody imports {library}: the test is out of date"


def test_the_sandbox_stands_alone():
    for path in (APP / "sandbox").rglob("*.py"):
        for name in imports(path):
            assert package_of(name) in (None, "sandbox"), f"{path.name} imports {name}"
            assert name.split(".")[0] != "django", f"{path.name} imports {name}"

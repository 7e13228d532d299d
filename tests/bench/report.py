"""What a measurement hands back, and the plain table it becomes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Value = float | int | str


@dataclass(frozen=True)
class Row:
    """One number. `unit` is "s", "ms", "MiB", "/min", "calls" …; `note` says what it is to be held against."""

    name: str
    value: Value
    unit: str = ""
    note: str = ""


@dataclass
class Report:
    """The rows of one measurement. `setting` tells the circumstances that the numbers depend on.

    `machine` tells how busy it was (machine.py): with the noise of others in it, do not trust the times.
    """

    title: str
    setting: str = ""
    rows: list[Row] = field(default_factory=list)
    machine: str = ""

    def add(self, name: str, value: Value, unit: str = "", note: str = "") -> None:
        self.rows.append(Row(name, value, unit, note))

    def spread(self, name: str, values: Sequence[float], unit: str, note: str = "") -> None:
        """Median, p95 and largest of a sample, with its size; says so when nothing was seen."""
        if not values:
            self.add(name, "nothing seen", note=note)
            return
        seen = sorted(values)
        self.add(f"{name}: median", percentile(seen, 50), unit, f"n = {len(seen)}")
        self.add(f"{name}: p95", percentile(seen, 95), unit, note)
        self.add(f"{name}: max", seen[-1], unit)

    def text(self) -> str:
        rows = [(row.name, shown(row.value), row.unit, row.note) for row in self.rows]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = [self.title, *(f"  ({line})" for line in (self.setting, self.machine) if line)]
        for name, value, unit, note in rows:
            cells = f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {unit:<{widths[2]}}  {note}"
            lines.append(cells.rstrip())
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        rows = [vars(row) for row in self.rows]
        return {"title": self.title, "setting": self.setting, "machine": self.machine, "rows": rows}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values: a value that was really seen, never between two.

    >>> percentile([1, 2, 3, 4], 50)
    2
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shown(value: Value) -> str:
    """
    >>> shown(0.12345), shown(12.3456), shown(1234.5), shown(7)
    ('0.123', '12.3', '1234', '7')
    """
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)

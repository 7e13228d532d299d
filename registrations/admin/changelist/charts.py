"""Charts as inline SVG, drawn on the server: no script, no style attribute, readable in light and dark.

Horizontal positions are percentages, so a chart fills its card at any width and text keeps its size.
Colors are classes (static/a2p/dashboard.css). Each chart has a name, a description, and a table of its numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

TOP, FOOT, PLOT = 16, 22, 132
BAR_ROW, BAR_TOP, BAR = 38, 19, 10


@dataclass(frozen=True)
class Rect:
    """x, width: text like "12.5%"; y, height: pixels. tip: the text on hover."""

    x: str
    y: float
    width: str
    height: float
    css: str
    tip: str


@dataclass(frozen=True)
class Text:
    x: str
    y: float
    text: str
    css: str = ""


@dataclass(frozen=True)
class Chart:
    """slug makes the ids; title and desc are the accessible name; legend: (class, label).

    header, rows: the table; urls: the links of the rows' first cells, in the order of `rows`, or empty.
    """

    slug: str
    title: str
    desc: str
    height: int
    rects: list[Rect] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    empty: str = ""

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        """(url or "", cells) of each row."""
        return list(zip_longest(self.urls[: len(self.rows)], self.rows, fillvalue=""))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart. value: its length; text: its number; mark: a second, paler length."""

    label: str
    value: float
    text: str
    url: str = ""
    mark: float = 0.0


def bars(
    slug: str,
    title: str,
    desc: str,
    data: Sequence[Bar],
    header: list[str],
    *,
    css: str = "c1",
    rows: list[list[str]] | None = None,
    legend: list[tuple[str, str]] | None = None,
    empty: str = "Nothing yet.",
) -> Chart:
    """Label and number are above each bar, so both have room at any width."""
    largest = max((max(bar.value, bar.mark) for bar in data), default=0)
    table = rows if rows is not None else [[bar.label, bar.text] for bar in data]
    if not largest:
        return Chart(slug, title, desc, 0, empty=empty)
    chart = Chart(
        slug,
        title,
        desc,
        BAR_ROW * len(data),
        header=header,
        rows=table,
        legend=legend or [],
        urls=[bar.url for bar in data],
    )
    for place, bar in enumerate(data):
        y = place * BAR_ROW
        chart.texts.append(Text("0%", y + 12, bar.label, "chart-label"))
        chart.texts.append(Text("100%", y + 12, bar.text, "chart-value"))
        chart.rects.append(Rect("0%", y + BAR_TOP, "100%", BAR, "track", ""))
        if bar.mark:
            chart.rects.append(
                Rect("0%", y + BAR_TOP, _percent(bar.mark / largest), BAR, f"{css} pale", bar.text)
            )
        if bar.value:
            chart.rects.append(
                Rect("0%", y + BAR_TOP, _percent(bar.value / largest), BAR, css, f"{bar.label}: {bar.text}")
            )
    return chart


@dataclass(frozen=True)
class Series:
    """One color of a column chart; one value per group, from left to right."""

    label: str
    css: str
    values: Sequence[float]


def columns(
    slug: str,
    title: str,
    desc: str,
    groups: Sequence[str],
    series: Sequence[Series],
    header: list[str],
    *,
    unit: str = "",
    empty: str = "Nothing yet.",
) -> Chart:
    """Groups of columns; `unit` precedes each number, e.g. "$"."""
    largest = max((value for item in series for value in item.values), default=0)
    if not largest:
        return Chart(slug, title, desc, 0, empty=empty)
    top = _round_up(largest)
    table = [
        [group, *(f"{unit}{_number(item.values[place])}" for item in series)]
        for place, group in enumerate(groups)
    ]
    legend = [(item.css, item.label) for item in series] if len(series) > 1 else []
    chart = Chart(slug, title, desc, TOP + PLOT + FOOT, header=header, rows=table, legend=legend)
    for share in (0.0, 0.5, 1.0):
        y = TOP + PLOT * (1 - share)
        chart.lines.append(y)
        if share:
            chart.texts.append(Text("0%", y - 4, f"{unit}{_number(top * share)}", "chart-axis"))
    group_width = 100 / len(groups)
    column_width = group_width * 0.72 / len(series)
    for place, group in enumerate(groups):
        # There is room for every third name on a phone.
        if (len(groups) - 1 - place) % 3 == 0:
            chart.texts.append(
                Text(
                    _percent((place + 0.5) * group_width / 100),
                    TOP + PLOT + 16,
                    group,
                    "chart-axis chart-middle",
                )
            )
        for number, item in enumerate(series):
            value = item.values[place]
            if not value:
                continue
            height = max(2.0, PLOT * value / top)
            chart.rects.append(
                Rect(
                    f"{place * group_width + group_width * 0.14 + number * column_width:.2f}%",
                    round(TOP + PLOT - height, 1),
                    f"{column_width * 0.88:.2f}%",
                    round(height, 1),
                    item.css,
                    f"{group}, {item.label}: {unit}{_number(value)}",
                )
            )
    return chart


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _number(value: float) -> str:
    """
    >>> _number(1500), _number(2.5), _number(3.0)
    ('1,500', '2.50', '3')
    """
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _round_up(value: float) -> float:
    """The next round number for the axis, with a half that is whole too.

    >>> [_round_up(v) for v in (1, 3, 7, 12, 41, 99, 250, 1001)]
    [2, 4, 10, 20, 50, 100, 400, 2000]
    """
    step = 1.0
    while True:
        for factor in (2, 4, 5, 10):
            if step * factor >= value and (step * factor) % 2 == 0:
                return int(step * factor)
        step *= 10

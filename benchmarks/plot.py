"""Line plots as SVG, both axes logarithmic, without a library to draw them.

Colours follow the engine, in a fixed order, and every line carries its name at its end,
so that a plot can be read without telling colours apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 680, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 112, 46, 52
# Told apart by people who do not see all colours (Okabe and Ito), on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a6a00", "#555555")
INK, GRID = "#222222", "#dddddd"
LABEL_HEIGHT = 14

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One named series of points, x ascending.

    Lines of one ``hue`` have one colour, in whichever plot.
    """

    name: str
    points: Sequence[Point]
    hue: int = 0


@dataclass(frozen=True)
class Plot:
    """A plot of several lines with a title and the names of both axes."""

    title: str
    x_name: str
    y_name: str
    lines: Sequence[Line]


def draw(plot: Plot) -> str:
    """Return the plot as an SVG document; every figure must be above nought."""
    points = [point for line in plot.lines for point in line.points]
    assert points, "a plot of nothing"
    across = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = _Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' font-family="sans-serif" font-size="12" fill="{INK}" role="img">',
        f"<title>{escape(plot.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 22, plot.title, size=15),
        *_grid(across, up),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, plot.x_name, anchor="middle"),
        _text(LEFT, TOP - 8, plot.y_name),
        *_series(plot.lines, across, up),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Axis:
    """A logarithmic axis from one pixel to another, over whole powers of ten."""

    def __init__(self, values: Sequence[float], start: float, stop: float) -> None:
        assert min(values) > 0, "a logarithmic axis begins above nought"
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self._start, self._stop = start, stop

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self._start + share * (self._stop - self._start)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _grid(across: _Axis, up: _Axis) -> list[str]:
    parts = []
    for value in across.ticks:
        x = across(value)
        parts.append(_rule(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, _short(value), anchor="middle"))
    for value in up.ticks:
        y = up(value)
        parts.append(_rule(LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text(LEFT - 8, y + 4, _short(value), anchor="end"))
    return parts


def _series(lines: Sequence[Line], across: _Axis, up: _Axis) -> list[str]:
    parts = []
    places = _spaced([up(line.points[-1][1]) for line in lines])
    for index, line in enumerate(lines):
        colour = COLOURS[line.hue % len(COLOURS)]
        spots = [(across(x), up(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        parts.extend(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
            for x, y in spots
        )
        x = spots[-1][0] + 10
        parts.append(_text(x, places[index] + 4, line.name, colour=colour))
    return parts


def _spaced(heights: Sequence[float]) -> list[float]:
    """Return heights near those given, far enough apart for one label each."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    placed = list(heights)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + LABEL_HEIGHT)
    return placed


def _short(value: float) -> str:
    for size, mark in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{mark}"
    return f"{value:g}"


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' stroke="{GRID}"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = INK,
    size: int = 12,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
        f' font-size="{size}">{escape(text)}</text>'
    )


def lines_of(
    names: Sequence[str],
    xs: Sequence[float],
    figure: Callable[[str, float], float | None],
) -> list[Line]:
    """Return one line a name from a function of name and x; absent points left out."""
    lines = []
    for hue, name in enumerate(names):
        points = [(x, y) for x in xs if (y := figure(name, x)) is not None and y > 0]
        if points:
            lines.append(Line(name, points, hue))
    return lines

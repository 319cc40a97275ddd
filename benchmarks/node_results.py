"""What was measured of nodes under other parameters: kept, read back and shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .plot import Line
from .results import show_number


@dataclass
class NodeRow:
    """One rule at one shape of records: its name, and figures by their names."""

    rule: str
    shape: str
    figures: dict[str, float]


@dataclass
class NodeResults:
    """All rows, and how they came about."""

    about: dict[str, Any]
    count: int
    rows: list[NodeRow] = field(default_factory=list)

    @property
    def shapes(self) -> list[str]:
        """The shapes of records, in the order in which they were measured."""
        return list(dict.fromkeys(one.shape for one in self.rows))

    def of(self, shape: str) -> list[NodeRow]:
        """Return the rows of one shape."""
        return [one for one in self.rows if one.shape == shape]

    def table(self, shape: str) -> str:
        """Return the figures of one shape as a table of Markdown, a rule a column."""
        rows = self.of(shape)
        names = list(dict.fromkeys(name for one in rows for name in one.figures))
        lines = [
            f"| {shape} | {' | '.join(one.rule for one in rows)} |",
            "|---" + "|--:" * len(rows) + "|",
        ]
        for name in names:
            cells = [_shown(one.figures.get(name)) for one in rows]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def blocks(self) -> Iterator[str]:
        """Yield the section of the page."""
        yield "## Nodes under other parameters"
        yield (
            f"{self.count:,} records a shape, seed {self.about['seed']}; times are of"
            " the processor, the least of several. What follows from it:"
            " [note 15](design/0015-node-parameters.md)."
        )
        for shape in self.shapes:
            yield self.table(shape)

    def speed_lines(self) -> list[Line]:
        """Return lines of speed against the mean size of a leaf.

        They are of the last shape, whose rules differ in size alone.
        """
        rows = self.of(self.shapes[-1])
        lines = []
        for hue, (name, (label, speed)) in enumerate(SPEEDS.items()):
            points = sorted(
                (one.figures[SIZE], speed(one.figures[name]))
                for one in rows
                if one.figures.get(name)
            )
            if points:
                lines.append(Line(label, points, hue))
        return lines

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".draft")
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


SIZE = "mean leaf, bytes"
# The figures that are plotted, as records a second.
SPEEDS: dict[str, tuple[str, Callable[[float], float]]] = {
    "load, records/s": ("load", lambda rate: rate),
    "get, us": ("get", lambda us: 1e6 / us),
    "update of 1,000, ms": ("update", lambda ms: 1e6 / ms),
    "insert of 1,000, ms": ("insert", lambda ms: 1e6 / ms),
}


def load_node_results(path: Path) -> NodeResults:
    """Read what was saved; ValueError, KeyError or TypeError when the file is none."""
    document = json.loads(path.read_text(encoding="utf-8"))
    rows = [NodeRow(**one) for one in document["rows"]]
    return NodeResults(document["about"], document["count"], rows)


def _shown(value: float | None) -> str:
    return "" if value is None else show_number(value)

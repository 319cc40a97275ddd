"""Nodes of other sizes, and another rule: ``python -m benchmarks.node_parameters``.

For the freeze of the format: the bounds in use, (4,080, 12,240), beside (4,080, 8,160)
and (2,040, 6,120), the hazard rule that is held in reserve, and the window at other
sizes. What an insertion rewrites comes from a plain model of one level that any rule
can be tried in; what work costs comes from the library's trees under other bounds.
Figures are counts, and processor time, the least of several, so that a machine that
does other things hardly moves them.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import TreeParameters
from prolly.tree import (
    NodeReader,
    apply,
    build,
    diff,
    get,
    priorities_of,
    tree_statistics,
)

from .machine import describe_commit, describe_machine, now_text
from .node_results import NodeResults, NodeRow
from .node_rules import Hazard, Rule, Window
from .node_sequence import LeafRow
from .process import SUITE_ROOT

DEFAULT_OUT = Path("build/benchmarks/node-parameters.json")
SEED = 20_260_101
RECORDS = 200_000
# Value bytes of each shape; a key has 17.
SHAPES = {"100 B": 100, "400 B": 400, "1 kB": 980}
# The longest value within a record, under the bounds in use.
VALUE_BYTES_MAX = 1000
IN_USE = Window(4080, 12_240)
WINDOWS = (IN_USE, Window(4080, 8160), Window(2040, 6120))
# Of about the mean size of the bounds in use; target and rate were searched for that
# and for even leaves: with the upper bound far off, and with that in use.
HAZARDS = (Hazard(4080, 7140, 16_320, 0.2), Hazard(2040, 6120, 12_240, 0.15))
SWEPT = tuple(Window(least, 3 * least) for least in (1020, 2040, 4080, 8160, 16_320))

INSERTS = 2000
SINGLES = 200
BATCH = 1000
LOOKUPS = 20_000
REPEATS = 4
# Of the ground keys: one of so many has a priority this high.
GROUND_SHARE = 16
GROUND_KEYS = 6_000
GROUND_INSERTS = 20
MS = 1e3
US = 1e6


def key_of(number: int) -> bytes:
    """Return the key of a record; odd numbers stand between records."""
    return b"key:%013d" % number


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the least processor time of several calls."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def parameters_of(rule: Window) -> TreeParameters:
    """Return parameters with the bounds of a rule, also those that no store may have.

    Bounds below the caps of keys and values hold as long as no record is that large.
    """
    return tuple.__new__(TreeParameters, (rule.weight_min, rule.weight_max, 0))


def fits(rule: Rule, value_bytes: int) -> bool:
    """Tell whether a record may be that long: the caps fall with the lower bound."""
    if not isinstance(rule, Window):
        return True
    return value_bytes <= VALUE_BYTES_MAX * rule.weight_min // IN_USE.weight_min


def row_figures(rule: Rule, value_bytes: int, count: int) -> dict[str, float]:
    """Return sizes of leaves, and what scattered insertions rewrite, from the model."""
    source = random.Random(SEED)
    row = LeafRow(rule, [key_of(2 * n) for n in range(count)], bytes(value_bytes))
    sizes = row.sizes()
    new = [key_of(2 * n + 1) for n in source.sample(range(count), INSERTS)]
    start = time.process_time()
    changes = [row.insert(key) for key in new]
    elapsed = time.process_time() - start
    assert row.is_as_cut_anew(), rule.name
    return {
        "mean leaf, bytes": statistics.fmean(sizes),
        "CV of leaf sizes": statistics.pstdev(sizes) / statistics.fmean(sizes),
        "largest leaf, bytes": max(sizes),
        "leaves rewritten per insert": statistics.fmean(one.leaves for one in changes),
        "bytes of leaves per insert": statistics.fmean(one.bytes for one in changes),
        "time of an insert in the model, us": elapsed / INSERTS * US,
        "leaves rewritten per insert, ground keys": ground_figure(rule, value_bytes),
    }


def ground_figure(rule: Rule, value_bytes: int) -> float:
    """Return what insertions rewrite among keys ground for high priorities."""
    high = (1 << 64) - (1 << 64) // GROUND_SHARE
    found: list[bytes] = []
    number = 0
    while len(found) < GROUND_KEYS:
        keys = [key_of(n) for n in range(number, number + 100_000)]
        number += 100_000
        ranked = zip(keys, priorities_of(keys, 0), strict=True)
        found += [key for key, priority in ranked if priority >= high]
    found = found[:GROUND_KEYS]
    new = set(random.Random(SEED).sample(found[: GROUND_KEYS // 2], GROUND_INSERTS))
    row = LeafRow(rule, [key for key in found if key not in new], bytes(value_bytes))
    return statistics.fmean(row.insert(key).leaves for key in sorted(new))


class LibraryTree:
    """One tree of the library under other bounds, in memory, its chunks counted."""

    def __init__(self, rule: Window, value_bytes: int, count: int) -> None:
        self.parameters = parameters_of(rule)
        self._count = count
        source = random.Random(SEED)
        self._source = source
        self._value_bytes = value_bytes
        self._keys = [key_of(2 * n) for n in range(count)]
        self._values = [source.randbytes(value_bytes) for _ in range(count)]
        self.store = CountingStore(MemoryStore())
        self.writer = self.store.writer()
        self.root = self._build()

    def _build(self) -> bytes:
        return build(self.writer, [(self._keys, self._values)], self.parameters)

    def _reader(self) -> NodeReader:
        return NodeReader(self.writer.get)

    def _edits(self, size: int, *, new: bool) -> tuple[list[bytes], list[bytes | None]]:
        chosen = sorted(self._source.sample(range(self._count), size))
        keys = [key_of(2 * n + new) for n in chosen]
        return keys, [self._source.randbytes(self._value_bytes) for _ in keys]

    def _apply(self, reader: NodeReader, size: int, *, new: bool) -> bytes:
        edits = self._edits(size, new=new)
        return apply(reader, self.writer, self.root, edits, self.parameters)

    def figures(self) -> dict[str, float]:
        """Return what loading, looking up, changing and comparing costs."""
        levels = tree_statistics(self._reader(), self.root)
        found: dict[str, float] = {"height": len(levels)}
        found["load, records/s"] = self._count / cpu_seconds(self._build)
        found["get, us"] = self._get_us()
        for what, new in (("update", False), ("insert", True)):
            found |= self._single(what, new=new)
            found |= self._batch(what, new=new)
        return found | self._diff()

    def _get_us(self) -> float:
        reader = self._reader()
        keys = self._source.choices(self._keys, k=LOOKUPS)

        def look() -> None:
            for key in keys:
                get(reader, self.root, key)

        look()
        return cpu_seconds(look) / LOOKUPS * US

    def _single(self, what: str, *, new: bool) -> dict[str, float]:
        reader = self._reader()
        self.store.costs.reset()
        for _ in range(SINGLES):
            self._apply(reader, 1, new=new)
        costs = self.store.costs
        return {
            f"nodes written per {what}": costs.puts / SINGLES,
            f"bytes written per {what}": costs.put_bytes / SINGLES,
        }

    def _batch(self, what: str, *, new: bool) -> dict[str, float]:
        edits = self._edits(BATCH, new=new)
        self.store.costs.reset()
        apply(self._reader(), self.writer, self.root, edits, self.parameters)
        written = self.store.costs.put_bytes

        def change() -> None:
            apply(self._reader(), self.writer, self.root, edits, self.parameters)

        return {
            f"{what} of 1,000, ms": cpu_seconds(change) * MS,
            f"{what} of 1,000, bytes": written,
        }

    def _diff(self) -> dict[str, float]:
        new = self._apply(self._reader(), BATCH, new=False)
        self.store.costs.reset()
        assert sum(1 for _ in diff(self._reader(), self.root, new)) == BATCH
        nodes = self.store.costs.gets

        def compare() -> None:
            sum(1 for _ in diff(self._reader(), self.root, new))

        return {
            "diff of 1,000, nodes read": nodes,
            "diff of 1,000, ms": cpu_seconds(compare) * MS,
        }


def measured(count: int) -> Iterator[NodeRow]:
    """Yield one row a rule and shape."""
    for shape, value_bytes in SHAPES.items():
        for rule in (*WINDOWS, *HAZARDS):
            if fits(rule, value_bytes):
                figures = row_figures(rule, value_bytes, count)
                if isinstance(rule, Window):
                    figures |= LibraryTree(rule, value_bytes, count).figures()
                yield NodeRow(rule.name, shape, figures)
    [first, *_] = SHAPES
    for rule in SWEPT:
        figures = row_figures(rule, SHAPES[first], count)
        figures |= LibraryTree(rule, SHAPES[first], count).figures()
        yield NodeRow(rule.name, f"{first}, other sizes", figures)


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=RECORDS)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    chosen = parser.parse_args()
    about = {
        "date": now_text(),
        "command": f"python -m benchmarks.node_parameters --count {chosen.count}",
        "commit": describe_commit(SUITE_ROOT),
        "machine": describe_machine(SUITE_ROOT),
        "seed": SEED,
    }
    results = NodeResults(about, chosen.count, list(measured(chosen.count)))
    results.save(chosen.out)
    for shape in results.shapes:
        print(results.table(shape), end="\n\n")


if __name__ == "__main__":
    main()

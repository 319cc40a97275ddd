"""The process of one measurement: an order as JSON in, a result as JSON out.

Run as ``python -m benchmarks.child ORDER``. Each workload prints a line once it is
measured, so that a process that is stopped has told what it did: its name, and
``{"value", "facts", "counters", "series"}``, ``{"lacks": why}`` or ``{"failed": why}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from .engine import NotOffered
from .stage import Spec, Stage
from .workloads import WORKLOADS

# The order to load the store that later measurements read or copy.
FIXTURE = "fixture"


def measured(spec: Spec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Carry out one order in this process, yielding each result."""
    stage = Stage(spec)
    for name in spec.works:
        yield name, _measure_one(stage, name)


def _measure_one(stage: Stage, name: str) -> dict[str, Any]:
    stage.begin()
    try:
        value = _load(stage) if name == FIXTURE else WORKLOADS[name].measure(stage)
    except NotOffered as lack:
        return {"lacks": str(lack)}
    except Exception as error:
        # Whatever the engine raises, the other workloads of the group still run.
        return {"failed": f"{type(error).__name__}: {error}"}
    return {
        "value": value,
        "facts": stage.facts,
        "counters": stage.counters,
        "series": stage.series,
    }


def _load(stage: Stage) -> float:
    engine = stage.created()
    engine.load(engine.records(stage.files.in_order()), ordered=True)
    stage.close()
    return 0.0


def main(words: list[str]) -> None:
    """Read the order, measure, print each result."""
    spec = Spec(**json.loads(words[0]))
    if spec.library:
        sys.path.insert(0, spec.library)
    for one in measured(spec):
        print(json.dumps(one), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

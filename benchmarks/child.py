"""The process of one measurement: an order as JSON in, a result as JSON out.

Run as ``python -m benchmarks.child ORDER``. The result is the last line of standard
output: ``{"value", "facts", "counters"}``, or ``{"lacks": why}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from .engine import NotOffered
from .stage import Spec, Stage
from .workloads import WORKLOADS

# The order to load the store that later measurements read or copy.
FIXTURE = "fixture"


def measure(spec: Spec) -> dict[str, Any]:
    """Carry out one order in this process and return its result."""
    stage = Stage(spec)
    try:
        if spec.work == FIXTURE:
            value = 0.0
            engine = stage.created()
            every = stage.records.records(range(spec.count))
            engine.load(engine.records(every), ordered=True)
            engine.close()
        else:
            value = WORKLOADS[spec.work].measure(stage)
    except NotOffered as lack:
        return {"lacks": str(lack)}
    return {"value": value, "facts": stage.facts, "counters": stage.counters}


def main(words: list[str]) -> None:
    """Read the order, measure, print the result."""
    spec = Spec(**json.loads(words[0]))
    if spec.library:
        sys.path.insert(0, spec.library)
    print(json.dumps(measure(spec)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

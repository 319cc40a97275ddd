"""What a new process pays before it can begin."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from .registry import MAP, Group
from .stage import Stage, process_environment

IMPORT_PROCESSES = 8
MS = 1e3

IMPORT = Group("import", "empty", forms=MAP, sized=False)


def _process_seconds(code: str, environment: dict[str, str]) -> float:
    # Without ``site``: the hook of an editable installation, which no user has, loads
    # half of what is to be measured before the first line of any program.
    command = [sys.executable, "-P", "-S", "-c", code]
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True)
    return time.perf_counter() - start


@IMPORT.workload(
    "import",
    f"import all that opening needs, above bare Python, median of {IMPORT_PROCESSES}"
    " processes",
    "ms",
)
def import_time(stage: Stage) -> float:
    """Time whole processes with and without the imports, in turn."""
    environment = process_environment(stage.spec)
    places = (stage.spec.library, *sys.path)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    codes = {"": stage.engine.ready, **dict(_codes_beside(stage))}
    for code in codes.values():
        _process_seconds(code, environment)  # Writes the byte code.
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(IMPORT_PROCESSES):
        bare = _process_seconds("pass", environment)
        for name, code in codes.items():
            times[name].append(_process_seconds(code, environment) - bare)
    medians = {name: statistics.median(times[name]) * MS for name in codes}
    stage.facts.update({name: ms for name, ms in medians.items() if name})
    return medians[""]


def _codes_beside(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield what is told beside the figure, by name, where an engine has it."""
    statement, loads_later, _ = stage.engine.ready.partition(";")
    if loads_later:
        yield "statement alone, ms", statement
    record = stage.records.record(0)
    [key] = stage.engine.keys([stage.records.key(0)])
    code = stage.engine.read_code(key)
    if code:
        engine = stage.created()
        engine.load(engine.records([record]), ordered=True)
        stage.close()
        yield "with a read, ms", code

"""What a new process pays before it can begin."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from .registry import MAP, Group
from .stage import Stage, process_environment

IMPORT_PROCESSES = 8
MS = 1e3

IMPORT = Group("import", "empty", forms=MAP, sized=False)


def _process_seconds(code: str, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)
    return time.perf_counter() - start


@IMPORT.workload(
    "import",
    f"import the package, above bare Python, median of {IMPORT_PROCESSES} processes",
    "ms",
)
def import_time(stage: Stage) -> float:
    """Time whole processes with and without the import, in turn."""
    environment = process_environment(stage.spec)
    environment["PYTHONPATH"] = stage.spec.library
    code = stage.engine.ready
    _process_seconds(code, environment)  # Writes the byte code.
    differences = [
        _process_seconds(code, environment) - _process_seconds("pass", environment)
        for _ in range(IMPORT_PROCESSES)
    ]
    return statistics.median(differences) * MS

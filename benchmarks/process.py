"""The parent's side of one measurement: start its process, watch its memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .stage import Spec, process_environment

SUITE_ROOT = Path(__file__).resolve().parent.parent
# Peaks of a load last for seconds; reading /proc takes about 20 us of another core.
MEMORY_POLL_S = 0.005
# What fits a cell of a table.
FAILURE_CHARS = 120
MB = 1e6

_ANONYMOUS = re.compile(r"RssAnon:\s+(\d+) kB")


@dataclass
class Outcome:
    """What came of one workload in one process: a figure, or why there is none."""

    value: float | None = None
    lacks: str = ""
    failed: str = ""
    facts: dict[str, float] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    series: list[tuple[float, float]] = field(default_factory=list)


def anonymous_bytes(process_id: int) -> int:
    """Return the anonymous resident memory of a process; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0
    found = _ANONYMOUS.search(status)
    return int(found[1]) * 1024 if found else 0


def run_process(
    spec: Spec, *, limit_s: float, watch_memory: bool = False
) -> dict[str, Outcome]:
    """Carry out one order in a new process; never raises for what happens there.

    With ``watch_memory`` the figure is the peak of the process, in MB.
    """
    order = json.dumps(asdict(spec))
    words = [sys.executable, "-m", "benchmarks.child", order]
    child = subprocess.Popen(
        words,
        cwd=SUITE_ROOT,
        env=process_environment(spec),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + limit_s
    peak = 0
    why = ""
    try:
        if watch_memory:
            peak = _watch(child, deadline)
        output, errors = child.communicate(
            timeout=max(0.0, deadline - time.monotonic())
        )
    except subprocess.TimeoutExpired:
        why = f"took longer than {limit_s:.0f} s"
        child.kill()
        output, errors = child.communicate()
    finally:
        # When a person interrupts the run.
        if child.poll() is None:
            child.kill()
            child.communicate()
    if child.returncode and not why:
        why = (errors.strip().splitlines() or [f"exit {child.returncode}"])[-1]
    outcomes = told(output)
    for one in outcomes.values():
        one.failed = one.failed[:FAILURE_CHARS]
        if watch_memory and one.value is not None:
            one.value = peak / MB
    silent = {name: Outcome(failed=why[:FAILURE_CHARS]) for name in spec.works}
    return silent | outcomes


def _watch(child: subprocess.Popen[str], deadline: float) -> int:
    """Return the peak of a process's anonymous memory, once it has ended."""
    peak = 0
    while child.poll() is None and time.monotonic() < deadline:
        peak = max(peak, anonymous_bytes(child.pid))
        time.sleep(MEMORY_POLL_S)
    return peak


def told(output: str) -> dict[str, Outcome]:
    """Return what the whole lines of a process's output say, by workload."""
    lines = output[: output.rfind("\n") + 1].splitlines()
    documents = [json.loads(line) for line in lines]
    return {name: Outcome(**told) for name, told in documents}

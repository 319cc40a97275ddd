"""The registry of workloads: a name, one line of explanation, a function.

To add one, write a function from a :class:`Stage` to a figure in the workload's unit
and decorate it with :func:`workload` in a module that ``workloads`` imports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .records import Form
from .stage import Stage

Measure = Callable[[Stage], float]
# What the engine's directory holds when the function is called: nothing; the records,
# not to be changed; or a copy of them.
StoreState = Literal["empty", "loaded", "copy"]
Unit = Literal["records/s", "MB/s", "us", "ms", "MB"]

UNITS_WHERE_MORE_IS_BETTER = frozenset(["records/s", "MB/s"])


@dataclass(frozen=True)
class Workload:
    """One named workload.

    ``processes``: a figure is the median of so many processes, for what is paid once a
    process. ``memory``: the figure is the peak of anonymous memory that the parent
    process sees.
    """

    name: str
    line: str
    unit: Unit
    store: StoreState
    measure: Measure
    forms: tuple[Form, ...] = ("map", "table")
    processes: int = 1
    memory: bool = False

    @property
    def more_is_better(self) -> bool:
        """Tell whether a greater figure is the better one."""
        return self.unit in UNITS_WHERE_MORE_IS_BETTER


REGISTERED: dict[str, Workload] = {}


def workload(
    name: str,
    line: str,
    unit: Unit,
    store: StoreState,
    *,
    forms: tuple[Form, ...] = ("map", "table"),
    processes: int = 1,
    memory: bool = False,
) -> Callable[[Measure], Measure]:
    """Register the decorated function as a workload."""

    def register(measure: Measure) -> Measure:
        assert name not in REGISTERED, name
        REGISTERED[name] = Workload(
            name, line, unit, store, measure, forms, processes, memory
        )
        return measure

    return register

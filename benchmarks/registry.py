"""The registry of workloads: a name, one line of explanation, a function, a group.

The workloads of a *group* run one after another in one process, over one store that is
open all the time, so that a million records are loaded or copied once for all of them.
To add a workload, write a function from a :class:`Stage` to a figure in the workload's
unit and decorate it with ``GROUP.workload`` in a module that ``workloads`` imports. In
a group over a copy of the store it leaves the keys as it found them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .records import Form
from .stage import Stage

Measure = Callable[[Stage], float]
# What the engine's directory holds when the process begins: nothing; the records, not
# to be changed; or a copy of them.
StoreState = Literal["empty", "loaded", "copy"]
Unit = Literal["records/s", "MB/s", "us", "ms", "MB"]

UNITS_WHERE_MORE_IS_BETTER = frozenset(["records/s", "MB/s"])
BOTH: tuple[Form, ...] = ("map", "table")
MAP: tuple[Form, ...] = ("map",)
TABLE: tuple[Form, ...] = ("table",)


@dataclass(frozen=True)
class Workload:
    """One named workload.

    ``durable`` tells that the figure holds waits for the disk: an engine that does not
    wait is shown beside it and not compared.
    """

    name: str
    line: str
    unit: Unit
    group: Group
    measure: Measure
    forms: tuple[Form, ...]
    durable: bool

    @property
    def more_is_better(self) -> bool:
        """Tell whether a greater figure is the better one."""
        return self.unit in UNITS_WHERE_MORE_IS_BETTER


@dataclass(frozen=True)
class Group:
    """Workloads that share a process.

    ``processes``: a figure is the median of so many processes in all, for what is paid
    once a process. ``memory``: the figure is the peak of anonymous memory that the
    parent process sees. Not ``sized``, the figures do not depend on the number of
    records and are measured at the largest alone. ``steady`` figures do not vary and
    are measured once; ``lengthy`` ones once where there are many records.
    """

    name: str
    store: StoreState
    forms: tuple[Form, ...] = BOTH
    processes: int = 1
    memory: bool = False
    sized: bool = True
    steady: bool = False
    lengthy: bool = False
    durable: bool = False

    def workload(
        self,
        name: str,
        line: str,
        unit: Unit,
        *,
        forms: tuple[Form, ...] | None = None,
        durable: bool | None = None,
    ) -> Callable[[Measure], Measure]:
        """Register the decorated function as a workload of this group."""

        def register(measure: Measure) -> Measure:
            assert name not in REGISTERED, name
            REGISTERED[name] = Workload(
                name,
                line,
                unit,
                self,
                measure,
                self.forms if forms is None else forms,
                self.durable if durable is None else durable,
            )
            return measure

        return register


REGISTERED: dict[str, Workload] = {}

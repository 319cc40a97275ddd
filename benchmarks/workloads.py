"""Every workload that there is: importing this module fills the registry."""

from __future__ import annotations

from . import (
    history_workloads,
    load_workloads,
    merge_workloads,
    process_workloads,
    read_workloads,
    write_workloads,
)
from .registry import REGISTERED, Workload

__all__ = ["WORKLOADS", "Workload", "named"]

_MODULES = (
    load_workloads,
    read_workloads,
    write_workloads,
    history_workloads,
    merge_workloads,
    process_workloads,
)

# In the order of the modules above, and within one as they are written.
WORKLOADS: dict[str, Workload] = {
    one.name: one
    for module in _MODULES
    for one in REGISTERED.values()
    if one.measure.__module__ == module.__name__
}


def named(names: list[str]) -> list[Workload]:
    """Return the workloads of these names, or all for none; KeyError for others."""
    return [WORKLOADS[name] for name in names or WORKLOADS]

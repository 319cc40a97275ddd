"""Every workload that there is: importing this module fills the registry."""

from __future__ import annotations

from . import (
    blob_workloads,
    diff_workloads,
    index_workloads,
    load_workloads,
    merge_workloads,
    process_workloads,
    read_workloads,
    space_workloads,
    sync_workloads,
    write_workloads,
)
from .registry import REGISTERED, Group, Workload

__all__ = ["WORKLOADS", "Group", "Workload", "grouped", "named"]

_MODULES = (
    load_workloads,
    read_workloads,
    write_workloads,
    diff_workloads,
    merge_workloads,
    index_workloads,
    sync_workloads,
    space_workloads,
    blob_workloads,
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
    """Return the workloads of these names, or all for none; KeyError for others.

    ``group:NAME`` stands for those of one group.
    """
    found: dict[str, Workload] = {}
    for name in names or WORKLOADS:
        group = name.removeprefix("group:")
        if group != name:
            some = [one for one in WORKLOADS.values() if one.group.name == group]
            if not some:
                raise KeyError(name)
            found |= {one.name: one for one in some}
        else:
            found[name] = WORKLOADS[name]
    return list(found.values())


def grouped(works: list[Workload]) -> list[tuple[Group, list[Workload]]]:
    """Return the workloads by their groups, in the order of the registry."""
    chosen = {one.name for one in works}
    groups: dict[str, list[Workload]] = {}
    for one in WORKLOADS.values():
        if one.name in chosen:
            groups.setdefault(one.group.name, []).append(one)
    return [(some[0].group, some) for some in groups.values()]

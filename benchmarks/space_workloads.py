"""What history takes on the disk, and what a collection gives back."""

from __future__ import annotations

from contextlib import suppress

from .engine import Engine, NotOffered, allocated_bytes
from .registry import Group
from .stage import Stage

COMMITS = 100
UPDATES = 10
# Sizes are taken this often: each waits for all that is not written back yet.
COMMITS_BETWEEN_LOOKS = 10
MB = 1e6
MS = 1e3

HISTORY = Group("history", "copy", steady=True)


def _grow(stage: Stage, engine: Engine) -> list[tuple[int, int]]:
    """Make the small commits; return the disk's bytes after some numbers of them."""
    sizes = [(0, allocated_bytes(engine.directory))]
    for number in range(1, COMMITS + 1):
        purpose = stage.purpose(f"growth {number}")
        chosen = stage.records.scattered(UPDATES, purpose)
        changed = stage.records.records(chosen, stage.new_version())
        engine.write(updates=list(engine.records(changed)))
        if number % COMMITS_BETWEEN_LOOKS == 0:
            sizes.append((number, allocated_bytes(engine.directory)))
    return sizes


@HISTORY.workload(
    "disk-growth", f"disk added by {COMMITS} commits of {UPDATES} updates each", "MB"
)
def disk_growth(stage: Stage) -> float:
    sizes = _grow(stage, stage.opened())
    first = sizes[0][1]
    stage.series = [(commits, (size - first) / MB) for commits, size in sizes[1:]]
    return stage.series[-1][1]


@HISTORY.workload("gc", f"collect the garbage of {COMMITS // 2} dropped commits", "ms")
def collect_garbage(stage: Stage) -> float:
    if not stage.is_open:
        _grow(stage, stage.opened())
    stage.opened().rewind(COMMITS // 2)
    # A collection may ask to be alone with the store.
    engine = stage.reopened()
    before = allocated_bytes(engine.directory)
    elapsed = stage.seconds(engine.compact)
    after = allocated_bytes(engine.directory)
    stage.facts |= {"MB before": before / MB, "MB after": after / MB}
    with suppress(NotOffered):
        stage.facts["disk / reachable"] = after / engine.reachable_bytes()
    return elapsed * MS

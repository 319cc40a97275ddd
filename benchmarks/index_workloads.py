"""Secondary indexes: building two, keeping them up, asking one."""

from __future__ import annotations

from functools import partial

from .records import GROUPS, group_name
from .registry import TABLE, Group
from .stage import Stage

CHANGES = 100
SAMPLES = 5
QUERIES = 1000
QUERY_ROWS = 10
MS = 1e3
US = 1e6

INDEXES = Group("indexes", "copy", forms=TABLE, durable=True, lengthy=True)


def _require_indexes(stage: Stage) -> None:
    """Build the indexes, unless a workload of this process did it."""
    if not stage.is_open:
        stage.opened().create_indexes()


@INDEXES.workload(
    "index-build", "index one column of 1,000 values and a unique one", "ms"
)
def index_build(stage: Stage) -> float:
    return stage.seconds(stage.opened().create_indexes) * MS


@INDEXES.workload(
    "index-update", f"update {CHANGES} scattered rows under both indexes", "ms"
)
def index_update(stage: Stage) -> float:
    _require_indexes(stage)
    engine, records = stage.engine, stage.records
    writes = []
    for number in range(SAMPLES):
        chosen = records.scattered(CHANGES, stage.purpose(f"indexed {number}"))
        changed = records.records(chosen, stage.new_version())
        writes.append(partial(engine.write, updates=list(engine.records(changed))))
    return stage.median_seconds(writes) * MS


@INDEXES.workload(
    "index-query",
    f"read {QUERY_ROWS} rows through the index, warm",
    "us",
    durable=False,
)
def index_query(stage: Stage) -> float:
    _require_indexes(stage)
    engine = stage.engine
    source = stage.records.generator(stage.purpose("queries"))
    groups = [group_name(source.randrange(GROUPS)) for _ in range(QUERIES)]

    def query() -> None:
        for group in groups:
            engine.query_index(group, QUERY_ROWS)

    assert engine.query_index(groups[0], QUERY_ROWS) <= QUERY_ROWS
    query()
    return stage.seconds(query) / QUERIES * US

"""Large values: several of 2 MiB, and one that is edited in front."""

from __future__ import annotations

from functools import partial

from .engine import allocated_bytes
from .registry import MAP, Group
from .stage import Stage

LARGE_VALUE_BYTES = 2 * 2**20
LARGE_VALUES = 16
BLOB_BYTES = 32 * 2**20
FILE_BYTES = 96 * 2**20
FRONT = b"x"
MB = 1e6
MS = 1e3

LARGE = Group("large", "empty", forms=MAP, sized=False, durable=True)
BLOBS = Group("blobs", "empty", forms=MAP, sized=False, durable=True)
MEMORY_FILE = Group(
    "memory-file", "empty", forms=MAP, sized=False, memory=True, steady=True
)


def _large_values(stage: Stage) -> list[tuple[str, bytes]]:
    source = stage.records.generator("large values")
    return [
        (f"large:{number:011d}", source.randbytes(LARGE_VALUE_BYTES))
        for number in range(LARGE_VALUES)
    ]


@LARGE.workload(
    "large-write", f"write {LARGE_VALUES} values of 2 MiB in one commit", "MB/s"
)
def large_write(stage: Stage) -> float:
    engine = stage.created()
    records = list(engine.records(_large_values(stage)))
    elapsed = stage.seconds(partial(engine.load, records, ordered=True))
    return LARGE_VALUES * LARGE_VALUE_BYTES / MB / elapsed


@LARGE.workload(
    "large-read",
    f"read {LARGE_VALUES} values of 2 MiB, the store just opened",
    "MB/s",
    durable=False,
)
def large_read(stage: Stage) -> float:
    if not stage.is_open:
        large_write(stage)
    keys = stage.engine.keys([key for key, _ in _large_values(stage)])
    lookup = stage.reopened().lookup()
    elapsed = stage.seconds(lambda: [lookup(key) for key in keys])
    return LARGE_VALUES * LARGE_VALUE_BYTES / MB / elapsed


def _content(stage: Stage) -> bytes:
    return stage.files.blob(BLOB_BYTES).read_bytes()


@BLOBS.workload("blob-write", "write one value of 32 MiB in one commit", "MB/s")
def blob_write(stage: Stage) -> float:
    engine, content = stage.created(), _content(stage)
    elapsed = stage.seconds(partial(engine.write_blob, content))
    return BLOB_BYTES / MB / elapsed


@BLOBS.workload("blob-edit", "put one byte in front of a value of 32 MiB", "ms")
def blob_edit(stage: Stage) -> float:
    content = _content(stage)
    if not stage.is_open:
        stage.created().write_blob(content)
    engine = stage.reopened()
    before = allocated_bytes(engine.directory)
    edit = partial(engine.insert_into_blob, FRONT, content)
    elapsed = stage.seconds(edit)
    stage.facts["MB stored anew"] = (allocated_bytes(engine.directory) - before) / MB
    return elapsed * MS


@BLOBS.workload(
    "blob-read",
    "read one value of 32 MiB, the store just opened",
    "MB/s",
    durable=False,
)
def blob_read(stage: Stage) -> float:
    content = _content(stage)
    if not stage.is_open:
        stage.created().write_blob(content)
    engine = stage.reopened()
    elapsed = stage.seconds(engine.read_blob)
    assert engine.read_blob().endswith(content)
    return BLOB_BYTES / MB / elapsed


@MEMORY_FILE.workload(
    "memory-file", "peak of anonymous memory while a file of 96 MiB is added", "MB"
)
def memory_file(stage: Stage) -> float:
    path = stage.files.blob(FILE_BYTES)
    engine = stage.created()
    stage.seconds(partial(engine.write_blob_file, path))
    return 0.0

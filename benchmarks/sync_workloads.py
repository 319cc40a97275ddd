"""Replicas: a clone, pulls and pushes of small changes, with the bytes that moved.

prolly is asked over loopback HTTP, by a server in a process of its own; what pulls and
pushes move is counted on the socket, the heads of HTTP included. doltlite has no server
in its Python package: its remote is a file, and the bytes are what the file that takes
them grows by.
"""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .engine import Engine, NotOffered
from .prolly_engine import DATASET
from .records import COLUMNS, PAYLOAD_BYTES
from .registry import Group
from .stage import Spec, Stage, process_environment

PULLS = 3
SCATTERED = 100
CLUSTERED = 1000
MS, KB, MB = 1e3, 1e3, 1e6

SYNC = Group("sync", "copy", durable=True)

SERVING = """
import sys, prolly
with prolly.open(sys.argv[1]) as repository, prolly.serve(repository) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


class Replicas(ABC):
    """The store of an engine, a remote that has it, and copies of it."""

    def __init__(self, engine: Engine, spec: Spec) -> None:
        self.engine = engine
        self.spec = spec
        self.directory = engine.directory / "replicas"
        self.directory.mkdir(exist_ok=True)
        self.round_trips = 0

    def tell_trips(self, stage: Stage) -> None:
        """Tell how many round trips the last transfer took, where that is known."""
        if self.round_trips:
            stage.facts["round trips"] = self.round_trips

    @abstractmethod
    def open(self) -> None:
        """Let others reach the store."""

    @abstractmethod
    def close(self) -> None:
        """End that."""

    @abstractmethod
    def publish(self) -> None:
        """Let others see what was written since."""

    @abstractmethod
    def clone(self, name: str) -> None:
        """Make a copy."""

    @abstractmethod
    def pull(self) -> None:
        """Bring the copy that was made last up to date."""

    @abstractmethod
    def change(self, records: Sequence[Any]) -> None:
        """Commit updates in the copy."""

    @abstractmethod
    def push(self) -> None:
        """Send what the copy has."""

    @abstractmethod
    def moved(self) -> int:
        """Return the bytes that pulls and pushes moved so far."""


class ProllyReplicas(Replicas):
    """A server in another process, and a proxy that counts before it."""

    _copy: Any = None

    def open(self) -> None:
        import prolly

        if not hasattr(prolly, "serve"):
            raise NotOffered("no replicas")
        from prolly.testing.fault_proxy import FaultProxy

        place = str(Path(prolly.__file__).parents[1])
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVING, str(self.engine.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**process_environment(self.spec), "PYTHONPATH": place},
            text=True,
        )
        assert self._server.stdout is not None
        self._url = self._server.stdout.readline().strip()
        self._proxy = FaultProxy(int(self._url.split(":")[2].split("/")[0]))

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
        self._proxy.close()
        self._server.communicate()

    def publish(self) -> None:
        return

    def clone(self, name: str) -> None:
        import prolly

        if self._copy is not None:
            self._copy.close()
        self._copy = prolly.clone(self._url, self.directory / name)
        self.round_trips = self._copy.cloned.round_trips
        # The proxy has a thread of this process: it is for small transfers.
        self._copy.remotes["origin"] = self._proxy.url(self._url)

    def pull(self) -> None:
        self.round_trips = self._copy.pull().round_trips

    def change(self, records: Sequence[Any]) -> None:
        with self._copy.transaction("main", message="change") as tx:
            if self.engine.form == "map":
                tx.map(DATASET).update(records)
            else:
                tx.table(DATASET).load((COLUMNS, records), mode="update")

    def push(self) -> None:
        self.round_trips = self._copy.push().round_trips

    def moved(self) -> int:
        return self._proxy.up + self._proxy.down


class DoltliteReplicas(Replicas):
    """A file as the remote, to which the store is pushed."""

    _copy: Any = None

    def open(self) -> None:
        self._remote = self.directory / "remote.doltlite"
        if not self._remote.exists():
            url = f"file://{self._remote}"
            self._ask(self.engine, f"dolt_remote('add', 'origin', '{url}')")
        self.publish()

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()

    def publish(self) -> None:
        self._ask(self.engine, "dolt_push('origin', 'main')")

    def clone(self, name: str) -> None:
        if self._copy is not None:
            self._copy.close()
        self._copy = type(self.engine)(self.directory / name, self.engine.form)
        self._copy.directory.mkdir()
        self._copy.open()
        self._ask(self._copy, f"dolt_clone('file://{self._remote}')")

    def pull(self) -> None:
        self._ask(self._copy, "dolt_pull('origin', 'main')")

    def change(self, records: Sequence[Any]) -> None:
        self._copy.write(updates=records)

    def push(self) -> None:
        self._ask(self._copy, "dolt_push('origin', 'main')")

    def moved(self) -> int:
        copied = self._copy.directory / self._copy.file
        return copied.stat().st_size + self._remote.stat().st_size

    @staticmethod
    def _ask(engine: Any, call: str) -> None:
        engine.connection.execute(f"SELECT {call}").fetchall()


KINDS: dict[str, type[Replicas]] = {
    "prolly": ProllyReplicas,
    "doltlite": DoltliteReplicas,
}


@contextmanager
def replicas(stage: Stage) -> Iterator[Replicas]:
    """Give the replicas of a stage's store, until the block ends."""
    engine = stage.opened()
    kind = KINDS.get(engine.name)
    if kind is None:
        raise NotOffered("no replicas")
    found = kind(engine, stage.spec)
    found.open()
    try:
        yield found
    finally:
        found.close()


@SYNC.workload("clone", "a whole copy by the wire, its records' bytes a second", "MB/s")
def clone(stage: Stage) -> float:
    with replicas(stage) as found:
        name = stage.purpose("clone").replace(" ", "-")
        seconds = stage.seconds(lambda: found.clone(name))
        found.tell_trips(stage)
    return stage.spec.count * PAYLOAD_BYTES / MB / seconds


def _pulls_ms(stage: Stage, size: int, *, clustered: bool = False) -> float:
    """Time pulls of so many updates each; tell the bytes of the last one."""
    choose = stage.records.clustered if clustered else stage.records.scattered
    times = []
    with replicas(stage) as found:
        found.clone(stage.purpose(f"pull {size} {clustered}").replace(" ", "-"))
        for sample in range(PULLS):
            numbers = choose(size, stage.purpose(f"pull {size} {sample}"))
            records = stage.records.records(numbers, stage.new_version())
            found.engine.write(updates=list(found.engine.records(records)))
            before = found.moved()
            found.publish()
            before = found.moved() if found.engine.name == "doltlite" else before
            times.append(stage.seconds(found.pull))
            stage.facts["kB moved"] = (found.moved() - before) / KB
        found.tell_trips(stage)
    return sorted(times)[len(times) // 2] * MS


@SYNC.workload("pull-100", "pull 100 scattered updates", "ms")
def pull_scattered(stage: Stage) -> float:
    return _pulls_ms(stage, min(SCATTERED, stage.spec.count))


@SYNC.workload("pull-1k-clustered", "pull updates of 1,000 records in a row", "ms")
def pull_clustered(stage: Stage) -> float:
    return _pulls_ms(stage, min(CLUSTERED, stage.spec.count), clustered=True)


@SYNC.workload("push-100", "push 100 scattered updates", "ms")
def push_scattered(stage: Stage) -> float:
    size = min(SCATTERED, stage.spec.count)
    times = []
    with replicas(stage) as found:
        found.clone(stage.purpose("push").replace(" ", "-"))
        for sample in range(PULLS):
            numbers = stage.records.scattered(size, stage.purpose(f"push {sample}"))
            records = stage.records.records(numbers, stage.new_version())
            found.change(list(found.engine.records(records)))
            before = found.moved()
            times.append(stage.seconds(found.push))
            stage.facts["kB moved"] = (found.moved() - before) / KB
        found.tell_trips(stage)
    return sorted(times)[len(times) // 2] * MS

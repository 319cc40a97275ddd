"""Random histories of whole repositories, for tests of what moves between replicas.

Commits touch every kind of dataset: maps with values of all sizes, a table with an
index and columns that come and go, blobs, files, and records whose last writer wins;
datasets come, go and get other names, branches part and are merged.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from prolly.errors import AlreadyExists, Invalid, NotFound
from prolly.repo import Repository, Transaction
from prolly.tables import Index, Schema

Act = Callable[[Transaction, random.Random], None]

_SCHEMA = Schema.create(
    [("id", "int"), ("name", "text"), ("note", "bytes")],
    "id",
    indexes=[Index("by_name", ("name",))],
)


class RandomHistory:
    """Makes commits in a repository, from one source of choices."""

    def __init__(self, repo: Repository, source: random.Random) -> None:
        self.repo = repo
        self._source = source
        self._acts: list[Act] = [
            _put,
            _put_large,
            _rows,
            _alter,
            _blob,
            _file,
            _stamped,
            _come_and_go,
        ]

    def run(self, steps: int) -> None:
        """Make so many commits, branches and merges."""
        for number in range(steps):
            branch = self._source.choice(list(self.repo.branches))
            if self._source.random() < 0.15:
                self.repo.create_branch(f"b{number}-{self._source.random()}", branch)
            elif self._source.random() < 0.2:
                self._merge(branch)
            else:
                self.commit(branch)
            if self._source.random() < 0.1:
                self.repo.tags[f"t{number}-{self._source.random()}"] = (
                    self.repo.resolve(branch)
                )

    def commit(self, branch: str) -> None:
        """Make one commit on a branch; a change that is not allowed makes none."""
        try:
            with self.repo.transaction(branch, message="an act") as tx:
                for _ in range(self._source.randint(1, 3)):
                    self._source.choice(self._acts)(tx, self._source)
        except (AlreadyExists, Invalid, NotFound):
            return

    def _merge(self, branch: str) -> None:
        other = self._source.choice(list(self.repo.branches))
        try:
            result = self.repo.merge(
                other, into=branch, policy="keep-both", allow_unrelated=True
            )
        except Invalid:
            return
        if result.status == "conflicts":
            self.repo.working_area(branch).discard()


def _put(tx: Transaction, source: random.Random) -> None:
    things = tx.map("things")
    for _ in range(source.choice([1, 5, 200])):
        key = source.choice([f"k{source.randrange(400)}", source.randrange(400)])
        if source.random() < 0.2:
            things.pop(key, None)
        else:
            things[key] = source.choice(
                [None, 1.5, "text", {"a": [1, b"x"]}, source.randbytes(90)]
            )


def _put_large(tx: Transaction, source: random.Random) -> None:
    size = source.choice([1_500, 90_000, 200_000])
    tx.map("large")[source.choice("abc")] = source.randbytes(size)


def _rows(tx: Transaction, source: random.Random) -> None:
    people = tx.table("people", schema=_SCHEMA if "people" not in list(tx) else None)
    names = [one.name for one in people.schema.columns]
    for _ in range(source.choice([1, 3, 100])):
        row = {
            "id": source.randrange(300),
            "name": source.choice("uvwxyz") * source.randrange(3),
            "note": source.randbytes(source.choice([3, 40, 2_000])),
            "extra": source.choice([None, "more"]),
        }
        people.upsert({name: row[name] for name in names})


def _alter(tx: Transaction, source: random.Random) -> None:
    people = tx.table("people")
    if "extra" in people.schema.names:
        people.alter().drop_column("extra")
    else:
        people.alter().add_column("extra", "text")


def _blob(tx: Transaction, source: random.Random) -> None:
    with tx.blob("picture", source.choice(["wb", "ab"])) as blob:
        blob.write(source.randbytes(source.choice([10, 70_000, 150_000])))


def _file(tx: Transaction, source: random.Random) -> None:
    path = f"{source.choice('pqr')}/{source.randrange(5)}.bin"
    tx.files("model").write(path, source.randbytes(source.choice([5, 80_000])))


def _stamped(tx: Transaction, source: random.Random) -> None:
    notes = tx.map("notes")
    notes[source.choice("hijk")] = source.choice(["p", "q", "x" * 2_000])
    tx.set_policy("notes", "last-writer-wins")


def _come_and_go(tx: Transaction, source: random.Random) -> None:
    names = [name for name in tx if name.startswith("extra")]
    if names and source.random() < 0.5:
        name = source.choice(names)
        if source.random() < 0.5:
            tx.drop(name)
        else:
            tx.rename(name, f"extra-{source.randrange(3)}")
    else:
        tx.map(f"extra-{source.randrange(3)}")["key"] = source.randrange(9)

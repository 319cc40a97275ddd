"""Whole manifests for simulated replicas: maps, a table, policies, names, columns."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from prolly.chunks import MemoryStore
from prolly.codec import FORMAT_PARAMETERS
from prolly.codec.record_stamps import REPLICA_BYTES
from prolly.datasets import Manifest, records_of
from prolly.errors import AlreadyExists, Invalid, NotFound
from prolly.history import Commits
from prolly.merge import Rules, merge_manifests
from prolly.repo import Workspace
from prolly.repo.stamp_clock import REPLICA_SETTING
from prolly.repo.storage import Storage
from prolly.tables import Index, MutableTable, Schema
from prolly.tree import NodeReader, Versions, build

from .repositories import ticking_environment

Act = Callable[[Workspace, random.Random], None]

_COUNTERS, _SETTINGS, _NOTES, _PEOPLE = "counters", "settings", "notes", "people"
_PICTURE, _MARKS, _LINES = "picture", "marks", "lines"
_EXTRAS = ("extra/0", "extra/1", "extra/2")
_PERSONS = 8
_REPLICAS = 6
_LAST, _SET = "last-writer-wins", "set:add-wins"
_SCHEMA = Schema.create(
    [
        *[("id", "int"), ("name", "text"), ("mail", "text"), ("visits", "int")],
        ("tags", "json"),
    ],
    "id",
    indexes=[Index("by_mail", ("mail",), unique=True)],
)


class ManifestWorld:
    """Manifests edited through workspaces and merged as replicas do, ``keep-both``.

    Edits touch counters, a map, a table with a unique index, its columns, the names of
    datasets, datasets that come and go, notes and names whose last writer wins, sets in
    which adding wins, lines merged by characters, a policy that comes and goes, and a
    blob with all that lost beside it. Clocks are wrong by up to seconds, and writes a
    millisecond apart. One that breaks a constraint changes nothing. ``added`` remembers
    what was added to each counter.
    """

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.added = dict.fromkeys("abc", 0)
        self._reader = NodeReader(self.store.get)
        self._storage = Storage(
            self.store,
            self._reader,
            Commits(self.store.get),
            ticking_environment(),
            lambda: UUID(int=0),
        )
        self._acts: list[tuple[int, Act]] = [
            (8, self._count),
            (6, self._set),
            (8, self._enter),
            (2, self._leave),
            (1, self._alter),
            (1, self._rename),
            (2, self._come_and_go),
            (6, self._note),
            (1, self._change_policy),
            (6, self._draw),
            (6, self._mark),
            (4, self._write_line),
        ]
        self._now_ms = 0

    def first(self) -> bytes:
        """Return the manifest of datasets at rest, counters at 0, with policies."""
        with self.store.writer() as writer:
            empty = build(writer, [], FORMAT_PARAMETERS)
            writer.commit()
        return self._edited(empty, self._begin, random.Random(0))

    def edit(self, root: bytes, source: random.Random, time: int) -> bytes:
        """Make one to three changes; ``time`` plays no part."""
        odds = [often for often, _ in self._acts]
        for _ in range(source.randint(1, 3)):
            (act,) = source.choices([one for _, one in self._acts], odds)
            root = self._edited(root, act, source)
        return root

    def merge(self, versions: Versions) -> bytes:
        """Merge as replicas do unattended; nothing may remain open."""
        with self.store.writer() as writer:
            reader = NodeReader(writer.get, self._reader.cache)
            rules = Rules(on_conflict="keep-both")
            merged = merge_manifests(reader, writer, versions, rules)
            assert merged.conflicts is None and not merged.conflict_count
            writer.commit()
        return merged.root

    def counted(self, root: bytes) -> dict[str, int]:
        """Return the counters of a manifest."""
        entry = Manifest(self._reader, root).require(_COUNTERS)
        return dict(records_of(self._reader, entry).items())

    def _edited(self, root: bytes, act: Act, source: random.Random) -> bytes:
        space = Workspace(self._skewed(source), root)
        try:
            act(space, source)
            edited = space.write()
            space.writer.commit()
            return edited
        except (AlreadyExists, Invalid, NotFound):
            return root
        finally:
            space.close()

    def _skewed(self, source: random.Random) -> Storage:
        """Return the storage as some replica has it: its name, and its clock."""
        self._now_ms += 1
        replica = source.randrange(_REPLICAS)
        self.store.write_setting(REPLICA_SETTING, bytes([replica]) * REPLICA_BYTES)
        now_us = 1000 * (self._now_ms + replica**5)
        environment = self._storage.environment._replace(now_us=lambda: now_us)
        return self._storage.varied(environment=environment)

    def _begin(self, space: Workspace, source: random.Random) -> None:
        space.map(_COUNTERS).update(self.added)
        space.map(_SETTINGS)["language"] = "en"
        people = space.table(_PEOPLE, schema=_SCHEMA)
        for number in range(_PERSONS // 2):
            row = {"id": number, "name": "", "mail": f"{number}", "visits": 0}
            people.upsert({**row, "tags": ["a", "b"]})
        space.map(_MARKS).update({"l": ["a", "b"], "m": []})
        space.map(_LINES)["n"] = "one line"
        space.map(_NOTES).update(dict.fromkeys("hijk", ""))
        with space.blob(_PICTURE, "wb") as blob:
            blob.write(b"")
        space.set_policy(_COUNTERS, "counter")
        space.set_policy(_NOTES, _LAST)
        space.set_policy(_PEOPLE, _LAST, column="name")
        space.set_policy(_PEOPLE, _SET, column="tags")
        space.set_policy(_MARKS, _SET)
        space.set_policy(_LINES, "text:characters")

    def _count(self, space: Workspace, source: random.Random) -> None:
        key, delta = source.choice("abc"), source.randrange(1, 4)
        space.map(_COUNTERS)[key] += delta
        self.added[key] += delta

    def _set(self, space: Workspace, source: random.Random) -> None:
        settings, key = space.map(_SETTINGS), source.choice("defg")
        if source.random() < 0.3:
            settings.pop(key, None)
        else:
            settings[key] = source.choice([None, 1, 2, 3, "x" * 2000])

    def _note(self, space: Workspace, source: random.Random) -> None:
        notes, key = space.map(_NOTES), source.choice("hijk")
        if source.random() < 0.3:
            notes.pop(key, None)
        else:
            notes[key] = source.choice(["", "p", "q", "x" * 2000])

    def _mark(self, space: Workspace, source: random.Random) -> None:
        marks, key = space.map(_MARKS), source.choice("lm")
        if source.random() < 0.1:
            marks.pop(key, None)
        else:
            marks[key] = _toggled(marks.get(key, []), source)

    def _write_line(self, space: Workspace, source: random.Random) -> None:
        lines = space.map(_LINES)
        line = lines["n"]
        start = source.randint(0, len(line))
        stop = min(len(line), start + source.randrange(3))
        lines["n"] = line[:start] + source.choice(["", "p", "qr"]) + line[stop:]

    def _change_policy(self, space: Workspace, source: random.Random) -> None:
        space.set_policy(_SETTINGS, source.choice([None, _LAST, "keep-both"]))

    def _draw(self, space: Workspace, source: random.Random) -> None:
        """Write a blob, or what stands beside it because it lost; or drop that."""
        names = [name for name in space if space.require(name).kind == "blob"]
        name = source.choice(names)
        if "~" in name and source.random() < 0.3:
            space.drop(name)
            return
        with space.blob(name, "wb") as blob:
            blob.write(source.choice([b"", b"round", b"square"]))

    def _people(self, space: Workspace) -> MutableTable:
        """Open the one table, by whatever name it has."""
        names = [name for name in space if space.require(name).kind == "table"]
        return space.table(names[0])

    def _enter(self, space: Workspace, source: random.Random) -> None:
        people, number = self._people(space), source.randrange(_PERSONS)
        old = people.get(number)
        row = dict(old) if old else {"id": number, "mail": str(source.randrange(20))}
        names = [one.name for one in people.schema.columns if one.name != "id"]
        name = source.choice(names)
        row.setdefault("name", "")
        row.setdefault("visits", 0)
        row.setdefault("tags", None)
        row[name] = source.randrange(20) if name == "visits" else str(source.random())
        if name == "tags":
            row[name] = _toggled(old["tags"] if old else None, source)
        if name == "mail":
            row[name] = str(source.randrange(20))
        people.upsert(row)

    def _leave(self, space: Workspace, source: random.Random) -> None:
        people = self._people(space)
        number = source.randrange(_PERSONS)
        if number in people:
            people.delete(number)

    def _alter(self, space: Workspace, source: random.Random) -> None:
        people = self._people(space)
        added = [one.name for one in people.schema.columns if one.name[0] == "+"]
        if added and source.random() < 0.5:
            people.alter().drop_column(source.choice(added))
        else:
            people.alter().add_column(f"+{source.randrange(3)}", "text")

    def _rename(self, space: Workspace, source: random.Random) -> None:
        names = [name for name in space if space.require(name).kind == "table"]
        space.rename(names[0], f"people/{source.randrange(3)}")

    def _come_and_go(self, space: Workspace, source: random.Random) -> None:
        name = source.choice(_EXTRAS)
        if name in list(space) and source.random() < 0.3:
            space.drop(name)
        else:
            space.map(name)[source.choice("xyz")] = source.randrange(4)


def _toggled(value: Any, source: random.Random) -> Any:
    """Return a set with one element more or less."""
    return sorted({*(value or [])} ^ {source.choice("abc")})

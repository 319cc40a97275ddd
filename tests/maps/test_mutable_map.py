"""A map under edit against a dictionary: any order of writes and reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prolly.chunks import ChunkWriter, MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, cbor
from prolly.codec import key as key_codec
from prolly.errors import Invalid, KeyNotFound
from prolly.maps import MutableOrderedMap, OrderedMap, encode_value
from prolly.maps.mutable_map import UPDATE_PAIRS
from prolly.tree import EditBuffer, NodeReader, WorkingTree, build

# Few keys, so that edits meet; values short, about the inline limit, and over it.
KEYS = st.one_of(
    st.integers(0, 30),
    st.text("ab", max_size=3),
    st.tuples(st.sampled_from("ab"), st.integers(0, 3)),
)
VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.lists(st.text(max_size=3), max_size=2),
    st.integers(900, 1100).map(lambda size: b"v" * size),
)


Records = dict[Any, Any]
Open = Callable[..., MutableOrderedMap]


def plant(writer: ChunkWriter, records: Records | None) -> WorkingTree:
    """Return a tree under edit over stored records; begun empty for ``None``."""
    root = None
    if records is not None:
        encoded = {
            key_codec.encode_key(key): encode_value(value, writer)
            for key, value in records.items()
        }
        keys = sorted(encoded)
        batch = keys, [encoded[key] for key in keys]
        root = build(writer, [batch], DEFAULT_PARAMETERS)
    buffer = EditBuffer(bytes_max=4000)
    return WorkingTree(NodeReader(writer.get), root, DEFAULT_PARAMETERS, buffer)


@pytest.fixture
def make() -> Iterator[Open]:
    """A function that opens an editable map; its temporary files go with the test."""
    trees: list[WorkingTree] = []
    writer = MemoryStore().writer()

    def opened(records: Records | None = None) -> MutableOrderedMap:
        trees.append(plant(writer, records))
        return MutableOrderedMap(trees[-1], writer)

    yield opened
    for tree in trees:
        tree.close()


class MapMachine(RuleBasedStateMachine):
    """Writes to a map and to a dictionary of encoded keys, side by side."""

    @initialize(start=st.none() | st.dictionaries(KEYS, VALUES, max_size=20))
    def begin(self, start: dict[Any, Any] | None) -> None:
        self.writer = MemoryStore().writer()
        self.tree = plant(self.writer, start)
        self.map = MutableOrderedMap(self.tree, self.writer)
        self.model = {key_codec.encode_key(k): v for k, v in (start or {}).items()}
        self.seen: list[tuple[Iterator[Any], list[bytes]]] = []

    @rule(key=KEYS, value=VALUES)
    def put(self, key: Any, value: Any) -> None:
        self.map[key] = value
        self.model[key_codec.encode_key(key)] = value

    @rule(key=KEYS)
    def delete(self, key: Any) -> None:
        if self.model.pop(key_codec.encode_key(key), self) is self:
            with pytest.raises(KeyNotFound):
                del self.map[key]
        else:
            del self.map[key]

    @rule(key=KEYS)
    def pop(self, key: Any) -> None:
        assert self.map.pop(key, self) == self.model.pop(
            key_codec.encode_key(key), self
        )

    @rule(pairs=st.lists(st.tuples(KEYS, VALUES), max_size=10))
    def update(self, pairs: list[tuple[Any, Any]]) -> None:
        self.map.update(iter(pairs))
        self.model.update((key_codec.encode_key(key), value) for key, value in pairs)

    @rule()
    def clear(self) -> None:
        self.map.clear()
        self.model.clear()

    @rule(key=KEYS)
    def get(self, key: Any) -> None:
        data = key_codec.encode_key(key)
        assert self.map.get(key, self) == self.model.get(data, self)
        assert (key in self.map) == (data in self.model)
        assert self.map.rank(key) == sum(one < data for one in self.model)

    @rule(start=KEYS, stop=KEYS, reverse=st.booleans())
    def scan(self, start: Any, stop: Any, reverse: bool) -> None:
        low, high = key_codec.encode_key(start), key_codec.encode_key(stop)
        order = sorted((k for k in self.model if low <= k < high), reverse=reverse)
        view = self.map.items(start=start, stop=stop, reverse=reverse)
        assert len(view) == len(order)
        expected = [(key_codec.decode_key(key), self.model[key]) for key in order]
        assert list(view) == expected

    @rule(index=st.integers(-40, 40))
    def nth(self, index: int) -> None:
        order = sorted(self.model)
        if -len(order) <= index < len(order):
            assert key_codec.encode_key(self.map.nth(index)[0]) == order[index]

    @rule()
    def begin_iterating(self) -> None:
        self.seen.append((iter(self.map), sorted(self.model)))

    @rule()
    def end_iterating(self) -> None:
        for keys, expected in self.seen:
            assert list(map(key_codec.encode_key, keys)) == expected
        self.seen.clear()

    @invariant()
    def lengths_agree(self) -> None:
        if hasattr(self, "map"):
            assert len(self.map) == len(self.model)

    def teardown(self) -> None:
        if hasattr(self, "map"):
            keys = sorted(self.model)
            values = [encode_value(self.model[key], self.writer) for key in keys]
            rebuilt = build(self.writer, [(keys, values)], DEFAULT_PARAMETERS)
            assert self.map.root == rebuilt
            self.tree.close()


MapMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestMapMachine = MapMachine.TestCase


def test_an_update_of_any_length(make: Open) -> None:
    """An iterator longer than a batch is taken whole; of equal keys the last stays."""
    size = 2 * UPDATE_PAIRS + 5
    opened = make()
    opened.update((f"{number:06}", number) for number in range(size))
    opened.update([("000000", 1), ("000000", 2)], more=3)
    assert len(opened) == size + 1
    assert (opened["000000"], opened["more"]) == (2, 3)
    assert opened.nth(size - 1)[1] == size - 1


def test_an_update_from_a_map_of_ours(make: Open) -> None:
    """Another map is copied; a map may even be updated from itself."""
    source, target = make({"a": 1, 2: b"x" * 2000}), make()
    target.update(source)
    target.update(target.items())
    assert target == source and target.root == source.root


def test_what_is_no_pair_is_refused(make: Open) -> None:
    """A key alone, or a triple, raises Invalid and writes nothing of its batch."""
    opened = make()
    for bad in (
        [("a", 1), ("b",)],
        [("a", 1), ("b", 2, 3)],
        [("a", 1), 5],
        [("a", 1, 2)],
    ):
        with pytest.raises(Invalid) as caught:
            opened.update(bad)
        assert caught.value.code == "not-a-pair"
    assert len(opened) == 0


def test_a_refused_write_changes_nothing(make: Open) -> None:
    """A bad key or value leaves the map as it was."""
    opened = make({"a": 1})
    before = opened.root
    for key, value in ((float("nan"), 1), ("a", object()), ([], 1)):
        with pytest.raises(Invalid):
            opened[key] = value
    assert opened.root == before and opened["a"] == 1


def test_popitem_takes_the_last(make: Open) -> None:
    """popitem gives the greatest key first, and KeyNotFound at the end."""
    opened = make({"a": 1, "b": 2})
    assert [opened.popitem(), opened.popitem()] == [("b", 2), ("a", 1)]
    with pytest.raises(KeyError):
        opened.popitem()
    assert opened.setdefault("c", 3) == 3


def test_after_close_every_use_is_refused(make: Open) -> None:
    """Reads, writes, views and iterators made before raise Invalid ``closed``."""
    opened = make({"a": 1, "b": 2, "c": 3})
    view, iterator = opened.items(), iter(opened.items())
    fresh, batches = iter(opened), opened.raw_batches()
    next(iterator)
    opened.close()
    opened.close()
    uses = [
        lambda: opened["a"],
        lambda: opened.get("a"),
        lambda: "a" in opened,
        lambda: len(opened),
        lambda: opened.__setitem__("a", 1),
        lambda: opened.__delitem__("a"),
        lambda: opened.update({}),
        lambda: opened.clear(),
        lambda: opened.nth(0),
        lambda: opened.rank("a"),
        lambda: opened.first(),
        lambda: len(view),
        lambda: list(view),
        lambda: next(iterator),
        lambda: next(fresh),
        lambda: next(batches),
        lambda: list(opened),
    ]
    for use in uses:
        with pytest.raises(Invalid) as caught:
            use()
        assert caught.value.code == "closed"


def test_long_values_are_read_before_they_are_committed(make: Open) -> None:
    """A blob that is only in the writer's batch can be read through the map."""
    opened = make()
    opened["long"] = list(range(100_000))
    assert opened["long"] == list(range(100_000))
    assert list(opened.values()) == [list(range(100_000))]


def test_what_was_written_can_be_read_from_the_store() -> None:
    """A committed tree opens as a stored map with the same records."""
    store = MemoryStore()
    with store.writer() as writer:
        tree = WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS)
        opened = MutableOrderedMap(tree, writer)
        opened.update({f"{n}": b"x" * n for n in range(0, 3000, 100)})
        root = tree.write(writer)
        tree.close()
        writer.commit()
    stored = OrderedMap(NodeReader(store.get), root)
    assert cbor.encode(list(stored.items())) == cbor.encode(
        [(key, b"x" * int(key)) for key in sorted(map(str, range(0, 3000, 100)))]
    )

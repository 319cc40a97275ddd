"""Conflicts written, listed, found and settled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import FORMAT_PARAMETERS, encode_referring
from prolly.codec import Reference as Edge
from prolly.codec import key as key_codec
from prolly.errors import Corrupt, NotFound
from prolly.merge import REASON_CHARS_MAX, ConflictEntry, ConflictKind, ConflictTree
from prolly.merge.conflict_entry import SCHEMA_KEY_BYTES_MAX, schema_key
from prolly.merge.conflict_group import group_key, group_value
from prolly.merge.conflict_log import ConflictLog
from prolly.tree import NodeReader, build, reachable

KINDS = st.sampled_from(list(ConflictKind))
FOUND = st.dictionaries(
    st.tuples(
        st.sampled_from([b"dataset1", b"dataset2"]), KINDS, st.binary(max_size=9)
    ),
    st.builds(
        ConflictEntry,
        st.lists(st.integers(0, 2**32 - 1), unique=True).map(sorted).map(tuple),
        st.text(max_size=20),
        st.none(),
        st.just({"what": "column a"}),
    ),
)


class Written:
    """Conflicts in a store."""

    def __init__(
        self, found: dict[tuple[bytes, ConflictKind, bytes], ConflictEntry]
    ) -> None:
        self.writer = MemoryStore().writer()
        self.reader = NodeReader(self.writer.get)
        self.base = build(self.writer, [([b"x"], [b"y"])], FORMAT_PARAMETERS)
        log = ConflictLog()
        for place, entry in found.items():
            log.add(*place, entry)
        self.root, self.count = log.write(self.reader, self.writer, self.base)
        log.close()

    @property
    def tree(self) -> ConflictTree:
        """The tree of the conflicts."""
        assert self.root is not None
        return ConflictTree(self.reader, self.root)


@given(FOUND)
def test_what_is_noted_is_listed(
    found: dict[tuple[bytes, ConflictKind, bytes], ConflictEntry],
) -> None:
    """All conflicts are listed in order, each is found, and the base is kept."""
    written = Written(found)
    assert written.count == len(found)
    if not found:
        assert written.root is None
        return
    tree = written.tree
    assert {one[:3]: one.entry for one in tree.entries()} == found
    assert [one[:3] for one in tree.entries()] == sorted(found)
    for place, entry in found.items():
        assert (one := tree.get(*place)) is not None and one.entry == entry
    assert tree.base == written.base
    assert written.base in dict(reachable(_get_many(written), [tree.root]))


def _get_many(written: Written) -> Callable[[list[bytes]], list[bytes | None]]:
    return lambda addresses: [written.writer.get(one) for one in addresses]


@given(FOUND.filter(bool), st.data())
def test_settling_counts(
    found: dict[tuple[bytes, ConflictKind, bytes], ConflictEntry], data: st.DataObject
) -> None:
    """Settled one by one in any order, the count of open ones falls to none."""
    written = Written(found)
    tree = written.tree
    waiting = data.draw(st.permutations(list(found)))
    for number, (dataset, kind, key) in enumerate(waiting, 1):
        root = tree.settle(written.writer, dataset, kind, {key: "ours"})
        tree = ConflictTree(written.reader, root)
        assert tree.open_count == len(found) - number
        assert sum(tree.open_by_dataset().values()) == tree.open_count
        assert len(list(tree.entries(open_only=True))) == tree.open_count
    assert tree.root == written.tree.settle_all(written.writer, "ours")
    opened = tree.settle(written.writer, *waiting[0][:2], {waiting[0][2]: None})
    assert ConflictTree(written.reader, opened).open_count == 1


def test_two_findings_of_one_key_are_one_conflict() -> None:
    """Fields and reasons are joined; the whole record stays the whole record."""
    log = ConflictLog()
    place = b"dataset1", ConflictKind.RECORD, b"k"
    log.add(*place, ConflictEntry((3,), "one"))
    log.add(*place, ConflictEntry((1,), "two"))
    writer = MemoryStore().writer()
    reader = NodeReader(writer.get)
    root, count = log.write(reader, writer, None)
    log.close()
    assert root is not None and count == 1
    tree = ConflictTree(reader, root)
    found = tree.get(*place)
    assert found is not None and found.entry[:2] == ((1, 3), "one; two")
    assert tree.base is None
    assert ConflictEntry((), "a").joined(ConflictEntry((1,), "a"))[:2] == ((), "a")


def test_a_reason_is_cut_at_its_limit() -> None:
    """A reason at the limit stays; one past it is cut."""
    for size in (REASON_CHARS_MAX, REASON_CHARS_MAX + 1):
        written = Written(
            {(b"d", ConflictKind.RECORD, b"k"): ConflictEntry((), "r" * size)}
        )
        [one] = written.tree.entries()
        assert len(one.entry.reason) == REASON_CHARS_MAX
        assert one.entry.reason.endswith("...") == (size > REASON_CHARS_MAX)


def test_conflicts_are_listed_from_a_key() -> None:
    """A start skips what lies before it, and a kind all others."""
    found = {
        (b"d", ConflictKind.RECORD, b"%d" % number): ConflictEntry()
        for number in range(9)
    }
    tree = Written(found).tree
    listed = tree.entries(b"d", ConflictKind.RECORD, start=b"7")
    assert [one.key for one in listed] == [b"7", b"8"]
    assert not list(tree.entries(b"d", ConflictKind.SCHEMA))


def test_a_key_that_is_not_in_conflict_cannot_be_settled() -> None:
    """NotFound names the key, and nothing has changed."""
    written = Written({(b"d", ConflictKind.RECORD, b"k"): ConflictEntry()})
    for place in ((b"d", ConflictKind.RECORD), (b"e", ConflictKind.SCHEMA)):
        with pytest.raises(NotFound) as error:
            written.tree.settle(written.writer, *place, {b"absent": "ours"})
        assert error.value.code == "no-such-conflict"


def test_trees_that_are_none_of_conflicts_are_corrupt() -> None:
    """Any other tree or value raises Corrupt, and nothing else."""
    writer = MemoryStore().writer()
    reader = NodeReader(writer.get)
    inner = build(writer, [([b"k"], [b"\xa0"])], FORMAT_PARAMETERS)
    referring = encode_referring([Edge(inner, 1)], b"\x01")
    for key, value in [
        (group_key(b"d", 0), b"plain"),
        (group_key(b"d", 9), referring),
        (b"\x02odd\x00", referring),
        (group_key(b"d", 0), encode_referring([Edge(inner, 1)], b"\x61x")),
        (group_key(b"d", 0), referring),
    ]:
        root = build(writer, [([key], [value])], FORMAT_PARAMETERS)
        with pytest.raises(Corrupt):
            list(ConflictTree(reader, root).entries())


def test_a_part_of_a_description_has_a_short_key() -> None:
    """At the limit its name is the key; one past it, its hash."""
    for size in (SCHEMA_KEY_BYTES_MAX, SCHEMA_KEY_BYTES_MAX + 1):
        what = "policy /" + "6" * (size - 8)
        (name,) = key_codec.decode(schema_key(what))
        assert (name == what) == (size == SCHEMA_KEY_BYTES_MAX)
        assert schema_key(what) != schema_key(what[:-1] + "7")


def test_a_long_entry_stands_out_of_line() -> None:
    """An entry of any length is found as it was noted."""
    fields = tuple(range(2**31, 2**31 + 500))
    found = {
        (b"d", ConflictKind.RECORD, b"%d" % number): ConflictEntry(fields[:count])
        for number, count in enumerate((0, 500, 1))
    }
    tree = Written(found).tree
    assert {one[:3]: one.entry for one in tree.entries()} == found


def test_more_open_conflicts_than_there_are_make_it_corrupt() -> None:
    """Before anybody makes room for so many."""
    place = (b"dataset1", ConflictKind.RECORD)
    written = Written({(*place, b"\x15\x01"): ConflictEntry()})
    writer, reader = written.writer, written.reader
    edge = Edge(build(writer, [([b"k"], [b"\xa0"])], FORMAT_PARAMETERS), 1)
    value = group_value(edge, 2**40)
    root = build(writer, [([group_key(*place)], [value])], FORMAT_PARAMETERS)
    with pytest.raises(Corrupt) as caught:
        _ = ConflictTree(reader, root).open_count
    assert caught.value.code == "conflict-tree"

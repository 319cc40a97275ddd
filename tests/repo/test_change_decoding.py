"""Changes are decoded in batches, and told one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Corrupt
from prolly.maps import ABSENT
from prolly.repo import Repository
from prolly.repo.change_decoding import ChangeDecoder, change_decoder
from prolly.testing.repositories import memory_repository
from prolly.tree import Difference

COLUMNS = [("n", "int"), ("f", "float"), ("t", "text")]
rows = st.dictionaries(
    st.integers(0, 30),
    st.tuples(
        st.sampled_from([None, 0, 1]),
        st.sampled_from([None, 0.0, -0.0, float("nan"), 1.0]),
        st.sampled_from([None, "", "x" * 2000]),
    ),
    max_size=30,
)
SCHEMA = {
    "columns": [
        {"name": "id", "type": "int"},
        *[{"name": name, "type": kind} for name, kind in COLUMNS],
    ],
    "key": ["id"],
}


def as_row(key: int, cells: tuple[Any, ...]) -> dict[str, Any]:
    names = [name for name, _ in COLUMNS]
    return {"id": key, **dict(zip(names, cells, strict=True))}


@given(rows, rows)
def test_batches_tell_what_each_difference_tells(
    old: dict[int, tuple[Any, ...]], new: dict[int, tuple[Any, ...]]
) -> None:
    """The diff of a table is that of its rows, whatever stands in one batch."""
    repo = memory_repository()
    for number, version in enumerate((old, new)):
        with repo.transaction("main") as tx:
            table = tx.table("t", schema=None if number else SCHEMA)
            table.load([as_row(*one) for one in version.items()])
            tx.map("count")["version"] = number
    found = list(repo.diff("main~1", "main", "t"))
    assert [change.key for change in found] == [
        key for key in sorted(old.keys() | new.keys()) if _differ(old, new, key)
    ]
    for change in found:
        before, after = old.get(change.key), new.get(change.key)
        for side, cells in ((change.old, before), (change.new, after)):
            shown = ABSENT if cells is None else as_row(change.key, cells)
            assert repr(side) == repr(shown)
        if before is not None and after is not None:
            assert change.fields == tuple(
                name
                for place, (name, _) in enumerate(COLUMNS)
                if repr(before[place]) != repr(after[place])
            )


def _differ(
    old: dict[int, tuple[Any, ...]], new: dict[int, tuple[Any, ...]], key: int
) -> bool:
    return repr(old.get(key)) != repr(new.get(key))


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    for number in (1, 2):
        with repo.transaction("main") as tx:
            tx.map("m").update({key: key * number for key in range(1, 1001)})
    return repo


def decoder_of(repo: Repository) -> ChangeDecoder:
    old, new = repo.at("main~1").entries["m"], repo.at("main").entries["m"]
    decoder = change_decoder(repo.storage.reader, old, new)
    assert isinstance(decoder, ChangeDecoder)
    return decoder


def differences_of(repo: Repository) -> list[Difference]:
    trees = [repo.at(one).map("m").raw_batches() for one in ("main~1", "main")]
    pairs = [
        [pair for batch in tree for pair in zip(*batch, strict=True)] for tree in trees
    ]
    return [(key, old, new) for (key, old), (_, new) in zip(*pairs, strict=True)]


def test_the_first_change_waits_for_no_other(repo: Repository) -> None:
    """No more differences are taken than there are changes told before, and one."""
    taken: list[Difference] = []

    def counted() -> Iterator[Difference]:
        for one in differences_of(repo):
            taken.append(one)
            yield one

    told = 0
    for told, change in enumerate(decoder_of(repo).changes(counted()), 1):
        assert change.key == told
        assert len(taken) <= 2 * told - 1 and len(taken) - told < 256
    assert told == len(taken) == 1000


def test_what_was_found_before_an_error_is_told(repo: Repository) -> None:
    """An error of reading, or of decoding one change, comes behind those before it."""
    differences = differences_of(repo)

    def breaking() -> Iterator[Difference]:
        yield from differences[:100]
        raise Corrupt("it ends", code="chunk-missing")

    key, old, _ = differences[100]
    broken = [*differences[:100], (key, old, b"\xff"), *differences[101:]]
    for source in (breaking(), iter(broken)):
        told = []
        with pytest.raises(Corrupt):
            for change in decoder_of(repo).changes(source):
                told.append(change.key)
        assert told == list(range(1, 101))

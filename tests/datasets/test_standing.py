"""Local datasets beside those of a commit: each has a name, and keeps it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    DATASET_ID_BYTES,
    Descriptor,
    check_dataset_name,
    dataset_id,
    is_local_id,
)
from prolly.datasets import find_dataset, seen_names

# Few names, long ones and ones with the mark among them, so that they meet.
NAMES = st.sampled_from(["a", "b", "a~shared", "a~shared~", "n" * 255, "n" * 254 + "é"])
SETS = st.sets(st.tuples(NAMES.filter(lambda one: len(one.encode()) <= 255)))


def entries(names: set[tuple[str]], *, local: bool) -> dict[bytes, Descriptor]:
    """Return descriptions of maps of these names, by id."""
    found: dict[bytes, Descriptor] = {}
    for (name,) in sorted(names):
        identity = dataset_id(name, "map", found, local=local)
        found[identity] = Descriptor(name, "map", (), local=local)
    return found


@given(SETS, SETS)
def test_every_dataset_is_seen_under_one_name(
    shared: set[tuple[str]], local: set[tuple[str]]
) -> None:
    """One name each, and a lawful one; only a shared one gives way to a local one."""
    there = entries(shared, local=False) | entries(local, local=True)
    names = seen_names(there)
    assert sorted(names.values()) == sorted(there)
    assert names == seen_names(dict(sorted(there.items(), reverse=True)))
    for name, identity in names.items():
        check_dataset_name(name)
        gives_way = not is_local_id(identity) and (there[identity].name,) in local
        assert (name != there[identity].name) == gives_way


@given(SETS, SETS)
def test_a_name_finds_what_is_seen_under_it(
    shared: set[tuple[str]], local: set[tuple[str]]
) -> None:
    """What is asked for by its kind is found by its own name, too."""
    there = entries(shared, local=False) | entries(local, local=True)
    for name, identity in seen_names(there).items():
        assert find_dataset(there, name) == identity
    for identity, entry in there.items():
        asked = find_dataset(there, entry.name, is_local_id(identity))
        assert asked == identity
    assert find_dataset(there, "none") is None


@given(st.text(min_size=1, max_size=8), st.sampled_from(["map", "table"]))
def test_no_local_id_is_that_of_a_shared_dataset(name: str, kind: str) -> None:
    """They are of another length, whatever the names."""
    plain, local = dataset_id(name, kind, ()), dataset_id(name, kind, (), local=True)
    assert (len(plain), len(local)) == (DATASET_ID_BYTES, DATASET_ID_BYTES + 1)
    assert (is_local_id(plain), is_local_id(local)) == (False, True)
    assert dataset_id(name, kind, [local], local=True) not in (plain, local)

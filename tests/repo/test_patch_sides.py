"""Both sides of a patch, built where it is applied: the roots come out exactly."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore, ScratchWriter
from prolly.codec.patch import Patch, decode_patch
from prolly.errors import Corrupt
from prolly.repo.patch_making import patch_lines
from prolly.repo.patch_sides import PatchRoots, PatchSides
from prolly.testing.manifest_world import ManifestWorld
from prolly.tree import NodeReader


def made(store: MemoryStore, old: bytes, new: bytes) -> Patch:
    """Return the patch between two manifests, through its text."""
    lines = patch_lines(NodeReader(store.get), old, new)
    return decode_patch("".join(f"{line}\n" for line in lines).encode())


def sides(store: MemoryStore, patch: Patch) -> PatchSides:
    scratch = ScratchWriter(store.get)
    return PatchSides(NodeReader(scratch.get), scratch, patch)


@given(st.integers(0, 10**6))
def test_a_patch_of_any_edits_leads_to_their_root(seed: int) -> None:
    """Maps, tables with indexes, columns that come and go, renamed and dropped
    datasets, policies, stamps, tags and a blob; forwards and back, and where only what
    stands is known."""
    source = random.Random(seed)
    world = ManifestWorld()
    old = world.edit(world.first(), source, 0)
    new = old
    for time in range(source.randrange(1, 4)):
        new = world.edit(new, source, time)
    for start, end in ((old, new), (new, old)):
        found = sides(world.store, made(world.store, start, end))
        assert found.has_old()
        assert found.known() == PatchRoots(start, end)
        assert found.assumed(start) == PatchRoots(start, end)
        assert found.is_applied(end)
        assert found.is_applied(start) is (start == end)


def test_a_patch_that_leads_elsewhere_is_corrupt() -> None:
    """Whoever writes another root into one, or another base, is found out."""
    world = ManifestWorld()
    first = world.first()
    source = random.Random(1)
    second = world.edit(first, source, 0)
    assert first != second
    patch = made(world.store, first, second)
    for old, new in ((first, first), (first, bytes(32))):
        wrong = Patch(old, new, patch.sections)
        with pytest.raises(Corrupt) as caught:
            sides(world.store, wrong).known()
        assert caught.value.code == "patch"

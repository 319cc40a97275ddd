"""Bundles made: refs of a repository, and what they reach, as one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from blake3 import blake3

from prolly.codec import Address, shown
from prolly.codec.bundle import BUNDLE_MAGIC, BundleHead, encode_bundle_end
from prolly.codec.pack import encode_footer, encode_frame, encode_index
from prolly.errors import Invalid
from prolly.history import BRANCHES, TAGS, beyond
from prolly.repo import Repository

from .bundle_contents import bundled_chunks
from .output_file import replacement

# Far below what a pack can hold, so that its index stays small in memory.
PACK_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a bundle holds: where its refs stand, which commits it builds upon."""

    refs: Mapping[str, Address]
    prerequisites: tuple[Address, ...]
    commits: int
    objects: int
    bytes: int


def create_bundle(
    repository: Repository,
    path: str | os.PathLike[str],
    revisions: Sequence[str] = (),
    *,
    everything: bool = False,
) -> BundleReport:
    """Write a bundle, in one step; an older file of that name is replaced.

    A revision names a branch or a tag, of which the bundle holds all, or is ``A..B``:
    what B has and A has not; without any the current branch is meant, with
    ``everything`` each branch and tag. Raises Invalid ``bundle-ref`` for what is
    neither branch nor tag, ``bundle-empty`` where there is nothing to hold, and as
    resolving, writing and reading do.
    """
    refs, known = _selected(repository, revisions, everything=everything)
    store = repository.store
    commits = repository.storage.commits
    fresh = set(beyond(commits, refs.values(), known))
    if not fresh:
        raise Invalid(
            "there is nothing to bundle: those commits are left out, or none is named",
            code="bundle-empty",
            hint="Name a branch, or an older version before the dots.",
        )
    parents = {one for commit in fresh for one in commits.read(commit).parents}
    prerequisites = tuple(sorted(parents - fresh))
    with replacement(os.fspath(path)) as file:
        chunks = bundled_chunks(store, refs.values(), prerequisites)
        objects, packs = _write_packs(file, chunks)
        file.write(encode_bundle_end(BundleHead(packs, prerequisites, refs)))
        size = file.tell()
    return BundleReport(
        refs={name: Address(one) for name, one in refs.items()},
        prerequisites=tuple(map(Address, prerequisites)),
        commits=len(fresh),
        objects=objects,
        bytes=size,
    )


def _selected(
    repository: Repository, revisions: Sequence[str], *, everything: bool
) -> tuple[dict[str, bytes], list[bytes]]:
    """Return the refs to hold and the commits to leave out."""
    refs: dict[str, bytes] = {}
    known: list[bytes] = []
    if everything:
        for prefix in (BRANCHES, TAGS):
            refs.update(repository.store.iter_refs(prefix))
    for revision in revisions or ([] if everything else ["HEAD"]):
        left, dots, right = revision.partition("..")
        name = (right or "HEAD") if dots else revision
        if dots:
            known.append(bytes(repository.resolve(left or "HEAD")))
        ref = _ref_named(repository, name)
        refs[ref] = bytes(_require(repository, ref))
    return refs, known


def _ref_named(repository: Repository, name: str) -> str:
    if name in ("HEAD", "@"):
        return BRANCHES + repository.head
    for prefix, names in ((BRANCHES, repository.branches), (TAGS, repository.tags)):
        if name in names:
            return prefix + name
        if name.startswith(prefix) and name.removeprefix(prefix) in names:
            return name
    raise Invalid(
        f"{shown(name)} is no branch and no tag",
        code="bundle-ref",
        hint="A bundle holds what names point at; give a branch, a tag, or A..BRANCH.",
        name=name,
    )


def _require(repository: Repository, ref: str) -> bytes:
    names = repository.branches if ref.startswith(BRANCHES) else repository.tags
    return names.require(ref.partition("/")[2])


def _write_packs(
    file: BinaryIO, chunks: Iterable[tuple[bytes, bytes]]
) -> tuple[int, tuple[int, ...]]:
    """Write magic and packs; return how many chunks, and the lengths of the packs."""
    file.write(BUNDLE_MAGIC)
    objects, lengths = 0, []
    pack = _Pack(file)
    for address, chunk in chunks:
        objects += 1
        if pack.size >= PACK_BYTES:
            lengths.append(pack.finish())
            pack = _Pack(file)
        pack.add(address, chunk)
    if pack.size:
        lengths.append(pack.finish())
    return objects, tuple(lengths)


class _Pack:
    """One pack that is written straight to its place in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries: list[tuple[bytes, int, int]] = []
        self.size = 0

    def add(self, address: bytes, chunk: bytes) -> None:
        frame = encode_frame(chunk, compress=True)
        self._file.write(frame)
        self._entries.append((address, self.size, len(frame)))
        self.size += len(frame)

    def finish(self) -> int:
        """Write index and footer; return the length of the whole."""
        index = encode_index(self._entries)
        digest = blake3(index).digest()
        end = index + encode_footer(len(self._entries), self.size, digest)
        self._file.write(end)
        return self.size + len(end)

"""Bundles looked into before they are taken: is everything there, and what it says?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice

from prolly.chunks import Store
from prolly.codec import Address, ChunkType, Reference, links_of
from prolly.errors import Corrupt
from prolly.sync import BundleFile
from prolly.tree import WALK_ADDRESSES, require_kind

from .fsck import check_repository


@dataclass(frozen=True, slots=True)
class BundleCheck:
    """What a bundle that was found right holds.

    ``missing`` are the prerequisites that the repository has not; without a repository
    all of them. Where there are some, what lies below them was not looked for.
    """

    refs: dict[str, Address]
    prerequisites: tuple[Address, ...]
    missing: tuple[Address, ...]
    objects: int
    bytes: int


def verify_bundle(
    path: str | os.PathLike[str], store: Store | None = None
) -> BundleCheck:
    """Check every byte of a bundle; return what it holds. Changes nothing.

    A whole bundle is checked as ``fsck --full`` checks a repository. Of one that builds
    upon prerequisites the hash, the form and the links of each chunk are checked here,
    the rest when it is applied. Raises Corrupt for the first fault, NotFound
    ``no-file``.
    """
    with BundleFile(path) as bundle:
        head = bundle.head
        wanted = head.prerequisites
        there = [False] * len(wanted)
        if store is not None and wanted:
            there = store.contains_many(wanted)
        missing = [one for one, here in zip(wanted, there, strict=True) if not here]
        _check_refs(bundle)
        if wanted:
            _check_links(bundle, None if missing else store)
        else:
            _check_whole(bundle)
        return BundleCheck(
            refs={name: Address(one) for name, one in sorted(head.refs.items())},
            prerequisites=tuple(map(Address, wanted)),
            missing=tuple(map(Address, missing)),
            objects=len(bundle),
            bytes=bundle.size,
        )


def _check_refs(bundle: BundleFile) -> None:
    """Raise Corrupt for a ref that points at nothing, or at no commit."""
    for name, commit_id in bundle.head.refs.items():
        chunk = bundle.get(commit_id)
        if chunk is not None:
            require_kind(commit_id, chunk, ChunkType.COMMIT)
        elif commit_id not in bundle.head.prerequisites:
            raise Corrupt(
                f"{name} points at {commit_id.hex()}, which the bundle has not",
                code="chunk-missing",
                hint="Have the bundle made again.",
                address=commit_id,
                ref=name,
            )


def _check_whole(bundle: BundleFile) -> None:
    for fault in check_repository(bundle, full=True):
        raise Corrupt(
            fault.detail,
            code=fault.code,
            hint="Have the bundle made again.",
            address=fault.address,
        )


def _check_links(bundle: BundleFile, store: Store | None) -> None:
    """Read every chunk and follow its links as far as the bundle, and a store, go."""
    addresses = bundle.iter_addresses()
    while block := list(islice(addresses, WALK_ADDRESSES)):
        links: dict[bytes, Reference] = {}
        for address in block:
            chunk = bundle.get(address)
            assert chunk is not None, "its index names it"
            links.update((one.address, one) for one in links_of(chunk))
        wanted = list(links)
        inside = bundle.contains_many(wanted)
        for link, is_inside in zip(wanted, inside, strict=True):
            chunk = bundle.get(link) if is_inside else None
            if chunk is not None:
                require_kind(link, chunk, links[link].kind)
        outside = [one for one, here in zip(wanted, inside, strict=True) if not here]
        if store is not None:
            _require_present(store, outside)


def _require_present(store: Store, addresses: list[bytes]) -> None:
    present = store.contains_many(addresses)
    for address, here in zip(addresses, present, strict=True):
        if not here:
            raise Corrupt(
                f"chunk {address.hex()} is in neither bundle nor repository",
                code="chunk-missing",
                hint="Have the bundle made again.",
                address=address,
            )

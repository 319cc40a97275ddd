"""The datasets of a version and, beside them, the local ones of this replica.

Local datasets stand in a manifest of their own, which no commit holds and sync does not
know. Whoever opens a version sees both:

    a local dataset    under its name
    one of the commit  under its name; where a local dataset has that name too, under
                       NAME~shared

Both can have one name: nobody is asked when a pull brings one. The local one keeps it,
so that what a program writes there never comes to stand in a commit instead. Ids need
no such care: a local one is longer. Reasons: ``docs/design/0018-local-datasets.md``.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from prolly.codec import DATASET_NAME_BYTES_MAX, Descriptor, is_local_id
from prolly.tree import NodeReader

from .manifest import Manifest

# Behind the name of a dataset of the commit that a local one has.
SHARED_MARK = "~shared"


class VersionRoots(NamedTuple):
    """The manifests that one look at a version goes by.

    ``local`` is None where there are no local datasets, or where they do not matter.
    """

    shared: bytes
    local: bytes | None = None


class Standing(Manifest):
    """The datasets of a commit and the local ones, each under the name it is seen by.

    ``root`` is that of the commit's manifest, ``local_root`` that of the local one.
    """

    def __init__(self, reader: NodeReader, roots: VersionRoots) -> None:
        super().__init__(reader, roots.shared)
        self.local_root = roots.local

    @property
    def by_id(self) -> Mapping[bytes, Descriptor]:
        """All descriptors by dataset id."""
        if self.local_root is None:
            return super().by_id
        if self._by_id is None:
            found = dict(Manifest(self._reader, self.root).by_id)
            found.update(Manifest(self._reader, self.local_root).by_id)
            for name, identity in seen_names(found).items():
                if found[identity].name != name:
                    found[identity] = found[identity]._replace(name=name)
            self._by_id = found
        return self._by_id

    def is_local(self, name: str) -> bool:
        """Tell whether the dataset seen as ``name`` is a local one."""
        found = None if self.local_root is None else self.find(name)
        return found is not None and is_local_id(found[0])

    def committed_name(self, name: str) -> str:
        """Return what commits call the dataset that is seen as ``name`` here.

        A local one, or one that is not there, is called as it is.
        """
        found = None if self.local_root is None else self.find(name)
        if found is None or is_local_id(found[0]):
            return name
        return Manifest(self._reader, self.root).by_id[found[0]].name


def seen_names(entries: Mapping[bytes, Descriptor]) -> dict[str, bytes]:
    """Return the ids of datasets, local and shared, by the name that they are seen by.

    A function of the datasets alone, whatever their order.
    """
    names = {entry.name: one for one, entry in entries.items() if is_local_id(one)}
    shared = sorted(
        (entry.name, one) for one, entry in entries.items() if not is_local_id(one)
    )
    hidden = [pair for pair in shared if pair[0] in names]
    names.update(pair for pair in shared if pair[0] not in names)
    for name, identity in hidden:
        names[_behind(name, names)] = identity
    return names


def _behind(name: str, taken: Container[str]) -> str:
    """Return the name with the mark behind it, cut to fit, that is not taken."""
    tail = SHARED_MARK
    while True:
        room = DATASET_NAME_BYTES_MAX - len(tail)
        cut = name.encode()[:room].decode(errors="ignore").rstrip("/")
        if cut + tail not in taken:
            return cut + tail
        tail += "~"


def find_dataset(
    entries: Mapping[bytes, Descriptor], name: str, local: bool | None = None
) -> bytes | None:
    """Return the id of the dataset that is seen as ``name``, or ``None``.

    Of a local one and one of the commit that are both called so, the local one; with
    ``local`` False the other.
    """
    found = [one for one, entry in entries.items() if entry.name == name]
    if len(found) > 1:
        wanted = local is not False
        found = [one for one in found if is_local_id(one) is wanted] or found
    elif not found and any(map(is_local_id, entries)):
        return seen_names(entries).get(name)
    return found[0] if found else None

"""The datasets of one version: a tree from dataset id to descriptor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    Descriptor,
    Reference,
    Referring,
    decode_descriptor,
    decode_referring,
    encode_descriptor,
    encode_referring,
    key,
    manifest_key,
    shown,
)
from prolly.errors import NotFound
from prolly.tree import NodeReader, get, iter_batches

from .dataset import schema_of

if TYPE_CHECKING:
    from prolly.tables import Schema


# The datasets of a few versions; a schema of a hundred columns takes some 30 kB.
DESCRIPTORS_KEPT = 256
_kept: dict[bytes, Descriptor] = {}


class Manifest:
    """The datasets under one manifest root, read once and kept."""

    def __init__(self, reader: NodeReader, root: bytes) -> None:
        self._reader = reader
        self.root = root
        self._by_id: dict[bytes, Descriptor] | None = None
        self._schemas: dict[bytes, Schema] = {}

    @property
    def by_id(self) -> Mapping[bytes, Descriptor]:
        """All descriptors by dataset id."""
        if self._by_id is None:
            self._by_id = self._reader.cache.derived(self.root) or self._read()
        return self._by_id

    def _read(self) -> dict[bytes, Descriptor]:
        found: dict[bytes, Descriptor] = {}
        is_inline = True
        for keys, values in iter_batches(self._reader, self.root):
            for encoded, value in zip(keys, values, strict=True):
                found[dataset_of(encoded)] = read_descriptor(self._reader, value)
                is_inline = is_inline and value in _kept
        # What a part out of line says is read anew each time.
        if is_inline and len(found) <= DESCRIPTORS_KEPT:
            self._reader.cache.keep_derived(self.root, found)
        return found

    def schema(self, identity: bytes) -> Schema:
        """Return the schema of a table that is there, read once and kept."""
        found = self._schemas.get(identity)
        if found is None:
            found = schema_of(self.by_id[identity])
            self._schemas[identity] = found
        return found

    def ids(self) -> dict[str, bytes]:
        """Return dataset ids by name, in name order."""
        named = {entry.name: identity for identity, entry in self.by_id.items()}
        return dict(sorted(named.items()))

    def find(self, name: str) -> tuple[bytes, Descriptor] | None:
        """Return (id, descriptor) of the dataset of this name, or ``None``."""
        for identity, entry in self.by_id.items():
            if entry.name == name:
                return identity, entry
        return None

    def require(self, name: str) -> Descriptor:
        """Return the descriptor; NotFound ``no-such-dataset`` when there is none."""
        found = self.find(name)
        if found is None:
            raise missing_dataset(name, self)
        return found[1]


def missing_dataset(name: str, manifest: Manifest) -> NotFound:
    """Return the error for a dataset that is not there, naming those that are."""
    names = list(manifest.ids())
    there = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return NotFound(
        f"no dataset {shown(name)}",
        code="no-such-dataset",
        hint=f"There is: {there}."
        if names
        else "There is none yet: import or create one.",
        dataset=name,
    )


def dataset_of(manifest_key_bytes: bytes) -> bytes:
    """Return the dataset id that a key of the manifest tree spells."""
    (identity,) = key.decode(manifest_key_bytes)
    assert isinstance(identity, bytes)
    return identity


def read_descriptor(reader: NodeReader, value: bytes) -> Descriptor:
    """Decode a value of the manifest tree; who gets it must not change it.

    The value decides all of it, so the last ones are kept whatever store they came
    from: a commit asks for each several times.
    """
    found = _kept.get(value)
    if found is None:
        outside: list[bytes] = []

        def read_piece(address: bytes) -> bytes:
            outside.append(address)
            return reader.read_chunk(address)

        found = decode_descriptor(value, read_piece)
        # A part out of line must be there each time it is asked for.
        if not outside:
            if len(_kept) >= DESCRIPTORS_KEPT:
                _kept.clear()
            _kept[value] = found
    return found


def write_manifest(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes,
    changes: Mapping[bytes, Descriptor | None],
) -> bytes:
    """Apply changes of descriptors (``None`` drops) to a manifest; return its root."""
    stood: Mapping[bytes, Descriptor] = reader.cache.derived(root) or {}
    moved: dict[bytes, Descriptor] = {}
    stored: dict[bytes, Referring | None] = {}
    for identity, descriptor in changes.items():
        encoded = manifest_key(identity)
        value = None
        if descriptor is not None:
            old = stood.get(identity)
            if old is not None and _differ_in_roots(old, descriptor):
                value = _with_roots(reader, root, encoded, descriptor.roots)
            if value is not None and old is not None:
                moved[identity] = old._replace(roots=descriptor.roots)
            else:
                value, piece = encode_descriptor(descriptor)
                if piece is not None:
                    writer.put(piece)
        stored[encoded] = value
    keys = sorted(stored)
    edits = keys, [stored[encoded] for encoded in keys]
    from prolly.tree import apply

    new = apply(reader, writer, root, edits, FORMAT_PARAMETERS)
    if len(moved) == len(changes):
        reader.cache.keep_derived(new, {**stood, **moved})
    return new


def _differ_in_roots(old: Descriptor, new: Descriptor) -> bool:
    """Tell whether two descriptors say the same of as many trees.

    Values that are equal may be spelt otherwise, as 1 and 1.0, so schema and policies
    must be the same objects. They are, where a descriptor was made from the other.
    """
    return (
        old.schema is new.schema
        and old.policies is new.policies
        and old.name == new.name
        and old.kind == new.kind
        and old.parameters == new.parameters
        and old.local == new.local
        and len(old.roots) == len(new.roots)
    )


def _with_roots(
    reader: NodeReader, root: bytes, encoded: bytes, roots: Sequence[Reference]
) -> Referring | None:
    """Return the stored value with other roots, all else spelt as it stands.

    ``None`` where that is out of line. Most commits change roots alone, and a schema
    takes long to spell.
    """
    stands = get(reader, root, encoded)
    assert stands is not None, "the caller saw its descriptor"
    references, payload = decode_referring(stands)
    if not payload or len(references) != len(roots):
        return None
    return encode_referring(roots, payload)


def changed_datasets(
    reader: NodeReader, old: bytes | None, new: bytes | None
) -> dict[bytes, tuple[Descriptor | None, Descriptor | None]]:
    """Return (old, new) descriptors of the datasets that differ, by id.

    ``None`` is the root of a manifest that is not there.
    """
    changed: dict[bytes, tuple[Descriptor | None, Descriptor | None]] = {}
    from prolly.tree import diff

    for encoded, before, after in diff(reader, old, new):
        changed[dataset_of(encoded)] = (
            None if before is None else read_descriptor(reader, before),
            None if after is None else read_descriptor(reader, after),
        )
    return changed


def root_reference(reader: NodeReader, root: bytes) -> Reference:
    """Return the reference to a tree's root, its kind read from the root chunk."""
    held = reader.cache.get(root)
    chunk = reader.read_chunk(root) if held is None else held.chunk
    return Reference(root, chunk[0])


def root_references(
    reader: NodeReader, roots: Iterable[bytes], known: Iterable[Reference] = ()
) -> tuple[Reference, ...]:
    """Return the references to the trees of a dataset, its records first.

    ``known`` are references of which some may stay: such a root is not read, and in a
    partial replica it need not be here.
    """
    stood = {one.address: one for one in known}
    return tuple([stood.get(one) or root_reference(reader, one) for one in roots])

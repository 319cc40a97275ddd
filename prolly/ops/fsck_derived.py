"""What follows from content alone, derived once more and compared.

    index-content    the tree of an index is what the records of its table give
    file-path-clash  no file stands where another's directory is
    blob-cut         a blob is cut where its bytes say
    references       each row that refers to another names one that is there

Versions share most of what they hold, so an index is carried from the version that was
looked at last, and rows are asked whether they refer well where they differ from it: a
history costs what its changes cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from prolly.chunks import ChunkWriter, RefMove, RefNote, ScratchWriter
from prolly.codec import FORMAT_PARAMETERS, Descriptor, Reference, address_of
from prolly.codec import key as key_codec
from prolly.datasets import stored_table, verify_references
from prolly.errors import Corrupt, Error
from prolly.maps import BlobEdit, iter_path_clashes, iter_pieces
from prolly.tables import StoredTable, Trees, carry_indexes
from prolly.tree import AddressSet, NodeCache, NodeReader, build

ReadChunk = Callable[[bytes], bytes | None]

# Nodes that are read again soon, beside all else that a check holds.
CACHE_BYTES = 16 * 1024 * 1024


class DerivedCheck:
    """Checks any number of versions. Not thread-safe.

    ``read`` gives the bytes of a chunk, or ``None`` for one that is missing or damaged,
    which is for the caller to report; what depends on it is passed over.
    """

    def __init__(self, read: ReadChunk) -> None:
        self._read = read
        self._cache = NodeCache(CACHE_BYTES)
        self._blobs = AddressSet()
        self._tables: dict[bytes, StoredTable] = {}
        # The records of files that were looked at last, by dataset.
        self._files: dict[bytes, bytes] = {}
        scratch = ScratchWriter(read)
        self._reader = NodeReader(scratch.get, self._cache)
        self._version = build(scratch, [], FORMAT_PARAMETERS)

    def index_faults(self, dataset: bytes, entry: Descriptor) -> Iterator[Error]:
        """Yield what is wrong with the indexes of a table whose records are right.

        Rows that break a unique index, or that no entry can hold, are faults too.
        """
        table = stored_table(entry)
        if table.records is None or not (table.indexes or table.schema.indexes):
            return
        scratch = ScratchWriter(self._read)
        trees = Trees(NodeReader(scratch.get, self._cache), scratch, entry.parameters)
        known = self._tables.get(dataset, StoredTable(table.schema, None, ()))
        try:
            roots = carry_indexes(trees, known, table.schema, table.records)
        except Corrupt:
            # A chunk that cannot be read is reported where it is looked at.
            return
        except Error as error:
            yield error
            return
        finally:
            scratch.abort()
        if roots == table.indexes:
            # Only a stored tree can be carried on: scratch memory is gone.
            self._tables[dataset] = table
            return
        names = [index.name for index in table.schema.indexes]
        for name, due, found in zip_longest(names, roots, table.indexes):
            if due != found:
                yield Corrupt(
                    f"index {name!r} of {entry.name!r} is not what the records give",
                    code="index-content",
                    address=found,
                )

    def path_faults(self, dataset: bytes, entry: Descriptor) -> Iterator[Error]:
        """Yield the paths of right records that are a file and a directory."""
        root = entry.roots[0].address
        before, self._files[dataset] = self._files.get(dataset), root
        try:
            for encoded, others in iter_path_clashes(self._reader, before, root):
                one, other = map(key_codec.decode_key, (encoded, others[0]))
                yield Corrupt(
                    f"{one!r} and {other!r} of {entry.name!r} cannot both be files",
                    code="file-path-clash",
                    address=root,
                )
        except Corrupt:
            # As above.
            return

    def blob_faults(self, reference: Reference) -> Iterator[Error]:
        """Yield the fault of a blob of several pieces that is cut in another way."""
        if reference.address in self._blobs:
            return
        self._blobs.add(reference.address)
        edit = BlobEdit(_Addresses(self._read), None)
        try:
            for piece in iter_pieces(self._read, reference):
                edit.write(edit.length, piece)
            due = edit.store()
        except Error as error:
            if error.code != "chunk-missing":
                yield error
            return
        finally:
            edit.close()
        if due != reference:
            yield Corrupt(
                f"a blob of {edit.length} bytes is not cut where its content says",
                code="blob-cut",
                address=reference.address,
            )

    def reference_faults(self, root: bytes) -> Iterator[Error]:
        """Yield the first reference that a version breaks and the last one did not."""
        before, self._version = self._version, root
        try:
            verify_references(self._reader, before, root)
        except Corrupt:
            # As above. Nothing can be said of what the next one changes beside it.
            return
        except Error as error:
            yield error


class _Addresses(ChunkWriter):
    """Tells the addresses of chunks and keeps none: they are in the store, or wrong."""

    def __init__(self, read: ReadChunk) -> None:
        self._read = read

    def put(self, chunk: bytes) -> bytes:
        return address_of(chunk)

    def get(self, address: bytes) -> bytes | None:
        return self._read(address)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        raise AssertionError("a check stores nothing")

    def abort(self) -> None:
        """Nothing was kept."""

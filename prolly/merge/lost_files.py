"""Files that lose in an unattended merge: they stand beside the winner.

A file that lost is kept under its path with ``~`` and digits of its content's hash
behind the name, in the same dataset: what refers to it keeps its bytes, and people find
it where they look. Two replicas give it the same name. What stands under such a name is
a file like any other:

    the same content stands there     nothing is to be done
    another content stands there      somebody wrote it: what lost gets another name
    it stood there in the base        somebody deleted it, and it stays deleted
"""

from __future__ import annotations

from blake3 import blake3

from prolly.codec import decode_file_entry
from prolly.codec import key as key_codec
from prolly.maps import FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX
from prolly.tree import EditBuffer, NodeReader, get

from .candidate import Candidate

_HASH_DIGITS = 8


class LostFiles:
    """Stored entries of files that lost, by path and hash."""

    def __init__(self) -> None:
        self._lost = EditBuffer()

    def add(self, key: bytes, stored: bytes) -> None:
        """Keep one file."""
        (path,) = key_codec.decode(key)
        self._lost.put(key_codec.encode((path, blake3(stored).digest())), stored)

    def keep(self, candidate: Candidate, base: bytes | None) -> None:
        """Put the files into the dataset; ends the use.

        ``base`` is the root of what the base has, None without one.
        """
        edits = EditBuffer()
        reader = candidate.trees.reader
        for keys, values in self._lost.batches():
            for lost, stored in zip(keys, values, strict=True):
                assert stored is not None
                path, mark = key_codec.decode(lost)
                roots = candidate.records, base
                found = _free_key(reader, roots, edits, (path, mark, stored))
                if found is not None:
                    edits.put(found, stored)
        if edits:
            candidate.edit(edits)
        edits.close()
        self._lost.close()


def _free_key(
    reader: NodeReader,
    roots: tuple[bytes | None, bytes | None],
    edits: EditBuffer,
    lost: tuple[str, bytes, bytes],
) -> bytes | None:
    """Return the key that a file which lost is to have, None where none is needed."""
    path, mark, stored = lost
    content = decode_file_entry(stored).content
    while True:
        key = key_codec.encode((beside(path, "~" + mark.hex()[:_HASH_DIGITS]),))
        now, base = [None if one is None else get(reader, one, key) for one in roots]
        standing = edits.find(key)[1] or now
        known = standing or base
        if known is not None and decode_file_entry(known).content == content:
            return None
        if standing is None:
            return key
        mark = blake3(mark + stored).digest()


def beside(path: str, mark: str) -> str:
    """Return a path with a mark behind its name, cut to what a path may be."""
    directory, slash, name = path.rpartition("/")
    room = min(
        FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX - len((directory + slash).encode())
    )
    if room <= len(mark):
        # A name has no room behind so long a directory.
        return "lost" + mark
    cut = name.encode()[: room - len(mark)].decode(errors="ignore")
    return directory + slash + cut + mark

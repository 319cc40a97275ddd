"""Files that lose in an unattended merge: they stand beside the winner.

A file that lost is kept under its path with ``~`` and digits of its content's hash
behind the name, in the same dataset: what refers to it keeps its bytes, and people find
it where they look. Two replicas give it the same name.
"""

from __future__ import annotations

from blake3 import blake3

from prolly.codec import key as key_codec
from prolly.maps import FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX
from prolly.tree import EditBuffer

from .candidate import Candidate

_HASH_DIGITS = 8


class LostFiles:
    """Stored entries of files that lost, by the key that they are to have."""

    def __init__(self) -> None:
        self._edits = EditBuffer()

    def add(self, key: bytes, stored: bytes) -> None:
        """Keep one file."""
        (path,) = key_codec.decode(key)
        mark = "~" + blake3(stored).hexdigest()[:_HASH_DIGITS]
        self._edits.put(key_codec.encode((beside(path, mark),)), stored)

    def keep(self, candidate: Candidate) -> None:
        """Put the files into the dataset; ends the use."""
        if self._edits:
            candidate.edit(self._edits)
        self._edits.close()


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

"""What a merge of plain files gives: the merged file, and what did not merge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from .byte_source import Place
from .file_row_merge import FileConflict
from .plain_files import write_text

# Lines are joined before they are encoded and written.
_LINES_AT_ONCE = 2_000


@dataclass(frozen=True)
class FileMerge:
    """A merged file as text, and what did not merge.

    ``added``, ``removed`` and ``modified`` count the rows that differ from ours'.
    ``write`` may be called when the files that were merged are gone.
    ``has_markers`` tells whether conflicts are marked in the file.
    """

    has_markers: ClassVar[bool] = True

    conflicts: Sequence[FileConflict] = ()
    added: int = 0
    removed: int = 0
    modified: int = 0
    _texts: Sequence[str] = field(default=(), repr=False)
    _mark: bytes = field(default=b"", repr=False)

    def write(self, place: Place) -> None:
        """Write the file: whole or not at all, compressed if its name says so.

        ``-`` is standard output. Raises as ``write_table``.
        """
        write_text(place, self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        if self._mark:
            yield self._mark
        for start in range(0, len(self._texts), _LINES_AT_ONCE):
            yield "".join(self._texts[start : start + _LINES_AT_ONCE]).encode()

"""Walking what is here of a partial replica: links to what was left out end a walk.

Left out may be whatever a node of records or of a blob links to, and parents of shallow
commits. All else that is linked to has to be here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from prolly.chunks import COVERAGE_REF, Store, what_is_here
from prolly.codec import ChunkType, Reference, links_of

from .coverage import shallow_commits

Contains = Callable[[Sequence[bytes]], Sequence[bool]]

_NODES = (ChunkType.LEAF, ChunkType.INNER, ChunkType.BLOB_NODE)


class Absences:
    """Tells the links that lead somewhere, and counts those that were left out."""

    def __init__(
        self, shallow: Callable[[], Collection[bytes]], contains: Contains
    ) -> None:
        self._shallow = shallow
        self._contains = contains
        self._absent: set[bytes] = set()

    @property
    def count(self) -> int:
        """How many chunks were met that were left out."""
        return len(self._absent)

    def links(self, address: bytes, chunk: bytes) -> list[Reference]:
        """Return the links of a chunk but for those to what was left out.

        Raises Corrupt as ``links_of``.
        """
        found = links_of(chunk)
        if chunk[0] in _NODES:
            excusable = found
        elif chunk[0] == ChunkType.COMMIT:
            excusable = [one for one in found if one.kind == ChunkType.COMMIT]
        else:
            return found
        asked = list(dict.fromkeys(one.address for one in excusable))
        here = self._contains(asked)
        absent = {one for one, is_here in zip(asked, here, strict=True) if not is_here}
        if absent and chunk[0] == ChunkType.COMMIT and address not in self._shallow():
            return found
        self._absent |= absent
        return [one for one in found if one.address not in absent]


def absences_of(store: Store) -> Absences | None:
    """Return the absences of a partial replica; ``None`` where nothing is left out."""
    if store.read_ref(COVERAGE_REF) is None:
        return None
    here = what_is_here(store)
    return Absences(partial(shallow_commits, here), here.contains_many)

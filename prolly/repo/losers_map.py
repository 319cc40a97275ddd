"""The map that merges fill with what lost: read and cleaned up by people, not written.

A merge of that map asks nobody: where two versions of it differ, nothing is put aside
once more. So what somebody wrote there by hand could be lost without a word.
"""

from __future__ import annotations

from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import reserved_name
from prolly.maps import MutableOrderedMap
from prolly.tree import WorkingTree


class LosersMap(MutableOrderedMap):
    """``prolly/conflicts`` under edit: its records are read and deleted alone."""

    def __init__(self, name: str, tree: WorkingTree, writer: ChunkWriter) -> None:
        super().__init__(tree, writer)
        self._name = name

    def __setitem__(self, key: Any, value: Any) -> None:
        """Raise Invalid ``reserved-name``."""
        raise reserved_name(self._name)

    def update(self, pairs: Any = (), /, **more: Any) -> None:
        """Raise Invalid ``reserved-name``."""
        raise reserved_name(self._name)

"""What every object of one open repository shares: store, caches, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from prolly.chunks import Store, what_is_here
from prolly.env import Environment
from prolly.history import Commits
from prolly.tree import NodeReader

if TYPE_CHECKING:
    from .stamp_clock import StampClock


@dataclass(frozen=True)
class Storage:
    """One store with the readers over it; safe for use from several threads.

    ``reader`` and ``commits`` see verified chunks only, and share their caches.
    ``new_id`` gives what a record gets that wants an id of its own.
    """

    store: Store
    reader: NodeReader
    commits: Commits
    environment: Environment
    new_id: Callable[[], UUID]

    @cached_property
    def here(self) -> Storage:
        """The same without what a partial replica asks others for while it is read.

        What is absent is Corrupt ``chunk-missing`` there.
        """
        store = what_is_here(self.store)
        if store is self.store:
            return self
        reader = NodeReader(store.get, self.reader.cache, store.get_many)
        return replace(self, store=store, reader=reader)

    @property
    def partial_reader(self) -> NodeReader | None:
        """In a partial replica what reads only what is here; None in a whole one."""
        return None if self.here is self else self.here.reader

    @cached_property
    def stamp_clock(self) -> StampClock:
        """What stamps writes to datasets that ask who wrote last."""
        from .stamp_clock import StampClock

        return StampClock(self.store, self.environment)

"""What every object of one open repository shares: store, caches, clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from prolly.chunks import Store, what_is_here
from prolly.env import Environment
from prolly.history import Commits
from prolly.tree import NodeReader

if TYPE_CHECKING:
    from uuid import UUID

    from .stamp_clock import StampClock


class Storage:
    """One store with the readers over it; safe for use from several threads.

    ``reader`` and ``commits`` see verified chunks only, and share their caches.
    ``new_id`` gives what a record gets that wants an id of its own.
    """

    def __init__(
        self,
        store: Store,
        reader: NodeReader,
        commits: Commits,
        environment: Environment,
        new_id: Callable[[], UUID],
    ) -> None:
        self.store = store
        self.reader = reader
        self.commits = commits
        self.environment = environment
        self.new_id = new_id

    def varied(
        self,
        *,
        store: Store | None = None,
        reader: NodeReader | None = None,
        environment: Environment | None = None,
    ) -> Storage:
        """Return the same with another store, reader or environment."""
        return Storage(
            self.store if store is None else store,
            self.reader if reader is None else reader,
            self.commits,
            self.environment if environment is None else environment,
            self.new_id,
        )

    @cached_property
    def here(self) -> Storage:
        """The same without what a partial replica asks others for while it is read.

        What is absent is Corrupt ``chunk-missing`` there.
        """
        store = what_is_here(self.store)
        if store is self.store:
            return self
        reader = NodeReader(store.get, self.reader.cache, store.get_many)
        return self.varied(store=store, reader=reader)

    @property
    def partial_reader(self) -> NodeReader | None:
        """In a partial replica what reads only what is here; None in a whole one."""
        return None if self.here is self else self.here.reader

    @cached_property
    def stamp_clock(self) -> StampClock:
        """What stamps writes to datasets that ask who wrote last."""
        from .stamp_clock import StampClock

        return StampClock(self.store, self.environment)


def with_author(environment: Environment, store: Store) -> Environment:
    """Return the environment with the user of the settings, unless one was named."""

    def user() -> str:
        from .config import Config

        named = environment.named_user() or Config(store).value("user.name")
        return named or environment.user()

    return environment._replace(user=user)

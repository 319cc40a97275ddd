"""What an application brings to its repositories: functions, by name.

Code is never loaded from a repository. A descriptor may name a resolver as
``app:NAME``; the program that merges hands in the :class:`App` that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from prolly.errors import AlreadyExists
from prolly.merge import APP_PREFIX, Resolve, check_new_policy_name


class App:
    """Named functions of one application. Fill it before it is used."""

    def __init__(self) -> None:
        self._resolvers: dict[str, Resolve] = {}

    @property
    def resolvers(self) -> Mapping[str, Resolve]:
        """The resolvers by name, for reading."""
        return MappingProxyType(self._resolvers)

    def resolver(self, name: str) -> Callable[[Resolve], Resolve]:
        """Return a decorator that gives a resolver its name.

        A resolver is called as ``resolve=`` of a merge is: with a :class:`Clash`, for
        what the policy ``app:NAME`` covers, in attended merges alone. Invalid
        ``unknown-policy`` for what cannot be a name; AlreadyExists ``resolver-exists``.
        """
        check_new_policy_name(f"{APP_PREFIX}{name}")
        if name in self._resolvers:
            raise AlreadyExists(
                f"there is a resolver {name!r} already",
                code="resolver-exists",
                hint="Choose another name; a name means one function.",
                name=name,
            )

        def register(function: Resolve) -> Resolve:
            self._resolvers[name] = function
            return function

        return register
